/* The XML Schema that is compiled into the library. */
#ifndef CONFIG_SCHEMA_H
#define CONFIG_SCHEMA_H

#include "config/xml.h"

extern const unsigned char
    schema_text[]; /* made of schemas/engineSignEncrypt.xsd by the Makefile */
extern const unsigned schema_size;

/*
 * Validates the tree.  What the schema finds is told in our own words by structure_check() and by
 * those who read the values: what it says is only added where no error is known yet, so that
 * nothing the schema refuses can be accepted.
 */
void schema_check(struct findings *findings, xmlDoc *doc);

#endif
