/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that come back to a token under a file key. */
#include <openssl/err.h>

#include "crypto/crypto.h"
#include "keystore/pkcs11/call.h"
#include "provision/token_wrap.h"

/* NSS unwraps an EC key only with the public point beside it, under a number of its own. */
#define CKA_NSS_DB 0xd5a0db00UL

/* ---- what both directions need ---- */

se_status session_object_create(CK_OBJECT_HANDLE *out, struct token_keystore *s,
                                struct p11_template *t, const char *what, se_error *err)
{
    CK_RV rv;

    if (t->failed)
        return crypto_error(err, SE_ERR_CRYPTO, "preparing %s for the token", what);
    rv = s->session.calls->C_CreateObject(s->session.handle, t->list, t->count, out);
    return rv == CKR_OK ? SE_OK
                        : session_error(err, &s->session, rv, "the token does not take %s", what);
}

void describe_file_key(struct p11_template *t, bool may_wrap)
{
    p11_template_flag(t, CKA_TOKEN, false);
    p11_template_flag(t, CKA_PRIVATE, true);
    p11_template_flag(t, CKA_SENSITIVE, true);
    p11_template_flag(t, CKA_EXTRACTABLE, may_wrap);
    p11_template_flag(t, CKA_WRAP, may_wrap);
    p11_template_flag(t, CKA_UNWRAP, true);
    p11_template_flag(t, CKA_ENCRYPT, false);
    p11_template_flag(t, CKA_DECRYPT, false);
}

void oaep_mechanism(struct oaep_mechanism *out, const struct unwrap_how *how)
{
    out->params = (CK_RSA_PKCS_OAEP_PARAMS){
        .hashAlg = token_digest(how->digest)->mechanism,
        .mgf = token_digest(how->mgf1)->mgf,
        .source = CKZ_DATA_SPECIFIED, /* SoftHSM and NSS refuse 0, which means the same */
    };
    out->mechanism = (CK_MECHANISM){ CKM_RSA_PKCS_OAEP, &out->params, sizeof out->params };
}

CK_MECHANISM aes_mechanism(CK_MECHANISM_TYPE type, unsigned char iv[WRAPPED_IV])
{
    const bool has_iv = type == CKM_AES_CBC_PAD;

    return (CK_MECHANISM){ type, has_iv ? iv : NULL, has_iv ? WRAPPED_IV : 0 };
}

bool token_has_mechanism(struct token_keystore *s, CK_MECHANISM_TYPE type, CK_FLAGS flag)
{
    CK_MECHANISM_INFO info = { .flags = 0 };

    return s->session.calls->C_GetMechanismInfo(s->token->slot.id, type, &info) == CKR_OK &&
           info.flags & flag;
}

/* ---- the way back ---- */

static CK_RV unwrap_with(CK_OBJECT_HANDLE *out, struct token_keystore *s,
                         const struct wrapped_key *key, CK_OBJECT_HANDLE file_key,
                         struct p11_template *t)
{
    static const struct {
        enum wrapping wrapping;
        CK_MECHANISM_TYPE type;
    } ways[] = {
        { WRAPPING_PADDED, CKM_AES_KEY_WRAP_KWP }, { WRAPPING_PADDED, CKM_AES_KEY_WRAP_PAD },
        { WRAPPING_PLAIN, CKM_AES_KEY_WRAP },      { WRAPPING_PLAIN, CKM_AES_KEY_WRAP_PAD },
        { WRAPPING_CBC, CKM_AES_CBC_PAD },
    };
    unsigned char iv[WRAPPED_IV];
    CK_RV rv = CKR_MECHANISM_INVALID;

    memcpy(iv, key->iv, sizeof iv);
    for (size_t i = 0; rv != CKR_OK && i < sizeof ways / sizeof *ways; i++) {
        CK_MECHANISM mechanism = aes_mechanism(ways[i].type, iv);

        if (ways[i].wrapping == key->wrapping && token_has_mechanism(s, ways[i].type, CKF_UNWRAP))
            rv = s->session.calls->C_UnwrapKey(s->session.handle, &mechanism, file_key,
                                               key->blob.data, key->blob.size, t->list, t->count,
                                               out);
        if (rv == CKR_TEMPLATE_INCOMPLETE)
            break;
    }
    return rv;
}

