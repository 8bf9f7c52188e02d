/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/revocation_looking.h"

#include <stdio.h>

#include "base/arguments.h"
#include "base/clock.h"
#include "cms/tsp.h"
#include "engine/crl_files.h"
#include "engine/revocation_fetch.h"

void revocation_looking_free(struct revocation_looking *looking)
{
    revocation_sources_free(&looking->sources);
}

static se_status read_params(se_revocation_params *out, const se_revocation_params *params,
                             se_error *err)
{
    TRY(arguments_options(out, params, se_revocation_params, err));
    if (out->max_age < 0)
        return error_set(err, SE_ERR_USAGE, "%jd seconds are no age of CRLs",
                         (intmax_t)out->max_age);
    return SE_OK;
}

se_status revocation_looking_begin(struct revocation_looking *out,
                                   const se_revocation_params *params, int64_t time, se_error *err)
{
    const int64_t now = clock_seconds();
    se_revocation_params read;

    TRY(read_params(&read, params, err));
    if (!revocation_sources_begin(&out->sources))
        return error_memory(err);
    if (read.crls)
        TRY(crl_files_load(out->sources.crls, read.crls, err));
    out->rules = (struct revocation_rules){
        .sources = &out->sources,
        .wanted = params != NULL,
        .ask_responder = read.ask_responders ? ocsp_answer_fetch : NULL,
        .fetch_crl = read.fetch_crls ? crl_fetch : NULL,
        .now = time > now ? time : now, /* of the past, today's CRLs tell most */
        .max_age = read.max_age,
        .required = read.required,
        .stamps_outlive_compromise = read.stamps_outlive_compromise,
    };
    return SE_OK;
}

static se_status gather_issuers(STACK_OF(X509) * *out, const struct verdict *verdict,
                                const STACK_OF(X509) * issuers, se_error *err)
{
    AUTO(x509_stack) all = sk_X509_new_null();
    const int flags = X509_ADD_FLAG_UP_REF | X509_ADD_FLAG_NO_DUP;

    if (!all || (issuers && !X509_add_certs(all, (STACK_OF(X509) *)issuers, flags)) ||
        (verdict->brought && !X509_add_certs(all, verdict->brought, flags)))
        return error_memory(err);
    *out = MOVE(all);
    return SE_OK;
}

se_status revocation_look(struct revocation *out, const struct verdict *verdict,
                          const STACK_OF(X509) * issuers, const struct verify_job *job,
                          se_error *err)
{
    AUTO(x509_stack) others = NULL;
    struct revocation_question question = { .certificate = verdict->certificate,
                                            .roots = job->roots,
                                            .at = stamp_moment(&verdict->stamp, job->time),
                                            .is_stamped = verdict->stamp.time != 0 };

    TRY(gather_issuers(&others, verdict, issuers, err));
    question.others = others;
    return revocation_check(out, &question, job->revocation, err);
}

void signer_tell_revocation(se_signer *out, const struct revocation *revocation)
{
    out->revocation = revocation->status;
    out->revocation_source = revocation->source;
    out->revocation_update = revocation->update;
    (void)snprintf(out->revocation_teller, sizeof out->revocation_teller, "%s", revocation->teller);
    (void)snprintf(out->revocation_note, sizeof out->revocation_note, "%s", revocation->note);
}
