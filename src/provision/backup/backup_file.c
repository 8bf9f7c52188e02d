/* SPDX-License-Identifier: Apache-2.0 */
#include "provision/backup/backup_file.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/base64.h"
#include "base/clock.h"
#include "crypto/certificate.h"
#include "crypto/crypto.h"
#include "crypto/pem.h"
#include "provision/backup/backup_cms.h"
#include "provision/backup/wrapped_file.h"

#define LABEL "CMS" /* RFC 7468, 9 */

/* ---- who may open it ---- */

static se_status check_recovery_key(EVP_PKEY *key, se_error *err)
{
    char type[32];

    if (key_family(key) == FAMILY_RSA && EVP_PKEY_get_bits(key) >= BACKUP_RSA_LEAST)
        return SE_OK;
    if (key_family(key) == FAMILY_EC && key_curve(key))
        return SE_OK;
    key_type_name(type, key);
    return error_set(err, SE_ERR_POLICY,
                     "its key is %s: a recovery key is RSA from %d bits, or EC on P-256, P-384 or "
                     "P-521",
                     type, BACKUP_RSA_LEAST);
}

se_status recovery_certificate_check(X509 *certificate, se_error *err)
{
    EVP_PKEY *key = X509_get0_pubkey(certificate);
    const bool is_rsa = key && key_family(key) == FAMILY_RSA;
    char date[TIME_TEXT_ROOM];

    if (!key)
        return crypto_error(err, SE_ERR_POLICY, "its public key can't be read");
    TRY(check_recovery_key(key, err));
    /* UINT32_MAX without the extension */
    if (!(X509_get_key_usage(certificate) & (is_rsa ? KU_KEY_ENCIPHERMENT : KU_KEY_AGREEMENT)))
        return error_set(err, SE_ERR_POLICY, "its keyUsage does not hold %s",
                         is_rsa ? "keyEncipherment" : "keyAgreement");
    if (certificate_not_after(certificate) < clock_seconds())
        return error_set(err, SE_ERR_POLICY, "it has expired on %s",
                         time_format(date, TIME_DATE, certificate_not_after(certificate)));
    return SE_OK;
}

/* ---- the blocks of PEM that a file has: of a shared one the shares, and then the content ---- */

enum { BLOCKS_MOST = SHARES_MOST + 1 };

struct blocks {
    se_buf list[BLOCKS_MOST]; /* DER */
    size_t count;
};

static void blocks_free(struct blocks *blocks)
{
    for (size_t i = 0; i < blocks->count; i++)
        se_buf_free(&blocks->list[i]);
    blocks->count = 0;
}
AUTO_KIND(blocks, struct blocks, blocks_free(p))

static const char *find_line(se_bytes text, const char *line)
{
    return text.size ? memmem(text.data, text.size, line, strlen(line)) : NULL;
}

bool backup_file_is(se_bytes file)
{
    return pem_text_is(file) ? find_line(file, "-----BEGIN " LABEL "-----") != NULL
                             : file.size && *(const unsigned char *)file.data == 0x30;
}

/* Whether the last block comes to its end. */
static bool is_whole(se_bytes text)
{
    static const char begin[] = "-----BEGIN " LABEL "-----";
    const char *at;

    while ((at = find_line(text, begin))) {
        at += strlen(begin);
        text = (se_bytes){ at, text.size - (size_t)(at - (const char *)text.data) };
    }
    return find_line(text, "-----END " LABEL "-----");
}

/* 1: one more block; 0: there is none; below 0: it can't be read. */
static int read_block(struct blocks *out, BIO *text, se_error *err)
{
    char *label = NULL, *header = NULL;
    unsigned char *data = NULL;
    long size = 0;
    int got = 1;

    if (!PEM_read_bio(text, &label, &header, &data, &size))
        return ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE ? 0 : -1;
    if (strcmp(label, LABEL) == 0) {
        if (out->count == BLOCKS_MOST ||
            buf_copy(&out->list[out->count], (se_bytes){ data, (size_t)size }, err))
            got = -1;
        out->count += got > 0;
    }
    OPENSSL_free(label);
    OPENSSL_free(header);
    OPENSSL_free(data);
    return got;
}

