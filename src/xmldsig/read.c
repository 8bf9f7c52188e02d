/* SPDX-License-Identifier: Apache-2.0 */
#include "xmldsig/read.h"

#include <stdlib.h>

#include "base/base64.h"
#include "crypto/certificate.h"
#include "xmldsig/algorithms.h"

enum { CERTIFICATES_MAX = 16 };

/* Attributes are those between the commas. */
static const struct rule {
    const char *name, *attributes;
    bool text; /* it holds one text, and no elements */
} rules[] = {
    { "Signature", ",Id,", false },
    { "SignedInfo", ",Id,", false },
    { "CanonicalizationMethod", ",Algorithm,", false },
    { "SignatureMethod", ",Algorithm,", false },
    { "Reference", ",Id,URI,Type,", false },
    { "Transforms", ",", false },
    { "Transform", ",Algorithm,", false },
    { "DigestMethod", ",Algorithm,", false },
    { "DigestValue", ",", true },
    { "SignatureValue", ",Id,", true },
    { "KeyInfo", ",Id,", false },
    { "X509Data", ",", false },
    { "X509Certificate", ",", true },
};

void xml_signature_free(struct xml_signature *s)
{
    xml_c14n_free(&s->c14n);
    xml_c14n_free(&s->reference.c14n);
    se_buf_free(&s->reference.value);
    se_buf_free(&s->value);
    sk_X509_pop_free(s->certificates, X509_free);
}

static bool text_is_blank(const xmlNode *node)
{
    const char *text = (const char *)node->content;

    return node->type == XML_TEXT_NODE && text && !text[strspn(text, " \t\r\n")];
}

static bool attribute_is_listed(const char *list, const xmlAttr *a)
{
    char name[32];

    (void)snprintf(name, sizeof name, ",%s,", (const char *)a->name);
    return !a->ns && strstr(list, name);
}

/* Readers differ in what a text with a comment in it says, so there is no comment. */
static se_status check_children(const xmlNode *node, bool text, se_error *err)
{
    const xmlNode *first = node->children;

    if (text && (!first || first->next || first->type != XML_TEXT_NODE))
        return error_set(err, SE_ERR_REJECTED, "<%s> must hold one text, and nothing else",
                         (const char *)node->name);
    for (const xmlNode *child = first; !text && child; child = child->next)
        if (child->type != XML_ELEMENT_NODE && !text_is_blank(child))
            return error_set(err, SE_ERR_REJECTED,
                             "<%s> holds text, a comment or an instruction between its elements",
                             (const char *)node->name);
    return SE_OK;
}

static se_status check_shape(const xmlNode *node, const struct rule *rule, se_error *err)
{
    for (const xmlAttr *a = node->properties; a; a = a->next)
        if (!attribute_is_listed(rule->attributes, a))
            return error_set(err, SE_ERR_REJECTED, "<%s> has the attribute '%.64s'", rule->name,
                             (const char *)a->name);
    return check_children(node, rule->text, err);
}

/* `node` must be that element, as it should be. */
static se_status element_expect(const xmlNode *node, const char *name, se_error *err)
{
    const struct rule *rule = rules;

    if (!node)
        return error_set(err, SE_ERR_FORMAT, "<%s> is missing", name);
    if (!xmldsig_is(node, name))
        return error_set(err, SE_ERR_FORMAT, "<%.64s> where <%s> should be",
                         (const char *)node->name, name);
    while (strcmp(rule->name, name))
        rule++;
    return check_shape(node, rule, err);
}

/* The next element, which must be that; *at moves on. */
static se_status element_take(xmlNode **out, xmlNode **at, const char *name, se_error *err)
{
    se_status st = element_expect(*at, name, err);

    *out = *at;
    if (!st)
        *at = xml_tree_next(*at);
    return st;
}

static se_status elements_end(const xmlNode *at, const char *parent, se_error *err)
{
    return at ? error_set(err, SE_ERR_REJECTED, "<%.64s> in <%s> is not accepted",
                          (const char *)at->name, parent)
              : SE_OK;
}

