/* SPDX-License-Identifier: Apache-2.0 */
#include "keystore/pkcs11/token.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/choice.h"
#include "base/clock.h"
#include "keystore/pkcs11/object.h"

/* ---- slots ---- */

void slots_free(struct slots *slots)
{
    free(slots->list);
    *slots = (struct slots){ 0 };
}

void slot_load(struct slot *out, struct module *module, CK_SLOT_ID id)
{
    CK_TOKEN_INFO info = { 0 };

    *out = (struct slot){ .id = id, .rv = module->calls->C_GetTokenInfo(id, &info) };
    if (out->rv != CKR_OK)
        return;
    out->flags = info.flags;
    out->max_sessions = info.ulMaxSessionCount;
    token_text(out->label, sizeof out->label, info.label, sizeof info.label);
    token_text(out->manufacturer, sizeof out->manufacturer, info.manufacturerID,
               sizeof info.manufacturerID);
    token_text(out->model, sizeof out->model, info.model, sizeof info.model);
    token_text(out->serial, sizeof out->serial, info.serialNumber, sizeof info.serialNumber);
}

static bool may_be_written(const struct slot *slot, CK_FLAGS expected)
{
    return slot->rv == CKR_OK ? (slot->flags & expected) != expected
                              : slot->rv == CKR_GENERAL_ERROR;
}

void slot_load_settled(struct slot *out, struct module *module, CK_SLOT_ID id, CK_FLAGS expected)
{
    slot_load(out, module, id);
    for (int tries = 0; tries < TOKEN_WRITING_TRIES && may_be_written(out, expected); tries++) {
        usleep(TOKEN_WRITING_PAUSE_US);
        slot_load(out, module, id);
    }
}

static CK_RV slot_ids_try(CK_SLOT_ID **out, CK_ULONG *count, CK_FUNCTION_LIST *calls)
{
    CK_RV rv = calls->C_GetSlotList(CK_TRUE, NULL, count);

    if (rv != CKR_OK)
        return rv;
    if (!(*out = calloc(*count ? *count : 1, sizeof **out)))
        return CKR_HOST_MEMORY;
    rv = calls->C_GetSlotList(CK_TRUE, *out, count);
    if (rv != CKR_OK) {
        free(*out);
        *out = NULL;
    }
    return rv;
}

/* The list may grow between the call that counts and the call that fetches. */
static CK_RV slot_ids_fetch(CK_SLOT_ID **out, CK_ULONG *count, CK_FUNCTION_LIST *calls)
{
    CK_RV rv = CKR_BUFFER_TOO_SMALL;

    for (int tries = 0; rv == CKR_BUFFER_TOO_SMALL && tries < 5; tries++)
        rv = slot_ids_try(out, count, calls);
    return rv;
}

se_status slots_load(struct slots *out, struct module *module, se_error *err)
{
    CK_SLOT_ID *ids = NULL;
    CK_ULONG count = 0;
    CK_RV rv;

    *out = (struct slots){ 0 };
    if ((rv = slot_ids_fetch(&ids, &count, module->calls)) != CKR_OK)
        return ckr_error(err, rv, "cannot list the slots of '%s'", module->path);
    out->list = calloc(count ? count : 1, sizeof *out->list);
    for (out->count = 0; out->list && out->count < count; out->count++)
        slot_load(&out->list[out->count], module, ids[out->count]);
    free(ids);
    return out->list ? SE_OK : error_memory(err);
}

void slot_text(struct writer *out, const struct slot *slot)
{
    writer_format(out, "slot %lu", slot->id);
    if (slot->rv != CKR_OK)
        writer_format(out, " (%s)", ckr_name(slot->rv));
    else if (!slot_initialised(slot))
        writer_text(out, " (not initialised)");
    else
        writer_format(out, " '%s' serial %s", slot->label, slot->serial);
}

/* ---- the one token that a configuration means ---- */

/* Slots that came into question, and their words for a message. */
struct picked_slots {
    const struct slot *first;
    size_t count;
    struct choice choice;
    struct writer list;
};

static void picked_slots_free(struct picked_slots *p)
{
    writer_free(&p->list);
}
AUTO_KIND(picked_slots, struct picked_slots, picked_slots_free(p))

static void pick_slot(struct picked_slots *p, const struct slot *slot)
{
    AUTO(writer) text = { 0 };

    if (!p->count++)
        p->first = slot;
    slot_text(&text, slot);
    choice_add(&p->choice, slot->label, writer_string(&text));
}

static const char *picked_slots_text(struct picked_slots *p)
{
    choice_write(&p->list, &p->choice);
    return writer_string(&p->list);
}

