/* SPDX-License-Identifier: Apache-2.0 */
#include "config/xml.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <pthread.h>
#include <stdio.h>

AUTO_KIND(parser, xmlParserCtxt *, xmlFreeParserCtxt(*p))

static const struct {
    int code;
    const char *text;
    const char *after; /* what libxml2 calls str1 goes between the two; NULL: it does not matter */
} texts[] = {
    { XML_ERR_DOCUMENT_EMPTY, "this is not XML: it does not begin with a tag", NULL },
    { XML_ERR_DOCUMENT_END, "something follows after the end of the root element", NULL },
    { XML_ERR_ATTRIBUTE_REDEFINED, "the attribute '", "' is there twice" },
    { XML_ERR_TAG_NOT_FINISHED, "the file ends before </", ">" },
    { XML_ERR_UNDECLARED_ENTITY, "unknown entity '&",
      ";': there are only &amp; &lt; &gt; &quot; &apos;" },
    { XML_ERR_ENTITYREF_SEMICOL_MISSING, "a '&' must be written &amp;", NULL },
    { XML_ERR_NAME_REQUIRED, "malformed: a '&' must be written &amp;", NULL },
    { XML_ERR_INVALID_CHAR, "a character that XML does not allow", NULL },
    { XML_ERR_RESERVED_XML_NAME,
      "the XML declaration may only be at the very beginning of the file", NULL },
    { XML_NS_ERR_UNDEFINED_NAMESPACE, "the prefix '", "' is not declared" },
};

static void add_parser_error(struct findings *f, const xmlError *e)
{
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].code == e->code) {
            bool named = texts[i].after && e->str1;

            findings_error(f, e->line, "%s%.64s%s", texts[i].text, named ? e->str1 : "",
                           named ? texts[i].after : "");
            return;
        }
    findings_error(f, e->line, "malformed XML: %.*s", (int)strcspn(e->message, "\n"), e->message);
}

/* libxml2 goes on after the first error, but later errors mostly follow from that one. */
static void on_error(void *arg, xmlErrorPtr e)
{
    struct findings *f = ((xmlParserCtxt *)arg)->_private;

    if (e->level < XML_ERR_ERROR || f->errors)
        return;
    if (e->code == XML_ERR_NO_MEMORY)
        f->failed = true;
    else if (e->code == XML_ERR_TAG_NAME_MISMATCH && e->str1 && e->str2)
        findings_error(f, e->line, "</%.64s> where <%.64s> of line %d should be closed", e->str2,
                       e->str1, e->int1);
    else
        add_parser_error(f, e);
}

static void on_stray_error(void *findings, xmlErrorPtr e)
{
    if (e->code == XML_ERR_NO_MEMORY)
        ((struct findings *)findings)->failed = true;
}

void xml_listen(struct xml_listener *out, struct findings *findings)
{
    *out = (struct xml_listener){ xmlStructuredError, xmlStructuredErrorContext };
    xmlSetStructuredErrorFunc(findings, on_stray_error);
}

void xml_listener_end(struct xml_listener *listener)
{
    xmlSetStructuredErrorFunc(listener->arg, listener->handler);
}

static pthread_once_t started = PTHREAD_ONCE_INIT;

/* May not run in two threads at once; does nothing when the application has called it before. */
static void start_libxml(void)
{
    xmlInitParser();
}

void xml_start(void)
{
    (void)pthread_once(&started, start_libxml);
}

static xmlNode *next_in_document(xmlNode *node)
{
    if (node->type == XML_ELEMENT_NODE && node->children)
        return node->children;
    while (node && !node->next)
        node = node->parent && node->parent->type == XML_ELEMENT_NODE ? node->parent : NULL;
    return node ? node->next : NULL;
}

/* How far the tree was compared with the text. */
struct comparison {
    const struct redacted *text;
    size_t line, pin;
};