static se_status read_blocks(struct blocks *out, se_bytes file, se_error *err)
{
    AUTO(bio) text = NULL;
    int got = 1;

    if (!pem_text_is(file)) {
        TRY(buf_copy(&out->list[0], file, err));
        out->count = 1;
        return SE_OK;
    }
    if (!is_whole(file))
        return error_set(err, SE_ERR_FORMAT,
                         "the backup is cut: it has no line '-----END " LABEL "-----'");
    if (!(text = pem_text_open(file)))
        return error_memory(err);
    while (got > 0)
        got = read_block(out, text, err);
    if (got < 0 || !out->count)
        return crypto_error(err, SE_ERR_FORMAT, "the backup is cut or changed: it is no CMS");
    ERR_clear_error();
    return SE_OK;
}

/* ---- sealing ---- */

static se_status seal_for_each(struct writer *w, const struct backup_content *content,
                               const struct backup_readers *readers, se_error *err)
{
    AUTO(se_buf) der = SE_BUF_INIT;

    TRY(backup_is_wrapped(content)
            ? wrapped_key_encode(&der, &content->wrapped, readers->certificates, err)
            : backup_cms_seal(&der, buf_bytes(&content->text), readers->certificates, err));
    writer_pem(w, LABEL, buf_bytes(&der));
    return SE_OK;
}

static se_status seal_share(struct writer *w, const struct key_shares *shares, size_t i,
                            X509 *reader, se_error *err)
{
    AUTO(x509_stack) alone = sk_X509_new_null();
    AUTO(se_buf) der = SE_BUF_INIT;

    if (!alone || !sk_X509_push(alone, reader))
        return error_memory(err);
    X509_up_ref(reader);
    TRY(backup_cms_seal(&der, buf_bytes(&shares->list[i]), alone, err));
    writer_format(w, "share: %u\n", shares->numbers[i]);
    writer_pem(w, LABEL, buf_bytes(&der));
    writer_text(w, "\n");
    return SE_OK;
}

/* How many of how many, so that who reads it knows. */
static se_status seal_for_all(struct writer *w, const struct backup_content *content,
                              const struct backup_readers *readers, se_error *err)
{
    const size_t count = (size_t)sk_X509_num(readers->certificates);
    const unsigned char name[] = { (unsigned char)readers->threshold, (unsigned char)count };
    AUTO(se_buf) key = SE_BUF_INIT;
    AUTO(se_buf) der = SE_BUF_INIT;
    AUTO(key_shares) shares = { .count = 0 };
    const struct backup_secret secret = { &key, { name, sizeof name } };

    TRY(buf_new(&key, FILE_KEY, err));
    TRY(crypto_draw_secret(key.data, key.size, err));
    TRY(key_shares_split(&shares, &key, count, readers->threshold, err));
    for (size_t i = 0; i < count; i++)
        TRY(seal_share(w, &shares, i, sk_X509_value(readers->certificates, (int)i), err));
    TRY(backup_is_wrapped(content)
            ? wrapped_key_encode_secret(&der, &content->wrapped, &key, secret.name, err)
            : backup_cms_seal_secret(&der, buf_bytes(&content->text), &secret, err));
    writer_text(w, "content:\n");
    writer_pem(w, LABEL, buf_bytes(&der));
    return SE_OK;
}

se_status backup_file_seal(se_buf *out, const struct backup_content *content, const char *title,
                           const struct backup_readers *readers, se_error *err)
{
    AUTO(writer) w = { 0 };

    *out = (se_buf)SE_BUF_INIT;
    writer_format(&w, "%s\n", title);
    TRY(readers->threshold ? seal_for_all(&w, content, readers, err)
                           : seal_for_each(&w, content, readers, err));
    return writer_finish(out, &w, err);
}

