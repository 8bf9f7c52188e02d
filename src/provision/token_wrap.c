/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys that leave a token under a file key.  Tokens have little in common here: what one calls
 * CKM_AES_KEY_WRAP_PAD is another thing to the next, and some wrap keys of which they say
 * themselves that they may not leave.
 */
#include <openssl/core_names.h>
#include <openssl/err.h>

#include "crypto/crypto.h"
#include "crypto/pkey_ops.h"
#include "keystore/pkcs11/call.h"
#include "provision/token_wrap.h"

enum {
    ROOM_MORE = 64, /* NSS tells a length that is too small */
    PROBE_BITS = 2048,
};

static se_status generate_file_key(CK_OBJECT_HANDLE *out, struct token_keystore *s, se_error *err)
{
    static const CK_ULONG size = FILE_KEY;
    CK_MECHANISM mechanism = { CKM_AES_KEY_GEN, NULL, 0 };
    AUTO(p11_template) t = { .count = 0 };
    CK_RV rv;

    describe_file_key(&t, true);
    p11_template_number(&t, CKA_VALUE_LEN, &size);
    rv = s->session.calls->C_GenerateKey(s->session.handle, &mechanism, t.list, t.count, out);
    return rv == CKR_OK ? SE_OK
                        : session_error(err, &s->session, rv,
                                        "the token makes no AES key that wraps others");
}

/* The public key of who is to have a file key. */
static se_status put_reader(CK_OBJECT_HANDLE *out, struct token_keystore *s, EVP_PKEY *key,
                            se_error *err)
{
    static const se_buf no_id = SE_BUF_INIT;
    AUTO(p11_template) t = { .count = 0 };

    describe_object(&t, &class_public, FAMILY_RSA, &no_id);
    p11_template_flag(&t, CKA_TOKEN, false);
    p11_template_flag(&t, CKA_WRAP, true);
    describe_public_numbers(&t, key);
    return session_object_create(out, s, &t, "a recovery key's public half", err);
}

/* ---- one key under another ---- */

/* *rv is CKR_OK, or says why *out is empty. */
static se_status wrap_object(CK_RV *rv, se_buf *out, struct token_keystore *s,
                             CK_MECHANISM *mechanism, const CK_OBJECT_HANDLE under_and_what[2],
                             se_error *err)
{
    AUTO(se_buf) room = SE_BUF_INIT;
    CK_ULONG size = 0;

    *out = (se_buf)SE_BUF_INIT;
    *rv = s->session.calls->C_WrapKey(s->session.handle, mechanism, under_and_what[0],
                                      under_and_what[1], NULL, &size);
    if (*rv != CKR_OK)
        return SE_OK;
    size += ROOM_MORE;
    TRY(buf_new(&room, size, err));
    *rv = s->session.calls->C_WrapKey(s->session.handle, mechanism, under_and_what[0],
                                      under_and_what[1], room.data, &size);
    if (*rv == CKR_OK && (!size || size > room.size))
        *rv = CKR_GENERAL_ERROR;
    return *rv == CKR_OK ? buf_copy(out, (se_bytes){ room.data, size }, err) : SE_OK;
}

/* ---- the way out: which mechanism, and what it really does ---- */

static const struct {
    CK_MECHANISM_TYPE type;
    enum wrapping first, last; /* what it may turn out to be */
} ways_out[] = {
    { CKM_AES_KEY_WRAP_KWP, WRAPPING_PADDED, WRAPPING_PADDED },
    { CKM_AES_KEY_WRAP_PAD, WRAPPING_PADDED, WRAPPING_PLAIN },
    { CKM_AES_CBC_PAD, WRAPPING_CBC, WRAPPING_CBC },
};

/* Throw-away keys, which show it. */
struct wrap_probe {
    EVP_PKEY *reader;          /* ours, RSA */
    CK_OBJECT_HANDLE file_key; /* the token's */
    CK_OBJECT_HANDLE object;   /* a private key, likewise */
    EVP_PKEY *public_key;      /* of that */
    se_buf clear;              /* the file key */
};

