/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/syntax.h"

#include <limits.h>
#include <openssl/asn1t.h>
#include <openssl/err.h>

#include "cms/signer_info.h"
#include "cms/tsp.h"
#include "crypto/crypto.h"

/* Nobody renews once a week for a lifetime. */
enum { STAMPS_MOST = 1000 };

/* ---- ASN.1 ---- */

ASN1_ITEM_TEMPLATE(HASH_LIST) =
    ASN1_EX_TEMPLATE_TYPE(ASN1_TFLG_SEQUENCE_OF, 0, hashes, ASN1_OCTET_STRING)
static_ASN1_ITEM_TEMPLATE_END(HASH_LIST)

ASN1_ITEM_TEMPLATE(HASH_LISTS) =
    ASN1_EX_TEMPLATE_TYPE(ASN1_TFLG_SEQUENCE_OF, 0, lists, HASH_LIST)
static_ASN1_ITEM_TEMPLATE_END(HASH_LISTS)

ASN1_SEQUENCE(ARCHIVE_STAMP) = {
    ASN1_IMP_OPT(archive_stamp, digest, X509_ALGOR, 0),
    ASN1_IMP_SET_OF_OPT(archive_stamp, attributes, ASN1_ANY, 1),
    ASN1_IMP_SEQUENCE_OF_OPT(archive_stamp, tree, HASH_LIST, 2),
    ASN1_SIMPLE(archive_stamp, token, ASN1_ANY),
} static_ASN1_SEQUENCE_END_name(archive_stamp, ARCHIVE_STAMP)

ASN1_ITEM_TEMPLATE(STAMP_CHAIN) =
    ASN1_EX_TEMPLATE_TYPE(ASN1_TFLG_SEQUENCE_OF, 0, stamps, ARCHIVE_STAMP)
static_ASN1_ITEM_TEMPLATE_END(STAMP_CHAIN)

ASN1_ITEM_TEMPLATE(STAMP_CHAINS) =
    ASN1_EX_TEMPLATE_TYPE(ASN1_TFLG_SEQUENCE_OF, 0, chains, STAMP_CHAIN)
static_ASN1_ITEM_TEMPLATE_END(STAMP_CHAINS)

ASN1_SEQUENCE(EVIDENCE_RECORD) = {
    ASN1_SIMPLE(struct evidence_record, version, ASN1_INTEGER),
    ASN1_SEQUENCE_OF(struct evidence_record, digests, X509_ALGOR),
    ASN1_IMP_SEQUENCE_OF_OPT(struct evidence_record, crypto_infos, ASN1_ANY, 0),
    ASN1_IMP_SEQUENCE_OF_OPT(struct evidence_record, encryption, ASN1_ANY, 1),
    ASN1_SEQUENCE_OF(struct evidence_record, chains, STAMP_CHAIN),
} static_ASN1_SEQUENCE_END_name(struct evidence_record, EVIDENCE_RECORD)

AUTO_KIND(der, unsigned char *, OPENSSL_free(*p))
AUTO_KIND(x509_algorithm, X509_ALGOR *, X509_ALGOR_free(*p))
AUTO_KIND(archive_stamp, archive_stamp *,
          ASN1_item_free((ASN1_VALUE *)*p, ASN1_ITEM_rptr(ARCHIVE_STAMP)))
AUTO_KIND(chain, stamp_chain *, ASN1_item_free((ASN1_VALUE *)*p, ASN1_ITEM_rptr(STAMP_CHAIN)))

void evidence_free(struct evidence_record *record)
{
    ASN1_item_free((ASN1_VALUE *)record, ASN1_ITEM_rptr(EVIDENCE_RECORD));
}

void hash_lists_free(STACK_OF(hash_list) * lists)
{
    ASN1_item_free((ASN1_VALUE *)lists, ASN1_ITEM_rptr(HASH_LISTS));
}

static se_status encode_item(se_buf *out, const void *value, const ASN1_ITEM *item, se_error *err)
{
    AUTO(der) der = NULL;
    const int size = ASN1_item_i2d(value, &der, item);

    if (size <= 0)
        return crypto_error(err, SE_ERR_CRYPTO, "cannot encode an evidence record");
    return buf_copy(out, (se_bytes){ der, (size_t)size }, err);
}

