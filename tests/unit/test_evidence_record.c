/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of evidence records: what those of the fuzz target's corpus say, and what it refuses
 * when one thing of them is changed. */
#include <stdlib.h>

#include "base/file.h"
#include "evidence/syntax.h"
#include "tests/unit/unit.h"

static void read_corpus(se_buf *out, const char *name)
{
    const char *top = getenv("top_srcdir");
    AUTO(writer) path = { .buf = SE_BUF_INIT };
    se_error err = SE_ERROR_INIT;

    writer_format(&path, "%s/tests/fuzz/corpus/evidence/%s", top ? top : ".", name);
    assert_status(SE_OK, file_read(out, writer_string(&path), 1 << 16, &err), &err);
}

static struct evidence_record *record_of(const char *name)
{
    AUTO(se_buf) der = SE_BUF_INIT;
    struct evidence_record *record;
    se_error err = SE_ERROR_INIT;

    read_corpus(&der, name);
    assert_status(SE_OK, evidence_read(&record, buf_bytes(&der), &err), &err);
    return record;
}

static archive_stamp *stamp_of(const struct evidence_record *record, int chain, int index)
{
    return sk_archive_stamp_value(sk_stamp_chain_value(record->chains, chain), index);
}

/* ---- what is read ---- */

static void a_record_is_what_it_says(void **state)
{
    AUTO(evidence) record = record_of("renewed");

    (void)state;
    assert_int_equal(sk_X509_ALGOR_num(record->digests), 2);
    assert_int_equal(sk_stamp_chain_num(record->chains), 2);
    assert_int_equal(sk_archive_stamp_num(sk_stamp_chain_value(record->chains, 0)), 2);
    assert_int_equal(sk_archive_stamp_num(evidence_last_chain(record)), 1);
    assert_int_equal(evidence_chain_digest(sk_stamp_chain_value(record->chains, 0)), DIGEST_SHA256);
    assert_int_equal(evidence_chain_digest(evidence_last_chain(record)), DIGEST_SHA384);
    assert_int_equal(sk_hash_list_num(stamp_of(record, 0, 0)->tree), 1);
    assert_null(stamp_of(record, 0, 1)->tree);
    assert_int_equal(stamp_token(stamp_of(record, 0, 0)).size, 1427 + 4);
}

/*
 * RFC 4998, 5.2: the first chain, 2977 bytes from 43 on, alone in a sequence:
 *
 *   (printf '\060\202\013\241'; tail -c +44 renewed | head -c 2977) | openssl dgst -sha384
 */
static void chains_are_hashed_as_they_stand(void **state)
{
    AUTO(evidence) record = record_of("renewed");
    char text[CONTENT_DIGEST_TEXT];
    struct content_digest hash;

    (void)state;
    assert_int_equal(evidence_hash_chains(&hash, record, 1, DIGEST_SHA384, NULL), SE_OK);
    content_digest_text(text, &hash);
    assert_string_equal(text, "sha384:82365c815cff13532260bbb31df4238b1687852ea42310406b4a28f174820"
                              "8ff62facce682baaff652c99877121f82e5");
}

static void what_was_read_is_written_again(void **state)
{
    static const char *const names[] = { "single", "group", "tree", "renewed" };

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        AUTO(evidence) record = record_of(names[i]);
        AUTO(se_buf) der = SE_BUF_INIT;
        AUTO(se_buf) again = SE_BUF_INIT;

        read_corpus(&der, names[i]);
        assert_int_equal(evidence_write(&again, record, NULL), SE_OK);
        assert_int_equal(again.size, der.size);
        assert_memory_equal(again.data, der.data, der.size);
    }
}

/* ---- what is refused ---- */

static void assert_refused(se_bytes der, se_status status, const char *text)
{
    struct evidence_record *record = (struct evidence_record *)1;
    se_error err = SE_ERROR_INIT;

    assert_status(status, evidence_read(&record, der, &err), &err);
    assert_null(record);
    if (!strstr(err.text, text))
        fail_msg("\"%s\" does not say: %s", err.text, text);
}