/* ---- opening ---- */

static se_status check_kind(const struct CMS_ContentInfo_st *cms, se_error *err)
{
    const int kind = backup_cms_kind(cms);

    if (kind == NID_id_smime_ct_authEnvelopedData || kind == NID_pkcs7_enveloped)
        return SE_OK;
    return error_set(err, SE_ERR_FORMAT,
                     "no backup that `key backup` has made: it is CMS of the kind '%s', not "
                     "AuthEnvelopedData",
                     OBJ_nid2ln(kind));
}

/* As the file has them, which knows issuers and no subjects. */
static se_status refuse_reader(const struct writer *names, bool has_key, se_error *err)
{
    if (!has_key)
        return error_set(err, SE_ERR_USAGE,
                         "the backup opens with a recovery key (--recovery), whose certificate is: "
                         "%s",
                         writer_string(names));
    return error_set(err, SE_ERR_FORMAT, "the backup is for other recovery certificates: %s",
                     writer_string(names));
}

static se_status open_for_reader(struct backup_content *out, struct CMS_ContentInfo_st *cms,
                                 const se_buf *der, const struct key *reader, se_error *err)
{
    AUTO(wrapped_file) file = NULL;

    if (backup_cms_kind(cms) != NID_pkcs7_enveloped)
        return backup_cms_open(&out->text, cms, reader, err);
    TRY(wrapped_file_read(&file, buf_bytes(der), err));
    TRY(wrapped_file_key(&out->wrapped, file, err));
    return wrapped_file_find(&out->wrapped, file, reader->certificate, err);
}

static se_status open_alone(struct backup_content *out, struct CMS_ContentInfo_st *cms,
                            const se_buf *der, const struct recovery_keys *recovery, se_error *err)
{
    AUTO(writer) names = { 0 };

    for (out->reader = 0; out->reader < recovery->count; out->reader++)
        if (backup_cms_is_for(cms, recovery->list[out->reader]->certificate))
            return open_for_reader(out, cms, der, recovery->list[out->reader], err);
    backup_cms_readers(&names, cms);
    return refuse_reader(&names, recovery->count, err);
}

/* ---- together ---- */

static bool has_share(const struct key_shares *shares, size_t number)
{
    for (size_t i = 0; i < shares->count; i++)
        if (shares->numbers[i] == number)
            return true;
    return false;
}

/* *found: whether block `i` is for that key. */
static se_status open_share(bool *found, struct key_shares *out, const struct blocks *blocks,
                            size_t i, const struct key *reader, se_error *err)
{
    AUTO(backup_cms) cms = NULL;

    TRY(backup_cms_read(&cms, buf_bytes(&blocks->list[i]), err));
    *found = backup_cms_is_for(cms, reader->certificate);
    if (!*found)
        return SE_OK;
    if (has_share(out, i + 1))
        return error_set(err, SE_ERR_USAGE, "a recovery key is given twice");
    TRY(backup_cms_open(&out->list[out->count], cms, reader, err));
    out->numbers[out->count] = (unsigned char)(i + 1);
    if (out->list[out->count++].size != FILE_KEY)
        return error_set(err, SE_ERR_FORMAT, "share %zu of the backup has not %d bytes", i + 1,
                         FILE_KEY);
    return SE_OK;
}

static se_status list_readers(struct writer *names, const struct blocks *blocks, se_error *err)
{
    for (size_t i = 0; i + 1 < blocks->count; i++) {
        AUTO(backup_cms) cms = NULL;

        TRY(backup_cms_read(&cms, buf_bytes(&blocks->list[i]), err));
        backup_cms_readers(names, cms);
    }
    return SE_OK;
}

