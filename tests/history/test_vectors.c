/* SPDX-License-Identifier: Apache-2.0 */
/* tests/vectors/history, which make.py there has made from doc/formats.md: entries, trees,
 * checkpoints and proofs; good ones, and others. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "history/signed_note.h"
#include "signengine-history.h"
#include "tests/unit/unit.h"

enum { ENTRIES = 41, FIELD_MOST = 2200, PATH_ROOM = 4096 };

static const char *vectors;

static se_buf read_vector(const char *name)
{
    se_buf buf = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;
    char path[PATH_ROOM];

    (void)snprintf(path, sizeof path, "%s/%s", vectors, name);
    assert_status(SE_OK, file_read(&buf, path, 1 << 20, &err), &err);
    return buf;
}

/* ---- entries and trees ---- */

static size_t parse_hex(unsigned char *out, const char *text)
{
    size_t size = strcmp(text, "-") ? strlen(text) / 2 : 0;

    for (size_t i = 0; i < size; i++)
        assert_int_equal(sscanf(text + 2 * i, "%2hhx", &out[i]), 1);
    return size;
}

struct vector {
    struct chain_id id;
    struct row row;
    unsigned char object[FIELD_MOST], salt[FIELD_MOST], payload[FIELD_MOST], entry[FIELD_MOST];
    size_t entry_size;
    struct hash leaf;
};

static void read_entry(struct vector *v, char *line)
{
    char *fields[8], *rest = line;

    for (size_t i = 0; i < 8; i++)
        assert_non_null(fields[i] = strsep(&rest, " "));
    assert_int_equal(parse_hex(v->id.bytes, fields[0]), CHAIN_ID_SIZE);
    v->row =
        (struct row){ .seq = strtoull(fields[1], NULL, 10), .time = strtoll(fields[2], NULL, 10) };
    v->row.object = (se_bytes){ v->object, parse_hex(v->object, fields[3]) };
    v->row.salt = (se_bytes){ v->salt, parse_hex(v->salt, fields[4]) };
    v->row.payload = (se_bytes){ v->payload, parse_hex(v->payload, fields[5]) };
    v->entry_size = parse_hex(v->entry, fields[6]);
    assert_int_equal(parse_hex(v->leaf.bytes, fields[7]), HASH_SIZE);
}

static void check_entry(const struct vector *v)
{
    AUTO(writer) w = { 0 };
    se_error err = SE_ERROR_INIT;
    struct hash leaf;

    assert_status(SE_OK, entry_encode(&w, &v->row, &v->id, &err), &err);
    assert_int_equal(w.buf.size, v->entry_size);
    assert_memory_equal(w.buf.data, v->entry, v->entry_size);
    assert_status(SE_OK, entry_leaf(&leaf, &v->row, &v->id, &err), &err);
    assert_memory_equal(&leaf, &v->leaf, HASH_SIZE);
}

static size_t read_leaves(struct hash leaves[ENTRIES])
{
    AUTO(se_buf) text = read_vector("entries");
    char *rest = (char *)text.data, *line;
    struct vector v;
    size_t count = 0;

    while ((line = strsep(&rest, "\n")) && *line) {
        read_entry(&v, line);
        check_entry(&v);
        assert_in_range(count, 0, ENTRIES - 1);
        leaves[count++] = v.leaf;
    }
    return count;
}

static void test_entries_are_encoded_and_hashed_as_documented(void **state)
{
    struct hash leaves[ENTRIES];

    (void)state;
    assert_int_equal(read_leaves(leaves), ENTRIES);
}

static void test_trees_have_the_roots_that_are_documented(void **state)
{
    AUTO(se_buf) text = read_vector("trees");
    char *rest = (char *)text.data, *line;
    struct hash leaves[ENTRIES], root, wanted;
    struct frontier frontier = { .size = 0 };
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_int_equal(read_leaves(leaves), ENTRIES);
    for (size_t size = 0; size <= ENTRIES; size++) {
        assert_non_null(line = strsep(&rest, "\n"));
        assert_int_equal(strtoull(strsep(&line, " "), NULL, 10), size);
        assert_int_equal(parse_hex(wanted.bytes, line), HASH_SIZE);
        assert_status(SE_OK, frontier_root(&root, &frontier, &err), &err);
        assert_memory_equal(&root, &wanted, HASH_SIZE);
        if (size < ENTRIES)
            frontier_add(&frontier, 0, &leaves[size], NULL, NULL);
    }
}

/* ---- checkpoints and proofs, which are files of a folder ---- */

