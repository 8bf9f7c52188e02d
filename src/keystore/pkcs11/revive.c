/* with_module(): a module that has lost its device is initialised anew. */
#include "keystore/pkcs11/heal.h"

enum {
    TOKENS_MOST = 32,
    DEAF_MS = 250, /* one failure may be a mishap, and others may be using the module */
};

/* A token in use, as far as its module is judged by it. */
struct known {
    struct slot slot;
    int64_t deaf, answered;
};

/* Since when it has done nothing; 0: it does, or has not for long enough. */
static int64_t deafness(const struct token *token)
{
    const int64_t since = __atomic_load_n(&token->deaf, __ATOMIC_RELAXED);

    return since && breaker_clock() - since >= DEAF_MS ? since : 0;
}

static size_t known_tokens(struct known list[TOKENS_MOST], struct module *module)
{
    size_t count = 0;

    pthread_mutex_lock(&module->tokens_lock);
    for (struct token *t = module->tokens; t && count < TOKENS_MOST; t = t->next)
        list[count++] =
            (struct known){ t->slot, deafness(t), __atomic_load_n(&t->answered, __ATOMIC_RELAXED) };
    pthread_mutex_unlock(&module->tokens_lock);
    return count;
}

/* Since when a token of the module is there and does nothing; INT64_MIN: none is so. */
static int64_t deaf_since(const struct known *tokens, size_t count)
{
    int64_t since = INT64_MIN;

    for (size_t i = 0; i < count; i++)
        if (tokens[i].deaf && (since == INT64_MIN || tokens[i].deaf < since))
            since = tokens[i].deaf;
    return since;
}

static bool is_there(struct module *module, const struct slot *token)
{
    struct slot now;

    slot_load(&now, module, token->id);
    return now.rv == CKR_OK && strcmp(now.label, token->label) == 0 &&
           strcmp(now.serial, token->serial) == 0;
}

/*
 * A module with one token that answers is left alone, for whoever uses that.  What a module says of
 * a token may be from memory, while the line to it is cut (a TPM, when its resource manager was
 * restarted): logins and operations that fail tell more, and when one token does nothing, what
 * another says counts only if it has done something since.
 */
static bool answers(struct module *module)
{
    struct known tokens[TOKENS_MOST];
    size_t count = known_tokens(tokens, module);
    const int64_t since = deaf_since(tokens, count);
    CK_INFO info;
    bool any;

    module_enter(module);
    any = module->calls->C_GetInfo(&info) == CKR_OK && !count;
    for (size_t i = 0; !any && i < count; i++)
        any = !tokens[i].deaf && tokens[i].answered >= since && is_there(module, &tokens[i].slot);
    module_leave(module);
    return any;
}

static bool is_deaf(struct module *module)
{
    struct known tokens[TOKENS_MOST];

    return deaf_since(tokens, known_tokens(tokens, module)) != INT64_MIN;
}

bool may_be_away(se_status st)
{
    return st == SE_ERR_UNAVAILABLE || st == SE_ERR_STORE || st == SE_ERR_CRYPTO;
}

/* True: the module has been initialised anew since `seen`, by whoever it was, also while it was
 * asked whether it answers. */
static bool revive(struct module *module, unsigned seen)
{
    if (module_starts(module) == seen && !answers(module) && module_restart(module, seen, NULL))
        return false;
    return module_starts(module) != seen;
}

se_status with_module(const struct keyref *ref, module_opening *opening, void *arg, se_error *err)
{
    AUTO(module) module = NULL;
    se_error failure = SE_ERROR_INIT;
    unsigned seen;
    se_status st;

    TRY(module_open(&module, ref->location, ref->init_args, err));
    seen = module_starts(module);
    if (is_deaf(module)) /* what is opened may not need the device, and seem to be well */
        (void)revive(module, seen);
    st = opening(arg, module, &failure);
    if (may_be_away(st) && revive(module, seen)) {
        failure = (se_error)SE_ERROR_INIT;
        st = opening(arg, module, &failure);
    }
    return st ? error_set_at(err, st, failure.file, failure.line, "%s", failure.text) : SE_OK;
}