se_bytes octet_bytes(const ASN1_OCTET_STRING *string)
{
    return (se_bytes){ ASN1_STRING_get0_data(string), (size_t)ASN1_STRING_length(string) };
}

/* ---- tokens ---- */

se_bytes stamp_token(const archive_stamp *stamp)
{
    return octet_bytes(stamp->token->value.sequence);
}

/*
 * Authorities write the certificates of a token in any order, and what covers a token is made over
 * its DER, in which sets are sorted.  That does no harm to its signature.
 */
static se_status set_token(archive_stamp *stamp, se_bytes token, se_error *err)
{
    const unsigned char *p = token.data;
    AUTO(cms) cms = token.size > LONG_MAX ? NULL : d2i_CMS_ContentInfo(NULL, &p, (long)token.size);
    AUTO(der) der = NULL;
    const int size = cms ? i2d_CMS_ContentInfo(cms, &der) : -1;
    ASN1_STRING *string;

    if (size <= 0 || p != (const unsigned char *)token.data + token.size) {
        ERR_clear_error();
        return error_set(err, SE_ERR_REJECTED, "it is not a CMS signature");
    }
    if (!(string = ASN1_STRING_type_new(V_ASN1_SEQUENCE)))
        return error_memory(err);
    ASN1_STRING_set0(string, MOVE(der), size);
    ASN1_TYPE_set(stamp->token, V_ASN1_SEQUENCE, string);
    return SE_OK;
}

/* ---- reading ---- */

/* Parameters say nothing about these digests (RFC 5754, 2): others than NULL could be changed
 * without anybody's notice. */
static enum digest plain_digest(const X509_ALGOR *algorithm)
{
    int type;

    X509_ALGOR_get0(NULL, &type, NULL, algorithm);
    return type == V_ASN1_UNDEF || type == V_ASN1_NULL ? signer_info_digest(algorithm)
                                                       : DIGEST_NONE;
}

static se_status refuse_algorithm(const X509_ALGOR *algorithm, se_error *err)
{
    const ASN1_OBJECT *id;
    char name[80];

    X509_ALGOR_get0(&id, NULL, NULL, algorithm);
    (void)OBJ_obj2txt(name, sizeof name, id, 0);
    return error_set(
        err, SE_ERR_REJECTED,
        "its digest algorithm %s is not accepted: SHA-256 or better is needed, without "
        "parameters",
        name);
}

static se_status check_head(const struct evidence_record *record, se_error *err)
{
    int64_t version;

    if (!ASN1_INTEGER_get_int64(&version, record->version) || version != 1)
        return error_set(err, SE_ERR_FORMAT, "an evidence record of another version than 1");
    if (record->encryption)
        return error_set(err, SE_ERR_FORMAT,
                         "an evidence record of encrypted files (encryptionInfo), which is not "
                         "read here");
    if (record->crypto_infos)
        return error_set(err, SE_ERR_FORMAT,
                         "an evidence record with cryptoInfos, which are not read here");
    for (int i = 0; i < sk_X509_ALGOR_num(record->digests); i++)
        if (!plain_digest(sk_X509_ALGOR_value(record->digests, i)))
            return refuse_algorithm(sk_X509_ALGOR_value(record->digests, i), err);
    return SE_OK;
}

static se_status check_tree(const STACK_OF(hash_list) * tree, size_t size, se_error *err)
{
    if (tree && !sk_hash_list_num(tree))
        return error_set(err, SE_ERR_FORMAT, "its hash tree is empty");
    for (int i = 0; i < sk_hash_list_num(tree); i++) {
        const hash_list *list = sk_hash_list_value(tree, i);

        if (!sk_ASN1_OCTET_STRING_num(list))
            return error_set(err, SE_ERR_FORMAT, "its hash tree has an empty list");
        for (int j = 0; j < sk_ASN1_OCTET_STRING_num(list); j++)
            if (octet_bytes(sk_ASN1_OCTET_STRING_value(list, j)).size != size)
                return error_set(err, SE_ERR_FORMAT,
                                 "its hash tree has a hash that is not of its digest algorithm");
    }
    return SE_OK;
}

