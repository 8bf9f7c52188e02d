#include "provision/row.h"

#include <stdio.h>

#include "crypto/certificate.h"
#include "provision/certify.h"

enum { ID_SHOWN = 64 };

static void hex(char out[2 * ID_SHOWN + 1], se_bytes bytes)
{
    const unsigned char *p = bytes.data;

    *out = '\0';
    for (size_t i = 0; i < bytes.size && i < ID_SHOWN; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", p[i]);
}

void report_row(const struct provision_report *report, const struct row *row)
{
    EVP_PKEY *public = row->public        ? row->public
                       : row->certificate ? X509_get0_pubkey(row->certificate)
                                          : NULL;
    char type[32] = "", id[2 * ID_SHOWN + 1], subject[256] = "";

    if (public)
        key_type_name(type, public);
    else
        (void)snprintf(type, sizeof type, "%s", row->type);
    if (row->certificate)
        certificate_subject(subject, sizeof subject, row->certificate);
    hex(id, row->id);
    report->key(report->arg,
                &(struct key_row){
                    .label = row->label,
                    .type = type,
                    .id = id,
                    .has_private = row->has_private,
                    .has_certificate = row->certificate,
                    .may_sign = row->may_sign,
                    .may_decrypt = row->may_decrypt,
                    .subject = subject,
                    .not_after = row->certificate ? certificate_not_after(row->certificate) : 0,
                });
}
