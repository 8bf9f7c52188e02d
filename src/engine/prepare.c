/* What every job begins with. */
#include <time.h>

#include "engine/engine.h"
#include "key/certificate.h"

int64_t now(void)
{
    return time(NULL);
}

se_status params_read(se_params *out, const se_params *params, se_error *err)
{
    const se_params defaults = SE_PARAMS_INIT;

    *out = params ? *params : defaults;
    if (out->size != sizeof *out)
        return error_set(err, SE_ERR_USAGE, "se_params of %zu bytes, SE_PARAMS_INIT makes %zu", out->size, sizeof *out);
    if (out->purpose < SE_PURPOSE_DESCRIPTOR || out->purpose > SE_PURPOSE_ZIP)
        return error_set(err, SE_ERR_USAGE, "no purpose %d", (int)out->purpose);
    if (out->time < 0)
        return error_set(err, SE_ERR_USAGE, "a time before 1970");
    if (!out->time)
        out->time = now();
    return SE_OK;
}

enum purpose purpose_of(const se_params *params, const struct descriptor *descriptor)
{
    static const enum purpose stated[] = { [SE_PURPOSE_MAIL] = PURPOSE_MAIL, [SE_PURPOSE_ZIP] = PURPOSE_ZIP };

    return params->purpose == SE_PURPOSE_DESCRIPTOR ? descriptor->use->purpose : stated[params->purpose];
}

/* The rules take longer than a field.  What changes about them is the time, so that once in a second is enough. */
se_status key_allowed(struct key *key, const struct descriptor *descriptor, se_error *err)
{
    int64_t second = now();
    se_status st;

    if (__atomic_load_n(&key->checked_at, __ATOMIC_ACQUIRE) == second && __atomic_load_n(&key->checked_for, __ATOMIC_ACQUIRE) == descriptor)
        return SE_OK;
    if ((st = certificate_check(descriptor, key->certificate, second, SE_ERR_POLICY, err)))
        return st;
    __atomic_store_n(&key->checked_for, descriptor, __ATOMIC_RELEASE);
    __atomic_store_n(&key->checked_at, second, __ATOMIC_RELEASE);
    return SE_OK;
}

se_status signing_algorithm(const struct algorithm **out, const struct descriptor *descriptor, const EVP_PKEY *key, se_error *err)
{
    const struct algorithm *stated = &descriptor->algorithm;
    enum key_family family = key_family(key);

    *out = NULL;
    if (stated->kind == ALGORITHM_SIGNATURE)
        *out = algorithm_signature(stated->digest, stated->family, stated->padding);
    else if (stated->kind == ALGORITHM_DIGEST)
        *out = algorithm_signature(stated->digest, family, family == FAMILY_RSA ? PADDING_PKCS1 : PADDING_NONE);
    else
        return error_set(err, SE_ERR_POLICY, "its algorithm %s is not for signatures", stated->name);
    return *out ? SE_OK : error_set(err, SE_ERR_POLICY, "its algorithm %s can't be used with that key", stated->name);
}

se_status blame(se_error *err, const struct descriptor *descriptor)
{
    return error_prefix(err, "descriptor '%s': key '%s': ", descriptor->name, descriptor->key->name);
}
