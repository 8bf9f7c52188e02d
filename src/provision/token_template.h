/* SPDX-License-Identifier: Apache-2.0 */
/* Templates of PKCS #11: the attributes of an object that is to be made, brought in or unwrapped.
 */
#ifndef PROVISION_TOKEN_TEMPLATE_H
#define PROVISION_TOKEN_TEMPLATE_H

#include <openssl/asn1.h>
#include <p11-kit/pkcs11.h>

#include "provision/keystore.h"

enum { TEMPLATE_ROOM = 24 };

/* A template that failed stays failed. */
struct p11_template {
    CK_ATTRIBUTE list[TEMPLATE_ROOM];
    CK_ULONG count;
    se_buf kept[TEMPLATE_ROOM]; /* values of its own, wiped with it */
    size_t kept_count;
    bool failed;
};
void p11_template_free(struct p11_template *t);
AUTO_KIND(p11_template, struct p11_template, p11_template_free(p))

/* Borrow the value; a flag and the DER of `value`, which is what `item` says, are its own. */
void p11_template_bytes(struct p11_template *t, CK_ATTRIBUTE_TYPE type, se_bytes value);
void p11_template_number(struct p11_template *t, CK_ATTRIBUTE_TYPE type, const CK_ULONG *number);
void p11_template_flag(struct p11_template *t, CK_ATTRIBUTE_TYPE type, bool flag);
void p11_template_der(struct p11_template *t, CK_ATTRIBUTE_TYPE type, const ASN1_ITEM *item,
                      const void *value);

/* Leaves an attribute out again. */
void p11_template_drop(struct p11_template *t, CK_ATTRIBUTE_TYPE type);

/* ---- keys ---- */

/*
 * Every right that the key is not to have is denied by name: SoftHSM and others grant rights that
 * are not mentioned.  A TPM takes no denials, and grants as it likes.
 */
enum denials { DENIALS_NAMED, DENIALS_LEFT_OUT };

/* What a half of a key on the token may do and is called. */
void describe_private(struct p11_template *t, const char *label, const struct key_profile *profile,
                      enum denials denials);
void describe_public(struct p11_template *t, const char *label, unsigned uses,
                     enum denials denials);

/* Class, type and CKA_ID; an `id` that is empty is left out. */
void describe_object(struct p11_template *t, const CK_OBJECT_CLASS *object_class,
                     enum key_family family, const se_buf *id);

/* CKA_EC_PARAMS: the curve as an object identifier. */
void describe_curve(struct p11_template *t, const char *group);
/* The point of an EC key inside an OCTET STRING, as CKA_EC_POINT has it. */
void describe_point(struct p11_template *t, CK_ATTRIBUTE_TYPE type, const EVP_PKEY *key);

/* The numbers of `key`: of its public half, or of both. */
void describe_public_numbers(struct p11_template *t, const EVP_PKEY *key);
void describe_private_numbers(struct p11_template *t, const EVP_PKEY *key);

/* Answers to a template that a token dislikes; tpm2-pkcs11 only says CKR_GENERAL_ERROR. */
bool is_template_refused(CK_RV rv);

#endif
