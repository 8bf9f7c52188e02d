/* SPDX-License-Identifier: Apache-2.0 */
#include "base/breaker.h"

enum breaker_leave breaker_ask(struct breaker *breaker, int64_t now)
{
    if (!breaker->open)
        return BREAKER_GO;
    if (breaker->probing || now < breaker->next)
        return BREAKER_WAIT;
    breaker->probing = true;
    return BREAKER_PROBE;
}

/* xorshift32: processes that lost the same token together must not all come back at once. */
static uint32_t dice_roll(struct breaker *breaker, int64_t now)
{
    uint32_t x = breaker->dice ? breaker->dice : (uint32_t)now | 1;

    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return breaker->dice = x;
}

/* Between half of the step and all of it. */
static int64_t pause_length(struct breaker *breaker, int64_t now)
{
    int64_t step = BREAKER_FIRST_MS;

    for (unsigned i = 1; i < breaker->failures && step < BREAKER_MOST_MS; i++)
        step *= 2;
    if (step > BREAKER_MOST_MS)
        step = BREAKER_MOST_MS;
    return step / 2 + dice_roll(breaker, now) % (step / 2 + 1);
}

bool breaker_failed(struct breaker *breaker, enum breaker_leave leave, int64_t now)
{
    bool first = !breaker->open;

    /* a caller that was let through before the breaker opened has no news */
    if (breaker->open && leave != BREAKER_PROBE)
        return false;
    breaker->open = true;
    breaker->probing = false;
    breaker->failures += breaker->failures < 16;
    breaker->next = now + pause_length(breaker, now);
    return first;
}

bool breaker_healed(struct breaker *breaker)
{
    bool was = breaker->open;

    *breaker = (struct breaker){ .dice = breaker->dice };
    return was;
}