static se_status unwrap_object(CK_OBJECT_HANDLE *out, struct token_keystore *s,
                               const struct wrapped_key *key, CK_OBJECT_HANDLE file_key,
                               struct p11_template *t, se_error *err)
{
    EVP_PKEY *public_key = wrapped_public_key(key);
    CK_RV rv = unwrap_with(out, s, key, file_key, t);

    if (rv == CKR_TEMPLATE_INCOMPLETE && key_family(public_key) == FAMILY_EC) {
        describe_point(t, CKA_NSS_DB, public_key);
        rv = unwrap_with(out, s, key, file_key, t);
    }
    if (t->failed)
        return crypto_error(err, SE_ERR_CRYPTO, "preparing the private key for the token");
    return rv == CKR_OK
               ? SE_OK
               : session_error(err, &s->session, rv, "the token does not take the wrapped key");
}

se_status token_try_unwrapping(struct token_keystore *s, const struct wrapped_key *key,
                               CK_OBJECT_HANDLE file_key, se_error *err)
{
    static const se_buf no_id = SE_BUF_INIT;
    EVP_PKEY *public_key = wrapped_public_key(key);
    AUTO(p11_template) t = { .count = 0 };
    CK_OBJECT_HANDLE object;
    se_status st;

    describe_object(&t, &class_private, key_family(public_key), &no_id);
    p11_template_flag(&t, CKA_TOKEN, false);
    p11_template_flag(&t, CKA_PRIVATE, true);
    p11_template_flag(&t, CKA_SENSITIVE, true);
    p11_template_flag(&t, CKA_EXTRACTABLE, false);
    p11_template_flag(&t, CKA_SIGN, true);
    TRY(unwrap_object(&object, s, key, file_key, &t, err));
    st = token_try_signing(s, object, public_key, err);
    (void)s->session.calls->C_DestroyObject(s->session.handle, object);
    return st;
}

/* ---- the file key that comes with it ---- */

static bool is_same_token(struct token_keystore *s, const struct keyref *ref)
{
    AUTO(module) module = NULL;
    CK_SLOT_ID slot;

    return strcmp(ref->store, "HSM") == 0 &&
           !module_open(&module, ref->location, ref->init_args, NULL) && module == s->module &&
           !token_select(&slot, module, ref, NULL) && slot == s->token->slot.id;
}

static CK_RV unwrap_file_key_by(CK_OBJECT_HANDLE *out, struct token_keystore *s,
                                const struct wrapped_key *key, CK_OBJECT_HANDLE reader)
{
    static const CK_OBJECT_CLASS secret = CKO_SECRET_KEY;
    static const CK_KEY_TYPE aes = CKK_AES;
    static const CK_ULONG size = FILE_KEY;
    AUTO(p11_template) t = { .count = 0 };
    struct oaep_mechanism oaep;
    CK_RV rv;

    oaep_mechanism(&oaep, &key->oaep);
    p11_template_number(&t, CKA_CLASS, &secret);
    p11_template_number(&t, CKA_KEY_TYPE, &aes);
    describe_file_key(&t, false);
    rv = s->session.calls->C_UnwrapKey(s->session.handle, &oaep.mechanism, reader,
                                       key->sealed[0].data, key->sealed[0].size, t.list, t.count,
                                       out);
    if (!is_template_refused(rv))
        return rv;
    p11_template_number(&t, CKA_VALUE_LEN, &size); /* which others refuse here */
    return s->session.calls->C_UnwrapKey(s->session.handle, &oaep.mechanism, reader,
                                         key->sealed[0].data, key->sealed[0].size, t.list, t.count,
                                         out);
}

