/* What every job begins with. */
#include <time.h>

#include "base/arguments.h"
#include "crypto/certificate.h"
#include "engine/engine.h"

int64_t now(void)
{
    return time(NULL);
}

static se_status check_common(se_purpose purpose, int64_t *time, se_error *err)
{
    if (purpose < SE_PURPOSE_DESCRIPTOR || purpose > SE_PURPOSE_ZIP)
        return error_set(err, SE_ERR_USAGE, "no purpose %d", (int)purpose);
    if (*time < 0)
        return error_set(err, SE_ERR_USAGE, "a time before 1970");
    if (!*time)
        *time = now();
    return SE_OK;
}

se_status sign_params_read(se_sign_params *out, const se_sign_params *params, se_error *err)
{
    se_status st = arguments_options(out, params, se_sign_params, err);

    return st ? st : check_common(out->purpose, &out->time, err);
}

se_status verify_params_read(se_verify_params *out, const se_verify_params *params, se_error *err)
{
    se_status st = arguments_options(out, params, se_verify_params, err);

    return st ? st : check_common(out->purpose, &out->time, err);
}

enum purpose purpose_of(se_purpose stated, const struct descriptor *descriptor)
{
    static const enum purpose purposes[] = {
        [SE_PURPOSE_MAIL] = PURPOSE_MAIL, [SE_PURPOSE_ZIP] = PURPOSE_ZIP
    };

    return stated == SE_PURPOSE_DESCRIPTOR ? descriptor->use->purpose : purposes[stated];
}

/* The rules take longer than a field.  What changes about them is the time, so that once in a
 * second is enough. */
se_status key_allowed(struct key *key, const struct descriptor *descriptor, se_error *err)
{
    int64_t second = now();

    if (__atomic_load_n(&key->checked_at, __ATOMIC_ACQUIRE) == second &&
        __atomic_load_n(&key->checked_for, __ATOMIC_ACQUIRE) == descriptor)
        return SE_OK;
    TRY(certificate_check(descriptor, key->certificate, second, SE_ERR_POLICY, err));
    __atomic_store_n(&key->checked_for, descriptor, __ATOMIC_RELEASE);
    __atomic_store_n(&key->checked_at, second, __ATOMIC_RELEASE);
    return SE_OK;
}

se_status signing_algorithm(const struct algorithm **out, const struct descriptor *descriptor,
                            const EVP_PKEY *key, se_error *err)
{
    const struct algorithm *stated = &descriptor->algorithm;
    enum key_family family = key_family(key);

    *out = NULL;
    if (stated->kind == ALGORITHM_SIGNATURE)
        *out = algorithm_signature(stated->digest, stated->family, stated->padding);
    else if (stated->kind == ALGORITHM_DIGEST)
        *out = algorithm_signature(stated->digest, family,
                                   family == FAMILY_RSA ? PADDING_PKCS1 : PADDING_NONE);
    else
        return error_set(err, SE_ERR_POLICY, "its algorithm %s is not for signatures",
                         stated->name);
    return *out ? SE_OK
                : error_set(err, SE_ERR_POLICY, "its algorithm %s can't be used with that key",
                            stated->name);
}

se_status blame(se_error *err, const struct descriptor *descriptor)
{
    return error_prefix(err, "descriptor '%s': key '%s': ", descriptor->name,
                        descriptor->key->name);
}