static se_status open_shares(struct key_shares *out, const struct blocks *blocks,
                             const struct recovery_keys *recovery, se_error *err)
{
    for (size_t k = 0; k < recovery->count; k++) {
        AUTO(writer) names = { 0 };
        bool found = false;

        for (size_t i = 0; !found && i + 1 < blocks->count; i++)
            TRY(open_share(&found, out, blocks, i, recovery->list[k], err));
        if (found)
            continue;
        TRY(list_readers(&names, blocks, err));
        return refuse_reader(&names, true, err);
    }
    return SE_OK;
}

static se_status refuse_few(const struct blocks *blocks, unsigned threshold, size_t given,
                            se_error *err)
{
    AUTO(writer) names = { 0 };

    TRY(list_readers(&names, blocks, err));
    return error_set(err, SE_ERR_USAGE,
                     "the backup opens with %u of its %zu recovery keys together (--recovery), and "
                     "%zu %s given; their certificates are: %s",
                     threshold, blocks->count - 1, given, given == 1 ? "is" : "are",
                     writer_string(&names));
}

static se_status open_by_secret(struct backup_content *out, struct CMS_ContentInfo_st *cms,
                                const se_buf *der, const struct backup_secret *secret,
                                se_error *err)
{
    AUTO(wrapped_file) file = NULL;

    if (backup_cms_kind(cms) != NID_pkcs7_enveloped)
        return backup_cms_open_secret(&out->text, cms, secret, err);
    TRY(wrapped_file_read(&file, buf_bytes(der), err));
    TRY(wrapped_file_key(&out->wrapped, file, err));
    return wrapped_file_find_secret(&out->wrapped, file, secret->key, err);
}

static se_status open_together(struct backup_content *out, struct CMS_ContentInfo_st *cms,
                               const struct blocks *blocks, const struct recovery_keys *recovery,
                               se_error *err)
{
    const se_bytes name = backup_cms_secret_name(cms);
    const unsigned char *of = name.data;
    AUTO(key_shares) shares = { .count = 0 };
    AUTO(se_buf) key = SE_BUF_INIT;

    if (name.size != 2 || of[0] < 2 || of[0] > of[1])
        return error_set(err, SE_ERR_FORMAT,
                         "no backup that `key backup` has made: its key is in no shares");
    if (blocks->count != (size_t)of[1] + 1)
        return error_set(err, SE_ERR_FORMAT, "the backup is cut: it has %zu of %u shares",
                         blocks->count - 1, of[1]);
    TRY(open_shares(&shares, blocks, recovery, err));
    if (shares.count < of[0])
        return refuse_few(blocks, of[0], shares.count, err);
    TRY(key_shares_combine(&key, &shares, err));
    return open_by_secret(out, cms, &blocks->list[blocks->count - 1],
                          &(struct backup_secret){ &key, name }, err);
}

static se_status open_blocks(struct backup_content *out, const struct blocks *blocks,
                             const struct recovery_keys *recovery, se_error *err)
{
    const se_buf *last = &blocks->list[blocks->count - 1];
    AUTO(backup_cms) cms = NULL;

    TRY(backup_cms_read(&cms, buf_bytes(last), err));
    TRY(check_kind(cms, err));
    if (backup_cms_secret_name(cms).size)
        return open_together(out, cms, blocks, recovery, err);
    if (blocks->count > 1)
        return error_set(err, SE_ERR_FORMAT, "the backup is cut: its content is missing");
    return open_alone(out, cms, last, recovery, err);
}

se_status backup_file_open(struct backup_content *out, se_bytes file,
                           const struct recovery_keys *recovery, se_error *err)
{
    AUTO(blocks) blocks = { .count = 0 };
    AUTO(backup_content) content = { .text = SE_BUF_INIT };

    *out = (struct backup_content){ .text = SE_BUF_INIT };
    if (file.size > INT_MAX || !backup_file_is(file))
        return error_set(err, SE_ERR_FORMAT, "no backup that `key backup` has made: it is no CMS");
    TRY(read_blocks(&blocks, file, err));
    TRY(open_blocks(&content, &blocks, recovery, err));
    *out = MOVE(content);
    return SE_OK;
}
