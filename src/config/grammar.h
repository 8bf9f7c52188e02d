/* SPDX-License-Identifier: Apache-2.0 */
/* Which elements and attributes a configuration has, with their values.
 * schemas/engineSignEncrypt.xsd says the same to editors; a test compares the two. */
#ifndef CONFIG_GRAMMAR_H
#define CONFIG_GRAMMAR_H

#include "config/element.h"

extern const struct element_rule root_rule, descriptor_rule, job_rule, key_rule, store_rule,
    login_rule, allow_rule, user_rule, group_rule, certificate_rule, allowed_descriptor_rule,
    allowed_history_rule;

#define HEX_DIGITS "0123456789abcdefABCDEF"
#define HOST_LETTERS                                                                               \
    "abcdefghijklmnopqrstuvwxyz"                                                                   \
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-"
#define TENANT_LETTERS  HOST_LETTERS "_"
#define HISTORY_LETTERS HOST_LETTERS "_"

/* The kinds of store, as bits. */
enum { STORE_PKCS12 = 1, STORE_PEM = 2, STORE_HSM = 4, STORE_VAULT = 8 };

/* The name as it is written canonically, and its kind; NULL: there is no such store. */
const char *store_parse(unsigned *kind, const char *name);

/* Whether a `certificate` names a file, and does not hold the certificate itself. */
bool certificate_is_file(const char *value);

/* "https://host" or "https://host:port", for the scheme "https://". */
bool is_origin(const char *value, const char *scheme);

/* As the attributes have them; "" for none. */
const char *vault_mode_name(enum vault_mode mode);
const char *credential_name(enum credential credential);

#endif
