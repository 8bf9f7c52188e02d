/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration's text as a libxml2 tree, parsed without touching libxml2's settings: the
 * application may use it too. */
#ifndef CONFIG_XML_H
#define CONFIG_XML_H

#include <libxml/tree.h>
#include <libxml/xmlerror.h>

#include "config/findings.h"
#include "config/pin_extract.h"

AUTO_KIND(xml_doc, xmlDoc *, xmlFreeDoc(*p))

/*
 * libxml2 reports an error that belongs to no parser, such as running out of memory, to a handler
 * of the thread, and prints it if there is none.  While a listener is in scope, such errors make
 * the findings fail; afterwards the application's handler is back.
 */
struct xml_listener {
    xmlStructuredErrorFunc handler; /* the application's */
    void *arg;
};
void xml_listen(struct xml_listener *out, struct findings *findings);
void xml_listener_end(struct xml_listener *listener);
AUTO_KIND(xml_listener, struct xml_listener, xml_listener_end(p))

/* Before any other call of libxml2: its global state is made once, whichever thread comes first. */
void xml_start(void);

/* *out is NULL when the findings say why.  Each attribute has at most one text node. */
void xml_parse(xmlDoc **out, const struct redacted *text, struct findings *findings);

int xml_line(const void *node); /* of an element or an attribute */

/* The first, or next, child element of that name; NULL: there is none. */
xmlNode *xml_child(const xmlNode *parent, const char *name);
xmlNode *xml_next(const xmlNode *node);
size_t xml_count(const xmlNode *parent, const char *name);

const xmlAttr *xml_attribute(const xmlNode *element, const char *name);
/* Its value; "" for none.  Lasts as long as the tree. */
const char *xml_value(const xmlNode *element, const char *name);
int xml_attribute_line(const xmlNode *element, const char *name);

#endif
