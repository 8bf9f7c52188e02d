/* What a descriptor's name stands for: the rules of the well-known uses, one row each. */
#ifndef MODEL_USES_H
#define MODEL_USES_H

#include <stdbool.h>

#include "model/algorithm.h"

enum key_usage {
    USAGE_ANY,                /* not looked at */
    USAGE_SIGN_IF_STATED,     /* a keyUsage that is there holds digitalSignature or nonRepudiation (RFC 5280, 4.2.1.3) */
    USAGE_SIGN,               /* keyUsage is there and holds digitalSignature or nonRepudiation */
    USAGE_CRITICAL_SIGNATURE, /* keyUsage is there, is critical, and holds digitalSignature */
};

struct use {
    const char *name;          /* "att_*": all names that begin so; NULL: names of the operator's own */
    unsigned kinds;            /* bits 1 << enum algorithm_kind that a descriptor of this name may have */
    enum key_family family;    /* that its keys may have */
    unsigned rsa_min, rsa_max; /* bits */
    bool self_signed;          /* allowed */
    bool validity;             /* an expired certificate may not be used, nor be verified against */
    bool mail_address;         /* the certificate names one */
    enum key_usage usage;
    bool public_only; /* verification with keys of others: there is no private key */
};

/* The row of that name, else the row of the operator's own names. */
const struct use *use_find(const char *name);

#endif
