/* SPDX-License-Identifier: Apache-2.0 */
#include "provision/cert_profile.h"

#include <strings.h>

#include "base/text.h"
#include "provision/x509_build.h"

/* ---- key types and usages ---- */

enum { RSA_LEAST = 2048, RSA_MOST = 8192 };

static bool parse_rsa_type(struct key_type *out, const char *size)
{
    unsigned long bits;

    if (!text_number(&bits, size, RSA_MOST) || bits < RSA_LEAST || bits % 256)
        return false;
    *out = (struct key_type){ FAMILY_RSA, (unsigned)bits, NULL };
    return true;
}

static bool parse_ec_type(struct key_type *out, const char *curve)
{
    for (size_t i = 0; i < KEY_CURVES; i++)
        if (strcasecmp(curve, key_curves[i].name) == 0) {
            *out = (struct key_type){ FAMILY_EC, 0, key_curves[i].group };
            return true;
        }
    return false;
}

se_status key_type_parse(struct key_type *out, const char *text, se_error *err)
{
    if (strncasecmp(text, "rsa:", 4) == 0 && parse_rsa_type(out, text + 4))
        return SE_OK;
    if (strncasecmp(text, "ec:", 3) == 0 && parse_ec_type(out, text + 3))
        return SE_OK;
    return error_set(err, SE_ERR_USAGE,
                     "key type '%s': not rsa:2048 to rsa:%d, ec:P-256, ec:P-384 or ec:P-521", text,
                     RSA_MOST);
}

struct key_type key_type_of(const EVP_PKEY *key)
{
    const struct key_curve *curve = key_curve(key);

    return (struct key_type){
        .family = key_family(key),
        .bits = (unsigned)EVP_PKEY_get_bits(key),
        .group = curve ? curve->group : NULL,
    };
}

se_status protection_parse(enum protection *out, const char *text, se_error *err)
{
    *out = PROTECTION_USUAL;
    if (!text || !*text)
        return SE_OK;
    if (strcmp(text, "hsm") == 0)
        *out = PROTECTION_HSM;
    else if (strcmp(text, "software") == 0)
        *out = PROTECTION_SOFTWARE;
    else
        return error_set(err, SE_ERR_USAGE, "protection '%s': not hsm or software", text);
    return SE_OK;
}

static const struct {
    const char *name;
    unsigned uses;
} use_names[] = { { "sign", USE_SIGN },
                  { "encrypt", USE_ENCRYPT },
                  { "both", USE_SIGN | USE_ENCRYPT } };

se_status key_uses_parse(unsigned *out, const char *text, enum key_family family, se_error *err)
{
    *out = 0;
    for (size_t i = 0; i < sizeof use_names / sizeof *use_names; i++)
        if (strcmp(text, use_names[i].name) == 0)
            *out = use_names[i].uses;
    if (!*out)
        return error_set(err, SE_ERR_USAGE, "key usage '%s': not sign, encrypt or both", text);
    if (family == FAMILY_EC && *out & USE_ENCRYPT)
        return error_set(err, SE_ERR_USAGE,
                         "an EC key can sign, not decrypt: key usage '%s' needs RSA", text);
    return SE_OK;
}

unsigned target_uses(const struct target *target)
{
    return (target_descriptor(target, false) ? USE_SIGN : 0U) |
           (target_descriptor(target, true) ? USE_ENCRYPT : 0U);
}

/* The given usage, else what the descriptors need: with a key that may only sign, everything
 * encrypted for it would be lost. */
static se_status key_uses_choose(unsigned *out, const char *said, const struct target *target,
                                 enum key_family family, se_error *err)
{
    const struct descriptor *encrypts = target_descriptor(target, true);

    if (*said)
        return key_uses_parse(out, said, family, err);
    if (family == FAMILY_EC && encrypts)
        return error_set(err, SE_ERR_USAGE,
                         "descriptor '%s' encrypts with this key, and an EC key can't decrypt: it "
                         "needs an RSA key",
                         encrypts->name);
    *out = target_uses(target);
    *out = *out ? *out : USE_SIGN;
    return SE_OK;
}

/* ---- all of it ---- */

se_status alternative_names(GENERAL_NAMES **out, const char *const *texts, size_t count,
                            se_error *err)
{
    AUTO(general_names) names = count ? GENERAL_NAMES_new() : NULL;

    *out = NULL;
    if (count && !names)
        return error_memory(err);
    for (size_t i = 0; i < count; i++) {
        AUTO(general_name) name = NULL;

        TRY(alternative_name_parse(&name, texts[i], err));
        if (!sk_GENERAL_NAME_push(names, name))
            return error_memory(err);
        name = NULL;
    }
    *out = MOVE(names);
    return SE_OK;
}

se_status cert_profile_inherit(struct cert_profile *out, X509 *certificate,
                               const struct provision_profile *wanted, se_error *err)
{
    if (!*wanted->subject) {
        X509_NAME_free(out->subject);
        out->subject = X509_NAME_dup(X509_get_subject_name(certificate));
    }
    if (!wanted->alternative_count) {
        GENERAL_NAMES_free(out->alternatives);
        out->alternatives = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    }
    if (!*wanted->usage)
        out->uses = certificate_uses(certificate);
    return out->subject ? SE_OK : error_memory(err);
}

void cert_profile_free(struct cert_profile *profile)
{
    X509_NAME_free(profile->subject);
    GENERAL_NAMES_free(profile->alternatives);
    *profile = (struct cert_profile){ .subject = NULL };
}

se_status cert_profile_parse(struct cert_profile *out, const struct provision_profile *profile,
                             const struct target *target, enum key_family family, se_error *err)
{
    AUTO(cert_profile) parsed = { .days = profile->days };

    *out = (struct cert_profile){ .subject = NULL };
    TRY(key_uses_choose(&parsed.uses, profile->usage, target, family, err));
    TRY_PREFIX(*profile->subject ? distinguished_name_parse(&parsed.subject, profile->subject, err)
                                 : common_name_make(&parsed.subject, target->name, err),
               err, "subject ");
    TRY(alternative_names(&parsed.alternatives, profile->alternatives, profile->alternative_count,
                          err));
    *out = MOVE(parsed);
    return SE_OK;
}
