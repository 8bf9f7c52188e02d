/* SPDX-License-Identifier: Apache-2.0 */
/* How fast a vault is asked, with a clock and a vault of the test's own. */
#include <stdbool.h>
#include <stdio.h>

#include "keystore/azure/throttle.h"
#include "tests/unit/unit.h"

static const int64_t start = 1000000, forever = INT64_MAX;

static int64_t ask_anew(struct throttle *t, int64_t until, int64_t now)
{
    uint64_t turn = 0;

    return throttle_ask(t, &turn, until, now);
}

/* ---- single steps ---- */

static void unrefused_lets_everybody_through(void **state)
{
    struct throttle t = { 0 };

    (void)state;
    for (int i = 0; i < 10000; i++) {
        assert_int_equal(ask_anew(&t, start, start), start);
        throttle_passed(&t, start);
    }
}

static void refused_all_wait_and_one_goes_first(void **state)
{
    struct throttle t = { 0 };
    uint64_t first = 0, second = 0;
    int64_t at;

    (void)state;
    assert_int_equal(ask_anew(&t, forever, start), start);
    assert_true(throttle_refused(&t, -1, start));
    at = throttle_ask(&t, &first, forever, start);
    assert_in_range(at, start + THROTTLE_FIRST_MS / 2, start + THROTTLE_FIRST_MS);
    assert_true(throttle_ask(&t, &second, forever, start) >= at);
    assert_int_equal(throttle_ask(&t, &first, forever, at), at);
    assert_true(throttle_ask(&t, &second, forever, at + 5000) > at + 5000);
    throttle_passed(&t, at + 5000);
    assert_true(throttle_ask(&t, &second, forever, at + 6000) <= at + 6000);
}

/* Requests that were under way when the vault began to refuse must not make the pause longer. */
static void late_refusals_are_no_news(void **state)
{
    struct throttle t = { 0 };
    int64_t at;

    (void)state;
    assert_true(throttle_refused(&t, -1, start));
    at = t.not_before;
    assert_false(throttle_refused(&t, -1, start + 5));
    throttle_passed(&t, start + 5);
    assert_int_equal(t.not_before, at);
    assert_true(ask_anew(&t, forever, at - 1) >= at);
    assert_int_equal(ask_anew(&t, forever, at), at);
}

static void pauses_double_up_to_eight_seconds(void **state)
{
    static const int64_t steps[] = { 1000, 2000, 4000, 8000, 8000, 8000, 8000 };

    (void)state;
    for (uint32_t dice = 1; dice < 300; dice++) {
        struct throttle t = { .dice = dice };
        int64_t now = start;

        for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
            int64_t at;

            assert_int_equal(throttle_refused(&t, -1, now), i == 0);
            at = t.not_before;
            assert_in_range(at - now, steps[i] / 2, steps[i]);
            assert_int_equal(ask_anew(&t, forever, at), at);
            now = at;
        }
        throttle_passed(&t, now);
        assert_int_equal(ask_anew(&t, forever, now + 1000), now + 1000);
        assert_true(throttle_refused(&t, -1, now + 1000));
        assert_in_range(t.not_before - now - 1000, 500, 1000);
    }
}

static void what_the_vault_asks_for_is_done(void **state)
{
    static const struct {
        long asked;
        int64_t least, most;
    } rows[] = { { 0, 500, 1000 },
                 { 1, 1000, 1250 },
                 { 7, 7000, 7250 },
                 { 60, 60000, 60250 },
                 { 100000, 60000, 60250 } };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct throttle t = { 0 };

        assert_true(throttle_refused(&t, rows[i].asked, start));
        assert_in_range(ask_anew(&t, forever, start) - start, rows[i].least, rows[i].most);
    }
}

static void whoever_can_not_wait_has_no_place(void **state)
{
    struct throttle t = { 0 };
    uint64_t turn = 0, other = 0;
    int64_t at;

    (void)state;
    assert_true(throttle_refused(&t, 10, start));
    for (int i = 0; i < 1000; i++) {
        assert_true(throttle_ask(&t, &turn, start + 9000, start) > start + 9000);
        assert_int_equal(turn, 0);
    }
    at = throttle_ask(&t, &other, forever, start);
    assert_int_equal(other, 1);
    assert_true(at <= start + 10250);
}

/* A caller that was to go first, and never came back, stops the others for half a minute. */
static void a_lost_probe_is_replaced(void **state)
{
    struct throttle t = { 0 };
    int64_t at;

    (void)state;
    assert_true(throttle_refused(&t, 1, start));
    at = t.not_before;
    assert_int_equal(ask_anew(&t, forever, at), at);
    assert_true(ask_anew(&t, forever, at + THROTTLE_PATIENCE_MS - 1) >
                at + THROTTLE_PATIENCE_MS - 1);
    at += THROTTLE_PATIENCE_MS;
    assert_int_equal(ask_anew(&t, forever, at), at);
}

