#include "xmldsig/tree.h"

#include <libxml/uri.h>

#include "config/encoding.h"
#include "config/scan.h"
#include "config/xml.h"

AUTO_KIND(parser, xmlParserCtxt *, xmlFreeParserCtxt(*p))

static void ignore(void *arg, xmlErrorPtr error)
{
    (void)arg;
    (void)error;
}

struct xml_quiet xml_quiet_begin(void)
{
    struct xml_quiet before;

    xml_start();
    before = (struct xml_quiet){ xmlStructuredError, xmlStructuredErrorContext };
    xmlSetStructuredErrorFunc(NULL, ignore);
    return before;
}

void xml_quiet_end(struct xml_quiet *quiet)
{
    xmlSetStructuredErrorFunc(quiet->arg, quiet->handler);
}

static se_status malformed(const xmlParserCtxt *parser, se_error *err)
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
    (void)error_prefix(err, "line %d: ", line);
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
        return malformed(parser, err);
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

bool xml_tree_is(const xmlNode *node, const char *namespace, const char *name)
{
    return node->ns && node->ns->href && !strcmp((const char *)node->ns->href, namespace) &&
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