static void bytes_that_are_no_record(void **state)
{
    static const unsigned char set[] = { 0x31, 0x00 };
    AUTO(se_buf) good = SE_BUF_INIT;
    AUTO(se_buf) longer = SE_BUF_INIT;

    (void)state;
    read_corpus(&good, "single");
    assert_refused((se_bytes){ "", 0 }, SE_ERR_FORMAT, "not an evidence record");
    assert_refused((se_bytes){ set, sizeof set }, SE_ERR_FORMAT, "not an evidence record");
    for (size_t size = 0; size < good.size; size++)
        assert_refused((se_bytes){ good.data, size }, SE_ERR_FORMAT, "not an evidence record");
    assert_int_equal(buf_new(&longer, good.size + 1, NULL), SE_OK);
    memcpy(longer.data, good.data, good.size);
    longer.data[good.size] = 0;
    assert_refused(buf_bytes(&longer), SE_ERR_FORMAT, "something behind the evidence record");
    /* the length of all, 05C7, in three bytes; DER has no zeros before it */
    assert_memory_equal(good.data, "\x30\x82\x05\xC7", 4);
    memcpy(longer.data, "\x30\x83\x00\x05\xC7", 5);
    memcpy(longer.data + 5, good.data + 4, good.size - 4);
    assert_refused(buf_bytes(&longer), SE_ERR_FORMAT, "not in DER");
}

static STACK_OF(ASN1_TYPE) * any_values(void)
{
    STACK_OF(ASN1_TYPE) *values = sk_ASN1_TYPE_new_null();
    ASN1_TYPE *null = ASN1_TYPE_new();

    ASN1_TYPE_set(null, V_ASN1_NULL, NULL);
    assert_true(sk_ASN1_TYPE_push(values, null));
    return values;
}

static void have_version_2(struct evidence_record *record)
{
    assert_true(ASN1_INTEGER_set(record->version, 2));
}

static void have_crypto_infos(struct evidence_record *record)
{
    record->crypto_infos = any_values();
}

static void have_encryption(struct evidence_record *record)
{
    record->encryption = any_values();
}

static void list_sha1(struct evidence_record *record)
{
    assert_true(X509_ALGOR_set0(sk_X509_ALGOR_value(record->digests, 0), OBJ_nid2obj(NID_sha1),
                                V_ASN1_NULL, NULL));
}

static void list_parameters(struct evidence_record *record)
{
    assert_true(X509_ALGOR_set0(sk_X509_ALGOR_value(record->digests, 0), OBJ_nid2obj(NID_sha256),
                                V_ASN1_OBJECT, OBJ_nid2obj(NID_sha256)));
}

static void list_another_digest(struct evidence_record *record)
{
    assert_true(X509_ALGOR_set0(sk_X509_ALGOR_value(record->digests, 0), OBJ_nid2obj(NID_sha512),
                                V_ASN1_NULL, NULL));
}

static void have_an_empty_chain(struct evidence_record *record)
{
    assert_true(sk_stamp_chain_unshift(record->chains, sk_archive_stamp_new_null()));
}

static void have_another_tree_digest(struct evidence_record *record)
{
    assert_true(X509_ALGOR_set0(stamp_of(record, 0, 0)->digest, OBJ_nid2obj(NID_sha384),
                                V_ASN1_NULL, NULL));
}

static void have_tree_parameters(struct evidence_record *record)
{
    assert_true(X509_ALGOR_set0(stamp_of(record, 0, 0)->digest, OBJ_nid2obj(NID_sha256),
                                V_ASN1_OBJECT, OBJ_nid2obj(NID_sha256)));
}

static void have_attributes(struct evidence_record *record)
{
    stamp_of(record, 0, 0)->attributes = any_values();
}

static void have_an_empty_tree(struct evidence_record *record)
{
    hash_lists_free(stamp_of(record, 0, 0)->tree);
    stamp_of(record, 0, 0)->tree = sk_hash_list_new_null();
}

static void have_an_empty_list(struct evidence_record *record)
{
    assert_true(sk_hash_list_push(stamp_of(record, 0, 0)->tree, sk_ASN1_OCTET_STRING_new_null()));
}

static void have_a_short_hash(struct evidence_record *record)
{
    const hash_list *list = sk_hash_list_value(stamp_of(record, 0, 0)->tree, 2);

    assert_true(ASN1_OCTET_STRING_set(sk_ASN1_OCTET_STRING_value(list, 0),
                                      (const unsigned char *)"0123456789012345678901234567890",
                                      31));
}

static void have_no_token(struct evidence_record *record)
{
    ASN1_TYPE_set(stamp_of(record, 0, 0)->token, V_ASN1_NULL, NULL);
}

static void have_another_token(struct evidence_record *record)
{
    ASN1_STRING *string = ASN1_STRING_type_new(V_ASN1_SEQUENCE);

    assert_true(ASN1_STRING_set(string, "\x30\x00", 2));
    ASN1_TYPE_set(stamp_of(record, 0, 0)->token, V_ASN1_SEQUENCE, string);
}