static void wrap_probe_free(struct wrap_probe *probe)
{
    EVP_PKEY_free(probe->reader);
    EVP_PKEY_free(probe->public_key);
    se_buf_free(&probe->clear);
}
AUTO_KIND(wrap_probe, struct wrap_probe, wrap_probe_free(p))

/* Of the family of the key that is to leave: a token may have one only. */
static se_status generate_probe_pair(struct wrap_probe *probe, struct token_keystore *s,
                                     const EVP_PKEY *like, se_error *err)
{
    static const CK_ULONG bits = PROBE_BITS;
    static const unsigned char exponent[] = { 1, 0, 1 };
    const struct key_curve *curve = key_curve(like);
    CK_MECHANISM mechanism = { curve ? CKM_EC_KEY_PAIR_GEN : CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0 };
    AUTO(p11_template) outer = { .count = 0 }, inner = { .count = 0 };
    CK_OBJECT_HANDLE public_key;
    CK_RV rv;

    p11_template_flag(&outer, CKA_TOKEN, false);
    p11_template_flag(&outer, CKA_VERIFY, true);
    if (curve) {
        describe_curve(&outer, curve->group);
    } else {
        p11_template_number(&outer, CKA_MODULUS_BITS, &bits);
        p11_template_bytes(&outer, CKA_PUBLIC_EXPONENT, (se_bytes){ exponent, sizeof exponent });
    }
    p11_template_flag(&inner, CKA_TOKEN, false);
    p11_template_flag(&inner, CKA_PRIVATE, true);
    p11_template_flag(&inner, CKA_SENSITIVE, true);
    p11_template_flag(&inner, CKA_EXTRACTABLE, true);
    p11_template_flag(&inner, CKA_SIGN, true);
    rv = s->session.calls->C_GenerateKeyPair(s->session.handle, &mechanism, outer.list, outer.count,
                                             inner.list, inner.count, &public_key, &probe->object);
    if (rv != CKR_OK)
        return session_error(err, &s->session, rv, "the token makes no key to try wrapping with");
    return token_public_key(&probe->public_key, &s->session, public_key, err);
}

/* SHA-256, or SHA-1 where the token has only that. */
static se_status find_oaep(struct unwrap_how *out, struct wrap_probe *probe,
                           struct token_keystore *s, se_error *err)
{
    static const enum digest digests[] = { DIGEST_SHA256, DIGEST_SHA1 };
    CK_OBJECT_HANDLE keys[] = { 0, probe->file_key };
    CK_RV rv = CKR_OK;

    TRY(put_reader(&keys[0], s, probe->reader, err));
    for (size_t i = 0; i < sizeof digests / sizeof *digests; i++) {
        const struct unwrap_how how = { digests[i], digests[i] };
        struct oaep_mechanism oaep;
        AUTO(se_buf) sealed = SE_BUF_INIT;

        oaep_mechanism(&oaep, &how);
        TRY(wrap_object(&rv, &sealed, s, &oaep.mechanism, keys, err));
        if (rv != CKR_OK ||
            key_unwrap(&probe->clear, probe->reader, &how, buf_bytes(&sealed), NULL) ||
            probe->clear.size != FILE_KEY)
            continue;
        *out = how;
        return SE_OK;
    }
    return session_error(err, &s->session, rv,
                         "the token gives no AES key out under RSAES-OAEP: a backup of its keys is "
                         "its vendor's business");
}

static bool is_probe(const struct wrap_probe *probe, const struct wrapped_key *key)
{
    AUTO(se_buf) clear = SE_BUF_INIT;
    AUTO(evp_pkey) opened = NULL;
    const unsigned char *p;
    bool is_same = false;

    if (!wrapped_key_open(&clear, key, NULL)) {
        p = clear.data;
        opened = d2i_AutoPrivateKey_ex(NULL, &p, (long)clear.size, crypto_context(), NULL);
        is_same = opened && EVP_PKEY_eq(opened, probe->public_key) == 1;
    }
    ERR_clear_error();
    return is_same;
}

