/*
 * Any XML document as a libxml2 tree, for signatures: no DTD, hence no entities, no defaults and no
 * attributes that are IDs by declaration; nothing is fetched; nothing is printed.
 */
#ifndef XMLDSIG_TREE_H
#define XMLDSIG_TREE_H

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xmlerror.h>

#include "base/buf.h"

AUTO_KIND(xml_tree, xmlDoc *, xmlFreeDoc(*p))

/* libxml2 prints what it can't tie to a parser; while this is in scope it is kept quiet on this
 * thread. */
struct xml_quiet {
    xmlStructuredErrorFunc handler; /* the application's */
    void *arg;
};
struct xml_quiet xml_quiet_begin(void);
void xml_quiet_end(struct xml_quiet *quiet);
AUTO_KIND(xml_quiet, struct xml_quiet, xml_quiet_end(p))

enum { XML_DOCUMENT_LIMIT = 128 << 20 };

/*
 * How documents are read.  NOENT: values come with their characters; a document has no other
 * entities here.  OLD10: names as the JDK has them, which knows no later edition of XML 1.0 than
 * the fourth.  HUGE: libxml2's own limits depend on where in a file something is; ours do not, and
 * are narrower but for the size of a text.
 */
enum {
    XML_TREE_PARSE = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOENT |
                     XML_PARSE_OLD10 | XML_PARSE_HUGE
};

/* A NUL follows the text, not counted.  SE_ERR_FORMAT: it is no XML, or none that we read. */
SE_MUST_CHECK se_status xml_tree_read(xmlDoc **out, se_bytes text, se_error *err);

/* The first child element, and the next sibling that is one. */
xmlNode *xml_tree_first(const xmlNode *parent);
xmlNode *xml_tree_next(const xmlNode *node);

/* In document order; NULL behind the last.  `top` limits the walk to what is inside it. */
xmlNode *xml_tree_walk(const xmlNode *node, const xmlNode *top);

bool xml_tree_is(const xmlNode *node, const char *namespace, const char *name);
bool xml_tree_inside(const xmlNode *node, const xmlNode *ancestor); /* or `ancestor` itself */

/* The value of an attribute without a namespace; NULL: there is none. */
const char *xml_tree_attribute(const xmlNode *element, const char *name);

bool xml_tree_has_id(const xmlNode *element, const char *id);

/* The only element with that ID (Id, ID, id, xml:id, wsu:Id); SE_ERR_REJECTED: none, or several. */
SE_MUST_CHECK se_status xml_tree_find_id(xmlNode **out, const xmlDoc *doc, const char *id,
                                         se_error *err);

#endif
