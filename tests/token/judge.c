/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/token/judge.h"

#include <openssl/evp.h>
#include <stdio.h>

#include "base/file.h"

static const char *const names[] = {
    [DIGEST_SHA1] = "sha1",
    [DIGEST_SHA256] = "sha256",
    [DIGEST_SHA384] = "sha384",
    [DIGEST_SHA512] = "sha512",
};
static const char message[] = "what is signed";
const char clear_text[] = "32 bytes, as long as an AES key.";

int digest_size(enum digest digest)
{
    return EVP_MD_get_size(EVP_get_digestbyname(names[digest]));
}

static void write_file(const char *name, se_bytes data)
{
    FILE *f = fopen(file_of(name), "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(data.data, 1, data.size, f), data.size);
    fclose(f);
}

void signs(struct key *key, const char *name, enum digest digest, int salt)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    AUTO(se_buf) signature = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;
    char pss[100] = "";
    unsigned size;

    assert_true(EVP_Digest(message, sizeof message - 1, hash, &size,
                           EVP_get_digestbyname(names[digest]), NULL));
    assert_status(SE_OK, sign_hash(&signature, key, digest, salt, (se_bytes){ hash, size }, &err),
                  &err);
    write_file("message", text_bytes(message));
    write_file("signature", buf_bytes(&signature));
    if (salt)
        snprintf(pss, sizeof pss,
                 "-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:%d -sigopt rsa_mgf1_md:%s",
                 salt, names[digest]);
    run("openssl x509 -in %s.pem -pubkey -noout >public && openssl dgst -%s -verify public %s "
        "-signature signature message",
        name, names[digest], pss);
}

void encrypts(se_buf *out, const char *name, const struct unwrap_how *how, const char *options)
{
    write_file("clear", text_bytes(clear_text));
    run("openssl pkeyutl -encrypt -certin -inkey %s.pem -in clear -out blob -pkeyopt "
        "rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:%s "
        "-pkeyopt rsa_mgf1_md:%s %s",
        name, names[how->digest], names[how->mgf1], options);
    assert_int_equal(file_read(out, file_of("blob"), 10000, NULL), SE_OK);
}

void decrypts(struct key *key, const char *name, const struct unwrap_how *how)
{
    AUTO(se_buf) blob = SE_BUF_INIT;
    AUTO(se_buf) out = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    encrypts(&blob, name, how, "");
    assert_status(SE_OK, decrypt_blob(&out, key, how, buf_bytes(&blob), &err), &err);
    assert_int_equal(out.size, strlen(clear_text));
    assert_memory_equal(out.data, clear_text, out.size);
}

struct key *open_rsa(struct shim **shim)
{
    return opens(ref_through_shim(shim, "lab", "rsa"), PART_DECRYPT);
}

void fails_to_decrypt(struct key *key, const struct unwrap_how *how, se_status status,
                      const char *text)
{
    AUTO(se_buf) blob = SE_BUF_INIT;
    AUTO(se_buf) out = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    encrypts(&blob, "rsa", how, "");
    assert_status(status, decrypt_blob(&out, key, how, buf_bytes(&blob), &err), &err);
    if (!strstr(err.text, text))
        fail_msg("'%s' is not in: %s", text, err.text);
    if (status == SE_ERR_UNAVAILABLE)
        wait_for_probe();
}
