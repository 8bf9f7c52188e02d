/* The slots of a module that hold a token, as data and as words for messages. */
#ifndef KEYSTORE_PKCS11_SLOT_H
#define KEYSTORE_PKCS11_SLOT_H

#include "keystore/pkcs11/module.h"

struct slot {
    CK_SLOT_ID id;
    CK_RV rv; /* of C_GetTokenInfo; when it is not CKR_OK, the rest is empty */
    CK_FLAGS flags;
    unsigned long max_sessions; /* CK_EFFECTIVELY_INFINITE, CK_UNAVAILABLE_INFORMATION */
    char label[33], manufacturer[33], model[17], serial[17];
};

struct slots {
    struct slot *list; /* in the module's order: slotIndex counts from 0 */
    size_t count;
};

/* Those with a token in them, initialised or not.  The caller releases *out with slots_free(). */
SE_MUST_CHECK se_status slots_load(struct slots *out, struct module *module, se_error *err);
void slots_free(struct slots *slots);
AUTO_KIND(slots, struct slots, slots_free(p))

/* Asks again for the slot of that ID. */
void slot_load(struct slot *out, struct module *module, CK_SLOT_ID id);

static inline bool slot_initialised(const struct slot *slot)
{
    return slot->rv == CKR_OK && (slot->flags & CKF_TOKEN_INITIALIZED) != 0;
}

/* slot 1027394 'lab' serial 8f1c */
void slot_text(struct writer *out, const struct slot *slot);

/* Text of a token, of `size` bytes, blank-padded, as a C string of up to `room` - 1: what is not
 * UTF-8 shows as '?'. */
void token_text(char *out, size_t room, const CK_UTF8CHAR *text, size_t size);

#endif