static const char *algorithm_of(const xmlNode *node)
{
    const char *uri = xml_tree_attribute(node, "Algorithm");

    return uri ? uri : "";
}

static se_status value_decode(se_buf *out, const xmlNode *node, se_error *err)
{
    AUTO(writer) packed = { 0 };
    AUTO(se_buf) text = SE_BUF_INIT;
    static const char blanks[] = " \t\r\n";
    const char *at = (const char *)node->children->content;
    se_status st;

    while (*(at += strspn(at, blanks))) {
        size_t size = strcspn(at, blanks);

        writer_put(&packed, at, size);
        at += size;
    }
    TRY(writer_finish(&text, &packed, err));
    st = base64_decode(out, buf_bytes(&text), err);
    return error_prefix(err, st, "<%s>: ", (const char *)node->name);
}

/* The only parameter that a canonicalisation has. */
static se_status read_prefixes(struct xml_c14n *out, const xmlNode *method, se_error *err)
{
    const xmlNode *list = xml_tree_first(method);
    const char *prefixes;

    if (!list)
        return SE_OK;
    prefixes = xml_tree_attribute(list, "PrefixList");
    if (!out->exclusive || !xml_tree_is(list, XMLDSIG_EXCLUSIVE, "InclusiveNamespaces") ||
        !prefixes || list->properties->next || list->children || xml_tree_next(list))
        return error_set(err, SE_ERR_REJECTED, "<%.64s> in <%s> is not accepted",
                         (const char *)list->name, (const char *)method->name);
    return xml_c14n_prefixes(out, prefixes, err);
}

static se_status read_c14n(struct xml_c14n *out, const xmlNode *method, se_error *err)
{
    const char *uri = algorithm_of(method);

    out->exclusive = !strcmp(uri, XMLDSIG_EXCLUSIVE);
    if (!out->exclusive && strcmp(uri, XMLDSIG_C14N))
        return error_set(err, SE_ERR_REJECTED,
                         "the %s %.150s is not accepted: only enveloped-signature, and C14N 1.0, "
                         "inclusive or exclusive, without comments",
                         (const char *)method->name, uri);
    return read_prefixes(out, method, err);
}

/* enveloped-signature, then a canonicalisation, or one of them. */
static se_status read_transforms(struct xml_reference *out, const xmlNode *transforms,
                                 se_error *err)
{
    xmlNode *at = xml_tree_first(transforms), *transform;
    se_status st = SE_OK;

    out->transformed = true;
    TRY(element_take(&transform, &at, "Transform", err));
    if (!strcmp(algorithm_of(transform), XMLDSIG_ENVELOPED)) {
        out->enveloped = true;
        if ((st = elements_end(xml_tree_first(transform), "Transform", err)) || !at ||
            (st = element_take(&transform, &at, "Transform", err)))
            return st;
    }
    TRY(read_c14n(&out->c14n, transform, err));
    return elements_end(at, "Transforms", err);
}

static se_status read_digest(struct xml_reference *out, xmlNode *at, se_error *err)
{
    xmlNode *method, *value;

    TRY(element_take(&method, &at, "DigestMethod", err));
    TRY(elements_end(xml_tree_first(method), "DigestMethod", err));
    TRY(element_take(&value, &at, "DigestValue", err));
    TRY(elements_end(at, "Reference", err));
    TRY(xmldsig_digest_method(&out->digest, algorithm_of(method), err));
    return value_decode(&out->value, value, err);
}

static se_status read_reference(struct xml_reference *out, const xmlNode *reference, se_error *err)
{
    const char *type = xml_tree_attribute(reference, "Type"),
               *id = xml_tree_attribute(reference, "Id");
    xmlNode *at = xml_tree_first(reference), *transforms;
    se_status st;

    if (type && strcmp(type, XMLDSIG_OBJECT))
        return error_set(err, SE_ERR_REJECTED, "a Reference of the type %.150s is not accepted",
                         type);
    out->id = id ? id : "";
    if (!(out->uri = xml_tree_attribute(reference, "URI")))
        return error_set(err, SE_ERR_REJECTED, "the Reference has no URI");
    if (at && xmldsig_is(at, "Transforms") &&
        ((st = element_take(&transforms, &at, "Transforms", err)) ||
         (st = read_transforms(out, transforms, err))))
        return st;
    return read_digest(out, at, err);
}

