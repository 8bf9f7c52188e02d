/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/token/works.h"

#include <unistd.h>

#include "base/clock.h"
#include "tests/token/judge.h"

static const struct unwrap_how native = { DIGEST_SHA1, DIGEST_SHA1 },
                               raw = { DIGEST_SHA384, DIGEST_SHA384 };
static se_buf blobs[WORKS];

static const struct {
    const char *key;
    enum key_part part;
    const struct unwrap_how *how; /* NULL: a signature */
} works[] = {
    [WORK_SIGN] = { "ec", PART_SIGN, NULL },
    [WORK_DECRYPT] = { "rsa", PART_DECRYPT, &native },
    [WORK_DECRYPT_RAW] = { "rsa", PART_DECRYPT, &raw },
    [WORK_SIGN_CAREFUL] = { "careful", PART_SIGN, NULL },
};

int works_fill(void **state)
{
    if (fixture_make(state))
        return -1;
    make_token("lab");
    put_pair("lab", "ec", "ec:P-256", "01");
    put_pair("lab", "rsa", "rsa:2048", "02");
    make_certificate("careful", "rsa:2048", "");
    run("pkcs11-tool --module '%s' --token-label lab --login --pin " PIN
        " --write-object careful.key --type privkey --label careful "
        "--id 03 --always-auth --usage-sign",
        softhsm);
    put_certificate("lab", "careful", "careful", "03");
    for (enum work w = 0; w < WORKS; w++)
        if (works[w].how)
            encrypts(&blobs[w], works[w].key, works[w].how, "");
    return 0;
}

int works_drop(void **state)
{
    for (enum work w = 0; w < WORKS; w++)
        se_buf_free(&blobs[w]);
    return fixture_drop(state);
}

struct keyref *work_ref(enum work work)
{
    struct keyref *ref = ref_to("lab", works[work].key);

    ref->location = shim_path;
    return ref;
}

struct keyref *work_ref_fresh(struct shim **shim, struct faults **faults, enum work work)
{
    (void)ref_through_faults(faults, "lab", works[work].key);
    return ref_through_shim(shim, "lab", works[work].key);
}

enum key_part work_part(enum work work)
{
    return works[work].part;
}

static se_status sign(struct key *key, unsigned n, se_error *err)
{
    unsigned char hash[32] = { (unsigned char)n, (unsigned char)(n >> 8),
                               (unsigned char)(n >> 16) };
    se_bytes hashed = { hash, sizeof hash };
    AUTO(se_buf) signature = SE_BUF_INIT;
    se_status st = sign_hash(&signature, key, DIGEST_SHA256, 0, hashed, err);

    if (!st && !verify_hash(key, DIGEST_SHA256, 0, hashed, buf_bytes(&signature)))
        return error_set(err, SE_ERR_CRYPTO, "a wrong signature");
    return st;
}

static se_status decrypt(struct key *key, enum work work, se_error *err)
{
    AUTO(se_buf) out = SE_BUF_INIT;
    se_status st = decrypt_blob(&out, key, works[work].how, buf_bytes(&blobs[work]), err);

    if (!st && (out.size != strlen(clear_text) || memcmp(out.data, clear_text, out.size) != 0))
        return error_set(err, SE_ERR_CRYPTO, "decrypted to something else");
    return st;
}

se_status work_do(struct key *key, enum work work, unsigned n, se_error *err)
{
    *err = (se_error)SE_ERROR_INIT;
    return works[work].how ? decrypt(key, work, err) : sign(key, n, err);
}

void becomes_healthy(struct key *key, enum work work)
{
    const int64_t until = clock_monotonic_ms() + 1100;
    se_error err;
    se_status st;

    while ((st = work_do(key, work, 3, &err)) && clock_monotonic_ms() < until)
        usleep(1000);
    assert_status(SE_OK, st, &err);
}
