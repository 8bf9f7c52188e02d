/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration as plain structs, immutable once loaded.
 * Strings are never NULL: an absent or empty attribute is "".  They belong to the configuration.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "base/buf.h"
#include "config/access.h"
#include "config/algorithm.h"
#include "config/policy.h"

/* How a program proves to a vault's login service who it is; never guessed. */
enum credential {
    CREDENTIAL_NONE, /* not given */
    CREDENTIAL_SECRET,
    CREDENTIAL_CERTIFICATE,
    CREDENTIAL_MANAGED_IDENTITY,
    CREDENTIAL_WORKLOAD_IDENTITY,
    CREDENTIAL_ENVIRONMENT,
};

/* What `alias` names in an Azure Key Vault. */
enum vault_mode {
    VAULT_MODE_NONE, /* not given: a certificate, unless `certificate` gives one */
    VAULT_MODE_KEY,
    VAULT_MODE_CERTIFICATE,
};

/* One <type> of a <key>: where a key is. */
struct keyref {
    int line;
    const char *store; /* canonical: "pkcs12", "pem", "HSM", "AzureKeyVault", "AzureManagedHSM" */
    const char *location; /* locationValue; a file's path is already absolute or relative to the
                             working directory */
    const char *alias;
    se_buf id;               /* CKA_ID of key and certificate; empty: any */
    const char *certificate; /* path of a PEM or DER file; "" when absent or given as base64 */
    se_buf certificate_der;  /* given as base64 */
    se_buf certificate_text; /* the file, if it was read (config/files.h) */

    /* which token of the module; all unset: the one that holds the alias */
    bool has_slot, has_slot_index;
    unsigned long slot, slot_index;
    const char *token_label, *token_serial;
    const char *token_manufacturer, *token_model; /* only URIs say them */
    const char *init_args;                        /* pReserved of C_Initialize */

    unsigned max_sessions, keep_alive, deadline; /* sessions, seconds, seconds; 0: not given */
    bool failback, no_deadline;

    /* of vaults; what a <login> says is here as well */
    const char *login; /* its name */
    enum vault_mode mode;
    const char *key_version; /* 32 hexadecimal digits; "": the certificate's */
    enum credential credential;
    int64_t secret_until; /* when its secret ends, in seconds; 0: not given */
    const char *tenant, *client;
    const char *credential_key;     /* the <key> that signs assertions, */
    const struct key_entry *signer; /* found; NULL: none */
    const char *authority, *resource, *proxy, *api_version;
    const char *ca_file; /* path of a PEM file */

    /* at most one of the three; use keyref_pin() */
    const char *pin_source;    /* "env:NAME", "file:/path", "credential:NAME" */
    se_buf pin;                /* plain, from `pin` or an unscrambled `pin.encrypted` */
    const char *pin_scrambled; /* "{se1}..." */
    const char *pin_key;       /* file that unscrambles it */

    /* as the file has them, for the fingerprint: folders differ between machines */
    const char *location_written, *certificate_written, *ca_file_written;

    struct config *config;         /* that it is part of; NULL: none */
    const struct key_entry *entry; /* in it, of which it is a replica; NULL: it is by itself */
    struct held_keyref *held;      /* what it is part of once it is held */
};

/*
 * The PIN, NUL-terminated, for as long as the caller needs it; released with se_buf_free().  Empty
 * when none is configured. SE_ERR_ACCESS: its source has none, or it can't be unscrambled.
 */
SE_MUST_CHECK se_status keyref_pin(se_buf *out, const struct keyref *ref, se_error *err);

/* Whether one is configured, wherever it is. */
bool keyref_has_pin(const struct keyref *ref);

/* The file that it, or what unscrambles it, is in; NULL: in none, or out of memory.  Released with
 * free(). */
char *keyref_pin_file(const struct keyref *ref);

/*
 * `ref` for as long as it is needed, until keyref_release(): a key, a login or a call into a store
 * that does not return may outlive the engine, the target or the function that `ref` is from.
 * What is held already is counted, anything else is copied, with its PIN; NULL: out of memory.
 */
const struct keyref *keyref_hold(const struct keyref *ref);
void keyref_release(const struct keyref *ref); /* accepts NULL */
AUTO_KIND(keyref, const struct keyref *, keyref_release(*p))

