/* What the readers of the tree share while a configuration is being loaded. */
#ifndef CONFIG_LOAD_H
#define CONFIG_LOAD_H

#include "config/findings.h"
#include "config/pin_extract.h"
#include "config/xml.h"

struct loading {
    struct config *config;
    struct lifted *lifted;
    struct findings findings;
    const char *pin_key;
};

/* A copy that lives as long as the configuration; "" and findings.failed without memory. */
const char *load_keep(struct loading *l, const char *text);
const char *load_value(struct loading *l, const xmlNode *element, const char *attribute);

/* A path as it is written in the configuration: file:, classpath: and relative ones are relative to
 * its folder.  Kept likewise. */
const char *load_path(struct loading *l, const char *written);

/* An optional number; false: absent or found to be bad. */
bool load_number(unsigned long *out, struct loading *l, const xmlNode *element,
                 const char *attribute, unsigned long max);

enum { STORE_PKCS12 = 1, STORE_PEM = 2, STORE_HSM = 4, STORE_VAULT = 8 };

/* After the certificate and before the PIN, whose place a URI may say. */
void load_token(struct loading *l, struct keyref *ref, const xmlNode *type, unsigned kind);

/* <keys>, before <descriptors>, which look for them. */
void load_keys(struct loading *l, const xmlNode *keys);

void load_descriptors(struct loading *l, const xmlNode *descriptors);
void load_algorithm(struct loading *l, struct algorithm *out, const xmlNode *type);

#endif
