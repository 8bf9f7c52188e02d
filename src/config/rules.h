/* The rules about a configuration as a whole. */
#ifndef CONFIG_RULES_H
#define CONFIG_RULES_H

#include "config/findings.h"

/* Names that are there twice, keys that several descriptors share or none uses. */
void rules_check(struct findings *findings, const struct config *config);

#endif
