/* SPDX-License-Identifier: Apache-2.0 */
/* The tree, its frontiers and inclusion proofs, beside a tree that is made as RFC 9162, 2.1 defines
 * it; and rows that are no entries. */
#include "history/tree.h"
#include "tests/unit/unit.h"

enum { LEAVES = 70, MANY = 66000 };

static struct hash leaves[LEAVES];

static void make_leaves(void)
{
    for (unsigned char i = 0; i < LEAVES; i++) {
        const se_bytes part = { &i, 1 };

        assert_true(hash_sha256(&leaves[i], &part, 1));
    }
}

static size_t left_of(size_t count)
{
    size_t left = 1;

    while (left * 2 < count)
        left *= 2;
    return left;
}

static struct hash root_of(const struct hash *list, size_t count)
{
    size_t left = left_of(count);
    struct hash a, b, root;

    if (count == 1)
        return *list;
    a = root_of(list, left);
    b = root_of(list + left, count - left);
    assert_true(hash_children(&root, &a, &b));
    return root;
}

static void path_of(struct inclusion_proof *out, const struct hash *list, size_t count,
                    size_t index)
{
    size_t left = left_of(count);

    if (count < 2)
        return;
    if (index < left)
        path_of(out, list, left, index);
    else
        path_of(out, list + left, count - left, index - left);
    out->hashes[out->count++] =
        index < left ? root_of(list + left, count - left) : root_of(list, left);
}

static struct frontier frontier_of(size_t count)
{
    struct frontier frontier = { .size = 0 };

    for (size_t i = 0; i < count; i++)
        frontier_add(&frontier, 0, &leaves[i], NULL, NULL);
    return frontier;
}

static void test_edges_have_the_root_of_the_definition(void **state)
{
    se_error err = SE_ERROR_INIT;

    (void)state;
    for (size_t count = 1; count <= LEAVES; count++) {
        struct hash wanted = root_of(leaves, count), root;
        struct frontier frontier = frontier_of(count), again;

        assert_status(SE_OK, frontier_root(&root, &frontier, &err), &err);
        assert_true(hash_equal(&root, &wanted));
        assert_status(SE_OK, frontier_parse(&again, count, frontier_bytes(&frontier), &err), &err);
        assert_status(SE_OK, frontier_root(&root, &again, &err), &err);
        assert_true(hash_equal(&root, &wanted));
    }
}

static void test_full_subtrees_can_be_added(void **state)
{
    struct frontier whole = frontier_of(LEAVES), frontier = { .size = 0 };
    struct hash part = root_of(leaves, 64), a, b;
    se_error err = SE_ERROR_INIT;

    (void)state;
    frontier_add(&frontier, 6, &part, NULL, NULL);
    for (size_t i = 64; i < LEAVES; i += 2) {
        part = root_of(leaves + i, 2);
        frontier_add(&frontier, 1, &part, NULL, NULL);
    }
    assert_status(SE_OK, frontier_root(&a, &whole, &err), &err);
    assert_status(SE_OK, frontier_root(&b, &frontier, &err), &err);
    assert_true(hash_equal(&a, &b));
    assert_int_equal(frontier.size, LEAVES);
}

static void test_an_frontier_of_another_size_is_refused(void **state)
{
    struct frontier frontier = frontier_of(7), out;
    se_bytes bytes = frontier_bytes(&frontier);
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_ERR_FORMAT, frontier_parse(&out, 8, bytes, &err), &err);
    assert_status(SE_ERR_FORMAT, frontier_parse(&out, 15, bytes, &err), &err);
    bytes.size--;
    assert_status(SE_ERR_FORMAT, frontier_parse(&out, 7, bytes, &err), &err);
    assert_status(SE_ERR_FORMAT, frontier_parse(&out, UINT64_MAX, bytes, &err), &err);
    bytes.size = 0;
    assert_status(SE_OK, frontier_parse(&out, 0, bytes, &err), &err);
}

struct told {
    unsigned eights, sixteens, others;
};

static void count_node(void *arg, const struct subtree *subtree)
{
    struct told *told = arg;

    if (subtree->level == 8)
        assert_int_equal(subtree->index, told->eights++);
    else if (subtree->level == 16)
        assert_int_equal(subtree->index, told->sixteens++);
    else
        told->others++;
}

