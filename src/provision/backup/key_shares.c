/* SPDX-License-Identifier: Apache-2.0 */
#include "provision/backup/key_shares.h"

#include <libgfshare.h>
#include <pthread.h>
#include <stdlib.h>

#include "crypto/crypto.h"

AUTO_KIND(gfshare, gfshare_ctx *, if (*p) gfshare_ctx_free(*p))

void key_shares_free(struct key_shares *shares)
{
    for (size_t i = 0; i < shares->count; i++)
        se_buf_free(&shares->list[i]);
    *shares = (struct key_shares){ .count = 0 };
}

/* ---- the library's source of random bytes: it has none of its own, and asks no leave to fail ----
 */

static void draw_bytes(unsigned char *out, unsigned int size)
{
    if (crypto_draw_secret(out, size, NULL))
        abort(); /* coefficients that are not random give the secret away */
}

static void set_source(void)
{
    gfshare_fill_rand = draw_bytes;
}

/* It overwrites its memory with random bytes when it is freed, so also to combine. */
static void prepare_library(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, set_source);
}

/* ---- shares ---- */

se_status key_shares_split(struct key_shares *out, const se_buf *secret, size_t count,
                           unsigned threshold, se_error *err)
{
    AUTO(key_shares) shares = { .count = 0 };
    AUTO(gfshare) split = NULL;

    *out = (struct key_shares){ .count = 0 };
    if (threshold < 2 || threshold > count || count > SHARES_MOST)
        return error_set(err, SE_ERR_USAGE, "%u of %zu shares: 2 to all of them, up to %d",
                         threshold, count, SHARES_MOST);
    prepare_library();
    for (size_t i = 0; i < count; i++)
        shares.numbers[i] = (unsigned char)(i + 1);
    split = gfshare_ctx_init_enc(shares.numbers, (unsigned)count, (unsigned char)threshold,
                                 (unsigned)secret->size);
    if (!split)
        return error_memory(err);
    gfshare_ctx_enc_setsecret(split, secret->data);
    for (; shares.count < count; shares.count++) {
        TRY(buf_new(&shares.list[shares.count], secret->size, err));
        gfshare_ctx_enc_getshare(split, (unsigned char)shares.count,
                                 shares.list[shares.count].data);
    }
    *out = MOVE(shares);
    return SE_OK;
}

se_status key_shares_combine(se_buf *out, const struct key_shares *shares, se_error *err)
{
    struct key_shares copy = *shares; /* the library does not say that it only reads */
    AUTO(gfshare) combined = NULL;
    AUTO(se_buf) secret = SE_BUF_INIT;

    *out = (se_buf)SE_BUF_INIT;
    prepare_library();
    combined =
        gfshare_ctx_init_dec(copy.numbers, (unsigned)copy.count, (unsigned)copy.list[0].size);
    if (!combined)
        return error_memory(err);
    TRY(buf_new(&secret, copy.list[0].size, err));
    for (size_t i = 0; i < copy.count; i++)
        gfshare_ctx_dec_giveshare(combined, (unsigned char)i, copy.list[i].data);
    gfshare_ctx_dec_extract(combined, secret.data);
    *out = buf_move(&secret);
    return SE_OK;
}
