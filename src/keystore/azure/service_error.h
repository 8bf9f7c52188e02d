/* SPDX-License-Identifier: Apache-2.0 */
/* What a service says of its failure, in whatever shape, as words for messages. */
#ifndef KEYSTORE_AZURE_SERVICE_ERROR_H
#define KEYSTORE_AZURE_SERVICE_ERROR_H

#include "keystore/azure/answer.h"

struct service_error {
    char code[64];   /* the inner code where there is one; "" without */
    char text[1024]; /* all lines */
    char right[128]; /* that is missing: "Microsoft.KeyVault/vaults/keys/sign/action", "keys get" */
    unsigned long number; /* of Entra: 7000215; 0: none */
    const char *looks;    /* what came instead of JSON; NULL: it was JSON */
};

/* Never fails: what can't be read is not there. */
void service_error_read(struct service_error *out, const struct http_answer *answer);

/* What a failure means: the first row that fits. */
struct failure_row {
    long from, to;        /* statuses of HTTP */
    unsigned long number; /* 0: any */
    const char *code;     /* NULL: any; case does not count */
    const char *fragment; /* of the text; likewise */
    se_status meaning;
    const char *sentence;
};

/*
 * "cannot WHAT: SENTENCE (HTTP 403, CODE: "what the service said", request ID)".  The last row has
 * to fit everything.  Returns its status.
 */
se_status service_error_tell(const struct failure_row *rows, size_t count,
                             const struct service_error *error, const struct http_answer *answer,
                             const char *what, se_error *err);

#endif