static bool names_token(const struct keyref *ref)
{
    return ref->has_slot || ref->has_slot_index || *ref->token_label || *ref->token_serial ||
           *ref->token_manufacturer || *ref->token_model;
}

/* "with slot 3, tokenLabel 'lab'" */
static void write_wanted(struct writer *out, const struct keyref *ref)
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
static bool fits_text(const char *said, const char *shown)
{
    return !*said || label_is(text_bytes(shown), said);
}

static bool slot_fits(const struct keyref *ref, const struct slot *slot, size_t index)
{
    if (ref->has_slot && ref->slot != slot->id)
        return false;
    if (ref->has_slot_index && ref->slot_index != index)
        return false;
    return fits_text(ref->token_label, slot->label) && fits_text(ref->token_serial, slot->serial) &&
           fits_text(ref->token_manufacturer, slot->manufacturer) &&
           fits_text(ref->token_model, slot->model);
}

static bool slot_holds(struct module *module, const struct slot *slot, const struct keyref *ref)
{
    AUTO(session) session = { 0 };

    return !session_open(&session, module, slot->id, 0, NULL) && meant_exists(&session, ref);
}

static se_status no_such_token(struct module *module, const struct slots *slots,
                               const struct keyref *ref, const char *wanted, se_error *err)
{
    AUTO(picked_slots) all = { .choice = { .wanted = ref->token_label } };

    for (size_t i = 0; i < slots->count; i++)
        pick_slot(&all, &slots->list[i]);
    /* so looks a card that is not put in, and p11-kit's client without its server: it may still
     * come */
    if (!all.count)
        return error_set(err, SE_ERR_UNAVAILABLE, "no token %s: no slot of '%s' has a token in it",
                         wanted, module->path);
    return error_set(err, SE_ERR_STORE, "no token %s in '%s': there is %s", wanted, module->path,
                     picked_slots_text(&all));
}

static se_status select_named(CK_SLOT_ID *out, struct module *module, const struct slots *slots,
                              const struct keyref *ref, se_error *err)
{
    AUTO(picked_slots) good = { .choice = { .wanted = "" } };
    AUTO(writer) wanted = { 0 };

    write_wanted(&wanted, ref);
    for (size_t i = 0; i < slots->count; i++)
        if (slot_fits(ref, &slots->list[i], i))
            pick_slot(&good, &slots->list[i]);
    if (!good.count)
        return no_such_token(module, slots, ref, writer_string(&wanted), err);
    if (good.count > 1)
        return error_set(err, SE_ERR_STORE, "there are several tokens %s in '%s': %s",
                         writer_string(&wanted), module->path, picked_slots_text(&good));
    *out = good.first->id;
    return SE_OK;
}

static se_status select_holder(CK_SLOT_ID *out, struct module *module, const struct slots *slots,
                               const struct keyref *ref, se_error *err)
{
    AUTO(picked_slots) usable = { .choice = { .wanted = "" } };
    AUTO(picked_slots) good = { .choice = { .wanted = "" } };
    struct meant_name name;

    for (size_t i = 0; i < slots->count; i++)
        if (slot_initialised(&slots->list[i]))
            pick_slot(&usable, &slots->list[i]);
    if (!usable.count)
        return no_such_token(module, slots, ref, "that is initialised", err);
    for (size_t i = 0; i < slots->count && usable.count > 1; i++)
        if (slot_initialised(&slots->list[i]) && slot_holds(module, &slots->list[i], ref))
            pick_slot(&good, &slots->list[i]);
    if (good.count > 1)
        return error_set(
            err, SE_ERR_STORE,
            "several tokens of '%s' hold %s: %s; choose by slot, tokenLabel or tokenSerial",
            module->path, meant_name(&name, ref), picked_slots_text(&good));
    if (!good.count && usable.count > 1)
        return error_set(err, SE_ERR_STORE,
                         "none of the tokens of '%s' shows %s without a login: %s; choose by slot, "
                         "tokenLabel or tokenSerial",
                         module->path, meant_name(&name, ref), picked_slots_text(&usable));
    *out = good.count ? good.first->id : usable.first->id;
    return SE_OK;
}

/* `settled`: no token was just being written to. */
static se_status select_once(CK_SLOT_ID *out, bool *settled, struct module *module,
                             const struct keyref *ref, se_error *err)
{
    AUTO(slots) slots = { 0 };

    *settled = true;
    TRY(slots_load(&slots, module, err));
    for (size_t i = 0; i < slots.count; i++)
        *settled = *settled && !may_be_written(&slots.list[i], CKF_TOKEN_INITIALIZED);
    return names_token(ref) ? select_named(out, module, &slots, ref, err)
                            : select_holder(out, module, &slots, ref, err);
}

