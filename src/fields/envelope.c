/* SPDX-License-Identifier: Apache-2.0 */
#include "fields/envelope.h"

se_status envelope_refused(se_error *err)
{
    return error_set(err, SE_ERR_REJECTED,
                     "the value does not decrypt: it was changed, moved to another context, or "
                     "made for another key");
}

bool envelope_marked(se_bytes value, const char *mark)
{
    const char *p = value.data;
    size_t size = strlen(mark), seen = value.size < size ? value.size : size, wrong = 0;

    for (size_t i = 0; i < seen; i++)
        wrong += p[i] != mark[i];
    return seen && wrong <= (seen == size);
}

bool envelope_same_key(const struct envelope *a, const struct envelope *b)
{
    return a->format == b->format && a->how.digest == b->how.digest && a->how.mgf1 == b->how.mgf1 &&
           aead_kind_equal(&a->kind, &b->kind) && a->origin.size == b->origin.size &&
           memcmp(a->origin.data, b->origin.data, a->origin.size) == 0;
}

size_t envelope_key_bucket(const struct envelope *envelope)
{
    const se_bytes wrapped = envelope->wrapped;
    size_t number = 0, size = wrapped.size < sizeof number ? wrapped.size : sizeof number;

    memcpy(&number, (const char *)wrapped.data + wrapped.size - size, size);
    return number;
}

se_status envelope_key_id(unsigned char out[DATA_KEY_ID], const struct envelope *envelope,
                          se_error *err)
{
    const unsigned char hashes[] = { (unsigned char)envelope->how.digest,
                                     (unsigned char)envelope->how.mgf1 };
    const se_bytes pieces[] = { { hashes, sizeof hashes }, envelope->origin };

    return crypto_sha256(out, pieces, 2, err);
}

void envelope_free(struct envelope *envelope)
{
    se_buf_free(&envelope->bytes);
    se_buf_free(&envelope->decoded);
    se_buf_free(&envelope->details);
    *envelope = (struct envelope){ .format = NULL };
}

se_status data_key_copy(struct data_key *out, const struct data_key *key, se_error *err)
{
    AUTO(data_key) copy = { .secret = SE_BUF_INIT };

    TRY(aead_copy(&copy.aead, &key->aead, err));
    TRY(buf_copy(&copy.secret, buf_bytes(&key->secret), err));
    TRY(buf_copy(&copy.wrapped, buf_bytes(&key->wrapped), err));
    TRY(buf_copy(&copy.head, buf_bytes(&key->head), err));
    TRY(buf_copy(&copy.text, buf_bytes(&key->text), err));
    memcpy(copy.binding, key->binding, sizeof copy.binding);
    *out = MOVE(copy);
    return SE_OK;
}

void data_key_free(struct data_key *key)
{
    se_buf_free(&key->secret);
    se_buf_free(&key->wrapped);
    se_buf_free(&key->head);
    se_buf_free(&key->text);
    se_buf_free(&key->ivs);
    aead_free(&key->aead);
}

/* A call for random bytes takes longer than all else that a value takes, however few they are. */
se_status data_key_iv(unsigned char *out, struct data_key *key, size_t size, se_bytes fixed,
                      se_error *err)
{
    enum { DRAWN = 64 * AES_BLOCK };

    if (fixed.size) {
        memcpy(out, fixed.data, fixed.size);
        return SE_OK;
    }
    if (key->ivs.size < size) {
        se_buf_free(&key->ivs);
        TRY(buf_new(&key->ivs, DRAWN, err));
        TRY(crypto_draw_public(key->ivs.data, DRAWN, err));
    }
    key->ivs.size -= size;
    memcpy(out, key->ivs.data + key->ivs.size, size);
    return SE_OK;
}
