/* SPDX-License-Identifier: Apache-2.0 */
#include "xmldsig/tree.h"

#include <libxml/uri.h>

#include "config/encoding.h"
#include "config/scan.h"
#include "config/xml.h"

AUTO_KIND(parser, xmlParserCtxt *, xmlFreeParserCtxt(*p))

static void error_ignore(void *arg, xmlErrorPtr error)
{
    (void)arg;
    (void)error;
}

struct xml_quiet xml_quiet_begin(void)
{
    struct xml_quiet before;

    xml_start();
    before = (struct xml_quiet){ xmlStructuredError, xmlStructuredErrorContext };
    xmlSetStructuredErrorFunc(NULL, error_ignore);
    return before;
}

void xml_quiet_end(struct xml_quiet *quiet)
{
    xmlSetStructuredErrorFunc(quiet->arg, quiet->handler);
}

static se_status refuse_malformed(const xmlParserCtxt *parser, se_error *err)
{
    const xmlError *e = &parser->lastError;

    if (e->code == XML_ERR_NO_MEMORY)
        return error_memory(err);
    if (!e->message)
        return error_set(err, SE_ERR_FORMAT, "this XML can't be understood");
    return error_set(err, SE_ERR_FORMAT, "malformed XML, line %d: %.*s", e->line,
                     (int)strcspn(e->message, "\n"), e->message);
}

/* What libxml2 would rather not be given is refused: other encodings, a DOCTYPE, what takes
 * quadratic time. */
static se_status check_text(se_bytes text, se_error *err)
{
    int line;
    se_status st;

    if (text.size > XML_DOCUMENT_LIMIT)
        return error_set(err, SE_ERR_FORMAT, "XML of %zu bytes is too long: %d at the most",
                         text.size, XML_DOCUMENT_LIMIT);
    if (!(st = encoding_check(text, &line, err)) && !(st = scan_document(NULL, text, &line, err)))
        return SE_OK;
    if (st == SE_ERR_CONFIG)
        st = error_restate(err, SE_ERR_FORMAT);
    (void)error_prefix(err, st, "line %d: ", line);
    return st;
}

/* A relative name is refused (Canonical XML 1.0, 1.3); "" is none. */
static se_status check_namespace(const xmlChar *name, se_error *err)
{
    xmlURI *parsed = *name ? xmlParseURI((const char *)name) : NULL;
    bool absolute = !*name || (parsed && parsed->scheme);

    xmlFreeURI(parsed);
    if (absolute)
        return SE_OK;
    return error_set(
        err, SE_ERR_FORMAT,
        "the namespace '%.64s' has a relative name, and so this XML has no canonical form",
        (const char *)name);
}

/* Outside of what is signed, too: xmlsec1 makes canonical forms of parts on a walk through the
 * whole. */
static se_status check_namespaces(const xmlNode *root, se_error *err)
{
    se_status st = SE_OK;

    for (const xmlNode *node = root; !st && node; node = xml_tree_walk(node, root))
        for (const xmlNs *ns = node->nsDef; !st && ns; ns = ns->next)
            st = ns->href ? check_namespace(ns->href, err) : SE_OK;
    return st;
}

se_status xml_tree_read(xmlDoc **out, se_bytes text, se_error *err)
{
    AUTO(xml_quiet) quiet = xml_quiet_begin();
    AUTO(parser) parser = NULL;
    AUTO(xml_tree) doc = NULL;

    *out = NULL;
    TRY(check_text(text, err));
    if (!(parser = xmlNewParserCtxt()))
        return error_memory(err);
    doc = xmlCtxtReadMemory(parser, text.data, (int)text.size, NULL, "UTF-8",
                            XML_TREE_PARSE | XML_PARSE_COMPACT);
    /* libxml2 counts an undeclared prefix as a lesser error; in C14N it would be a name without a
     * meaning */
    if (!doc || !parser->nsWellFormed || !xmlDocGetRootElement(doc))
        return refuse_malformed(parser, err);
    TRY(check_namespaces(xmlDocGetRootElement(doc), err));
    *out = MOVE(doc);
    return SE_OK;
}

static xmlNode *element_from(xmlNode *node)
{
    while (node && node->type != XML_ELEMENT_NODE)
        node = node->next;
    return node;
}

xmlNode *xml_tree_first(const xmlNode *parent)
{
    return element_from(parent->children);
}

xmlNode *xml_tree_next(const xmlNode *node)
{
    return element_from(node->next);
}

