/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/revocation_policy.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arguments.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "cms/tsp.h"
#include "crypto/crl.h"
#include "engine/revocation_fetch.h"

enum { CRL_LIMIT = 256 << 20 }; /* those of large CAs have millions of entries */

static se_status load_file(STACK_OF(X509_CRL) * crls, const char *path, bool needs_one,
                           se_error *err)
{
    AUTO(se_buf) text = SE_BUF_INIT;
    const int before = sk_X509_CRL_num(crls);

    TRY(file_read(&text, path, CRL_LIMIT, err));
    TRY(crls_read(crls, buf_bytes(&text), path, err));
    if (needs_one && sk_X509_CRL_num(crls) == before)
        return error_set(err, SE_ERR_FORMAT, "there is no CRL in '%s'", path);
    return SE_OK;
}

/* Beside CRLs there may be the certificates of their issuers. */
static se_status load_entry(void *arg, const char *path, se_error *err)
{
    const bool is_crl = text_ends(path, ".crl");

    return is_crl || text_ends(path, ".pem") ? load_file(arg, path, is_crl, err) : SE_OK;
}

/* `path`: a file, or a folder of files named *.crl, each with a CRL, and *.pem. */
static se_status load_crls(STACK_OF(X509_CRL) * crls, const char *path, se_error *err)
{
    struct stat info;

    if (!stat(path, &info) && S_ISDIR(info.st_mode))
        TRY_PREFIX(folder_each(path, load_entry, crls, err), err, "CRLs: ");
    else
        TRY_PREFIX(load_file(crls, path, true, err), err, "CRLs: ");
    return SE_OK;
}

void revocation_policy_free(struct revocation_policy *policy)
{
    revocation_sources_free(&policy->sources);
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

se_status revocation_policy_read(struct revocation_policy *out, const se_revocation_params *params,
                                 int64_t time, se_error *err)
{
    const int64_t now = clock_seconds();
    se_revocation_params read;

    TRY(read_params(&read, params, err));
    if (!revocation_sources_begin(&out->sources))
        return error_memory(err);
    if (read.crls)
        TRY(load_crls(out->sources.crls, read.crls, err));
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

se_status revocation_look_once(struct revocation_finding *finding, const struct verdict *verdict,
                               const STACK_OF(X509) * issuers, const struct verify_job *job,
                               se_error *err)
{
    if (finding->signer != verdict->candidate) {
        finding->signer = verdict->candidate;
        finding->why = (se_error)SE_ERROR_INIT;
        finding->why.status =
            revocation_look(&finding->revocation, verdict, issuers, job, &finding->why);
    }
    return finding->why.status ? error_copy(err, finding->why.status, &finding->why) : SE_OK;
}

void signer_tell_revocation(se_signer *out, const struct revocation *revocation)
{
    out->revocation = revocation->status;
    out->revocation_source = revocation->source;
    out->revocation_update = revocation->update;
    (void)snprintf(out->revocation_teller, sizeof out->revocation_teller, "%s", revocation->teller);
    (void)snprintf(out->revocation_note, sizeof out->revocation_note, "%s", revocation->note);
}
