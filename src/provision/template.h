/* The attributes of an object that is to be made. */
#ifndef PROVISION_TEMPLATE_H
#define PROVISION_TEMPLATE_H

#include <openssl/asn1t.h>
#include <openssl/evp.h>
#include <p11-kit/pkcs11.h>

#include "base/buf.h"

enum { TEMPLATE_ROOM = 24 };

/* A template that failed stays failed. */
struct template
{
    CK_ATTRIBUTE list[TEMPLATE_ROOM];
    CK_ULONG count;
    se_buf kept[TEMPLATE_ROOM]; /* values of its own, wiped with it */
    size_t kept_count;
    bool failed;
};
void template_free(struct template *t);
AUTO_KIND(template, struct template, template_free(p))

void template_flag(struct template *t, CK_ATTRIBUTE_TYPE type, bool flag);
/* Both are borrowed. */
void template_bytes(struct template *t, CK_ATTRIBUTE_TYPE type, se_bytes value);
void template_number(struct template *t, CK_ATTRIBUTE_TYPE type, const CK_ULONG *number);
/* Takes `value` over. */
void template_keep(struct template *t, CK_ATTRIBUTE_TYPE type, se_buf *value);
/* The DER of `value`, which is what `item` says. */
void template_der(struct template *t, CK_ATTRIBUTE_TYPE type, const ASN1_ITEM *item,
                  const void *value);
/* One of the key's numbers, by OpenSSL's name for it. */
void template_key_number(struct template *t, CK_ATTRIBUTE_TYPE type, const EVP_PKEY *key,
                         const char *name);

#endif