xmlNode *xml_tree_walk(const xmlNode *node, const xmlNode *top)
{
    xmlNode *next = xml_tree_first(node);

    while (!next && node != top) {
        next = xml_tree_next(node);
        node = node->parent;
    }
    return next;
}

bool xml_tree_is(const xmlNode *node, const char *uri, const char *name)
{
    return node->ns && node->ns->href && !strcmp((const char *)node->ns->href, uri) &&
           !strcmp((const char *)node->name, name);
}

bool xml_tree_inside(const xmlNode *node, const xmlNode *ancestor)
{
    while (node && node != ancestor)
        node = node->parent;
    return node != NULL;
}

/* "" for one whose value is not one text, which an attribute without entities always is */
static const char *value_of(const xmlAttr *attribute)
{
    const xmlNode *text = attribute->children;

    return text && text->content && !text->next ? (const char *)text->content : "";
}

const char *xml_tree_attribute(const xmlNode *element, const char *name)
{
    for (const xmlAttr *a = element->properties; a; a = a->next)
        if (!a->ns && !strcmp((const char *)a->name, name))
            return value_of(a);
    return NULL;
}

static bool is_id(const xmlAttr *a)
{
    static const char *const homes[] = {
        "http://www.w3.org/XML/1998/namespace",
        "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd",
    };

    if (strcasecmp((const char *)a->name, "id"))
        return false;
    for (size_t i = 0; a->ns && i < sizeof homes / sizeof *homes; i++)
        if (!strcmp((const char *)a->ns->href, homes[i]))
            return true;
    return !a->ns;
}

bool xml_tree_has_id(const xmlNode *element, const char *id)
{
    for (const xmlAttr *a = element->properties; a; a = a->next)
        if (is_id(a) && !strcmp(value_of(a), id))
            return true;
    return false;
}

se_status xml_tree_find_id(xmlNode **out, const xmlDoc *doc, const char *id, se_error *err)
{
    xmlNode *root = xmlDocGetRootElement(doc);

    *out = NULL;
    for (xmlNode *node = root; node; node = xml_tree_walk(node, root)) {
        if (!xml_tree_has_id(node, id))
            continue;
        if (*out)
            return error_set(err, SE_ERR_REJECTED, "several elements have the ID '%.64s'", id);
        *out = node;
    }
    return *out ? SE_OK : error_set(err, SE_ERR_REJECTED, "no element has the ID '%.64s'", id);
}

/* ---- the signature that counts ---- */

bool xmldsig_is(const xmlNode *node, const char *name)
{
    return xml_tree_is(node, XMLDSIG_NAMESPACE, name);
}

static se_status find_child(xmlNode **out, const xmlNode *parent, se_error *err)
{
    *out = NULL;
    for (xmlNode *node = xml_tree_first(parent); node; node = xml_tree_next(node)) {
        if (!xmldsig_is(node, "Signature"))
            continue;
        if (*out)
            return error_set(err, SE_ERR_REJECTED,
                             "several signatures beside each other: one can't cover the others");
        *out = node;
    }
    return SE_OK;
}

/* Of the first Reference; what else is in SignedInfo is looked at when it is read. */
static const char *uri_of(const xmlNode *signature)
{
    const xmlNode *info = xml_tree_first(signature), *node = info ? xml_tree_first(info) : NULL;
    const char *uri;

    while (node && !xmldsig_is(node, "Reference"))
        node = xml_tree_next(node);
    uri = node ? xml_tree_attribute(node, "URI") : NULL;
    return uri ? uri : "";
}

static se_status find_about(xmlNode **out, xmlDoc *doc, const char *id, se_error *err)
{
    xmlNode *root = xmlDocGetRootElement(doc);

    *out = NULL;
    for (xmlNode *node = root; node; node = xml_tree_walk(node, root)) {
        const char *uri = xmldsig_is(node, "Signature") ? uri_of(node) : "";

        if (*uri != '#' || strcmp(uri + 1, id))
            continue;
        if (*out)
            return error_set(err, SE_ERR_REJECTED,
                             "several signatures over the element with the ID '%.64s'", id);
        *out = node;
    }
    return SE_OK;
}

static bool within_signature(const xmlNode *node)
{
    for (node = node->parent; node && node->type == XML_ELEMENT_NODE; node = node->parent)
        if (xmldsig_is(node, "Signature"))
            return true;
    return false;
}

