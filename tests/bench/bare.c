/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/bare.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "tests/bench/race.h"

CK_SESSION_HANDLE bare_session(const struct bare *bare)
{
    CK_SESSION_HANDLE session;

    if (bare->calls->C_OpenSession(bare->slot, CKF_SERIAL_SESSION, NULL, NULL, &session) != CKR_OK)
        give_up("C_OpenSession", "refused");
    return session;
}

CK_OBJECT_HANDLE bare_key(const struct bare *bare, CK_SESSION_HANDLE session)
{
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE query[] = { { CKA_CLASS, &class, sizeof class },
                             { CKA_LABEL, (void *)"bench", 5 } };
    CK_OBJECT_HANDLE key;
    CK_ULONG found = 0;

    if (bare->calls->C_FindObjectsInit(session, query, 2) != CKR_OK ||
        bare->calls->C_FindObjects(session, &key, 1, &found) != CKR_OK ||
        bare->calls->C_FindObjectsFinal(session) != CKR_OK || !found)
        give_up("the key 'bench'", "not found");
    return key;
}

static bool has_label(const struct bare *bare, CK_SLOT_ID slot, const char *label)
{
    CK_TOKEN_INFO info;
    size_t n = strlen(label);

    return bare->calls->C_GetTokenInfo(slot, &info) == CKR_OK &&
           memcmp(info.label, label, n) == 0 && (n == sizeof info.label || info.label[n] == ' ');
}

/* Signing with one key, two threads crash openCryptoki before 3.14. */
static unsigned threads_borne(const struct bare *bare)
{
    CK_INFO info;

    return bare->calls->C_GetInfo(&info) == CKR_OK &&
                   !memcmp(info.libraryDescription, "Meta PKCS11 LIBRARY", 19)
               ? 1
               : 0;
}

void bare_open(struct bare *bare, const char *module, const char *label, const char *pin_file)
{
    AUTO(se_buf) pin = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;
    void *library = dlopen(module, RTLD_NOW | RTLD_LOCAL);
    CK_C_GetFunctionList get =
        library ? (CK_C_GetFunctionList)dlsym(library, "C_GetFunctionList") : NULL;
    CK_C_INITIALIZE_ARGS locking = { .flags = CKF_OS_LOCKING_OK };
    CK_SLOT_ID slots[64];
    CK_ULONG count = 64;
    CK_RV rv;

    if (file_read(&pin, pin_file, 256, &err))
        give_up("PIN", err.text);
    pin.size = strcspn((const char *)pin.data, "\n"); /* the line end is not part of it */
    if (!get || get(&bare->calls) != CKR_OK)
        give_up(module, "not a PKCS #11 module");
    rv = bare->calls->C_Initialize(&locking);
    if ((rv != CKR_OK && rv != CKR_CRYPTOKI_ALREADY_INITIALIZED) ||
        bare->calls->C_GetSlotList(CK_TRUE, slots, &count) != CKR_OK)
        give_up(module, "does not start");
    bare->threads = threads_borne(bare);
    for (CK_ULONG i = 0; i < count; i++)
        if (has_label(bare, slots[i], label)) {
            bare->slot = slots[i];
            rv = bare->calls->C_Login(bare_session(bare), CKU_USER, pin.data, pin.size);
            if (rv != CKR_OK && rv != CKR_USER_ALREADY_LOGGED_IN)
                give_up("C_Login", "refused");
            return;
        }
    give_up(label, "no such token");
}

/* ---- signing ---- */

enum { SIGNATURE_MOST = 1024 };

/* RFC 8017, 9.2, note 1: the DigestInfo of a SHA-256 hash, which is all zeros here */
const unsigned char bare_digest_info[51] = { 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60,
                                             0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
                                             0x01, 0x05, 0x00, 0x04, 0x20 };

struct loop {
    const struct bare *bare;
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE key;
};

static void *loop_begin(void *bare)
{
    struct loop *loop = malloc(sizeof *loop);

    if (!loop)
        give_up("memory", "there is none");
    *loop = (struct loop){ .bare = bare, .session = bare_session(bare) };
    loop->key = bare_key(bare, loop->session);
    return loop;
}

static bool loop_sign(void *own)
{
    const struct loop *loop = own;
    CK_MECHANISM mechanism = { CKM_RSA_PKCS, NULL, 0 };
    unsigned char signature[SIGNATURE_MOST];
    CK_ULONG size = sizeof signature;

    return loop->bare->calls->C_SignInit(loop->session, &mechanism, loop->key) == CKR_OK &&
           loop->bare->calls->C_Sign(loop->session, (CK_BYTE *)bare_digest_info,
                                     sizeof bare_digest_info, signature, &size) == CKR_OK;
}

static void loop_end(void *own)
{
    struct loop *loop = own;

    (void)loop->bare->calls->C_CloseSession(loop->session);
    free(loop);
}

struct runner bare_signer(struct bare *bare)
{
    return (struct runner){ bare, loop_begin, loop_sign, loop_end, bare->threads };
}