/* Software tells what the token has made. */
static se_status try_way_out(bool *is_good, struct wrapped_key *out, const struct wrap_probe *probe,
                             struct token_keystore *s, size_t way, se_error *err)
{
    CK_MECHANISM mechanism = aes_mechanism(ways_out[way].type, out->iv);
    const CK_OBJECT_HANDLE keys[] = { probe->file_key, probe->object };
    AUTO(se_buf) blob = SE_BUF_INIT;
    struct wrapped_key made = { .file_key = probe->clear };
    CK_RV rv;

    TRY(wrap_object(&rv, &blob, s, &mechanism, keys, err));
    made.blob = blob;
    memcpy(made.iv, out->iv, sizeof made.iv);
    *is_good = false;
    for (made.wrapping = ways_out[way].first; rv == CKR_OK && !*is_good; made.wrapping++) {
        *is_good = is_probe(probe, &made);
        out->wrapping = made.wrapping;
        if (made.wrapping == ways_out[way].last)
            break;
    }
    return SE_OK;
}

static se_status find_way_out(CK_MECHANISM_TYPE *type, struct wrapped_key *out,
                              const struct wrap_probe *probe, struct token_keystore *s,
                              se_error *err)
{
    for (size_t i = 0; i < sizeof ways_out / sizeof *ways_out; i++) {
        bool is_good = false;

        *type = ways_out[i].type;
        if (token_has_mechanism(s, *type, CKF_WRAP))
            TRY(try_way_out(&is_good, out, probe, s, i, err));
        if (is_good)
            return SE_OK;
    }
    return error_set(err, SE_ERR_STORE,
                     "the token wraps private keys in no way that others can read "
                     "(CKM_AES_KEY_WRAP_KWP, CKM_AES_KEY_WRAP_PAD, CKM_AES_CBC_PAD): a backup of "
                     "its keys is its vendor's business");
}

/* ---- out ---- */

/* Read here, for not every token looks (NSS softoken 3.87 does not). */
static se_status check_may_leave(struct token_keystore *s, CK_OBJECT_HANDLE object, se_error *err)
{
    if (!object_flag(&s->session, object, CKA_EXTRACTABLE, false))
        return error_set(err, SE_ERR_USAGE,
                         "this key does not leave its token (CKA_EXTRACTABLE is false): its vendor "
                         "may have a way to back up all of the token; one that is to have a backup "
                         "is made with `key generate --exportable`, or in a file, and imported "
                         "from there");
    if (object_flag(&s->session, object, CKA_WRAP_WITH_TRUSTED, false))
        return error_set(err, SE_ERR_USAGE,
                         "this key leaves its token only under a key that the token's security "
                         "officer trusts (CKA_WRAP_WITH_TRUSTED): its vendor's tool has to back it "
                         "up");
    return SE_OK;
}

/* CKM_RSA_PKCS_OAEP is what tokens have in common. */
static se_status check_readers(const struct wrap_wish *wish, se_error *err)
{
    char type[32];

    for (size_t i = 0; i < wish->count; i++) {
        key_type_name(type, wish->keys[i]);
        if (key_family(wish->keys[i]) != FAMILY_RSA)
            return error_set(err, SE_ERR_POLICY,
                             "recovery certificate '%s': its key is %s, and a token encrypts for "
                             "RSA keys only; with --threshold both will do",
                             wish->names[i], type);
    }
    return SE_OK;
}

static se_status prepare_probe(struct wrap_probe *probe, struct token_keystore *s,
                               const EVP_PKEY *like, se_error *err)
{
    probe->reader = EVP_PKEY_Q_keygen(crypto_context(), NULL, "RSA", (size_t)PROBE_BITS);
    if (!probe->reader)
        return crypto_error(err, SE_ERR_CRYPTO, "generating a key to try wrapping with");
    TRY(generate_file_key(&probe->file_key, s, err));
    return generate_probe_pair(probe, s, like, err);
}