static se_status find_by_id(struct xml_place *out, xmlDoc *doc, const char *id, se_error *err)
{
    xmlNode *target;
    se_status st = SE_OK;

    TRY(xml_tree_find_id(&target, doc, id, err));
    TRY(find_child(&out->signature, target, err));
    out->target = target;
    out->id = id;
    out->enveloped = out->signature != NULL;
    if (xmldsig_is(target, "Signature") || within_signature(target))
        return error_set(err, SE_ERR_REJECTED,
                         "the element with the ID '%.64s' is a part of a signature", id);
    if (!out->signature && (st = find_about(&out->signature, doc, id, err)))
        return st;
    if (!out->signature)
        return error_set(err, SE_ERR_FORMAT,
                         "there is no signature over the element with the ID '%.64s'", id);
    if (!out->enveloped && xml_tree_inside(out->signature, target))
        return error_set(err, SE_ERR_REJECTED,
                         "the signature is somewhere inside of what it signs, and not its child");
    return SE_OK;
}

const xmlNode *xmldsig_first(const xmlDoc *doc)
{
    const xmlNode *root = xmlDocGetRootElement(doc), *node = root;

    while (node && !xmldsig_is(node, "Signature"))
        node = xml_tree_walk(node, root);
    return node;
}

/* An enveloping signature is about its Object, and has one. */
static se_status find_object(struct xml_place *out, const xmlNode *signature, se_error *err)
{
    for (xmlNode *node = xml_tree_first(signature); node; node = xml_tree_next(node))
        if (xmldsig_is(node, "Object"))
            out->target = node;
    if (!out->target)
        return error_set(
            err, SE_ERR_FORMAT,
            "the signature has no Object: it is a detached one, and needs the content beside it");
    if (!(out->id = xml_tree_attribute(out->target, "Id")))
        return error_set(err, SE_ERR_REJECTED, "the signature's Object has no Id");
    return SE_OK;
}

se_status xmldsig_find(struct xml_place *out, xmlDoc *doc, const char *id, se_error *err)
{
    xmlNode *root = xmlDocGetRootElement(doc);

    *out = (struct xml_place){ NULL, NULL, NULL, false };
    if (id)
        return find_by_id(out, doc, id, err);
    if (xmldsig_is(root, "Signature")) {
        out->signature = root;
        return find_object(out, root, err);
    }
    TRY(find_child(&out->signature, root, err));
    out->enveloped = true;
    if (out->signature)
        return SE_OK;
    if (xmldsig_first(doc))
        return error_set(
            err, SE_ERR_REJECTED,
            "no signature covers the whole document: say by its ID which element to look at");
    return error_set(err, SE_ERR_FORMAT, "there is no XML signature");
}

/* ---- before signing ---- */

static bool has_id(const xmlNode *node, const char *id)
{
    while (node && node->type == XML_ELEMENT_NODE && !xml_tree_has_id(node, id))
        node = node->parent;
    return node && node->type == XML_ELEMENT_NODE;
}

/* What a Reference names: the whole document, an element with an ID, or (`false`) something
 * outside.  XPointers may be about anything. */
static bool reference_covers(const xmlNode *reference, const xmlNode *parent)
{
    const char *uri = xml_tree_attribute(reference, "URI");

    if (!uri || !*uri || !strncmp(uri, "#xpointer(", strlen("#xpointer(")))
        return true;
    return *uri == '#' && has_id(parent, uri + 1);
}

se_status xmldsig_check_room(xmlDoc *doc, const xmlNode *parent, se_error *err)
{
    xmlNode *root = xmlDocGetRootElement(doc);

    if (xmldsig_is(parent, "Signature") || within_signature(parent))
        return error_set(
            err, SE_ERR_FORMAT,
            "line %ld: <%.64s> is a part of a signature: what has one can be signed --detached",
            xmlGetLineNo(parent), (const char *)parent->name);
    for (const xmlNode *node = xml_tree_first(parent); node; node = xml_tree_next(node))
        if (xmldsig_is(node, "Signature"))
            return error_set(
                err, SE_ERR_FORMAT,
                "line %ld: <%.64s> has a signature already, and can't have two: sign it --detached",
                xmlGetLineNo(node), (const char *)parent->name);
    for (const xmlNode *node = root; node; node = xml_tree_walk(node, root))
        if (xmldsig_is(node, "Reference") && reference_covers(node, parent))
            return error_set(err, SE_ERR_FORMAT,
                             "line %ld: a signature already covers <%.64s>, and would not be good "
                             "any more: sign the document --detached",
                             xmlGetLineNo(node), (const char *)parent->name);
    return SE_OK;
}
