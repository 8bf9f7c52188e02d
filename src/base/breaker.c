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

/* xorshift32: processes that lost the same token at the same time must not come back to it all at
 * once */
static uint32_t roll_dice(struct breaker *breaker, int64_t now)
{
    uint32_t x = breaker->dice ? breaker->dice : (uint32_t)now | 1;

    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return breaker->dice = x;
}

/* Between half of the step and all of it. */
static int64_t choose_pause(struct breaker *breaker, int64_t now)
{
    int64_t step = BREAKER_FIRST_MS;

    for (unsigned i = 1; i < breaker->failures && step < BREAKER_MOST_MS; i++)
        step *= 2;
    if (step > BREAKER_MOST_MS)
        step = BREAKER_MOST_MS;
    return step / 2 + roll_dice(breaker, now) % (step / 2 + 1);
}

bool breaker_failed(struct breaker *breaker, enum breaker_leave leave, int64_t now)
{
    bool first = !breaker->open;

    /* a call that began before the breaker opened proves nothing new */
    if (breaker->open && leave != BREAKER_PROBE)
        return false;
    breaker->open = true;
    breaker->probing = false;
    breaker->failures += breaker->failures < 16;
    breaker->next = now + choose_pause(breaker, now);
    return first;
}

bool breaker_healed(struct breaker *breaker)
{
    bool was = breaker->open;

    *breaker = (struct breaker){ .dice = breaker->dice };
    return was;
}
