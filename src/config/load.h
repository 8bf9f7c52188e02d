/* SPDX-License-Identifier: Apache-2.0 */
/* <keys> and <descriptors>. */
#ifndef CONFIG_LOAD_H
#define CONFIG_LOAD_H

#include "config/element.h"

/* <keys>, before <descriptors>, which look for them. */
void load_keys(struct loading *l, const xmlNode *keys);
void load_descriptors(struct loading *l, const xmlNode *descriptors);

#endif
