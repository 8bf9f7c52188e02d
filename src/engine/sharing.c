#include "engine/sharing.h"

/*
 * A wrapped key says nothing about what it is for, so that whoever may ask for values to be
 * decrypted can put that of one value into another one.  Two kinds of values answer such questions:
 * CBC that nothing authenticates tells whether a guess of a block of GCM's plaintext is right, and
 * bare RSA-OAEP gives the key itself out.  NX02 derives its keys from all that the value says of
 * itself, and the tags of JWE can't be made without the key: none of them answers, but in a bare
 * blob's company theirs is the key that is given out.
 */
static bool is_plain_cbc(const struct algorithm *a)
{
    return a->kind == ALGORITHM_CIPHER && a->cipher == CIPHER_AES_CBC && a->result == RESULT_CMS;
}

/* NULL: `mine` may be used beside `other`. */
static const char *what_is_mixed(const struct algorithm *mine, const struct algorithm *other)
{
    if (mine->kind == ALGORITHM_WRAP && other->kind == ALGORITHM_CIPHER)
        return "bare RSA-OAEP would give out the data keys";
    if (is_plain_cbc(mine) && other->kind == ALGORITHM_CIPHER &&
        (other->cipher == CIPHER_AES_GCM || other->result == RESULT_JWE))
        return "CMS with CBC would answer questions about the values";
    return NULL;
}

/* By the public key: one key may have several names. */
static se_status is_same(bool *same, se_engine *engine, const struct key_entry *entry,
                         const struct key *key, se_error *err)
{
    AUTO(key) other = NULL;
    se_status st = slot_open(&other, engine, entry, PART_CERTIFICATE, err);

    if (st)
        return error_prefix(err, "it can't be told whether key '%s' is the same: ", entry->name);
    *same =
        EVP_PKEY_eq(X509_get0_pubkey(other->certificate), X509_get0_pubkey(key->certificate)) == 1;
    return SE_OK;
}

se_status sharing_check(se_engine *engine, const struct descriptor *descriptor,
                        const struct key *key, se_status refusal, se_error *err)
{
    for (size_t i = 0; i < engine->config->descriptor_count; i++) {
        const struct descriptor *other = &engine->config->descriptors[i];
        const char *mixed = what_is_mixed(&descriptor->algorithm, &other->algorithm);
        bool same = other->key == descriptor->key;
        se_status st;

        if (!mixed)
            continue;
        if (!same && (st = is_same(&same, engine, other->key, key, err)))
            return st;
        if (same)
            return error_set(err, refusal,
                             "%s of descriptor '%s' version %u, which has the same key: each needs "
                             "a key of its own",
                             mixed, other->name, other->version);
    }
    return SE_OK;
}
