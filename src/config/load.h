/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in the root. */
#ifndef CONFIG_LOAD_H
#define CONFIG_LOAD_H

#include "config/element.h"

/* <login>s, before <keys>, which take from them. */
void load_logins(struct loading *l, const xmlNode *root);
void check_logins(struct loading *l);
void free_logins(struct loading *l);

/* What is special to vaults in a <type>; after its PIN. */
void load_vault(struct loading *l, struct keyref *ref, const xmlNode *type);

/* When all keys are there: finds what `credentialKey` names. */
void load_signers(struct loading *l);

/* `pin` and its kin of a <type> or <login>. */
void load_pin(struct loading *l, struct keyref *ref, const xmlNode *node);

/* <keys>, before <descriptors>, which look for them. */
void load_keys(struct loading *l, const xmlNode *keys);
void load_descriptors(struct loading *l, const xmlNode *descriptors);

/* <access>, after <descriptors>, which its rows name. */
void load_access(struct loading *l, const xmlNode *access);

#endif