/* 100 a second, all allowed, then one refused. */
static int64_t refuse_at_hundred(struct throttle *t)
{
    int64_t now = start;

    for (int i = 0; i < 500; i++, now += 10) {
        assert_int_equal(ask_anew(t, forever, now), now);
        throttle_passed(t, now);
    }
    assert_true(throttle_refused(t, 1, now));
    now = t->not_before;
    assert_int_equal(ask_anew(t, forever, now), now);
    throttle_passed(t, now);
    return now;
}

static void the_rate_is_halved_and_grows_by_a_tenth(void **state)
{
    struct throttle t = { 0 };
    int64_t now, begin;
    int went;

    (void)state;
    begin = now = refuse_at_hundred(&t);
    assert_in_range(t.rate * 10, 490, 510);
    for (int second = 1; second <= 6; second++) {
        double before = t.rate;

        for (went = 0; now < begin + second * 1000; now++)
            went += ask_anew(&t, now, now) <= now;
        assert_in_range(went, before * 0.97 - 1, before * 1.12 + 1);
        assert_in_range(t.rate / before * 1000, 1090, 1110);
    }
    assert_in_range(t.rate, 85, 95);
}

/* What nobody uses says nothing about what is allowed. */
static void an_idle_rate_does_not_grow(void **state)
{
    struct throttle t = { 0 };
    int64_t now;
    double rate;

    (void)state;
    now = refuse_at_hundred(&t);
    rate = t.rate;
    for (int i = 0; i < 1000; i++) {
        now += 1000;
        assert_int_equal(ask_anew(&t, now, now), now);
    }
    assert_true(t.rate == rate);
}

static void callers_go_in_the_order_in_which_they_came(void **state)
{
    enum { CALLERS = 100 };
    struct throttle t = { 0 };
    uint64_t turns[CALLERS] = { 0 };
    int64_t at[CALLERS], now, last = 0;

    (void)state;
    now = refuse_at_hundred(&t);
    t.plateau = 1000000;
    t.ceiling = t.rate = 50; /* it stays */
    for (int i = 0; i < CALLERS; i++)
        at[i] = throttle_ask(&t, &turns[i], forever, now);
    for (int i = 1; i < CALLERS; i++) {
        assert_in_range(at[i] - at[i - 1], 19, 21);
        /* five milliseconds late, and yet nobody behind is later for it */
        last = at[i] + 5;
        assert_int_equal(throttle_ask(&t, &turns[i], forever, last), last);
    }
    assert_in_range(last - now, 1960, 2010);
}

/* ---- a vault with a limit ---- */

enum { CALLERS = 64 };

/* So many requests in a window that begins anew, or a bucket that is filled all the time. */
struct vault_model {
    double rate;  /* a second */
    double depth; /* at once */
    bool is_window;
    double left;
    int64_t since;
};

static bool vault_grants(struct vault_model *v, int64_t now)
{
    int64_t length = (int64_t)(v->depth / v->rate * 1000);

    if (!v->is_window) {
        v->left += (double)(now - v->since) * v->rate / 1000;
        v->since = now;
    } else if (now / length != v->since / length) {
        v->left = v->depth;
        v->since = now;
    }
    if (v->left > v->depth)
        v->left = v->depth;
    if (v->left < 1)
        return false;
    v->left--;
    return true;
}

enum caller_state { CALLER_ASKING, CALLER_SENDING, CALLER_RECEIVING };
struct caller {
    enum caller_state state;
    int64_t at; /* of the next step */
    uint64_t turn;
    int64_t since;
    bool granted;
};

struct outcome {
    unsigned passed, refused, worst_second;
    int64_t longest; /* wait of one caller */
};

static uint32_t dice = 12345;
static int64_t draw_number(int64_t least, int64_t most)
{
    dice = dice * 1664525 + 1013904223;
    return least + (dice >> 8) % (most - least + 1);
}

/* One step of a caller; it works in a closed loop. */
static void caller_step(struct caller *c, struct throttle *t, struct vault_model *v,
                        struct outcome *o, int64_t now)
{
    if (c->state == CALLER_ASKING) {
        c->at = throttle_ask(t, &c->turn, forever, now);
        if (c->at > now)
            return;
        c->turn = 0;
        c->state = CALLER_SENDING;
        c->at = now + draw_number(1, 4);
    } else if (c->state == CALLER_SENDING) {
        c->granted = vault_grants(v, now);
        c->state = CALLER_RECEIVING;
        c->at = now + draw_number(2, 20);
    } else {
        c->state = CALLER_ASKING;
        c->at = now;
        if (!c->granted) {
            o->refused++;
            (void)throttle_refused(t, -1, now);
            return;
        }
        o->passed++;
        throttle_passed(t, now);
        if (now - c->since > o->longest)
            o->longest = now - c->since;
        c->since = now;
    }
}