/* RFC 4998, 4.3: of the tree and of the token it is the same. */
static se_status check_digest(const archive_stamp *stamp, enum digest *chain, se_error *err)
{
    struct content_digest imprint;

    TRY(stamp_read_imprint(&imprint, stamp_token(stamp), err));
    if (stamp->digest && !plain_digest(stamp->digest))
        return refuse_algorithm(stamp->digest, err);
    if (stamp->digest && plain_digest(stamp->digest) != imprint.algorithm)
        return error_set(err, SE_ERR_REJECTED, "its hash tree and its token have two digests");
    if (*chain && *chain != imprint.algorithm)
        return error_set(err, SE_ERR_REJECTED,
                         "its digest is %s, and the time stamps before it in its chain have %s",
                         digest_name(imprint.algorithm), digest_name(*chain));
    *chain = imprint.algorithm;
    return check_tree(stamp->tree, imprint.size, err);
}

static se_status check_stamp(archive_stamp *stamp, enum digest *chain, se_error *err)
{
    AUTO(se_buf) token = SE_BUF_INIT;

    if (stamp->attributes)
        return error_set(err, SE_ERR_FORMAT, "it has attributes, which are not read here");
    if (stamp->token->type != V_ASN1_SEQUENCE)
        return error_set(err, SE_ERR_REJECTED, "it is not a CMS signature");
    TRY(buf_copy(&token, stamp_token(stamp), err));
    TRY(set_token(stamp, buf_bytes(&token), err));
    return check_digest(stamp, chain, err);
}

static bool lists_digest(const struct evidence_record *record, enum digest digest)
{
    for (int i = 0; i < sk_X509_ALGOR_num(record->digests); i++)
        if (plain_digest(sk_X509_ALGOR_value(record->digests, i)) == digest)
            return true;
    return false;
}

static se_status check_chain(const struct evidence_record *record, const stamp_chain *chain,
                             int *count, se_error *err)
{
    enum digest digest = DIGEST_NONE;

    if (!sk_archive_stamp_num(chain))
        return error_set(err, SE_ERR_FORMAT, "an evidence record with an empty chain");
    for (int i = 0; i < sk_archive_stamp_num(chain); i++) {
        if (++*count > STAMPS_MOST)
            return error_set(err, SE_ERR_FORMAT, "an evidence record with more than %d time stamps",
                             STAMPS_MOST);
        TRY_PREFIX(check_stamp(sk_archive_stamp_value(chain, i), &digest, err), err,
                   "time stamp %d: ", *count);
    }
    if (!lists_digest(record, digest))
        return error_set(err, SE_ERR_FORMAT, "an evidence record that does not list %s, its digest",
                         digest_name(digest));
    return SE_OK;
}

static se_status check_der(const struct evidence_record *record, se_bytes der, se_error *err)
{
    AUTO(se_buf) again = SE_BUF_INIT;

    TRY(encode_item(&again, record, ASN1_ITEM_rptr(EVIDENCE_RECORD), err));
    if (again.size == der.size && !CRYPTO_memcmp(again.data, der.data, der.size))
        return SE_OK;
    return error_set(err, SE_ERR_FORMAT, "an evidence record that is not in DER");
}

se_status evidence_read(struct evidence_record **out, se_bytes der, se_error *err)
{
    const unsigned char *p = der.data;
    AUTO(evidence) record = NULL;
    int count = 0;

    *out = NULL;
    if (der.size <= LONG_MAX)
        record = (struct evidence_record *)ASN1_item_d2i(NULL, &p, (long)der.size,
                                                         ASN1_ITEM_rptr(EVIDENCE_RECORD));
    ERR_clear_error();
    if (!record)
        return error_set(err, SE_ERR_FORMAT, "not an evidence record (RFC 4998)");
    if (p != (const unsigned char *)der.data + der.size)
        return error_set(err, SE_ERR_FORMAT, "there is something behind the evidence record");
    TRY(check_der(record, der, err));
    TRY(check_head(record, err));
    if (!sk_stamp_chain_num(record->chains))
        return error_set(err, SE_ERR_FORMAT, "an evidence record without time stamps");
    for (int i = 0; i < sk_stamp_chain_num(record->chains); i++)
        TRY(check_chain(record, sk_stamp_chain_value(record->chains, i), &count, err));
    *out = MOVE(record);
    return SE_OK;
}

