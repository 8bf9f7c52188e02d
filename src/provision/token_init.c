/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens are initialised with libp11: between its turns, keystore/pkcs11 looks whether there is a
 * token, and a session with it. */
#include <libp11.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/choice.h"
#include "base/utf8.h"
#include "crypto/crypto.h"
#include "keystore/pkcs11/ckr.h"
#include "keystore/pkcs11/token.h"
#include "provision/keystore.h"
#include "provision/listing.h"

/* ---- libp11 ---- */

/* It calls C_Finalize when it unloads a module, whoever else uses that: never open a struct module
 * while one of these is open.  Its pkcs11_get_session() waits for ever when C_OpenSession fails:
 * only call what opens sessions after one was opened through keystore/pkcs11. */
struct libp11 {
    PKCS11_CTX *context;
    PKCS11_SLOT *slots;
    unsigned count;
    bool loaded;
};

/* The text with what the module answered, and the status that goes with it. */
__attribute__((format(printf, 2, 3))) static se_status libp11_error(se_error *err,
                                                                    const char *format, ...)
{
    unsigned long code = ERR_peek_last_error();
    char text[sizeof err->text];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (ERR_GET_LIB(code) != ERR_get_CKR_code())
        return crypto_error(err, SE_ERR_STORE, "%s", text);
    ERR_clear_error();
    return ckr_error(err, (CK_RV)ERR_GET_REASON(code), "%s", text);
}

static se_status libp11_open(struct libp11 *out, const char *path, const char *init_args,
                             se_error *err)
{
    *out = (struct libp11){ .context = PKCS11_CTX_new() };
    if (!out->context)
        return error_memory(err);
    if (*init_args)
        PKCS11_CTX_init_args(out->context, init_args);
    out->loaded = PKCS11_CTX_load(out->context, path) == 0;
    if (!out->loaded)
        return libp11_error(err, "cannot load '%s'", path);
    if (PKCS11_enumerate_slots(out->context, &out->slots, &out->count))
        return libp11_error(err, "cannot list the slots of '%s'", path);
    return SE_OK;
}

static void libp11_close(struct libp11 *p11)
{
    if (p11->slots)
        PKCS11_release_all_slots(p11->context, p11->slots, p11->count);
    if (p11->loaded)
        PKCS11_CTX_unload(p11->context);
    if (p11->context)
        PKCS11_CTX_free(p11->context);
    *p11 = (struct libp11){ .context = NULL };
}

AUTO_KIND(libp11, struct libp11, libp11_close(p))

/* The token in that slot. */
static se_status libp11_slot(PKCS11_SLOT **out, const struct libp11 *p11, unsigned long slot,
                             se_error *err)
{
    for (unsigned i = 0; i < p11->count; i++) {
        *out = &p11->slots[i];
        if (PKCS11_get_slotid_from_slot(*out) == slot && (*out)->token)
            return SE_OK;
    }
    *out = NULL;
    return error_set(err, SE_ERR_UNAVAILABLE, "the token in slot %lu is gone", slot);
}

/* ---- the slot ---- */

enum { LABEL_SIZE = 32 }; /* CK_TOKEN_INFO.label */

struct init_task {
    const struct target *target;
    const char *label;
    const se_buf *so_pin;
    se_buf user_pin;
    bool force;
    const struct provision_consent *consent; /* NULL: there is no need to ask */

    char *path; /* of the module */
    unsigned long slot;
};

static void init_task_free(struct init_task *task)
{
    se_buf_free(&task->user_pin);
    free(task->path);
}
AUTO_KIND(init_task, struct init_task, init_task_free(p))

static bool is_meant_slot(const struct init_task *task, const struct slot *slot, size_t index)
{
    const struct keyref *ref = &task->target->ref;

    if (ref->has_slot || ref->has_slot_index)
        return (!ref->has_slot || ref->slot == slot->id) &&
               (!ref->has_slot_index || ref->slot_index == index);
    if (slot_initialised(slot))
        return strcmp(slot->label, task->label) == 0;
    return slot->rv == CKR_OK;
}

