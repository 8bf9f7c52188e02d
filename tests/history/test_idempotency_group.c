/* SPDX-License-Identifier: Apache-2.0 */
/* Many ask for the same at once, with the same idempotency keys; some of them in one group. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "history/history.h"
#include "tests/history/any_store.h"

static const struct keyed_request one = { "key-1", NULL, { "a", "b" } },
                                  none = { NULL, NULL, { "a", "b" } };

static void expect_entries(se_history *history, struct keyed_request request, uint64_t first,
                           bool repeated)
{
    struct keyed_answer answer;

    send_request(&answer, history, &request);
    assert_appended(&answer, first, repeated);
}

/* ---- many at once ---- */

enum { THREADS = 16, KEYS = 50 };

struct repeater {
    se_history *history;
    unsigned number;
    uint64_t first[KEYS];
    bool repeated[KEYS];
};

static void *repeat_keys(void *arg)
{
    struct repeater *r = arg;
    char name[20];

    for (unsigned i = 0; i < KEYS; i++) {
        const unsigned key = (i + r->number % 4) % KEYS;
        const struct keyed_request request = { name, "threads", { name, "b" } };
        struct keyed_answer answer;

        (void)snprintf(name, sizeof name, "key-%u", key);
        send_request(&answer, r->history, &request);
        if (answer.status)
            return arg;
        r->first[key] = answer.appended.first;
        r->repeated[key] = answer.appended.repeated;
    }
    return NULL;
}

