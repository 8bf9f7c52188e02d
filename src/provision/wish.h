/* The words of a wish, understood. */
#ifndef PROVISION_WISH_H
#define PROVISION_WISH_H

#include "provision/shelf.h"

/* "rsa:3072", "ec:P-256" */
SE_MUST_CHECK se_status key_type_parse(struct key_type *out, const char *text, se_error *err);

/* What the descriptors do with the target's key: USE_ bits, none without a descriptor. */
unsigned uses_wanted(const struct target *target);

/* "sign", "encrypt", "both": USE_ bits.  EC keys only sign here. */
SE_MUST_CHECK se_status uses_parse(unsigned *out, const char *text, enum key_family family,
                                   se_error *err);

/* A wish with what it points to. */
struct certificate_wish {
    struct wish wish;
    X509_NAME *subject;
    GENERAL_NAMES *alternatives;
};
SE_MUST_CHECK se_status wish_parse(struct certificate_wish *out, const struct provision_wish *wish,
                                   const struct target *target, enum key_family family,
                                   se_error *err);
void certificate_wish_free(struct certificate_wish *wish);
AUTO_KIND(certificate_wish, struct certificate_wish, certificate_wish_free(p))

#endif