se_status token_select(CK_SLOT_ID *out, struct module *module, const struct keyref *ref,
                       se_error *err)
{
    bool settled;
    se_status st = select_once(out, &settled, module, ref, NULL);

    for (int tries = 1; st == SE_ERR_STORE && !settled && tries < TOKEN_WRITING_TRIES; tries++) {
        usleep(TOKEN_WRITING_PAUSE_US);
        st = select_once(out, &settled, module, ref, NULL);
    }
    return st ? select_once(out, &settled, module, ref, err) : SE_OK;
}

/* ---- tokens in use ---- */

static void token_free(struct token *t)
{
    pool_free(&t->pool);
    pthread_mutex_destroy(&t->login);
    free(t);
}

static struct token *token_new(struct module *module, const struct slot *slot)
{
    struct token *t = calloc(1, sizeof *t);

    if (!t)
        return NULL;
    t->module = module;
    t->slot = *slot;
    t->refs = 1;
    pthread_mutex_init(&t->login, NULL);
    pool_init(&t->pool, module, slot->id, slot->max_sessions);
    return t;
}

/* After a restart, another token may be in that slot. */
static bool is_same_token(const struct slot *a, const struct slot *b)
{
    return a->id == b->id && strcmp(a->label, b->label) == 0 && strcmp(a->serial, b->serial) == 0;
}

/* The entry for that slot, counted; else `made`, now in the list. */
static struct token *share_token(struct module *module, struct token *made)
{
    struct token *t;

    pthread_mutex_lock(&module->tokens_lock);
    for (t = module->tokens; t && !is_same_token(&t->slot, &made->slot); t = t->next)
        ;
    if (t) {
        t->refs++;
    } else {
        t = made;
        t->next = module->tokens;
        module->tokens = t;
    }
    pthread_mutex_unlock(&module->tokens_lock);
    return t;
}

se_status token_open(struct token **out, struct module *module, CK_SLOT_ID slot, se_error *err)
{
    struct token *made;
    struct slot info;

    *out = NULL;
    slot_load_settled(&info, module, slot, CKF_TOKEN_INITIALIZED);
    if (info.rv == CKR_SLOT_ID_INVALID || info.rv == CKR_TOKEN_NOT_PRESENT)
        return error_set(err, SE_ERR_STORE, "there is no token in slot %lu of '%s': %s", slot,
                         module->path, ckr_name(info.rv));
    if (info.rv != CKR_OK)
        return ckr_error(err, info.rv, "cannot ask the token in slot %lu of '%s'", slot,
                         module->path);
    if (!slot_initialised(&info))
        return error_set(err, SE_ERR_ACCESS, "the token in slot %lu of '%s' is not initialised",
                         slot, module->path);
    if (!(made = token_new(module, &info)))
        return error_memory(err);
    /* made before it is known to be needed, because a token must not be asked with the list locked
     */
    *out = share_token(module, made);
    if (*out != made)
        token_free(made);
    else
        (void)module_ref(module);
    return SE_OK;
}

/* True: out of the list. */
static bool is_last_user(struct token *token)
{
    struct module *module = token->module;
    bool last;

    pthread_mutex_lock(&module->tokens_lock);
    last = !--token->refs;
    for (struct token **p = &module->tokens; last && *p; p = &(*p)->next)
        if (*p == token) {
            *p = token->next;
            break;
        }
    pthread_mutex_unlock(&module->tokens_lock);
    return last;
}

void token_close(struct token *token)
{
    AUTO(module) module = NULL;
    bool last;

    /* in the child of a fork, what the parent opened stays as it is: a thread that the child does
     * not have may hold its locks */
    if (!token || !module_is_ours(token->module))
        return;
    module = module_ref(token->module);
    /* a restart finds the token in the list, or its sessions closed */
    module_enter(module);
    if ((last = is_last_user(token)))
        token_free(token);
    module_leave(module);
    if (last)
        module_close(module);
}

unsigned token_count_sessions(struct token *token)
{
    size_t open;

    pthread_mutex_lock(&token->pool.lock);
    open = token->pool.open;
    pthread_mutex_unlock(&token->pool.lock);
    return open < UINT_MAX ? (unsigned)open : UINT_MAX;
}

se_status token_context(const struct token *token, se_status status, se_error *err)
{
    return error_prefix(err, status, "token '%s' in slot %lu of '%s': ", token->slot.label,
                        token->slot.id, token->module->path);
}

void token_note_hearing(struct token *token, bool heard)
{
    const int64_t since = __atomic_load_n(&token->deaf, __ATOMIC_RELAXED);

    if (heard)
        __atomic_store_n(&token->deaf, 0, __ATOMIC_RELAXED);
    else if (!since)
        __atomic_store_n(&token->deaf, clock_monotonic_ms(), __ATOMIC_RELAXED);
}
