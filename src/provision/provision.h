/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `signengine key` does: keys and certificates made, brought in, listed and removed, in tokens
 * and in files.
 *
 * Whatever fails leaves things as they were: a key pair without its certificate is removed again, a
 * file is replaced whole or not at all. SE_ERR_USAGE: what is asked for can't be; SE_ERR_FORMAT:
 * the input given is not what it should be; SE_ERR_IO: the output can't be written, or something is
 * there already; the others as signengine.h has them.
 */
#ifndef PROVISION_PROVISION_H
#define PROVISION_PROVISION_H

#include "base/buf.h"

/* One place for one key: in a token or in a file. */
struct target;

/* The <key> of that name; `replica` counts its <type>s from 1, 0 is only right when there is one.
 * `options` may be NULL. */
SE_MUST_CHECK se_status target_configured(struct target **out, const char *config, const char *key,
                                          unsigned replica, const se_options *options,
                                          se_error *err);

/* Each <type> of each <key>, in the order of the file, till `fn` returns false. */
typedef bool (*target_fn)(void *arg, struct target *target, const char *key, unsigned replica);
SE_MUST_CHECK se_status target_each(const char *config, target_fn fn, void *arg,
                                    const se_options *options, se_error *err);

/* A place without a configuration; strings are "" when they are not given, and last as long as the
 * target. */
struct target_location {
    const char *module, *init_args, *slot, *token_label, *token_serial; /* of a token */
    const char *file; /* PKCS #12 or PEM: as it is, or by its name if it is new */
    const char *alias;
};
SE_MUST_CHECK se_status target_direct(struct target **out, const struct target_location *place,
                                      se_error *err);
void target_free(struct target *target); /* accepts NULL */
AUTO_KIND(target, struct target *, target_free(*p))

/* Takes over *pin, which is used in place of a configured one. */
void target_set_pin(struct target *target, se_buf *pin);

/* Who hears of what is done; NULL: nobody. */
struct target_listener {
    void (*note)(void *arg, const char *text);     /* a sentence that a person should know */
    void (*progress)(void *arg, const char *text); /* the store is still at work */
    void *arg;
};
void target_listen(struct target *target, const struct target_listener *listener);

/* What a person is asked about: "key 'k1' in token 'lab'", lasts as long as the target. */
const char *target_text(const struct target *target);

/* Rows for people and machines; strings are never NULL and last for the call only. */
struct slot_row {
    unsigned long slot;
    const char *label, *model, *serial;
    bool initialised, user_pin, pin_locked;
};
/* What stores with versions know of one of them. */
struct key_state {
    const char *version;    /* "": not of one */
    const char *protection; /* "HSM", "software"; "": it is not known */
    bool is_used;           /* it is the one that the configuration means */
    bool is_enabled, is_exportable;
    int64_t created, expires;           /* seconds since 1970; 0: it is not known; it does not */
    int64_t deleted, recoverable_until; /* 0: it is not deleted; it can't be recovered */
};
struct key_row {
    const char *label, *type; /* "RSA-3072", "EC-P-256" */
    const char *id;           /* hexadecimal */
    bool has_private, has_certificate;
    bool may_sign, may_decrypt;    /* the private key, as far as its store says */
    bool may_leave;                /* likewise; out of a token only under another key */
    const char *subject;           /* RFC 4514 */
    int64_t not_after;             /* seconds since 1970; 0: no certificate */
    const struct key_state *state; /* NULL: its store knows no such things */
};
struct provision_report {
    void (*slot)(void *arg, const struct slot_row *row);
    void (*key)(void *arg, const struct key_row *row);
    void *arg;
};

/*
 * The question before anything existing goes for good.  `loss` gets a row for each part of it, then
 * `ask` says whether it may go; anything but SE_OK ends the command, and everything stays.
 * `descriptor` uses the key; NULL: none is known to.
 */
struct provision_consent {
    struct provision_report loss;
    se_status (*ask)(void *arg, const char *descriptor, se_error *err);
    void *arg;
    bool dry_run; /* ends without a change, and without asking */
};

/* What a new key, certificate or request is to be like. */
struct provision_profile {
    const char *type;    /* "rsa:3072", "ec:P-256"; "": as is usual in the store */
    const char *subject; /* "/CN=..." or RFC 4514; "": CN= the alias */
    const char *usage; /* "sign", "encrypt", "both"; "": what the descriptors do with the key, else
                          to sign */
    const char *const *alternatives; /* "DNS:host", "email:a@example.org", ... */
    size_t alternative_count;
    unsigned days;
    bool force;                              /* replaces what is there */
    const struct provision_consent *consent; /* NULL: there is no need to ask */
    const char *protection;                  /* "hsm", "software"; NULL: as the store likes */
    unsigned expires;                        /* days until the key itself does; 0: it does not */
    const char *like; /* a <key> whose type and certificate say what is not said here; NULL: none */
    bool is_exportable; /* may leave its token under another key; with `like`, where the store
                         * leaves that to who makes a key */
};

/*
 * Initialises the target's slot, or the first one with a token that is not initialised, as its
 * tokenLabel ("signengine" without one) says, and gives the token its user PIN: the target's PIN.
 * report->slot says where it is then.  `force`: wipes an initialised one, if `consent`, which may
 * be NULL, says so.
 */
