/* SPDX-License-Identifier: Apache-2.0 */
/* What a Signature element says.  Nothing in it is believed yet; nothing is in it that is not read.
 */
#ifndef XMLDSIG_READ_H
#define XMLDSIG_READ_H

#include "crypto/key.h"
#include "xmldsig/c14n.h"
#include "xmldsig/tree.h"

struct xml_reference {
    const char *uri, *id;        /* id: "" for none */
    bool enveloped, transformed; /* transformed: there are any transforms */
    struct xml_c14n c14n;
    enum digest digest;
    se_buf value;
};

/* Start it with zeroes; it points into the tree. */
struct xml_signature {
    xmlNode *node, *signed_info;
    xmlNode *object; /* NULL: none */
    struct xml_c14n c14n;
    const struct algorithm *algorithm;
    struct xml_reference reference;
    se_buf value;
    STACK_OF(X509) * certificates; /* of KeyInfo; may be NULL */
};
void xml_signature_free(struct xml_signature *signature);
AUTO_KIND(xml_signature, struct xml_signature, xml_signature_free(p))

/* SE_ERR_FORMAT: not as the schema has it; SE_ERR_REJECTED: something in it is not accepted. */
SE_MUST_CHECK se_status xmldsig_read(struct xml_signature *out, xmlNode *node, se_error *err);

#endif
