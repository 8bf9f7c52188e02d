#include "provision/wish.h"

#include <strings.h>

#include "base/text.h"

enum { RSA_LEAST = 2048, RSA_MOST = 8192 };

static const struct {
    const char *name, *group;
} curves[] = { { "P-256", "prime256v1" }, { "P-384", "secp384r1" }, { "P-521", "secp521r1" } };

static bool rsa_type(struct key_type *out, const char *size)
{
    unsigned long bits;

    if (!text_number(&bits, size, RSA_MOST) || bits < RSA_LEAST || bits % 256)
        return false;
    *out = (struct key_type){ FAMILY_RSA, (unsigned)bits, NULL };
    return true;
}

static bool ec_type(struct key_type *out, const char *curve)
{
    for (size_t i = 0; i < sizeof curves / sizeof *curves; i++)
        if (strcasecmp(curve, curves[i].name) == 0) {
            *out = (struct key_type){ FAMILY_EC, 0, curves[i].group };
            return true;
        }
    return false;
}

se_status key_type_parse(struct key_type *out, const char *text, se_error *err)
{
    if (strncasecmp(text, "rsa:", 4) == 0 && rsa_type(out, text + 4))
        return SE_OK;
    if (strncasecmp(text, "ec:", 3) == 0 && ec_type(out, text + 3))
        return SE_OK;
    return error_set(err, SE_ERR_USAGE,
                     "key type '%s': not rsa:2048 to rsa:%d, ec:P-256, ec:P-384 or ec:P-521", text,
                     RSA_MOST);
}

static const struct {
    const char *name;
    unsigned uses;
} use_names[] = { { "sign", USE_SIGN },
                  { "encrypt", USE_ENCRYPT },
                  { "both", USE_SIGN | USE_ENCRYPT } };

se_status uses_parse(unsigned *out, const char *text, enum key_family family, se_error *err)
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

unsigned uses_wanted(const struct target *target)
{
    return (target_user(target, false) ? USE_SIGN : 0U) |
           (target_user(target, true) ? USE_ENCRYPT : 0U);
}

/* What is said; else what the descriptors need: a key that may only sign loses all that is
 * encrypted for it. */
static se_status uses_choose(unsigned *out, const char *said, const struct target *target,
                             enum key_family family, se_error *err)
{
    const struct descriptor *encrypts = target_user(target, true);

    if (*said)
        return uses_parse(out, said, family, err);
    if (family == FAMILY_EC && encrypts)
        return error_set(err, SE_ERR_USAGE,
                         "descriptor '%s' encrypts with this key, and an EC key can't decrypt: it "
                         "needs an RSA key",
                         encrypts->name);
    *out = uses_wanted(target);
    *out = *out ? *out : USE_SIGN;
    return SE_OK;
}

void certificate_wish_free(struct certificate_wish *wish)
{
    X509_NAME_free(wish->subject);
    GENERAL_NAMES_free(wish->alternatives);
    *wish = (struct certificate_wish){ .subject = NULL };
}

se_status wish_parse(struct certificate_wish *out, const struct provision_wish *wish,
                     const struct target *target, enum key_family family, se_error *err)
{
    unsigned uses;
    se_status st;

    *out = (struct certificate_wish){ .subject = NULL };
    if ((st = uses_choose(&uses, wish->usage, target, family, err)) ||
        (st = *wish->subject ? subject_parse(&out->subject, wish->subject, err)
                             : subject_common_name(&out->subject, target->name, err)) ||
        (st = alternative_names(&out->alternatives, wish->alternatives, wish->alternative_count,
                                err))) {
        certificate_wish_free(out);
        return st;
    }
    out->wish = (struct wish){ out->subject, out->alternatives, uses, wish->days };
    return SE_OK;
}
