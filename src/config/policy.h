/* SPDX-License-Identifier: Apache-2.0 */
/* What a descriptor's name stands for: the rules of the well-known uses, one row each. */
#ifndef CONFIG_POLICY_H
#define CONFIG_POLICY_H

#include <stdbool.h>

#include "config/algorithm.h"

enum key_usage {
    USAGE_ANY,            /* not checked */
    USAGE_SIGN_IF_STATED, /* of those that sign, a keyUsage that is there holds digitalSignature or
                             nonRepudiation (RFC 5280, 4.2.1.3) */
    USAGE_SIGN,           /* keyUsage is there and holds digitalSignature or nonRepudiation */
    USAGE_CRITICAL_SIGNATURE, /* keyUsage is there, is critical, and holds digitalSignature */
};

/* What a signature is for, as far as a certificate's extendedKeyUsage may limit it. */
enum purpose {
    PURPOSE_ANY, /* not checked: only the key counts */
    PURPOSE_DOCUMENT,
    PURPOSE_MAIL,
    PURPOSE_ZIP,
    PURPOSE_CONFIG,
    PURPOSE_TIME_STAMP,
};

enum { ACCEPTED_MOST = 5 };
struct purpose_rule {
    const char *things; /* what is signed, for messages */
    struct {
        const char *name, *oid;
    } accepted[ACCEPTED_MOST]; /* one of them, where the certificate has the extension */
    bool own_exempt; /* a certificate that is trusted as itself, and not for its CA's sake, may have
                        others */
    bool dedicated;  /* the extension is there, is critical, and holds nothing else; keyUsage holds
                        nothing but signatures */
};

struct use {
    const char *name; /* "att_*": all names that begin so; NULL: names of the operator's own */
    unsigned kinds;   /* bits 1 << enum algorithm_kind that a descriptor of this name may have */
    enum key_family family;    /* that its keys may have */
    unsigned rsa_min, rsa_max; /* bits */
    bool self_signed;          /* allowed */
    bool validity;             /* an expired certificate may not be used, nor be verified against */
    bool mail_address;         /* the certificate names one */
    bool container;            /* it is there for zips */
    enum key_usage usage;
    enum purpose purpose; /* of signatures, unless the caller says another */
    bool public_only;     /* verification with keys of others: there is no private key */
};

/* The row of that name, else the row of the operator's own names. */
const struct use *use_find(const char *name);

const struct purpose_rule *purpose_rule(enum purpose purpose);

#endif
