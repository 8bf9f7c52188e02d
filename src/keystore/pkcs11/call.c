/* SPDX-License-Identifier: Apache-2.0 */
#include "keystore/pkcs11/call.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/fork_lock.h"
#include "keystore/pkcs11/key.h"

/* ---- deadlines ---- */

/* The modules that were late once, by the names that the configuration has for them. */
struct late_module {
    char *location;
    int late;            /* below zero for a moment, if a call returns before it is counted */
    unsigned generation; /* of the process that the late calls are in: the child of a fork has none
                          */
    struct late_module *next;
};

/* under fork_lock_take() */
static struct late_module *late_modules;

/* With the lock held. */
static struct late_module *late_module_find(const char *location)
{
    for (struct late_module *m = late_modules; m; m = m->next)
        if (!strcmp(m->location, location)) {
            if (m->generation != fork_generation())
                m->late = 0;
            m->generation = fork_generation();
            return m;
        }
    return NULL;
}

/* With the lock held.  NULL: no memory; then it is not counted. */
static struct late_module *late_module_add(const char *location)
{
    struct late_module *m = calloc(1, sizeof *m);

    if (!m || !(m->location = strdup(location))) {
        free(m);
        return NULL;
    }
    m->generation = fork_generation();
    m->next = late_modules;
    return late_modules = m;
}

static void count_late(const char *location, int by)
{
    struct late_module *m;

    fork_lock_take();
    if ((m = late_module_find(location)) || (m = late_module_add(location)))
        m->late += by;
    fork_lock_give();
}

static bool has_too_many_late(const char *location)
{
    const struct late_module *m;
    bool many;

    fork_lock_take();
    many = (m = late_module_find(location)) && m->late >= P11_CALL_LATE_MOST;
    fork_lock_give();
    return many;
}

/* On the helper, after a call that was late. */
static void release_late(void *arg)
{
    struct p11_call *call = arg;
    const struct keyref *ref = call->ref;

    call->release(call);
    count_late(ref->location, -1);
    keyref_release(ref);
}

static bool is_plain(const struct keyref *ref)
{
    return timed_call_inside() || (ref->no_deadline && !strstr(ref->location, "p11-kit-client"));
}

enum timed_call_end p11_call_run(struct p11_call *call)
{
    AUTO(keyref) ref = NULL;
    enum timed_call_end end = TIMED_CALL_NONE;

    if (is_plain(call->ref)) {
        call->run(call);
        return TIMED_CALL_DONE;
    }
    if (!(ref = keyref_hold(call->ref))) {
        call->release(call);
        return TIMED_CALL_NONE;
    }
    call->timed = (struct timed_call){ call->run, release_late };
    if (!has_too_many_late(ref->location)) {
        (void)keyref_hold(ref); /* for release_late() */
        end = timed_call_run(&call->timed, call, p11_call_ms(ref));
        if (end != TIMED_CALL_LATE)
            keyref_release(ref);
    }
    if (end == TIMED_CALL_LATE)
        count_late(ref->location, 1);
    if (end == TIMED_CALL_NONE)
        call->release(call);
    return end;
}

se_status p11_call_error(se_error *err, const struct keyref *ref, enum timed_call_end end)
{
    if (end == TIMED_CALL_NONE && !has_too_many_late(ref->location))
        return error_set(err, SE_ERR_UNAVAILABLE,
                         "there is no thread for a call into the PKCS #11 module '%s'",
                         ref->location);
    if (end == TIMED_CALL_NONE)
        return error_set(err, SE_ERR_UNAVAILABLE,
                         "%d calls into the PKCS #11 module '%s' have not returned",
                         P11_CALL_LATE_MOST, ref->location);
    return error_set(err, SE_ERR_UNAVAILABLE,
                     "the PKCS #11 module '%s' has not answered within %u s", ref->location,
                     p11_call_ms(ref) / 1000);
}

/* ---- operations ---- */

static CK_RV operation_begin(struct p11_operation *op, const struct p11_key *key,
                             struct session *session)
{
    CK_FUNCTION_LIST *calls = session->calls;

    return (op->decrypt ? calls->C_DecryptInit : calls->C_SignInit)(session->handle, &op->mechanism,
                                                                    key->object);
}

/* C_Decrypt and C_Sign end an operation also when they fail (PKCS #11, 5.2); tpm2-pkcs11 leaves it
 * active. */
static void end_failed_operation(const struct p11_operation *op, struct session *session)
{
    CK_BYTE rest[1024];
    CK_ULONG size = sizeof rest;

    (void)(op->decrypt ? session->calls->C_DecryptFinal
                       : session->calls->C_SignFinal)(session->handle, rest, &size);
    OPENSSL_cleanse(rest, sizeof rest);
}

se_status p11_operation_run(struct p11_operation *op, const struct p11_key *key,
                            struct session *session, se_error *err)
{
    CK_FUNCTION_LIST *calls = session->calls;
    se_status st;

    op->rv = operation_begin(op, key, session);
    if (op->rv == CKR_OPERATION_ACTIVE) {
        end_failed_operation(op, session);
        op->rv = operation_begin(op, key, session);
    }
    if (op->rv != CKR_OK)
        return SE_OK;
    if (key->always_authenticate && (st = token_login_again(key->token, session, key->ref, err))) {
        session->broken = true; /* the operation that was begun would be in the way of the next */
        return st;
    }
    op->size = op->out->size;
    op->rv = (op->decrypt ? calls->C_Decrypt : calls->C_Sign)(
        session->handle, (CK_BYTE *)op->in.data, op->in.size, op->out->data, &op->size);
    return SE_OK;
}

/* SoftHSM says CKR_ARGUMENTS_BAD to the SHA-2 digests of OAEP. */
bool p11_operation_refused(CK_RV rv)
{
    return rv == CKR_MECHANISM_INVALID || rv == CKR_MECHANISM_PARAM_INVALID ||
           rv == CKR_ARGUMENTS_BAD || rv == CKR_FUNCTION_NOT_SUPPORTED;
}

const struct token_digest *token_digest(enum digest digest)
{
    static const struct token_digest digests[] = {
        { DIGEST_SHA1, 20, CKM_SHA_1, CKG_MGF1_SHA1 },
        { DIGEST_SHA256, 32, CKM_SHA256, CKG_MGF1_SHA256 },
        { DIGEST_SHA384, 48, CKM_SHA384, CKG_MGF1_SHA384 },
        { DIGEST_SHA512, 64, CKM_SHA512, CKG_MGF1_SHA512 },
    };

    for (size_t i = 0; i < sizeof digests / sizeof *digests; i++)
        if (digests[i].digest == digest)
            return &digests[i];
    return NULL;
}