/* One <key>. */
struct key_entry {
    int line;
    const char *name;
    struct keyref *replicas; /* at least one, in the order of the file */
    size_t count;
};

/* How far a data key goes, and how long it is remembered once it is unwrapped. */
struct data_key_limits {
    unsigned long uses,
        bytes; /* encrypting: fields and bytes of a call that share one; 0: not given */
    unsigned long cache_size, cache_age; /* decrypting: keys, seconds */
    bool has_cache_size, has_cache_age;
};
enum {
    DATA_KEY_USES = 65536,
    DATA_KEY_USES_MAX = 1 << 24,
    DATA_KEY_BYTES = 1 << 30,
    DATA_KEY_CACHE_SIZE = 1000,
    DATA_KEY_CACHE_SIZE_MAX = 16384,
    DATA_KEY_CACHE_AGE = 300,
    DATA_KEY_CACHE_AGE_MAX = 86400,
};

/* When a version signs and encrypts. */
struct version_time {
    int64_t from, until; /* seconds; 0: no limit */
    bool verify_only;    /* signs="false": never */
};

/* One <descriptor>. */
struct descriptor {
    int line;
    const char *name;
    unsigned version;
    struct algorithm algorithm; /* of the job */
    struct data_key_limits limits;
    const struct use *use; /* the rules that its name stands for; never NULL */
    const struct key_entry *key;
    struct version_time time;
};

struct config {
    const char *path, *folder;
    struct descriptor *descriptors; /* in the order of the file */
    size_t descriptor_count;
    struct key_entry *keys;
    size_t key_count;
    struct access_row *access_rows; /* in the order of the file, which decides */
    size_t access_row_count;
    struct text_list *texts; /* what holds the strings */
    unsigned holds;          /* atomic; of keyrefs */
};

struct config_options {
    se_report_fn report; /* may be NULL */
    void *report_arg;
    const char *pin_key; /* NULL: pin.key in the configuration's folder */
    /* Checks the file's text before any of it is parsed; NULL: no check. */
    se_status (*vouch)(void *arg, se_bytes text, se_error *err);
    void *vouch_arg;
};

/*
 * Reads, validates and checks.  Every finding goes to options->report, in the order of the lines;
 * the first error also into `err`, as `FILE:LINE: text`.  A finding about the file as a whole has
 * line 0 and names the file in its text.
 */
SE_MUST_CHECK se_status config_load(struct config **out, const char *path,
                                    const struct config_options *options, se_error *err);
/* The same for a text in memory, which it takes over and wipes; `path` is only named, and locates
 * relative files. */
SE_MUST_CHECK se_status config_parse(struct config **out, se_buf *text, const char *path,
                                     const struct config_options *options, se_error *err);
/* Wiped and released at once, or when the last keyref that is held is released.  Accepts NULL. */
void config_free(struct config *config);
AUTO_KIND(config, struct config *, config_free(*p))

/* Copies of texts that are released together; NULL: out of memory. */
struct text_list;
const char *text_list_keep(struct text_list **list, const char *text);
void text_list_free(struct text_list *list);

/* Copies that live as long as the configuration; NULL: out of memory.  A path: file:, classpath:
 * and relative ones are relative to the configuration's folder. */
const char *config_keep(struct config *config, const char *text);
const char *config_keep_path(struct config *config, const char *written);

/* version 0: the highest.  SE_ERR_NO_DESCRIPTOR names near misses, or the versions that there are.
 */
SE_MUST_CHECK se_status config_descriptor(const struct descriptor **out,
                                          const struct config *config, const char *name,
                                          unsigned version, se_error *err);
/* The versions that there are, in the order of the file, as "1, 3, 2". */
void config_put_versions(struct writer *w, const struct config *config, const char *name);
/* SE_ERR_CONFIG names the nearest key. */
SE_MUST_CHECK se_status config_key(const struct key_entry **out, const struct config *config,
                                   const char *name, se_error *err);

/* Property by property, as se_describe() tells it: PINs masked as "***". */
void config_describe(const struct config *config, se_property_fn fn, void *arg);

/* The canonical form that se_fingerprint() hashes (doc/formats.md). */
SE_MUST_CHECK se_status config_canonical(se_buf *out, const struct config *config, se_error *err);

#endif