/* By a recovery key in the same token: then the file key is in clear nowhere else. */
static se_status unwrap_file_key(CK_OBJECT_HANDLE *out, struct token_keystore *s,
                                 const struct wrapped_key *key, se_error *err)
{
    struct query query = query_class(&class_private);
    struct objects found = { .count = 0 };
    CK_RV rv = CKR_KEY_HANDLE_INVALID;

    if (!key->reader || !key->sealed_count || !is_same_token(s, key->reader))
        return error_set(err, SE_ERR_STORE, "the recovery key is not in the same token");
    TRY(meant_find(&found, &s->session, &query, key->reader, MEANT_EXACTLY, err));
    for (size_t i = 0; rv != CKR_OK && i < found.count; i++)
        rv = unwrap_file_key_by(out, s, key, found.list[i]);
    return rv == CKR_OK ? SE_OK
                        : session_error(err, &s->session, rv,
                                        "the recovery key does not unwrap the file key");
}

static se_status put_file_key(CK_OBJECT_HANDLE *out, struct token_keystore *s,
                              const struct wrapped_key *key, se_error *err)
{
    static const CK_OBJECT_CLASS secret = CKO_SECRET_KEY;
    static const CK_KEY_TYPE aes = CKK_AES;
    AUTO(p11_template) t = { .count = 0 };

    if (!key->file_key.size)
        return unwrap_file_key(out, s, key, err);
    p11_template_number(&t, CKA_CLASS, &secret);
    p11_template_number(&t, CKA_KEY_TYPE, &aes);
    describe_file_key(&t, false);
    p11_template_bytes(&t, CKA_VALUE, buf_bytes(&key->file_key));
    return session_object_create(out, s, &t, "the file key", err);
}

se_status token_try_wrapped(struct keystore *keystore, const struct wrapped_key *key, se_error *err)
{
    struct token_keystore *s = (struct token_keystore *)keystore;
    CK_OBJECT_HANDLE file_key;

    TRY(put_file_key(&file_key, s, key, err));
    return token_try_unwrapping(s, key, file_key, err);
}

static void set_flag(struct token_keystore *s, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
                     bool flag)
{
    CK_BBOOL value = flag ? CK_TRUE : CK_FALSE;
    CK_ATTRIBUTE attribute = { type, &value, sizeof value };

    if (object_flag(&s->session, object, type, flag) != flag)
        (void)s->session.calls->C_SetAttributeValue(s->session.handle, object, &attribute, 1);
}

/* openCryptoki takes no CKA_EXTRACTABLE=TRUE here, sets it by itself, and CKA_SENSITIVE not. */
static se_status settle_leaving(struct token_keystore *s, CK_OBJECT_HANDLE object,
                                const struct key_profile *profile, se_error *err)
{
    set_flag(s, object, CKA_SENSITIVE, true);
    if (profile->is_exportable)
        return token_check_leaving(s, object, profile, err);
    set_flag(s, object, CKA_EXTRACTABLE, false);
    if (!object_flag(&s->session, object, CKA_EXTRACTABLE, false))
        return SE_OK;
    return error_set(err, SE_ERR_STORE,
                     "the token makes a key that may leave it: --exportable, if that is meant");
}

static se_status unwrap_for_good(struct token_keystore *s, const struct wrapped_key *key,
                                 const struct key_profile *profile, se_error *err)
{
    CK_OBJECT_HANDLE *made = &s->made[s->made_count], file_key;
    AUTO(p11_template) t = { .count = 0 };

    TRY(put_file_key(&file_key, s, key, err));
    describe_object(&t, &class_private, key_family(wrapped_public_key(key)), &s->id);
    describe_private(&t, s->keystore.target->name, profile, DENIALS_NAMED);
    if (unwrap_object(made, s, key, file_key, &t, NULL)) {
        p11_template_drop(&t, CKA_EXTRACTABLE);
        TRY(unwrap_object(made, s, key, file_key, &t, err));
    }
    s->made_count++;
    return settle_leaving(s, *made, profile, err);
}

se_status token_put_wrapped(struct keystore *keystore, const struct wrapped_key *key,
                            const struct key_profile *profile, se_error *err)
{
    struct token_keystore *s = (struct token_keystore *)keystore;

    TRY(token_choose_id(s, wrapped_public_key(key), err));
    TRY(unwrap_for_good(s, key, profile, err));
    return token_put_public(s, wrapped_public_key(key), profile->uses, err);
}
