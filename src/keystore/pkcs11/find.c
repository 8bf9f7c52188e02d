/* token_find(): the one token that a configuration means. */
#include "base/choice.h"
#include "keystore/pkcs11/meant.h"
#include "keystore/pkcs11/token.h"

/* Tokens that came into question, and their words for a message. */
struct picked {
    const struct slot *first;
    size_t count;
    struct choice choice;
    struct writer list;
};

static void picked_free(struct picked *p)
{
    writer_free(&p->list);
}
AUTO_KIND(picked, struct picked, picked_free(p))

static void pick(struct picked *p, const struct slot *slot)
{
    AUTO(writer) text = { 0 };

    if (!p->count++)
        p->first = slot;
    slot_text(&text, slot);
    choice_add(&p->choice, slot->label, writer_string(&text));
}

static const char *picked_text(struct picked *p)
{
    choice_write(&p->list, &p->choice);
    return writer_string(&p->list);
}

static bool is_named(const struct keyref *ref)
{
    return ref->has_slot || ref->has_slot_index || *ref->token_label || *ref->token_serial ||
           *ref->token_manufacturer || *ref->token_model;
}

/* "with slot 3, tokenLabel 'lab'" */
static void name_wanted(struct writer *out, const struct keyref *ref)
{
    static const char *const before[] = { "with ", ", " };

    if (ref->has_slot)
        writer_format(out, "with slot %lu", ref->slot);
    if (ref->has_slot_index)
        writer_format(out, "%sslotIndex %lu", before[out->buf.size > 0], ref->slot_index);
    if (*ref->token_label)
        writer_format(out, "%stokenLabel '%s'", before[out->buf.size > 0], ref->token_label);
    if (*ref->token_serial)
        writer_format(out, "%stokenSerial '%s'", before[out->buf.size > 0], ref->token_serial);
    if (*ref->token_manufacturer)
        writer_format(out, "%smanufacturer '%s'", before[out->buf.size > 0],
                      ref->token_manufacturer);
    if (*ref->token_model)
        writer_format(out, "%smodel '%s'", before[out->buf.size > 0], ref->token_model);
}

/* Nothing is said, or just that. */
static bool is_text(const char *said, const char *shown)
{
    return !*said || label_is(text_bytes(shown), said);
}

static bool fits(const struct keyref *ref, const struct slot *slot, size_t index)
{
    if (ref->has_slot && ref->slot != slot->id)
        return false;
    if (ref->has_slot_index && ref->slot_index != index)
        return false;
    return is_text(ref->token_label, slot->label) && is_text(ref->token_serial, slot->serial) &&
           is_text(ref->token_manufacturer, slot->manufacturer) &&
           is_text(ref->token_model, slot->model);
}

static bool holds(struct module *module, const struct slot *slot, const struct keyref *ref)
{
    AUTO(session) session = { 0 };

    return !session_open(&session, module, slot->id, 0, NULL) && meant_exists(&session, ref);
}

static se_status nothing_there(struct module *module, const struct slots *slots,
                               const struct keyref *ref, const char *wanted, se_error *err)
{
    AUTO(picked) all = { .choice = { .wanted = ref->token_label } };

    for (size_t i = 0; i < slots->count; i++)
        pick(&all, &slots->list[i]);
    /* a card that is not put in, and what p11-kit's client shows of a server that is not running:
     * it may still come */
    if (!all.count)
        return error_set(err, SE_ERR_UNAVAILABLE, "no token %s: no slot of '%s' has a token in it",
                         wanted, module->path);
    return error_set(err, SE_ERR_STORE, "no token %s in '%s': there is %s", wanted, module->path,
                     picked_text(&all));
}

static se_status find_named(CK_SLOT_ID *out, struct module *module, const struct slots *slots,
                            const struct keyref *ref, se_error *err)
{
    AUTO(picked) good = { .choice = { .wanted = "" } };
    AUTO(writer) wanted = { 0 };

    name_wanted(&wanted, ref);
    for (size_t i = 0; i < slots->count; i++)
        if (fits(ref, &slots->list[i], i))
            pick(&good, &slots->list[i]);
    if (!good.count)
        return nothing_there(module, slots, ref, writer_string(&wanted), err);
    if (good.count > 1)
        return error_set(err, SE_ERR_STORE, "there are several tokens %s in '%s': %s",
                         writer_string(&wanted), module->path, picked_text(&good));
    *out = good.first->id;
    return SE_OK;
}

static se_status find_holder(CK_SLOT_ID *out, struct module *module, const struct slots *slots,
                             const struct keyref *ref, se_error *err)
{
    AUTO(picked) usable = { .choice = { .wanted = "" } };
    AUTO(picked) good = { .choice = { .wanted = "" } };
    struct meant_name name;

    for (size_t i = 0; i < slots->count; i++)
        if (slot_initialised(&slots->list[i]))
            pick(&usable, &slots->list[i]);
    if (!usable.count)
        return nothing_there(module, slots, ref, "that is initialised", err);
    for (size_t i = 0; i < slots->count && usable.count > 1; i++)
        if (slot_initialised(&slots->list[i]) && holds(module, &slots->list[i], ref))
            pick(&good, &slots->list[i]);
    if (good.count > 1)
        return error_set(
            err, SE_ERR_STORE,
            "several tokens of '%s' hold %s: %s; choose by slot, tokenLabel or tokenSerial",
            module->path, meant_name(&name, ref), picked_text(&good));
    if (!good.count && usable.count > 1)
        return error_set(err, SE_ERR_STORE,
                         "none of the tokens of '%s' shows %s without a login: %s; choose by slot, "
                         "tokenLabel or tokenSerial",
                         module->path, meant_name(&name, ref), picked_text(&usable));
    *out = good.count ? good.first->id : usable.first->id;
    return SE_OK;
}

se_status token_find(CK_SLOT_ID *out, struct module *module, const struct keyref *ref,
                     se_error *err)
{
    AUTO(slots) slots = { 0 };

    TRY(slots_load(&slots, module, err));
    return is_named(ref) ? find_named(out, module, &slots, ref, err)
                         : find_holder(out, module, &slots, ref, err);
}
