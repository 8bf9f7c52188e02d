/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/revocation_report.h"

#include <stdarg.h>
#include <stdio.h>

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
