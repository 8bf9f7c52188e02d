/* SPDX-License-Identifier: Apache-2.0 */
/* Elements and attributes by rules: what is unknown, missing or bad, and values into structs. */
#ifndef CONFIG_ELEMENT_H
#define CONFIG_ELEMENT_H

#include "config/findings.h"
#include "config/pin_extract.h"
#include "config/xml.h"

/* A <login>: what it says takes the place of the same in the <type>s that name it. */
struct loaded_login {
    struct keyref says;
    bool is_used;
};

/* A configuration that is being loaded. */
struct loading {
    struct config *config;
    struct redacted redacted; /* its text */
    struct findings findings;
    const char *pin_key;
    struct loaded_login *logins;
    size_t login_count;
};

struct attribute_rule {
    const char *name;
    bool needed;
    unsigned kinds;   /* bits: which kinds of element may have it; 0: all */
    const char *must; /* "must be ..." for a value that `parse` refuses */
    size_t text;      /* where in the struct a copy of the value belongs; 0: nowhere */
    /* A value that is not empty into the struct; SE_ERR_CONFIG: it is a bad one.  NULL: any text
     * will do, or the loader reads it. */
    se_status (*parse)(void *out, const char *value, const struct attribute_rule *rule);
    /* In place of `parse`: a list of these, separated by blanks, as bits into the unsigned `field`.
     * NULL is behind the last. */
    const char *const *words;
    size_t field, given; /* where `parse` puts a number, and true; given may be 0: nowhere */
    unsigned long least, most;
};

struct child_rule {
    const struct element_rule *element;
    bool needed, several;
    bool choice; /* one at least of those that are marked so is needed */
    bool last;   /* no other comes after it, but a signature */
};

struct element_rule {
    const char *name;
    bool root;                               /* may have what editors and signers add */
    const struct attribute_rule *attributes; /* up to a NULL name; NULL: none */
    const struct child_rule *children;       /* up to a NULL element; NULL: none */
};

/* Reports what is unknown, missing or there too often in the root and below, and suggests names. */
void element_check(struct findings *findings, const struct element_rule *rule, const xmlNode *root);

/* Copies the values into the struct `out`, and reports the bad ones. */
void element_load(struct loading *l, const struct element_rule *rule, const xmlNode *node,
                  void *out);

/* Reports attributes that `kind`, named `owner` in messages, may not have. */
void element_refuse_others(struct findings *findings, const struct element_rule *rule,
                           const xmlNode *node, unsigned kind, const char *owner);

/* Whether an unknown attribute is probably a misspelling of this one, which then is not reported
 * missing too. */
bool element_misspells(const struct element_rule *rule, const xmlNode *node, const char *attribute);

/* Reports a value that the attribute can't have. */
void element_bad_value(struct findings *findings, const struct element_rule *rule,
                       const xmlNode *node, const char *attribute);

/* Copies that live as long as the configuration; "" and findings.failed without memory. */
const char *loading_keep(struct loading *l, const char *text);
/* A path as the configuration has it: file:, classpath: and relative ones are relative to its
 * folder. */
const char *loading_keep_path(struct loading *l, const char *written);

#endif