static int is_vector(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* What the name says: "refused-65-why", "refused-1-why", and the others are good. */
static se_status wanted_of(const char *name)
{
    return strncmp(name, "refused-65-", 11) == 0  ? SE_ERR_FORMAT
           : strncmp(name, "refused-1-", 10) == 0 ? SE_ERR_REJECTED
                                                  : SE_OK;
}

static void check_folder(const char *folder,
                         se_status (*check)(se_bytes bytes, const char *name, se_error *err),
                         int least)
{
    struct dirent **names = NULL;
    char path[PATH_ROOM];
    int count;

    (void)snprintf(path, sizeof path, "%s/%s", vectors, folder);
    assert_in_range(count = scandir(path, &names, is_vector, alphasort), least, 1000);
    for (int i = 0; i < count; i++) {
        char *name = names[i]->d_name;
        AUTO(se_buf) bytes = SE_BUF_INIT;
        se_error err = SE_ERROR_INIT;
        se_status st;

        (void)snprintf(path, sizeof path, "%s/%s", folder, name);
        bytes = read_vector(path);
        if ((st = check(buf_bytes(&bytes), name, &err)) != wanted_of(name))
            fail_msg("%s: %s: %s", path, se_status_name(st), err.text);
        free(names[i]);
    }
    free(names);
}

/* A name begins with the algorithm, and so does the file of its certificate. */
static se_status check_signature(const struct signed_note *note, const char *name, se_error *err)
{
    const char *algorithm = wanted_of(name) ? "SHA256withECDSA" : name;
    int size = (int)strcspn(algorithm, ".");
    AUTO(se_buf) certificate = SE_BUF_INIT;
    char path[PATH_ROOM];
    se_verifier *signer;
    se_status st;

    (void)snprintf(path, sizeof path, "%.*s.pem", size, algorithm);
    certificate = read_vector(path);
    path[size] = '\0';
    assert_status(SE_OK, se_verifier_read(&signer, buf_bytes(&certificate), path, err), err);
    st = signed_note_verify(note, signer, err);
    se_verifier_close(&signer);
    return st;
}

static se_status check_seal(se_bytes bytes, const char *name, se_error *err)
{
    AUTO(se_buf) again = SE_BUF_INIT;
    struct signed_note note;
    se_status st = signed_note_parse(&note, bytes, err);

    if (st)
        return st;
    assert_status(SE_OK,
                  signed_note_write(&again, &note.checkpoint, note.key_id,
                                    (se_bytes){ note.signature, note.signature_size }, err),
                  err);
    assert_int_equal(again.size, bytes.size);
    assert_memory_equal(again.data, bytes.data, bytes.size);
    return check_signature(&note, name, err);
}

static void test_seals(void **state)
{
    (void)state;
    check_folder("seals", check_seal, 50);
}

static void test_what_a_seal_says(void **state)
{
    AUTO(se_buf) bytes = read_vector("seals/SHA384withECDSA.erases");
    struct signed_note note;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_OK, signed_note_parse(&note, buf_bytes(&bytes), &err), &err);
    assert_string_equal(note.checkpoint.chain, "default");
    assert_int_equal(note.checkpoint.size, ENTRIES);
    assert_int_equal(note.checkpoint.number, 8);
    assert_int_equal(note.checkpoint.version, 12);
    assert_string_equal(note.checkpoint.algorithm, "SHA384withECDSA");
    assert_string_equal(note.checkpoint.descriptor, "Objects of 2026, \xc3\xa4\xc3\xb6\xc3\xbc");
    assert_int_equal(note.checkpoint.event, EVENT_ERASES);
    assert_int_equal(note.checkpoint.subject, 5);
    assert_int_equal(note.checkpoint.time, 1769860800000001); /* 2026-01-31T12:00:00.000001Z */
}

static se_status check_proof(se_bytes bytes, const char *name, se_error *err)
{
    se_history_proof proof;
    se_status st = se_history_verify_proof(&proof, bytes, (se_bytes){ NULL, 0 }, err);
    unsigned seq = 1, size = ENTRIES;

    if (!st && strcmp(name, "good-without-payload"))
        assert_int_equal(sscanf(name, "good-%u-of-%u", &seq, &size), 2);
    assert_int_equal(proof.seq, st ? 0 : seq);
    assert_int_equal(proof.size, st ? 0 : size);
    assert_true(!st || (!proof.object.data && !proof.payload.data));
    se_history_proof_free(&proof);
    return st;
}

static void test_proofs(void **state)
{
    (void)state;
    check_folder("proofs", check_proof, 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_entries_are_encoded_and_hashed_as_documented),
        cmocka_unit_test(test_trees_have_the_roots_that_are_documented),
        cmocka_unit_test(test_seals),
        cmocka_unit_test(test_what_a_seal_says),
        cmocka_unit_test(test_proofs),
    };
    const char *top = getenv("top_srcdir");
    char path[PATH_ROOM];

    (void)snprintf(path, sizeof path, "%s/tests/vectors/history", top ? top : ".");
    vectors = path;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
