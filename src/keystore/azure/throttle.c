/* SPDX-License-Identifier: Apache-2.0 */
#include "keystore/azure/throttle.h"

enum {
    WINDOW_MS = 1000,
    WINDOW_LEAST_MS = 250, /* a shorter one says too little */
    CREDIT_MS = 50,        /* who wakes up late takes nothing from those behind */
    POLL_MS = 10,          /* while one goes first */
    PLATEAU_FIRST_MS = 30000,
    PLATEAU_MOST_MS = 600000,
    PLATEAU_EARLY_MS = 20000, /* twice the time over which Key Vault counts */
};

static const double growth = 0.1,     /* in a second */
    plateau_begin = 0.995,            /* of the rate that was refused */
    plateau_end = 1.005, same = 0.05, /* two refusals this near to each other show one limit */
    rate_least = 1;

static double lesser_of(double a, double b)
{
    return a < b ? a : b;
}

static double greater_of(double a, double b)
{
    return a > b ? a : b;
}

/* xorshift32, as in base/breaker.c; processes that are refused together differ by an address. */
static uint32_t roll_dice(struct throttle *t, int64_t now)
{
    uint32_t x = t->dice ? t->dice : ((uint32_t)now ^ (uint32_t)((uintptr_t)t >> 4)) | 1;

    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return t->dice = x;
}

/* ---- what is measured ---- */

static void count_request(struct throttle *t, int64_t now)
{
    int64_t age = now - t->window;

    if (age >= 2 * WINDOW_MS || !t->window) { /* after a pause */
        t->measured = 0;
        t->window = now;
        t->in_window = 0;
    } else if (age >= WINDOW_MS) {
        t->measured = t->in_window * 1000.0 / (double)age;
        t->window = now;
        t->in_window = 0;
    }
    t->in_window++;
    t->granted++;
}

/* Operations a second before a refusal. */
static double current_rate(const struct throttle *t, int64_t now)
{
    double age = (double)(now - t->window),
           seen = t->in_window * 1000.0 / greater_of(age, WINDOW_LEAST_MS);

    if (age < WINDOW_MS)
        seen = greater_of(seen, t->measured);
    /* while callers queue, they are as many as they may be */
    if (t->rate > 0 && now - t->crowded < WINDOW_MS)
        return t->rate;
    return t->rate > 0 ? lesser_of(t->rate, seen) : seen;
}

/* ---- the rate ---- */

/* Where `rate` is after `seconds` more.  Beyond the plateau it leaves the ceiling slowly at first:
 * a limit that counts ten seconds shows late. */
static double grown_rate(const struct throttle *t, double seconds)
{
    double low = t->ceiling * plateau_begin, high = t->ceiling * plateau_end;
    double rate = t->rate;

    if (rate < low)
        return lesser_of(low, rate * (1 + growth * seconds));
    if (rate < high)
        return rate + (high - low) * seconds * 1000 / (double)t->plateau;
    return rate + (rate - t->ceiling) * growth * seconds;
}

/* A rate grows only while it is used up: what nobody needs is not known to be granted. */
static void grow_rate(struct throttle *t, int64_t now)
{
    double seconds = ((double)now - t->grown) / 1000;

    if (seconds <= 0)
        return;
    if (now - t->crowded < WINDOW_MS)
        t->rate = grown_rate(t, lesser_of(seconds, 1));
    t->grown = (double)now;
    if (t->rate < t->ceiling * plateau_begin)
        return;
    if (!t->held)
        t->held = now;
    if (now - t->held >= PLATEAU_EARLY_MS && t->rate < t->ceiling * plateau_end)
        t->proven = t->rate;
}

static bool is_near(double rate, double other)
{
    return rate >= other * (1 - same) && rate <= other * (1 + same);
}

/* A rate below the one that was refused now that is sure to be granted for long: proven, or what
 * was granted since the last refusal, its pause included. */
static double granted_rate(struct throttle *t, double refused, int64_t now)
{
    if (refused < t->proven)
        t->proven = is_near(refused, t->proven) ? refused : 0;
    if (t->proven > 0)
        return t->proven;
    return lesser_of((double)t->granted * 1000 / (double)(now - t->refused), refused);
}

/*
 * From the rate that was refused now.  A limit that shows again where it was is real, and worth
 * fewer trials; another one is new.  But if the plateau was refused soon, what was saved up during
 * the pause had hidden that it is too high: the limit is below.
 */
