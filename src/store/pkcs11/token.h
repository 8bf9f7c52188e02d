/* A token of a module: found by slot ID, label, serial or index, logged in once. */
#ifndef STORE_PKCS11_TOKEN_H
#define STORE_PKCS11_TOKEN_H

#include "model/config.h"
#include "store/pkcs11/module.h"

/*
 * The slot of the token that `ref` means.  With no slot, label, serial or index: the one initialised token that holds ref->alias.
 * SE_ERR_STORE lists the slots with IDs, labels and serials that are there instead.
 */
SE_MUST_CHECK se_status token_find(CK_SLOT_ID *out, struct module *module, const struct keyref *ref, se_error *err);

/* Logs the session's token in.  A wrong PIN is presented once, never again: SE_ERR_ACCESS. */
SE_MUST_CHECK se_status token_login(struct module *module, CK_SESSION_HANDLE session, const struct keyref *ref, se_error *err);

/* A label or serial as CK_TOKEN_INFO has it, blank-padded, as a C string; `out` has size + 1 bytes. */
void token_text(char *out, const CK_UTF8CHAR *text, size_t size);

#endif
