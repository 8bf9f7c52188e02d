#include "keystore/pkcs11/slot.h"

#include <openssl/asn1.h>
#include <stdlib.h>

void slots_free(struct slots *slots)
{
    free(slots->list);
    *slots = (struct slots){ 0 };
}

/* Bytes of the UTF-8 character at `text`; 0: it is not one. */
static size_t character(const unsigned char *text, size_t size)
{
    unsigned long value;
    int n = UTF8_getc(text, size > 6 ? 6 : (int)size, &value);

    return n > 0 ? (size_t)n : 0;
}

void token_text(char *out, size_t room, const CK_UTF8CHAR *text, size_t size)
{
    size_t used = 0;

    /* some tokens pad with NUL where the standard says blanks */
    while (size && (text[size - 1] == ' ' || text[size - 1] == '\0'))
        size--;
    for (size_t i = 0, n; i < size; i += n ? n : 1) {
        n = character(text + i, size - i);
        if (used + (n ? n : 1) >= room)
            break;
        if (n)
            memcpy(out + used, text + i, n);
        else
            out[used] = '?';
        used += n ? n : 1;
    }
    out[used] = '\0';
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

static CK_RV fetch_ids_once(CK_SLOT_ID **out, CK_ULONG *count, CK_FUNCTION_LIST *calls)
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
static CK_RV fetch_ids(CK_SLOT_ID **out, CK_ULONG *count, CK_FUNCTION_LIST *calls)
{
    CK_RV rv = CKR_BUFFER_TOO_SMALL;

    for (int tries = 0; rv == CKR_BUFFER_TOO_SMALL && tries < 5; tries++)
        rv = fetch_ids_once(out, count, calls);
    return rv;
}

se_status slots_load(struct slots *out, struct module *module, se_error *err)
{
    CK_SLOT_ID *ids = NULL;
    CK_ULONG count = 0;
    CK_RV rv;

    *out = (struct slots){ 0 };
    if ((rv = fetch_ids(&ids, &count, module->calls)) != CKR_OK)
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
