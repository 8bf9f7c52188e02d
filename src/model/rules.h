/* The rules about a configuration as a whole. */
#ifndef MODEL_RULES_H
#define MODEL_RULES_H

#include "model/findings.h"

/* Names that are there twice, keys that several descriptors share or none uses. */
void rules_check(struct findings *findings, const struct config *config);

#endif
