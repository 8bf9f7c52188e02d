#include "engine/fields.h"

/* Without a lock, which a fork could leave held: a place has either a kit or NULL, and is emptied
 * before the kit is used. */
se_status kit_take(struct kit **out, se_engine *engine, se_error *err)
{
    for (size_t i = 0; i < IDLE_KITS; i++)
        if (__atomic_load_n(&engine->kits[i], __ATOMIC_RELAXED) &&
            (*out = __atomic_exchange_n(&engine->kits[i], NULL, __ATOMIC_ACQUIRE)))
            return SE_OK;
    return kit_new(out, err);
}

void kit_give(se_engine *engine, struct kit *kit)
{
    if (!kit)
        return;
    kit_rest(kit);
    for (size_t i = 0; i < IDLE_KITS; i++) {
        struct kit *none = NULL;

        if (__atomic_compare_exchange_n(&engine->kits[i], &none, kit, false, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED))
            return;
    }
    kit_free(kit);
}
