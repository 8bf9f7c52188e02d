/* Which elements and attributes a configuration has.  schemas/engineSignEncrypt.xsd says the same
 * to editors, and is asked as well. */
#ifndef CONFIG_GRAMMAR_H
#define CONFIG_GRAMMAR_H

#include "config/xml.h"

struct attribute_rule {
    const char *name;
    bool needed;
    const char *must; /* "must be ..." for a value that it can't have; NULL: any text */
};

struct child_rule {
    const struct element_rule *element;
    bool needed, several;
};

struct element_rule {
    const char *name;
    const struct attribute_rule *attributes; /* up to a NULL name */
    const struct child_rule *children;       /* up to a NULL element */
};

extern const struct element_rule structure_root;

/* Finds what is unknown, missing or there too often, with the name that was probably meant. */
void structure_check(struct findings *findings, const xmlNode *root);

/* Whether an unknown attribute was probably meant to be this one: that it is missing need not be
 * told then. */
bool structure_misspelled(const xmlNode *element, const char *attribute);

/* Finds the value of an attribute to be one that it can't have. */
void structure_bad_value(struct findings *findings, const xmlNode *element, const char *attribute);

#endif