static se_status read_signed_info(struct xml_signature *out, se_error *err)
{
    xmlNode *at = xml_tree_first(out->signed_info), *c14n, *method, *reference;

    TRY(element_take(&c14n, &at, "CanonicalizationMethod", err));
    TRY(read_c14n(&out->c14n, c14n, err));
    TRY(element_take(&method, &at, "SignatureMethod", err));
    TRY(xmldsig_signature_method(&out->algorithm, algorithm_of(method), err));
    TRY(elements_end(xml_tree_first(method), "SignatureMethod", err));
    TRY(element_take(&reference, &at, "Reference", err));
    if (at && xmldsig_is(at, "Reference"))
        return error_set(err, SE_ERR_REJECTED,
                         "several References: one signature covers one thing");
    TRY(elements_end(at, "SignedInfo", err));
    return read_reference(&out->reference, reference, err);
}

static se_status read_certificate(struct xml_signature *out, const xmlNode *node, se_error *err)
{
    AUTO(se_buf) der = SE_BUF_INIT;
    AUTO(x509) certificate = NULL;

    TRY(element_expect(node, "X509Certificate", err));
    TRY(value_decode(&der, node, err));
    TRY(certificate_parse(&certificate, buf_bytes(&der), err));
    if (sk_X509_num(out->certificates) >= CERTIFICATES_MAX)
        return error_set(err, SE_ERR_REJECTED, "KeyInfo holds more than %d certificates",
                         CERTIFICATES_MAX);
    if ((!out->certificates && !(out->certificates = sk_X509_new_null())) ||
        !sk_X509_push(out->certificates, certificate))
        return error_memory(err);
    certificate = NULL;
    return SE_OK;
}

static se_status read_x509_data(struct xml_signature *out, const xmlNode *data, se_error *err)
{
    se_status st = element_expect(data, "X509Data", err);

    for (xmlNode *at = xml_tree_first(data); !st && at; at = xml_tree_next(at))
        if (xmldsig_is(at, "X509Certificate"))
            st = read_certificate(out, at, err);
    return st;
}

/* A hint: it says which certificates to look at, and never that they are to be trusted.  Names and
 * bare keys hint at nothing that we need.
 */
static se_status read_key_info(struct xml_signature *out, const xmlNode *key_info, se_error *err)
{
    se_status st = element_expect(key_info, "KeyInfo", err);

    for (xmlNode *at = xml_tree_first(key_info); !st && at; at = xml_tree_next(at)) {
        if (xmldsig_is(at, "X509Data"))
            st = read_x509_data(out, at, err);
        else if (!xmldsig_is(at, "KeyName") && !xmldsig_is(at, "KeyValue"))
            st = error_set(err, SE_ERR_REJECTED,
                           "<%.64s> in KeyInfo is not accepted: keys are not fetched",
                           (const char *)at->name);
    }
    return st;
}

se_status xmldsig_read(struct xml_signature *out, xmlNode *node, se_error *err)
{
    xmlNode *at = xml_tree_first(node), *value, *key_info;
    se_status st = SE_OK;

    out->node = node;
    TRY(element_expect(node, "Signature", err));
    TRY(element_take(&out->signed_info, &at, "SignedInfo", err));
    TRY(read_signed_info(out, err));
    TRY(element_take(&value, &at, "SignatureValue", err));
    TRY(value_decode(&out->value, value, err));
    if (at && xmldsig_is(at, "KeyInfo") &&
        ((st = element_take(&key_info, &at, "KeyInfo", err)) ||
         (st = read_key_info(out, key_info, err))))
        return st;
    if (at && xmldsig_is(at, "Object")) {
        out->object = at;
        at = xml_tree_next(at);
    }
    return elements_end(at, "Signature", err);
}