/* A token of that label comes before one that is not initialised: its name is taken. */
static const struct slot *choose_slot(const struct init_task *task, const struct slots *slots)
{
    const struct slot *chosen = NULL;

    for (size_t i = 0; i < slots->count; i++) {
        const struct slot *slot = &slots->list[i];

        if (is_meant_slot(task, slot, i) &&
            (!chosen || (slot_initialised(slot) && !slot_initialised(chosen))))
            chosen = slot;
    }
    return chosen;
}

static se_status refuse_no_slot(const struct init_task *task, const struct slots *slots,
                                se_error *err)
{
    struct choice choice = { .wanted = task->label };
    AUTO(writer) list = { 0 };

    for (size_t i = 0; i < slots->count; i++) {
        AUTO(writer) text = { 0 };

        slot_text(&text, &slots->list[i]);
        choice_add(&choice, slots->list[i].label, writer_string(&text));
    }
    choice_write(&list, &choice);
    return error_set(err, SE_ERR_STORE,
                     "no such slot, or none with a token that is not initialised; there is %s",
                     slots->count ? writer_string(&list) : "no token at all");
}

static se_status check_token_label(const struct init_task *task, const struct slots *slots,
                                   const struct slot *chosen, se_error *err)
{
    if (slot_initialised(chosen) && !task->force)
        return error_set(err, SE_ERR_IO,
                         "slot %lu holds token '%s': --force wipes it with all its keys",
                         chosen->id, chosen->label);
    for (size_t i = 0; i < slots->count; i++)
        if (&slots->list[i] != chosen && slot_initialised(&slots->list[i]) &&
            strcmp(slots->list[i].label, task->label) == 0)
            return error_set(err, SE_ERR_IO, "there is a token '%s' already, in slot %lu",
                             task->label, slots->list[i].id);
    return SE_OK;
}

/* Before anything is wiped: afterwards, a token without user PIN would be left behind. */
static se_status check_pins(const struct init_task *task, struct module *module, CK_SLOT_ID slot,
                            se_error *err)
{
    const se_buf *pins[] = { task->so_pin, &task->user_pin };
    static const char *const names[] = { "SO PIN", "user PIN" };
    CK_TOKEN_INFO info;
    CK_RV rv = module->calls->C_GetTokenInfo(slot, &info);

    if (rv != CKR_OK)
        return ckr_error(err, rv, "cannot ask the token in slot %lu", slot);
    for (size_t i = 0; i < 2; i++)
        if (!pins[i]->size || pins[i]->size < info.ulMinPinLen ||
            (info.ulMaxPinLen && pins[i]->size > info.ulMaxPinLen))
            return error_set(err, SE_ERR_ACCESS, "the %s must have %lu to %lu bytes for this token",
                             names[i], info.ulMinPinLen, info.ulMaxPinLen);
    return SE_OK;
}

/* Everything on the token goes: the slot alone says which token, whatever else the target says. */
static se_status ask_consent(const struct init_task *task, const struct slot *slot, se_error *err)
{
    struct target wiped = *task->target;
    AUTO(keystore) keystore = NULL;

    listing_slot(&task->consent->loss, slot);
    wiped.ref.has_slot = true;
    wiped.ref.slot = slot->id;
    wiped.ref.has_slot_index = false;
    wiped.ref.token_label = wiped.ref.token_serial = "";
    /* keys that can't be listed go all the same */
    if (!token_keystore_ops.open(&keystore, &wiped, ACCESS_LOOK, NULL))
        (void)!keystore->ops->list(keystore, false, &task->consent->loss, NULL);
    return task->consent->dry_run ? SE_OK : task->consent->ask(task->consent->arg, NULL, err);
}

static se_status init_prepare(struct init_task *task, se_error *err)
{
    const struct keyref *ref = &task->target->ref;
    AUTO(module) module = NULL;
    AUTO(slots) slots = { .count = 0 };
    const struct slot *slot;

    TRY(target_pin(&task->user_pin, task->target, err));
    TRY(module_open(&module, ref->location, ref->init_args, err));
    TRY(slots_load(&slots, module, err));
    if (!(slot = choose_slot(task, &slots)))
        return refuse_no_slot(task, &slots, err);
    TRY(check_token_label(task, &slots, slot, err));
    TRY(check_pins(task, module, slot->id, err));
    if (task->consent && slot_initialised(slot))
        TRY(ask_consent(task, slot, err));
    task->slot = slot->id;
    task->path = strdup(module->path);
    return task->path ? SE_OK : error_memory(err);
}

