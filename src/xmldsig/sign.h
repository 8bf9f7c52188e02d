/* SPDX-License-Identifier: Apache-2.0 */
/* What the forms of XML signatures have in common when they are made. */
#ifndef XMLDSIG_SIGN_H
#define XMLDSIG_SIGN_H

#include "config/scan.h"
#include "crypto/signature.h"
#include "xmldsig/c14n.h"
#include "xmldsig/tree.h"

#define XML_SIGNATURE_START "<ds:Signature xmlns:ds=\"" XMLDSIG_NAMESPACE "\">"
#define XML_SIGNATURE_END   "</ds:Signature>"

/* What a Reference says, and where its signature will be. */
struct xml_plan {
    const struct sign_job *job;
    struct xml_c14n c14n;
    const char *uri, *reference_id; /* reference_id: "" for none */
    bool enveloped, octets;
    xmlDoc *doc;     /* NULL: the signature is a document of its own, or becomes the root of one */
    xmlNode *parent; /* in `doc` */
};
struct xml_plan xml_plan_of(const struct sign_job *job, const char *uri);

/* All of the Signature but its Object and its end tag, with the digest that the job has by now.
 * `doc` has it too when this is done. */
SE_MUST_CHECK se_status xml_signature_make(se_buf *out, const struct xml_plan *plan, se_error *err);

/* How many elements begin before it. */
size_t xml_ordinal(const xmlDoc *doc, const xmlNode *wanted);

/* The text with `signature` and its end tag as the last child of the element that ends at `end`. */
SE_MUST_CHECK se_status xml_insert(const se_sink *out, se_bytes text, const struct scan_end *end,
                                   se_bytes signature, se_error *err);

SE_MUST_CHECK se_status xml_put(const se_sink *out, const char *text, se_error *err);
void xml_put_escaped(struct writer *w, const char *text);

#endif
