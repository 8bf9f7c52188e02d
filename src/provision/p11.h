/*
 * libp11, kept in one place.  It calls C_Finalize when it unloads a module, whoever else uses that:
 * never open a struct module while one of these is open.  Its pkcs11_get_session() waits for ever
 * when C_OpenSession fails: only call what opens sessions after one was opened through
 * store/pkcs11.
 */
#ifndef PROVISION_P11_H
#define PROVISION_P11_H

#include <libp11.h>

#include "base/buf.h"

struct p11 {
    PKCS11_CTX *context;
    PKCS11_SLOT *slots;
    unsigned count;
    bool loaded;
};

/* `path`: the module's file. */
SE_MUST_CHECK se_status p11_open(struct p11 *out, const char *path, const char *init_args,
                                 se_error *err);
void p11_close(struct p11 *p11);
AUTO_KIND(p11, struct p11, p11_close(p))

/* The token in that slot. */
SE_MUST_CHECK se_status p11_slot(PKCS11_SLOT **out, const struct p11 *p11, unsigned long slot,
                                 se_error *err);

/* The text with what the module answered, and the status that goes with it. */
se_status p11_error(se_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