static se_status seal_file_key(se_buf *out, struct token_keystore *s, const struct unwrap_how *how,
                               CK_OBJECT_HANDLE file_key, EVP_PKEY *reader, se_error *err)
{
    CK_OBJECT_HANDLE keys[] = { 0, file_key };
    struct oaep_mechanism oaep;
    CK_RV rv;

    oaep_mechanism(&oaep, how);
    TRY(put_reader(&keys[0], s, reader, err));
    TRY(wrap_object(&rv, out, s, &oaep.mechanism, keys, err));
    return rv == CKR_OK ? SE_OK
                        : session_error(err, &s->session, rv,
                                        "the token does not encrypt the file key for a recovery "
                                        "key");
}

static se_status seal_file_keys(struct wrapped_key *out, struct token_keystore *s,
                                CK_OBJECT_HANDLE file_key, const struct wrap_wish *wish,
                                EVP_PKEY *own, se_error *err)
{
    AUTO(se_buf) revealed = SE_BUF_INIT;

    for (size_t i = 0; i < wish->count; i++) {
        TRY(seal_file_key(&out->sealed[i], s, &out->oaep, file_key, wish->keys[i], err));
        out->sealed_count++;
    }
    if (!wish->is_revealed)
        return SE_OK;
    TRY(seal_file_key(&revealed, s, &out->oaep, file_key, own, err));
    return key_unwrap(&out->file_key, own, &out->oaep, buf_bytes(&revealed), err);
}

static se_status wrap_private(struct wrapped_key *out, struct token_keystore *s,
                              CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE file_key, se_error *err)
{
    CK_MECHANISM mechanism = aes_mechanism(type, out->iv);
    const CK_OBJECT_HANDLE keys[] = { file_key, s->privates.list[0] };
    CK_RV rv;

    TRY(wrap_object(&rv, &out->blob, s, &mechanism, keys, err));
    return rv == CKR_OK
               ? SE_OK
               : session_error(err, &s->session, rv, "the token does not give the key out");
}

static se_status keep_certificate(struct wrapped_key *out, X509 *certificate, se_error *err)
{
    if (!(out->certificates = sk_X509_new_null()) || !sk_X509_push(out->certificates, certificate))
        return error_memory(err);
    X509_up_ref(certificate);
    return SE_OK;
}

se_status token_wrap_key(struct wrapped_key *out, struct keystore *keystore,
                         const struct wrap_wish *wish, se_error *err)
{
    struct token_keystore *s = (struct token_keystore *)keystore;
    AUTO(wrapped_key) key = { .blob = SE_BUF_INIT };
    AUTO(wrap_probe) probe = { .reader = NULL };
    CK_OBJECT_HANDLE file_key;
    CK_MECHANISM_TYPE type;

    *out = (struct wrapped_key){ .blob = SE_BUF_INIT };
    TRY(check_may_leave(s, s->privates.list[0], err));
    TRY(check_readers(wish, err));
    TRY(keep_certificate(&key, wish->certificate, err));
    TRY(crypto_draw_public(key.iv, sizeof key.iv, err));
    TRY(prepare_probe(&probe, s, wrapped_public_key(&key), err));
    TRY(find_oaep(&key.oaep, &probe, s, err));
    TRY(find_way_out(&type, &key, &probe, s, err));
    TRY(generate_file_key(&file_key, s, err));
    TRY(wrap_private(&key, s, type, file_key, err));
    if (wish->is_tried)
        TRY_PREFIX(token_try_unwrapping(s, &key, file_key, err), err,
                   "the token does not take back what it gave (--no-verify): ");
    TRY(seal_file_keys(&key, s, file_key, wish, probe.reader, err));
    *out = MOVE(key);
    return SE_OK;
}