SE_MUST_CHECK se_status provision_init(struct target *target, const se_buf *so_pin, bool force,
                                       const struct provision_consent *consent,
                                       const struct provision_report *report, se_error *err);
enum list_scope {                    /* bits */
                  LIST_OWN = 1,      /* what is under the target's alias, and nothing else */
                  LIST_VERSIONS = 2, /* all versions of each key */
                  LIST_DELETED =
                      4, /* what is deleted and can be recovered, instead of what is there */
};
/* All slots of a module, and the keys of the target's token, file or vault; with LIST_OWN only what
 * is under its alias. */
SE_MUST_CHECK se_status provision_list(struct target *target, unsigned scope,
                                       const struct provision_report *report, se_error *err);
/* These three report the key as it is then. */
SE_MUST_CHECK se_status provision_generate(struct target *target,
                                           const struct provision_profile *wanted,
                                           const struct provision_report *report, se_error *err);
/* `file`: PKCS #12 or PEM; `authorities`: more certificates, PEM, may be empty. */
struct provision_import {
    se_bytes file;
    const char *name;       /* the file's, for messages */
    const se_buf *password; /* may be an empty one */
    se_bytes authorities;
    const char *usage; /* "": as the certificate's keyUsage says, and what the descriptors do with
                          the key */
    bool force;
    const struct provision_consent *consent; /* as above */
    const char *protection;                  /* likewise */
    bool is_exportable;                      /* likewise */
};
SE_MUST_CHECK se_status provision_import(struct target *target,
                                         const struct provision_import *import,
                                         const struct provision_report *report, se_error *err);
/* `file`: what a CA sends back: PEM or DER certificates, or PKCS #7. */
SE_MUST_CHECK se_status provision_certificate(struct target *target, se_bytes file,
                                              const struct provision_report *report, se_error *err);

/* A PKCS #10 request in PEM. */
SE_MUST_CHECK se_status provision_request(se_buf *out, struct target *target,
                                          const struct provision_profile *wanted, se_error *err);
/*
 * Mends what provision_generate() has left when it was stopped: writes the file that the
 * configuration names for the certificate, if the store has that, and certifies a key of a store
 * where a deleted one keeps its name.  *is_whole: whether there is a key with its certificate then;
 * what else is there is better made anew.
 */
SE_MUST_CHECK se_status provision_complete(bool *is_whole, struct target *target,
                                           const struct provision_profile *wanted, se_error *err);

/* Removes the one private key under the alias, its public key and its certificates.  `consent` may
 * be NULL. */
SE_MUST_CHECK se_status provision_delete(struct target *target,
                                         const struct provision_consent *consent, se_error *err);

/*
 * ---- the next version of a descriptor ----
 *
 * It is a text first: the configuration with one <descriptor> more, and with one <key> more unless
 * the next key is there.  What it says is all that is remembered while a rotation is under way.
 */
struct rotation {
    unsigned version; /* the next one */
    unsigned previous_version;
    unsigned number; /* in the name of a new key */
    int64_t from;    /* when it takes over */
    char *key, *previous_key;
    bool is_new_key; /* the configuration does not have `key` yet */
    bool is_done;    /* it has the version already */
};
void rotation_free(struct rotation *rotation);
AUTO_KIND(rotation, struct rotation, rotation_free(p))

struct rotation_wish {
    const char *descriptor;
    const char *to; /* a <key> that is there; NULL: one like the last, in the same store */
    int64_t from;
    se_difference_fn difference; /* hears what changes; may be NULL */
    void *difference_arg;
};

/* `text` with the next version, `path` being where it is.  Both texts may hold PINs. */
SE_MUST_CHECK se_status rotation_plan(se_buf *out, struct rotation *what, se_bytes text,
                                      const char *path, const struct rotation_wish *wish,
                                      se_error *err);

/* What `next`, which rotation_plan() has made of `text` as it was then, is about. */
SE_MUST_CHECK se_status rotation_read(struct rotation *what, se_bytes text, se_bytes next,
                                      const char *path, const char *descriptor, se_error *err);

/*
 * ---- the end of a version ----
 *
 * What was made with it neither verifies nor decrypts any more.
 */
struct retirement {
    char *key;        /* that it used */
    bool is_key_used; /* by another descriptor or version still, or by a login */
};
void retirement_free(struct retirement *retirement);
AUTO_KIND(retirement, struct retirement, retirement_free(p))

struct retirement_wish {
    const char *descriptor;
    unsigned version;
    se_difference_fn difference; /* as above */
    void *difference_arg;
};

/* `text` with the version in a comment that has the date.  SE_ERR_POLICY: it is the newest or the
 * current one, or no other can sign, or encrypt. */
SE_MUST_CHECK se_status retirement_plan(se_buf *out, struct retirement *what, se_bytes text,
                                        const char *path, const struct retirement_wish *wish,
                                        se_error *err);

/* Whether the certificate of a <key> is of its own making: no CA is waited for then. */
SE_MUST_CHECK se_status provision_is_self_issued(bool *out, const char *config, const char *key,
                                                 const se_options *options, se_error *err);

#endif