static void test_many_repeat_the_same_keys_at_once(void **state)
{
    static struct repeater repeaters[THREADS];
    pthread_t threads[THREADS];
    se_history_report report;
    se_error err = SE_ERROR_INIT;
    se_history *histories[2];
    struct any_chain c;
    void *failed;

    (void)state;
    any_chain_begin(&c);
    for (unsigned i = 0; i < 2; i++) /* as two processes */
        histories[i] = any_chain_open(&c, c.name, false);
    for (unsigned i = 0; i < THREADS; i++) {
        repeaters[i] = (struct repeater){ .history = histories[i % 2], .number = i };
        assert_int_equal(pthread_create(&threads[i], NULL, repeat_keys, &repeaters[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    for (unsigned key = 0; key < KEYS; key++) {
        unsigned appended = 0;

        for (unsigned i = 0; i < THREADS; i++) {
            assert_int_equal(repeaters[i].first[key], repeaters[0].first[key]);
            appended += !repeaters[i].repeated[key];
        }
        assert_int_equal(appended, 1);
    }
    assert_status(SE_OK, se_history_verify(&report, c.history, NULL, &err), &err);
    assert_int_equal(report.entries, 2 * KEYS);
    for (unsigned i = 0; i < 2; i++)
        se_history_close(&histories[i]);
    any_chain_end(&c);
}

/* ---- some in one group ---- */

struct member {
    struct keyed_request request;
    struct keyed_answer answer;
    se_history *history;
    pthread_t thread;
};

static size_t count_waiting(se_history *h)
{
    size_t waiting;

    pthread_mutex_lock(&h->queue.lock);
    waiting = h->queue.waiting;
    pthread_mutex_unlock(&h->queue.lock);
    return waiting;
}

static void await_waiting(se_history *h, size_t count)
{
    while (count_waiting(h) != count)
        (void)usleep(1000);
}

/* Nobody else gets at the store until so many wait. */
static se_status hold_queue(se_history *h, void *arg, se_error *err)
{
    (void)err;
    await_waiting(h, *(const size_t *)arg);
    return SE_OK;
}

static void await_holder(se_history *h)
{
    bool led = false;

    while (!led) {
        (void)usleep(1000);
        pthread_mutex_lock(&h->queue.lock);
        led = h->queue.led && !h->queue.waiting;
        pthread_mutex_unlock(&h->queue.lock);
    }
}

struct holder {
    se_history *history;
    size_t count;
};

static void *begin_holding(void *arg)
{
    struct holder *holder = arg;
    struct queued_call call = { .work = hold_queue, .arg = &holder->count };

    return commit_queue_join(holder->history, &call, NULL) ? arg : NULL;
}

static void *send_member(void *arg)
{
    struct member *m = arg;

    send_request(&m->answer, m->history, &m->request);
    return NULL;
}

/* They come in their order, and make one group. */
static void send_group(se_history *h, struct member *members, size_t count)
{
    struct holder holder = { h, count };
    pthread_t thread;
    void *failed;

    assert_int_equal(pthread_create(&thread, NULL, begin_holding, &holder), 0);
    await_holder(h);
    for (size_t i = 0; i < count; i++) {
        members[i].history = h;
        assert_int_equal(pthread_create(&members[i].thread, NULL, send_member, &members[i]), 0);
        if (i + 1 < count)
            await_waiting(h, i + 1);
    }
    for (size_t i = 0; i < count; i++)
        assert_int_equal(pthread_join(members[i].thread, NULL), 0);
    assert_int_equal(pthread_join(thread, &failed), 0);
    assert_null(failed);
}

static void test_a_conflict_leaves_the_group_alone(void **state)
{
    struct member m[] = {
        { .request = { "new", NULL, { "a", "b" } } },   /* is appended */
        { .request = { "key-1", NULL, { "x" } } },      /* was used for something else */
        { .request = { NULL, NULL, { "c" } } },         /* is appended */
        { .request = { "new", NULL, { "a", "b" } } },   /* as the first one */
        { .request = { "new", NULL, { "a", "z" } } },   /* not as the first one */
        { .request = { "key-1", NULL, { "a", "b" } } }, /* was appended */
        { .request = { "newer", "caller", { "d" } } },  /* is appended */
        { .request = { "newer", "another", { "d" } } }, /* likewise */
        { .request = { "newer", "caller", { "d" } } },  /* as the last but one */
    };
    struct any_chain c;

    (void)state;
    any_chain_begin(&c);
    expect_entries(c.history, one, 1, false);
    send_group(c.history, m, 9);
    assert_appended(&m[0].answer, 3, false);
    assert_refused(&m[1].answer, SE_ERR_USAGE, "'key-1' was used for other content");
    assert_appended(&m[2].answer, 5, false);
    assert_appended(&m[3].answer, 3, true);
    assert_refused(&m[4].answer, SE_ERR_USAGE, "'new' is used for other content at this moment");
    assert_appended(&m[5].answer, 1, true);
    assert_appended(&m[6].answer, 6, false);
    assert_appended(&m[7].answer, 7, false);
    assert_appended(&m[8].answer, 6, true);
    any_chain_expect(&c, 7, 3); /* one seal for all */
    expect_entries(c.history, m[0].request, 3, true);
    any_chain_end(&c);
}

static void test_a_group_of_repeated_keys_makes_no_seal(void **state)
{
    struct member m[] = { { .request = one }, { .request = { "key-1", NULL, { "x" } } } };
    struct any_chain c;

    (void)state;
    any_chain_begin(&c);
    expect_entries(c.history, one, 1, false);
    send_group(c.history, m, 2);
    assert_appended(&m[0].answer, 1, true);
    assert_refused(&m[1].answer, SE_ERR_USAGE, "was used for other content");
    expect_entries(c.history, none, 3, false);
    any_chain_expect(&c, 4, 3);
    any_chain_end(&c);
}

static void test_a_group_that_is_not_stored_answers_what_was(void **state)
{
    struct member m[] = {
        { .request = { "new", NULL, { "c" } } },
        { .request = { "new", NULL, { "c" } } },
        { .request = one },
        { .request = { NULL, NULL, { "d" } } },
        { .request = { "new", NULL, { "z" } } },
    };
    struct any_chain c;

    (void)state;
    any_chain_begin(&c);
    expect_entries(c.history, one, 1, false);
    /* a row where that of the key belongs */
    any_chain_sql(&c, "INSERT INTO @idempotency (chain, first, count, caller, key, digest, time)"
                      " SELECT chain, 3, count, key, caller, digest, time FROM @idempotency"
                      " WHERE chain = @this");
    send_group(c.history, m, 5);
    assert_refused(&m[0].answer, SE_ERR_IO, "");
    assert_refused(&m[1].answer, SE_ERR_IO, "");
    assert_appended(&m[2].answer, 1, true);
    assert_refused(&m[3].answer, SE_ERR_IO, "");
    assert_refused(&m[4].answer, SE_ERR_IO, "");
    any_chain_expect(&c, 2, 2);
    any_chain_sql(&c, "DELETE FROM @idempotency WHERE chain = @this AND first = 3");
    expect_entries(c.history, m[4].request, 3, false);
    any_chain_end(&c);
}

/* The same store as a role that has no right to the table of keys; false: it has no roles. */
static bool become_keyless(struct any_chain *c, char *room, size_t size)
{
    const char *user = strstr(c->store, "user=");

    if (!user)
        return false;
    any_chain_sql(c, "CREATE ROLE keyless LOGIN;"
                     "GRANT SELECT, INSERT ON @chain, @entry, @node, @seal TO keyless;"
                     "GRANT UPDATE ON @chain TO keyless");
    (void)snprintf(room, size, "%.*suser=keyless", (int)(user - c->store), c->store);
    c->store = room;
    return true;
}

static void test_who_has_no_right_to_keys_keeps_nobody(void **state)
{
    static const char text[] = "permission denied for table signengine_idempotency";
    struct member m[] = {
        { .request = one },
        { .request = { NULL, NULL, { "c" } } },
        { .request = { "key-2", NULL, { "d" } } },
    };
    struct any_chain c, keyless;
    char store[500];
    se_history *history;

    (void)state;
    any_chain_begin(&c);
    keyless = c;
    if (become_keyless(&keyless, store, sizeof store)) {
        history = any_chain_open(&keyless, c.name, false);
        send_group(history, m, 3);
        assert_refused(&m[0].answer, SE_ERR_ACCESS, text);
        assert_appended(&m[1].answer, 1, false);
        assert_refused(&m[2].answer, SE_ERR_ACCESS, text);
        any_chain_expect(&c, 1, 2);
        send_group(history, m, 1);
        assert_refused(&m[0].answer, SE_ERR_ACCESS, text);
        se_history_close(&history);
    }
    any_chain_end(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_many_repeat_the_same_keys_at_once),
        IN_FOLDER(test_a_conflict_leaves_the_group_alone),
        IN_FOLDER(test_a_group_of_repeated_keys_makes_no_seal),
        IN_FOLDER(test_a_group_that_is_not_stored_answers_what_was),
        IN_FOLDER(test_who_has_no_right_to_keys_keeps_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