static void learn_ceiling(struct throttle *t, double rate, int64_t now)
{
    bool is_early = t->held && now - t->held < PLATEAU_EARLY_MS;
    double granted = granted_rate(t, rate, now), ceiling = is_early ? (rate + granted) / 2 : rate;

    if (!is_near(ceiling, t->ceiling))
        t->plateau = PLATEAU_FIRST_MS;
    else if (!is_early)
        t->plateau = t->plateau < PLATEAU_MOST_MS / 2 ? t->plateau * 2 : PLATEAU_MOST_MS;
    t->ceiling = ceiling;
    t->refused = now;
    t->granted = 0;
    t->held = 0;
}

/* ---- turns ---- */

/* Whoever came first goes first; one whose turn has passed, because it woke up late, goes next. */
static double turn_time(const struct throttle *t, uint64_t turn)
{
    uint64_t ahead = turn > t->turn ? turn - t->turn - 1 : 0;

    return t->next + (t->rate > 0 ? (double)ahead * 1000 / t->rate : 0);
}

static void take_turn(struct throttle *t, uint64_t turn, int64_t now)
{
    if (turn > t->turn)
        t->turn = turn;
    t->next = greater_of(t->next, (double)(now - CREDIT_MS));
    if (t->rate > 0)
        t->next += 1000 / t->rate;
    count_request(t, now);
}

/* Nobody goes before this; POLL_MS more while somebody is going first. */
static double gate_time(const struct throttle *t, int64_t now)
{
    if (t->is_refused && t->is_probing && now < t->not_before)
        return (double)(now + POLL_MS);
    return t->is_refused ? (double)t->not_before : 0;
}

/* When it is worth asking again, as a whole number of milliseconds. */
static int64_t wait_turn(struct throttle *t, uint64_t *turn, double at, int64_t until)
{
    int64_t ms = (int64_t)at + ((double)(int64_t)at < at);

    if (ms > until) {
        *turn = 0;
        return ms;
    }
    if (*turn > t->queued)
        t->queued = *turn;
    return ms;
}

int64_t throttle_ask(struct throttle *t, uint64_t *turn, int64_t until, int64_t now)
{
    double gate, at;

    if (!*turn)
        *turn = (t->queued > t->turn ? t->queued : t->turn) + 1;
    if (t->rate > 0)
        grow_rate(t, now);
    gate = gate_time(t, now);
    at = turn_time(t, *turn);
    if (gate > (double)now)
        return wait_turn(t, turn, greater_of(gate, at), until);
    if (at > (double)now && !t->is_refused) {
        t->crowded = now;
        return wait_turn(t, turn, at, until);
    }
    if (t->is_refused) {
        t->is_probing = true;
        t->not_before = now + THROTTLE_PATIENCE_MS;
    }
    take_turn(t, *turn, now);
    return now;
}

/* ---- reports ---- */

void throttle_passed(struct throttle *t, int64_t now)
{
    if (!t->is_probing) /* asked before the refusal: no news */
        return;
    t->is_refused = t->is_probing = false;
    t->refusals = 0;
    t->next = (double)now;
    t->grown = (double)now;
}

/* Without Retry-After between half and the whole of the step: many callers were refused. */
static int64_t pause_length(struct throttle *t, long retry_after, int64_t now)
{
    int64_t step = THROTTLE_FIRST_MS;

    if (retry_after > THROTTLE_ASKED_MOST_S)
        retry_after = THROTTLE_ASKED_MOST_S;
    if (retry_after > 0)
        return retry_after * 1000 + roll_dice(t, now) % 250;
    for (unsigned i = 1; i < t->refusals && step < THROTTLE_MOST_MS; i++)
        step *= 2;
    return step - roll_dice(t, now) % (step / 2 + 1);
}

bool throttle_refused(struct throttle *t, long retry_after, int64_t now)
{
    bool is_news = !t->is_refused;

    /* asked before the refusal that is known, and as long ago */
    if (t->is_refused && !t->is_probing)
        return false;
    if (is_news) {
        learn_ceiling(t, greater_of(current_rate(t, now), rate_least), now);
        t->rate = greater_of(t->ceiling / 2, rate_least);
    }
    t->is_refused = true;
    t->is_probing = false;
    t->refusals += t->refusals < 16;
    t->not_before = now + pause_length(t, retry_after, now);
    t->next = (double)t->not_before;
    return is_news;
}
