/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/revocation_looking.h"

#include "base/arguments.h"
#include "base/clock.h"
#include "engine/crl_files.h"

void revocation_looking_free(struct revocation_looking *looking)
{
    sk_X509_CRL_pop_free(looking->crls, X509_CRL_free);
}

se_status revocation_looking_begin(struct revocation_looking *out,
                                   const se_revocation_params *params, int64_t time, se_error *err)
{
    const int64_t now = clock_seconds();
    se_revocation_params read;

    if (!params)
        return SE_OK;
    TRY(arguments_options(&read, params, se_revocation_params, err));
    if (read.max_age < 0)
        return error_set(err, SE_ERR_USAGE, "%jd seconds are no age of CRLs",
                         (intmax_t)read.max_age);
    if (read.crls)
        TRY(crl_files_load(&out->crls, read.crls, err));
    out->rules = (struct revocation_rules){
        .crls = out->crls,
        .now = time > now ? time : now, /* of the past, today's CRLs tell most */
        .max_age = read.max_age,
        .required = read.required,
        .stamps_outlive_compromise = read.stamps_outlive_compromise,
    };
    return SE_OK;
}