/* The line goes where libxml2 leaves room for its user. */
static bool take_line(struct comparison *c, void **place)
{
    if (c->line == c->text->line_count)
        return false;
    *place = (void *)(intptr_t)c->text->lines[c->line++];
    return true;
}

static const char *attribute_value(const xmlAttr *attribute)
{
    const xmlNode *text = attribute ? attribute->children : NULL;

    return text && text->content ? (const char *)text->content : "";
}

/* The scanner has seen the same attribute, and where it took out a PIN there is now its number. */
static bool match_attribute(struct comparison *c, xmlAttr *attribute)
{
    const xmlNode *text = attribute->children;
    char ordinal[24];

    if (!take_line(c, &attribute->_private) ||
        (text && (text->type != XML_TEXT_NODE || text->next)))
        return false;
    if (!pins_is_attribute(text_bytes((const char *)attribute->name)))
        return true;
    (void)snprintf(ordinal, sizeof ordinal, "%zu", c->pin++);
    return !strcmp(ordinal, attribute_value(attribute));
}

/* Gives every node its line, and makes sure that the scanner and libxml2 have read the same. */
static bool match_tree(xmlDoc *doc, const struct redacted *text)
{
    struct comparison c = { .text = text };

    for (xmlNode *node = xmlDocGetRootElement(doc); node; node = next_in_document(node)) {
        if (node->type != XML_ELEMENT_NODE)
            continue;
        if (!take_line(&c, &node->_private))
            return false;
        for (xmlAttr *a = node->properties; a; a = a->next)
            if (!match_attribute(&c, a))
                return false;
    }
    return c.line == text->line_count && c.pin == text->pin_count;
}

void xml_parse(xmlDoc **out, const struct redacted *text, struct findings *findings)
{
    AUTO(xml_listener) listener;
    AUTO(parser) parser = NULL;
    AUTO(xml_doc) doc = NULL;

    *out = NULL;
    xml_start();
    xml_listen(&listener, findings);
    if (!(parser = xmlNewParserCtxt())) {
        findings->failed = true;
        return;
    }
    parser->_private = findings;
    parser->sax->serror = on_error;
    doc = xmlCtxtReadMemory(parser, writer_string(&text->text), (int)text->text.buf.size, NULL,
                            "UTF-8", XML_PARSE_NONET);
    if (!findings->errors && !findings->failed && (!doc || !match_tree(doc, text)))
        findings_error(findings, 1, "this XML can't be understood");
    if (findings->errors || findings->failed)
        return;
    *out = MOVE(doc);
}

/* _private is the first member of both kinds of node */
int xml_line(const void *node)
{
    return (int)(intptr_t)((const xmlNode *)node)->_private;
}

static bool is_element(const xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && !node->ns && !strcmp((const char *)node->name, name);
}

static xmlNode *find_named(xmlNode *node, const char *name)
{
    while (node && !is_element(node, name))
        node = node->next;
    return node;
}

xmlNode *xml_child(const xmlNode *parent, const char *name)
{
    return find_named(parent->children, name);
}

xmlNode *xml_next(const xmlNode *node)
{
    return find_named(node->next, (const char *)node->name);
}

size_t xml_count(const xmlNode *parent, const char *name)
{
    size_t count = 0;

    for (const xmlNode *child = xml_child(parent, name); child; child = xml_next(child))
        count++;
    return count;
}

const xmlAttr *xml_attribute(const xmlNode *element, const char *name)
{
    for (const xmlAttr *a = element->properties; a; a = a->next)
        if (!a->ns && !strcmp((const char *)a->name, name))
            return a;
    return NULL;
}

const char *xml_value(const xmlNode *element, const char *name)
{
    return attribute_value(xml_attribute(element, name));
}

int xml_attribute_line(const xmlNode *element, const char *name)
{
    const xmlAttr *attribute = xml_attribute(element, name);

    return xml_line(attribute ? (const void *)attribute : element);
}
