/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hash trees of evidence records, beside those of a shell.  The hash of a text, and of nodes:
 *
 *   h() { printf %s "$1" | openssl dgst -sha256 -r | cut -c1-64; }
 *   node() {
 *       for h; do echo "$h"; done | sort | tr -d '\n' | xxd -r -p | openssl dgst -sha256 -r
 *   }
 *   node $(h 2a) $(h 2b) $(h 2c)
 */
#include "evidence/hash_tree.h"
#include "tests/unit/unit.h"

/* leaves, of which the first digits will do */
#define H1  "6b86b273"
#define H2  "d4735e3a"
#define H3  "4e074085"
#define H5  "ef2d127d"
#define H2A "b2239ae3"
#define H2B "ecc2853c"
#define H2C "40f2b6e9"
/* nodes of 2a, 2b and 2c; of 1 and 2; of 3 and 4; of those two */
#define N2ABC "2c5ec8db"
#define N12   "4295f72e"
#define N34   "755e8117"
#define N1234 "14e9ba41"

enum { HASHES_MOST = 64 };

static struct content_digest hash_of(const char *text)
{
    const se_bytes bytes = text_bytes(text);
    struct content_digest digest;

    assert_int_equal(content_digest_join(&digest, DIGEST_SHA256, &bytes, 1, NULL), SE_OK);
    return digest;
}

static void assert_hash(const struct content_digest *hash, const char *hex)
{
    char text[CONTENT_DIGEST_TEXT];

    content_digest_text(text, hash);
    assert_memory_equal(text, "sha256:", 7);
    assert_string_equal(text + 7, hex);
}

/* Lists between commas, and of each hash four bytes. */
static void assert_lists(const STACK_OF(hash_list) * tree, const char *expected)
{
    AUTO(writer) text = { .buf = SE_BUF_INIT };

    for (int i = 0; i < sk_hash_list_num(tree); i++) {
        const hash_list *list = sk_hash_list_value(tree, i);

        writer_text(&text, i ? "," : "");
        for (int j = 0; j < sk_ASN1_OCTET_STRING_num(list); j++) {
            const se_bytes hash = octet_bytes(sk_ASN1_OCTET_STRING_value(list, j));
            const unsigned char *byte = hash.data;

            assert_int_equal(hash.size, 32);
            writer_format(&text, "%s%02x%02x%02x%02x", j ? " " : "", byte[0], byte[1], byte[2],
                          byte[3]);
        }
    }
    assert_string_equal(writer_string(&text), expected);
}

/* ---- nodes ---- */

static void a_node_has_its_children_in_ascending_order(void **state)
{
    static const char *const orders[][3] = { { "2a", "2b", "2c" }, { "2a", "2c", "2b" },
                                             { "2b", "2a", "2c" }, { "2b", "2c", "2a" },
                                             { "2c", "2a", "2b" }, { "2c", "2b", "2a" } };

    (void)state;
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        struct content_digest children[3], node;
        se_bytes hashes[3];

        for (size_t j = 0; j < 3; j++) {
            children[j] = hash_of(orders[i][j]);
            hashes[j] = content_digest_bytes(&children[j]);
        }
        assert_int_equal(hashes_join(&node, DIGEST_SHA256, hashes, 3, NULL), SE_OK);
        assert_hash(&node, N2ABC "b8729d00e4562f44d6f72f795277a4ea82840b471bea8510fa3d6767");
    }
}

static void a_node_of_one_child_is_that_child(void **state)
{
    const struct content_digest child = hash_of("1");
    const se_bytes bytes = content_digest_bytes(&child);
    struct content_digest node;

    (void)state;
    assert_int_equal(hashes_join(&node, DIGEST_SHA256, &bytes, 1, NULL), SE_OK);
    assert_hash(&node, H1 "ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b");
}

/* ---- trees ---- */

static void assert_reduced(const struct hash_tree *tree, size_t group, const char *expected)
{
    AUTO(hash_lists) lists = NULL;
    struct content_digest root;

    assert_int_equal(hash_tree_reduce(&lists, tree, group, NULL), SE_OK);
    assert_lists(lists, expected);
    assert_int_equal(hash_tree_root(&root, DIGEST_SHA256, lists, NULL), SE_OK);
    assert_true(content_digest_is(&root, content_digest_bytes(hash_tree_top(tree))));
}

/* RFC 4998, 4.2.1 and 4.2.2: its figures. */
static void the_tree_of_the_rfc(void **state)
{
    const struct content_digest first = hash_of("1"), third = hash_of("3"),
                                second[] = { hash_of("2b"), hash_of("2c"), hash_of("2a") };
    const struct hash_group groups[] = { { &first, 1 }, { second, 3 }, { &third, 1 } };
    AUTO(hash_tree) tree = { .nodes = NULL };

    (void)state;
    assert_int_equal(hash_tree_build(&tree, groups, 3, NULL), SE_OK);
    /* node $(node $(h 1) $(node $(h 2a) $(h 2b) $(h 2c))) $(h 3) */
    assert_hash(hash_tree_top(&tree),
                "66489f093e1583523d9c32f422f427dc8a024c9b04954d41b104fe1b6ea1061c");
    assert_reduced(&tree, 0, H1 "," N2ABC "," H3);
    assert_reduced(&tree, 1, H2C " " H2A " " H2B "," H1 "," H3);
    assert_reduced(&tree, 2, H3 ",83fc3a60");
}