static void change_digests_in_a_chain(struct evidence_record *record)
{
    stamp_chain *last = sk_stamp_chain_pop(record->chains);

    assert_true(sk_archive_stamp_push(evidence_last_chain(record), sk_archive_stamp_pop(last)));
    sk_archive_stamp_free(last);
}

static void records_that_are_changed(void **state)
{
    static const struct {
        const char *name;
        void (*change)(struct evidence_record *record);
        se_status status;
        const char *text;
    } cases[] = {
        { "tree", have_version_2, SE_ERR_FORMAT, "of another version than 1" },
        { "tree", have_crypto_infos, SE_ERR_FORMAT, "cryptoInfos" },
        { "tree", have_encryption, SE_ERR_FORMAT, "encryptionInfo" },
        { "tree", list_sha1, SE_ERR_REJECTED, "sha1 is not accepted" },
        { "tree", list_parameters, SE_ERR_REJECTED, "without parameters" },
        { "tree", list_another_digest, SE_ERR_FORMAT, "does not list SHA-256" },
        { "tree", have_an_empty_chain, SE_ERR_FORMAT, "with an empty chain" },
        { "tree", have_another_tree_digest, SE_ERR_REJECTED, "stamp 1: its hash tree and its" },
        { "tree", have_tree_parameters, SE_ERR_REJECTED, "time stamp 1: its digest algorithm" },
        { "tree", have_attributes, SE_ERR_FORMAT, "time stamp 1: it has attributes" },
        { "tree", have_an_empty_tree, SE_ERR_FORMAT, "time stamp 1: its hash tree is empty" },
        { "tree", have_an_empty_list, SE_ERR_FORMAT, "its hash tree has an empty list" },
        { "tree", have_a_short_hash, SE_ERR_FORMAT, "a hash that is not of its digest" },
        { "tree", have_no_token, SE_ERR_REJECTED, "time stamp 1: it is not a CMS signature" },
        { "tree", have_another_token, SE_ERR_REJECTED, "time stamp 1: it is not a CMS signature" },
        { "renewed", change_digests_in_a_chain, SE_ERR_REJECTED, "time stamp 3: its digest is" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO(evidence) record = record_of(cases[i].name);
        AUTO(se_buf) der = SE_BUF_INIT;

        cases[i].change(record);
        assert_int_equal(evidence_write(&der, record, NULL), SE_OK);
        assert_refused(buf_bytes(&der), cases[i].status, cases[i].text);
    }
}

static void a_record_without_time_stamps(void **state)
{
    AUTO(evidence) record = NULL;
    AUTO(se_buf) der = SE_BUF_INIT;

    (void)state;
    assert_int_equal(evidence_new(&record, NULL), SE_OK);
    assert_int_equal(evidence_write(&der, record, NULL), SE_OK);
    assert_refused(buf_bytes(&der), SE_ERR_FORMAT, "without time stamps");
}

/* Nobody renews once a week for a lifetime: the 1000th is read, and the next one is not. */
static void a_thousand_time_stamps(void **state)
{
    AUTO(evidence) record = record_of("single");
    AUTO(evidence) again = NULL;
    AUTO(se_buf) most = SE_BUF_INIT;
    AUTO(se_buf) more = SE_BUF_INIT;
    struct stamp_addition addition = { .digest = DIGEST_SHA256,
                                       .token = stamp_token(stamp_of(record, 0, 0)) };
    se_error err = SE_ERROR_INIT;

    (void)state;
    for (int i = 1; i < 1000; i++)
        assert_status(SE_OK, evidence_add_stamp(record, &addition, &err), &err);
    assert_int_equal(evidence_write(&most, record, NULL), SE_OK);
    assert_status(SE_OK, evidence_read(&again, buf_bytes(&most), &err), &err);
    addition.new_chain = true;
    assert_status(SE_OK, evidence_add_stamp(record, &addition, &err), &err);
    assert_int_equal(evidence_write(&more, record, NULL), SE_OK);
    assert_refused(buf_bytes(&more), SE_ERR_FORMAT, "more than 1000 time stamps");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_what_it_says),
        cmocka_unit_test(chains_are_hashed_as_they_stand),
        cmocka_unit_test(what_was_read_is_written_again),
        cmocka_unit_test(bytes_that_are_no_record),
        cmocka_unit_test(records_that_are_changed),
        cmocka_unit_test(a_record_without_time_stamps),
        cmocka_unit_test(a_thousand_time_stamps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