/* C_InitToken reads 32 bytes, blank-padded; libp11 passes on what it gets. */
static se_status init_token(const struct init_task *task, se_error *err)
{
    AUTO(libp11) p11 = { .context = NULL };
    PKCS11_SLOT *slot;
    char label[LABEL_SIZE + 1];
    size_t size = strlen(task->label);

    TRY(libp11_open(&p11, task->path, task->target->ref.init_args, err));
    TRY(libp11_slot(&slot, &p11, task->slot, err));
    memset(label, ' ', LABEL_SIZE);
    label[LABEL_SIZE] = '\0';
    memcpy(label, task->label, size);
    if (PKCS11_init_token(slot->token, (const char *)task->so_pin->data, label))
        return libp11_error(err, "the token in slot %lu is not initialised", task->slot);
    return SE_OK;
}

/* SoftHSM gives a new token another slot when it is loaded again. */
static se_status find_token_again(struct init_task *task, struct slot *out, se_error *err)
{
    const struct keyref *ref = &task->target->ref;
    AUTO(module) module = NULL;
    AUTO(slots) slots = { .count = 0 };
    AUTO(session) session = { 0 };

    TRY(module_open(&module, ref->location, ref->init_args, err));
    TRY(slots_load(&slots, module, err));
    for (size_t i = 0; i < slots.count; i++)
        if (slot_initialised(&slots.list[i]) && strcmp(slots.list[i].label, task->label) == 0) {
            *out = slots.list[i];
            task->slot = out->id;
            return session_open(&session, module, out->id, CKF_RW_SESSION, err);
        }
    return error_set(err, SE_ERR_STORE, "the token is initialised, but none is called '%s' now",
                     task->label);
}

static se_status set_user_pin(const struct init_task *task, se_error *err)
{
    AUTO(libp11) p11 = { .context = NULL };
    PKCS11_SLOT *slot;
    se_status st;

    TRY(libp11_open(&p11, task->path, task->target->ref.init_args, err));
    TRY(libp11_slot(&slot, &p11, task->slot, err));
    if (PKCS11_open_session(slot, 1) || PKCS11_login(slot, 1, (const char *)task->so_pin->data))
        return libp11_error(err, "the security officer can't log in");
    st = PKCS11_init_pin(slot->token, (const char *)task->user_pin.data)
             ? libp11_error(err, "the user PIN is not set")
             : SE_OK;
    (void)PKCS11_logout(slot);
    return st;
}

static se_status init_user_pin(struct slot *out, struct init_task *task, se_error *err)
{
    TRY(find_token_again(task, out, err));
    TRY(set_user_pin(task, err));
    return find_token_again(task, out, err);
}

static se_status init_slot(struct init_task *task, const struct provision_report *report,
                           se_error *err)
{
    struct slot slot;
    se_status st;

    TRY(init_prepare(task, err));
    if (task->consent && task->consent->dry_run)
        return SE_OK;
    TRY(init_token(task, err));
    if (!(st = init_user_pin(&slot, task, err)))
        listing_slot(report, &slot);
    else
        (void)error_prefix(
            err, st,
            "the token is initialised, but has no user PIN yet (run it again with --force): ");
    return st;
}

se_status provision_init(struct target *target, const se_buf *so_pin, bool force,
                         const struct provision_consent *consent,
                         const struct provision_report *report, se_error *err)
{
    const char *label = *target->ref.token_label ? target->ref.token_label : "signengine";
    AUTO(init_task) task = {
        .target = target, .label = label, .so_pin = so_pin, .force = force, .consent = consent
    };
    se_status st;

    if (strcmp(target->ref.store, "HSM") != 0)
        return error_set(err, SE_ERR_USAGE, "%s: only tokens are initialised", target->text);
    if (!utf8_is(text_bytes(label))) /* PKCS #11, 3.2: CK_UTF8CHAR */
        return error_set(err, SE_ERR_USAGE, "token label '%s': not UTF-8", label);
    if (strlen(label) > LABEL_SIZE)
        return error_set(err, SE_ERR_USAGE, "token label '%s': more than %d bytes", label,
                         LABEL_SIZE);
    if ((st = init_slot(&task, report, err)))
        (void)error_prefix(err, st, "'%s': ", target->ref.location);
    return st;
}
