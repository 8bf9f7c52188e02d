#include "keystore/pkcs11/token.h"

#include <stdlib.h>

#include "keystore/pkcs11/late.h"

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
    pool_init(&t->pool, module, slot);
    return t;
}

/* After a restart, another token may be in that slot. */
static bool is_same(const struct slot *a, const struct slot *b)
{
    return a->id == b->id && strcmp(a->label, b->label) == 0 && strcmp(a->serial, b->serial) == 0;
}

/* The entry for that slot, counted; else `made`, now in the list. */
static struct token *share(struct module *module, struct token *made)
{
    struct token *t;

    pthread_mutex_lock(&module->tokens_lock);
    for (t = module->tokens; t && !is_same(&t->slot, &made->slot); t = t->next)
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
    slot_load(&info, module, slot);
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
    *out = share(module, made);
    if (*out != made)
        token_free(made);
    else
        (void)module_ref(module);
    return SE_OK;
}

static bool last_use(struct token *token)
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
    if ((last = last_use(token)))
        token_free(token);
    module_leave(module);
    if (last)
        module_close(module);
}

void tokens_forget(struct module *module)
{
    pthread_mutex_lock(&module->tokens_lock);
    for (struct token *t = module->tokens; t; t = t->next)
        pool_forget(&t->pool);
    pthread_mutex_unlock(&module->tokens_lock);
}

se_status token_session(struct session *out, struct token *token, const struct keyref *ref,
                        bool login, se_error *err)
{
    se_status st = SE_OK;

    if (ref->keep_alive)
        pool_close_idle(&token->pool, ref->keep_alive);
    TRY(pool_take(out, &token->pool, ref->max_sessions, late_session_ms(ref), err));
    if (login && !out->logged_in && (st = token_login(token, out, ref, err)))
        session_end(out);
    return st;
}

se_status token_context(const struct token *token, se_error *err)
{
    return error_prefix(err, "token '%s' in slot %lu of '%s': ", token->slot.label, token->slot.id,
                        token->module->path);
}

void token_note_hearing(struct token *token, bool heard)
{
    const int64_t since = __atomic_load_n(&token->deaf, __ATOMIC_RELAXED);

    if (heard)
        __atomic_store_n(&token->deaf, 0, __ATOMIC_RELAXED);
    else if (!since)
        __atomic_store_n(&token->deaf, breaker_clock(), __ATOMIC_RELAXED);
}
