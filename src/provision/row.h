/* Rows of a report, from what shelves have. */
#ifndef PROVISION_ROW_H
#define PROVISION_ROW_H

#include "crypto/key.h"
#include "provision/provision.h"

/* What is known about one key; whatever is missing shows as such. */
struct row {
    const char *label;
    se_bytes id;
    EVP_PKEY *public;  /* NULL: the certificate's, or `type` */
    const char *type;  /* when there is neither */
    X509 *certificate; /* may be NULL */
    bool has_private, may_sign, may_decrypt;
};
void report_row(const struct provision_report *report, const struct row *row);

#endif
