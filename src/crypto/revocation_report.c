/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/revocation_report.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"

bool revocation_sources_begin(struct revocation_sources *out)
{
    *out = (struct revocation_sources){
        .crls = sk_X509_CRL_new_null(),
        .answers = sk_OCSP_BASICRESP_new_null(),
    };
    return out->crls && out->answers;
}

void revocation_sources_free(struct revocation_sources *sources)
{
    sk_X509_CRL_pop_free(sources->crls, X509_CRL_free);
    sk_OCSP_BASICRESP_pop_free(sources->answers, OCSP_BASICRESP_free);
    *sources = (struct revocation_sources){ NULL };
}

void report_nothing(struct revocation_report *out, const char *format, ...)
{
    va_list args;

    out->kind = REPORT_NOTHING;
    va_start(args, format);
    (void)vsnprintf(out->why, sizeof out->why, format, args);
    va_end(args);
}

void report_good(struct revocation_report *out, const struct revocation_rules *rules,
                 const struct good_statement *s, int64_t expiry)
{
    char when[TIME_TEXT_ROOM];

    if (s->until < rules->now)
        report_nothing(out, "the newest %s was good until %s", s->what,
                       time_format(when, TIME_RFC3339, s->until));
    else if (rules->max_age && rules->now - out->update > rules->max_age)
        report_nothing(out, "the newest %s is of %s, which is too old", s->what,
                       time_format(when, TIME_RFC3339, out->update));
    else if (expiry < out->update && !(s->expired_since && s->expired_since <= expiry))
        report_nothing(out,
                       "it expired at %s, and the %s, which is newer, need not %s such "
                       "certificates any more",
                       time_format(when, TIME_RFC3339, expiry), s->what, s->does);
    else
        out->kind = REPORT_GOOD;
}