static struct outcome run_for(struct caller callers[CALLERS], struct throttle *t,
                              struct vault_model *v, int64_t from, int64_t to)
{
    struct outcome o = { 0 };
    unsigned before = 0;

    for (int64_t now = from; now < to; now++) {
        for (int i = 0; i < CALLERS; i++)
            while (callers[i].at <= now)
                caller_step(&callers[i], t, v, &o, now);
        if (now % 1000)
            continue;
        if (o.refused - before > o.worst_second)
            o.worst_second = o.refused - before;
        before = o.refused;
    }
    return o;
}

static void reach_the_limit(double rate, double depth, bool is_window)
{
    struct vault_model v = { .rate = rate, .depth = depth, .is_window = is_window, .left = depth };
    struct caller callers[CALLERS] = { { 0 } };
    struct throttle t = { .dice = 1 };
    struct outcome first, later;
    double share;

    for (int i = 0; i < CALLERS; i++)
        callers[i].at = callers[i].since = start + i;
    v.since = start;
    dice = 12345;
    first = run_for(callers, &t, &v, start, start + 600000);
    later = run_for(callers, &t, &v, start + 600000, start + 4200000);
    share = later.passed / (rate * 3600);
    print_message("%s of %g at %g/s: at first %.3f with %u refusals, then %.3f with %u\n",
                  is_window ? "windows" : "a bucket", depth, rate, first.passed / (rate * 600),
                  first.refused, share, later.refused);
    assert_true(first.passed >= rate * 600 * 0.85);
    assert_true(share >= 0.98);
    /* no storms: those that were under way, and some that went first */
    assert_true(later.refused * 500 < later.passed);
    assert_true(later.worst_second <= CALLERS / 4);
    assert_true(first.worst_second <= CALLERS);
    assert_true(later.longest < 20000);
}

static void a_bucket_of_ten_seconds_is_used_up(void **state)
{
    (void)state;
    reach_the_limit(200, 2000, true);
    reach_the_limit(200, 2000, false);
    reach_the_limit(50, 500, true);
    reach_the_limit(25, 250, false);
}

static void a_capacity_per_second_is_used_up(void **state)
{
    (void)state;
    reach_the_limit(200, 200, true);
    reach_the_limit(200, 200, false);
    reach_the_limit(900, 900, true);
    reach_the_limit(150, 150, true);
}

/* Another client has gone, or come: the vault gives more, or less, than it did. */
static void a_limit_that_moves_is_found(void **state)
{
    struct vault_model v = { .rate = 100, .depth = 100, .since = start };
    struct caller callers[CALLERS] = { { 0 } };
    struct throttle t = { .dice = 1 };
    struct outcome o;
    int64_t now = start;

    (void)state;
    for (int i = 0; i < CALLERS; i++)
        callers[i].at = start + i;
    (void)run_for(callers, &t, &v, now, now + 60000);
    now += 60000;
    v.rate = v.depth = 300;
    (void)run_for(callers, &t, &v, now, now + 180000);
    now += 180000;
    o = run_for(callers, &t, &v, now, now + 60000);
    assert_true(o.passed > 60 * 300 * 0.8);
    v.rate = v.depth = 30;
    now += 60000;
    (void)run_for(callers, &t, &v, now, now + 60000);
    now += 60000;
    o = run_for(callers, &t, &v, now, now + 60000);
    assert_true(o.passed > 60 * 30 * 0.8);
    assert_true(o.refused * 20 < o.passed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unrefused_lets_everybody_through),
        cmocka_unit_test(refused_all_wait_and_one_goes_first),
        cmocka_unit_test(late_refusals_are_no_news),
        cmocka_unit_test(pauses_double_up_to_eight_seconds),
        cmocka_unit_test(what_the_vault_asks_for_is_done),
        cmocka_unit_test(whoever_can_not_wait_has_no_place),
        cmocka_unit_test(a_lost_probe_is_replaced),
        cmocka_unit_test(the_rate_is_halved_and_grows_by_a_tenth),
        cmocka_unit_test(an_idle_rate_does_not_grow),
        cmocka_unit_test(callers_go_in_the_order_in_which_they_came),
        cmocka_unit_test(a_bucket_of_ten_seconds_is_used_up),
        cmocka_unit_test(a_capacity_per_second_is_used_up),
        cmocka_unit_test(a_limit_that_moves_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
