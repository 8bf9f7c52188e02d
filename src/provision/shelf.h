/*
 * Where keys are kept, as the commands see it: a token or a file, opened at one alias.
 * What is put on it stays there with commit(), and is gone again after a close() without one.
 */
#ifndef PROVISION_SHELF_H
#define PROVISION_SHELF_H

#include "crypto/key.h"
#include "provision/certify.h"
#include "provision/target.h"

/* Both halves of a key pair; the private one can sign for as long as its shelf is open. */
struct pair {
    EVP_PKEY *private, *public;
};
void pair_free(struct pair *pair);
AUTO_KIND(pair, struct pair, pair_free(p))

struct key_type {
    enum key_family family;
    unsigned bits;     /* RSA */
    const char *group; /* EC, OpenSSL's name */
};

enum replace {
    REPLACE_NOTHING,     /* what is new stands beside what is there */
    REPLACE_CERTIFICATE, /* the certificates that were under the alias when the shelf was opened go
                          */
    REPLACE_ALL,         /* everything that was there goes */
};

enum access {
    ACCESS_LOOK, /* lists what may be seen, with the PIN if there is one */
    ACCESS_USE,  /* signs and changes */
};

struct shelf {
    const struct shelf_type *type;
    const struct target *target;
};

struct shelf_type {
    /* On failure *out is NULL. */
    se_status (*open)(struct shelf **out, const struct target *target, enum access access,
                      se_error *err);
    /* Whether there is anything under the alias; SE_ERR_KEY: several keys, of which a command that
     * changes one can't say which. */
    se_status (*holds)(bool *out, const struct shelf *shelf, se_error *err);
    /* The one key under the alias; SE_ERR_KEY: there is none, or several. */
    se_status (*find)(struct pair *out, struct shelf *shelf, se_error *err);

    se_status (*generate)(struct pair *out, struct shelf *shelf, const struct key_type *type,
                          unsigned uses, se_error *err);
    se_status (*put_key)(struct shelf *shelf, EVP_PKEY *key, unsigned uses, se_error *err);
    /* After find(), generate() or put_key(); `chain` may be NULL, certificates of it that are there
     * already are passed over. */
    se_status (*put_certificates)(struct shelf *shelf, X509 *certificate,
                                  const STACK_OF(X509) * chain, se_error *err);
    se_status (*commit)(struct shelf *shelf, enum replace replace, se_error *err);

    /* `mine`: of what is under the alias only. */
    se_status (*list)(struct shelf *shelf, bool mine, const struct provision_report *report,
                      se_error *err);
    void (*close)(struct shelf *shelf);
};

extern const struct shelf_type token_shelf, pkcs12_shelf, pem_shelf;

SE_MUST_CHECK se_status shelf_open(struct shelf **out, const struct target *target,
                                   enum access access, se_error *err);
void shelf_close(struct shelf *shelf); /* accepts NULL */
AUTO_KIND(shelf, struct shelf *, shelf_close(*p))

#endif
