#include "zip/params.h"

#include <time.h>

enum { ENTRIES_MOST = 100000, RATIO_MOST = 200 };
#define TOTAL_MOST ((uint64_t)64 << 30)

se_status zip_params_read(se_zip_params *out, const se_zip_params *params, se_error *err)
{
    const se_zip_params defaults = SE_ZIP_PARAMS_INIT;

    *out = params ? *params : defaults;
    if (out->size != sizeof *out)
        return error_set(err, SE_ERR_USAGE, "se_zip_params of %zu bytes, SE_ZIP_PARAMS_INIT makes %zu", out->size, sizeof *out);
    if (out->trust && out->issuers)
        return error_set(err, SE_ERR_USAGE, "either CAs that are named vouch for signers, or the issuers of the descriptor's certificates");
    if (out->time < 0)
        return error_set(err, SE_ERR_USAGE, "a time before 1970");
    if (!out->time)
        out->time = time(NULL);
    return SE_OK;
}

struct archive_limits zip_params_limits(const se_zip_params *params)
{
    struct archive_limits limits = { params->max_entries, params->max_total, params->max_ratio, false };

    if (!limits.entries)
        limits.entries = ENTRIES_MOST;
    if (limits.entries > UINT32_MAX - 1)
        limits.entries = UINT32_MAX - 1;
    if (!limits.total)
        limits.total = TOTAL_MOST;
    if (!limits.ratio)
        limits.ratio = RATIO_MOST;
    return limits;
}
