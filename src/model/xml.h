/* The configuration's text as a libxml2 tree, parsed without touching libxml2's settings: the application may use it too. */
#ifndef MODEL_XML_H
#define MODEL_XML_H

#include <libxml/tree.h>

#include "model/findings.h"
#include "model/lift.h"

AUTO_KIND(xml_doc, xmlDoc *, xmlFreeDoc(*p))

/* *out is NULL when the findings say why.  Each attribute has at most one text node. */
void xml_parse(xmlDoc **out, const struct lifted *lifted, struct findings *findings);

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