static void test_every_eighth_level_is_told(void **state)
{
    struct frontier frontier = { .size = 0 };
    struct told told = { 0 };

    (void)state;
    for (size_t i = 0; i < MANY; i++)
        frontier_add(&frontier, 0, &leaves[i % LEAVES], count_node, &told);
    assert_int_equal(told.eights, MANY / 256);
    assert_int_equal(told.sixteens, 1);
    assert_int_equal(told.others, 0);
    assert_false(frontier.failed);
}

static void check_path(size_t count, size_t index)
{
    struct hash wanted = root_of(leaves, count), root;
    struct inclusion_proof proof = { .count = 0 };
    se_error err = SE_ERROR_INIT;

    path_of(&proof, leaves, count, index);
    assert_status(SE_OK, inclusion_proof_root(&root, &proof, &leaves[index], index, count, &err),
                  &err);
    assert_true(hash_equal(&root, &wanted));
    for (unsigned i = 0; i < proof.count; i++) {
        proof.hashes[i].bytes[i % HASH_SIZE] ^= 1;
        assert_status(
            SE_OK, inclusion_proof_root(&root, &proof, &leaves[index], index, count, &err), &err);
        assert_false(hash_equal(&root, &wanted));
        proof.hashes[i].bytes[i % HASH_SIZE] ^= 1;
    }
    proof.count++;
    assert_status(SE_ERR_REJECTED,
                  inclusion_proof_root(&root, &proof, &leaves[index], index, count, &err), &err);
    if (proof.count >= 2) {
        proof.count -= 2;
        assert_status(SE_ERR_REJECTED,
                      inclusion_proof_root(&root, &proof, &leaves[index], index, count, &err),
                      &err);
    }
}

static void test_paths_lead_to_the_root_and_no_other_does(void **state)
{
    (void)state;
    for (size_t count = 1; count <= LEAVES; count++)
        for (size_t index = 0; index < count; index++)
            check_path(count, index);
}

static void test_no_path_leads_from_beyond(void **state)
{
    struct inclusion_proof proof = { .count = 3 };
    struct hash root;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_ERR_REJECTED, inclusion_proof_root(&root, &proof, &leaves[0], 8, 8, &err),
                  &err);
    assert_status(SE_ERR_REJECTED,
                  inclusion_proof_root(&root, &proof, &leaves[0], UINT64_MAX, 8, &err), &err);
    assert_status(SE_ERR_REJECTED, inclusion_proof_root(&root, &proof, &leaves[0], 0, 0, &err),
                  &err);
}

/* ---- rows ---- */

static void test_rows_that_are_no_entries(void **state)
{
    static const unsigned char bytes[OBJECT_MOST + 1];
    const struct chain_id id = { { 1 } };
    struct row row = {
        .seq = 1, .object = { "o", 1 }, .salt = { bytes, SALT_SIZE }, .payload = { "p", 1 }
    };
    AUTO(writer) w = { 0 };
    se_error err = SE_ERROR_INIT;
    struct hash leaf;

    (void)state;
    assert_status(SE_OK, entry_leaf(&leaf, &row, &id, &err), &err);
    row.salt.size = SALT_SIZE - 1;
    assert_status(SE_ERR_FORMAT, entry_leaf(&leaf, &row, &id, &err), &err);
    row.salt.size = SALT_SIZE + 1;
    assert_status(SE_ERR_FORMAT, entry_encode(&w, &row, &id, &err), &err);
    row.salt.size = 0;
    assert_true(entry_erased(&row));
    assert_status(SE_ERR_FORMAT, entry_leaf(&leaf, &row, &id, &err), &err);
    row.payload = (se_bytes){ bytes, HASH_SIZE };
    assert_status(SE_OK, entry_leaf(&leaf, &row, &id, &err), &err);
    row.object = (se_bytes){ bytes, OBJECT_MOST };
    assert_status(SE_OK, entry_leaf(&leaf, &row, &id, &err), &err);
    row.object.size++;
    assert_status(SE_ERR_FORMAT, entry_leaf(&leaf, &row, &id, &err), &err);
    assert_int_equal(w.buf.size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edges_have_the_root_of_the_definition),
        cmocka_unit_test(test_full_subtrees_can_be_added),
        cmocka_unit_test(test_an_frontier_of_another_size_is_refused),
        cmocka_unit_test(test_every_eighth_level_is_told),
        cmocka_unit_test(test_paths_lead_to_the_root_and_no_other_does),
        cmocka_unit_test(test_no_path_leads_from_beyond),
        cmocka_unit_test(test_rows_that_are_no_entries),
    };

    make_leaves();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