static void what_is_left_over_goes_up(void **state)
{
    const struct content_digest hashes[] = { hash_of("1"), hash_of("2"), hash_of("3"), hash_of("4"),
                                             hash_of("5") };
    struct hash_group groups[5];
    AUTO(hash_tree) tree = { .nodes = NULL };

    (void)state;
    for (size_t i = 0; i < 5; i++)
        groups[i] = (struct hash_group){ &hashes[i], 1 };
    assert_int_equal(hash_tree_build(&tree, groups, 5, NULL), SE_OK);
    /* node $(node $(node $(h 1) $(h 2)) $(node $(h 3) $(h 4))) $(h 5) */
    assert_hash(hash_tree_top(&tree),
                "49c5da312d6a64b8a1a3087687f921ff8ef4cc031041517d0a3c8846d886ed99");
    assert_reduced(&tree, 0, H1 "," H2 "," N34 "," H5);
    assert_reduced(&tree, 2, H3 ",4b227777," N12 "," H5);
    assert_reduced(&tree, 4, H5 "," N1234);
}

static void one_group_is_a_tree(void **state)
{
    const struct content_digest hashes[] = { hash_of("2b"), hash_of("2c"), hash_of("2a") };
    const struct hash_group three = { hashes, 3 }, one = { hashes, 1 };
    AUTO(hash_tree) tree = { .nodes = NULL };
    AUTO(hash_tree) alone = { .nodes = NULL };
    AUTO(hash_lists) lists = NULL;

    (void)state;
    assert_int_equal(hash_tree_build(&tree, &three, 1, NULL), SE_OK);
    assert_reduced(&tree, 0, H2C " " H2A " " H2B);
    assert_int_equal(hash_tree_build(&alone, &one, 1, NULL), SE_OK);
    assert_true(content_digest_is(hash_tree_top(&alone), content_digest_bytes(&hashes[0])));
    assert_int_equal(hash_tree_reduce(&lists, &alone, 0, NULL), SE_OK);
    assert_null(lists);
}

/* Each group leads to the root, and no list that leads there has a hash of another group. */
static void every_group_leads_to_the_root(void **state)
{
    struct content_digest hashes[HASHES_MOST];
    struct hash_group groups[HASHES_MOST / 3];

    (void)state;
    for (int i = 0; i < HASHES_MOST; i++)
        hashes[i] = hash_of((char[]){ (char)('0' + i), 0 });
    for (size_t count = 2; count <= HASHES_MOST / 3; count++) {
        AUTO(hash_tree) tree = { .nodes = NULL };

        for (size_t i = 0; i < count; i++)
            groups[i] = (struct hash_group){ &hashes[3 * i], 1 + i % 3 };
        assert_int_equal(hash_tree_build(&tree, groups, count, NULL), SE_OK);
        for (size_t i = 0; i < count; i++) {
            AUTO(hash_lists) lists = NULL;
            struct content_digest root;
            const hash_list *own;

            assert_int_equal(hash_tree_reduce(&lists, &tree, i, NULL), SE_OK);
            assert_int_equal(hash_tree_root(&root, DIGEST_SHA256, lists, NULL), SE_OK);
            assert_true(content_digest_is(&root, content_digest_bytes(hash_tree_top(&tree))));
            own = sk_hash_list_value(lists, 0);
            for (size_t j = 0; j < 3 * count; j++)
                assert_int_equal(hash_list_has(own, &hashes[j]), j / 3 == i && j % 3 < 1 + i % 3);
        }
    }
}

/* ---- trees of others ---- */

static hash_list *list_of(const char *const *texts)
{
    hash_list *list = sk_ASN1_OCTET_STRING_new_null();

    for (; *texts; texts++) {
        const struct content_digest hash = hash_of(*texts);
        ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();

        assert_true(ASN1_OCTET_STRING_set(octets, hash.value, (int)hash.size));
        assert_true(sk_ASN1_OCTET_STRING_push(list, octets));
    }
    return list;
}

/* RFC 4998, 4.3: the hash of the lists below is one more child, and children stand in any order. */
static void nodes_of_others_have_many_children(void **state)
{
    AUTO(hash_lists) lists = sk_hash_list_new_null();
    struct content_digest root;

    (void)state;
    assert_true(sk_hash_list_push(lists, list_of((const char *[]){ "2b", "2a", "2c", NULL })));
    assert_true(sk_hash_list_push(lists, list_of((const char *[]){ "1", "3", NULL })));
    assert_int_equal(hash_tree_root(&root, DIGEST_SHA256, lists, NULL), SE_OK);
    /* node $(node $(h 2a) $(h 2b) $(h 2c)) $(h 1) $(h 3) */
    assert_hash(&root, "fed9dfe41d483c9de1adb2f433b7c2942d5295a4345f13125e5a9e2aa928b81c");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_node_has_its_children_in_ascending_order),
        cmocka_unit_test(a_node_of_one_child_is_that_child),
        cmocka_unit_test(the_tree_of_the_rfc),
        cmocka_unit_test(what_is_left_over_goes_up),
        cmocka_unit_test(one_group_is_a_tree),
        cmocka_unit_test(every_group_leads_to_the_root),
        cmocka_unit_test(nodes_of_others_have_many_children),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