enum digest evidence_chain_digest(const stamp_chain *chain)
{
    struct content_digest imprint;

    return stamp_read_imprint(&imprint, stamp_token(sk_archive_stamp_value(chain, 0)), NULL)
               ? DIGEST_NONE
               : imprint.algorithm;
}

stamp_chain *evidence_last_chain(const struct evidence_record *record)
{
    return sk_stamp_chain_value(record->chains, sk_stamp_chain_num(record->chains) - 1);
}

AUTO_KIND(chains, STACK_OF(stamp_chain) *, sk_stamp_chain_free(*p))

se_status evidence_hash_chains(struct content_digest *out, const struct evidence_record *record,
                               int index, enum digest digest, se_error *err)
{
    AUTO(chains) before = sk_stamp_chain_new_reserve(NULL, index);
    AUTO(se_buf) der = SE_BUF_INIT;
    se_bytes bytes;

    if (!before)
        return error_memory(err);
    for (int i = 0; i < index; i++)
        (void)sk_stamp_chain_push(before, sk_stamp_chain_value(record->chains, i));
    TRY(encode_item(&der, before, ASN1_ITEM_rptr(STAMP_CHAINS), err));
    bytes = buf_bytes(&der);
    return content_digest_join(out, digest, &bytes, 1, err);
}

/* ---- writing ---- */

se_status evidence_new(struct evidence_record **out, se_error *err)
{
    AUTO(evidence) record =
        (struct evidence_record *)ASN1_item_new(ASN1_ITEM_rptr(EVIDENCE_RECORD));

    *out = NULL;
    if (!record || !ASN1_INTEGER_set(record->version, 1))
        return error_memory(err);
    *out = MOVE(record);
    return SE_OK;
}

se_status evidence_write(se_buf *out, const struct evidence_record *record, se_error *err)
{
    return encode_item(out, record, ASN1_ITEM_rptr(EVIDENCE_RECORD), err);
}

/* With the NULL that the imprints of tokens have, for some compare it. */
static X509_ALGOR *make_algorithm(enum digest digest)
{
    AUTO(x509_algorithm) algorithm = X509_ALGOR_new();
    const int id = EVP_MD_get_type(crypto_md(digest));

    if (!algorithm || !X509_ALGOR_set0(algorithm, OBJ_nid2obj(id), V_ASN1_NULL, NULL))
        return NULL;
    return MOVE(algorithm);
}

/* As the chain's stamps have it. */
static X509_ALGOR *stamp_algorithm(const stamp_chain *chain, enum digest digest)
{
    const archive_stamp *first = sk_archive_stamp_value(chain, 0);

    return first && first->digest ? X509_ALGOR_dup(first->digest) : make_algorithm(digest);
}

static se_status list_digest(struct evidence_record *record, enum digest digest, se_error *err)
{
    AUTO(x509_algorithm) algorithm = NULL;

    if (lists_digest(record, digest))
        return SE_OK;
    algorithm = make_algorithm(digest);
    if (!algorithm || !sk_X509_ALGOR_push(record->digests, algorithm))
        return error_memory(err);
    algorithm = NULL;
    return SE_OK;
}

static se_status add_chain(struct evidence_record *record, se_error *err)
{
    AUTO(chain) chain = sk_archive_stamp_new_null();

    if (!chain || !sk_stamp_chain_push(record->chains, chain))
        return error_memory(err);
    chain = NULL;
    return SE_OK;
}

se_status evidence_add_stamp(struct evidence_record *record, struct stamp_addition *addition,
                             se_error *err)
{
    AUTO(archive_stamp) stamp = (archive_stamp *)ASN1_item_new(ASN1_ITEM_rptr(ARCHIVE_STAMP));

    if (!stamp)
        return error_memory(err);
    TRY(set_token(stamp, addition->token, err));
    TRY(list_digest(record, addition->digest, err));
    if (addition->new_chain)
        TRY(add_chain(record, err));
    stamp->digest = stamp_algorithm(evidence_last_chain(record), addition->digest);
    stamp->tree = MOVE(addition->tree);
    if (!stamp->digest || !sk_archive_stamp_push(evidence_last_chain(record), stamp))
        return error_memory(err);
    stamp = NULL;
    return SE_OK;
}
