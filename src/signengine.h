/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signengine.h: sign and encrypt with keys that an engineSignEncrypt.xml names.
 *
 * An application asks for a job by the name of a descriptor and never sees a key.
 *
 * Threads: any number of threads may use one se_engine at once, also while it is loaded again
 * (se_reload()); se_close() must be the last call on it. The library calls PKCS #11 modules on
 * threads of its own, so that a module that never returns holds nobody up for longer than the key's
 * `deadline`, and has many fields worked on by them. These threads block all signals and end five
 * seconds after their last use.
 *
 * Forks: the child of a fork may use an engine of its parent. The engine opens its key stores anew.
 * The child has no thread that watches (se_options.watch): there, se_reload() does it.
 *
 * Errors: every function that can fail returns an se_status and fills the caller's se_error, which
 * may be NULL. Outputs are empty after a failure. NULL where none may be is SE_ERR_USAGE.
 *
 * Ownership: inputs are borrowed for the call. The caller releases each se_buf with se_buf_free(),
 * and closes what a function opened. Strings in a callback last for the call only.
 *
 * Options: structs that begin with `size` may grow. { sizeof(TYPE) }, or the macro beside the
 * struct, begins one; zero is the default of every member; NULL is a struct of defaults.
 *
 * Units: times are int64_t, in seconds since 1970 (UTC); members whose names end in `_us` are in
 * microseconds. Sizes are in bytes. Text is UTF-8.
 *
 * The library never prints and never exits. It reads the environment only where the configuration
 * says `env:` or `credential:`.
 */
#ifndef SIGNENGINE_H
#define SIGNENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SE_MUST_CHECK __attribute__((warn_unused_result))

/* ---- status and errors ---- */

/* What the caller can do about it. */
typedef enum se_status {
    SE_OK = 0,
    SE_ERR_MEMORY,        /* out of memory */
    SE_ERR_USAGE,         /* the call itself is wrong: mend the program */
    SE_ERR_CONFIG,        /* the configuration is wrong: mend the file */
    SE_ERR_NO_DESCRIPTOR, /* the configuration has no such descriptor or version */
    SE_ERR_POLICY,        /* the key or its certificate may not be used for this job */
    SE_ERR_KEY,    /* the store has no such key or certificate, or they do not belong together */
    SE_ERR_STORE,  /* the key store is not there or not usable: trying again does not help */
    SE_ERR_ACCESS, /* PIN wrong, locked or missing, or no permission */
    SE_ERR_UNAVAILABLE, /* the key store is away: try again later */
    SE_ERR_FORMAT,      /* the input is not what the format prescribes */
    SE_ERR_REJECTED,    /* well-formed, but refused: bad signature, untrusted signer, ... */
    SE_ERR_IO,          /* reading or writing failed */
    SE_ERR_CANCELLED,   /* the progress callback said stop */
    SE_ERR_CRYPTO,      /* the cryptographic library failed where it should not */
} se_status;

/* One word for a status, as "unavailable"; never NULL. */
const char *se_status_name(se_status status);

/* Owned by the caller; start it with SE_ERROR_INIT. The text is one line and holds no secret. Each
 * call begins it anew: after SE_OK it is empty. */
typedef struct se_error {
    se_status status;
    int line;         /* of the source file that noticed */
    const char *file; /* static */
    char text[1000];  /* UTF-8; what was looked for and what is there instead */
} se_error;
#define SE_ERROR_INIT                                                                              \
    {                                                                                              \
        SE_OK, 0, NULL, ""                                                                         \
    }

/* ---- bytes and buffers ---- */

/* Borrowed bytes: never kept after the call. */
typedef struct se_bytes {
    const void *data;
    size_t size;
} se_bytes;

/* Owned bytes. se_buf_free() wipes and releases them, and leaves the se_buf empty; it accepts an
 * empty one, and NULL. */
typedef struct se_buf {
    unsigned char *data;
    size_t size;
} se_buf;
#define SE_BUF_INIT                                                                                \
    {                                                                                              \
        NULL, 0                                                                                    \
    }
void se_buf_free(se_buf *buf);

/* A name and what it stands for: a part of a context, as "table" and "person", or a member of a
 * header. */
typedef struct se_pair {
    se_bytes name, value;
} se_pair;

/* ---- streams ---- */

/* Where bytes come from. read(): up to `size` bytes; 0 at the end, -1 on failure with errno set.
 */
typedef struct se_source {
    ptrdiff_t (*read)(void *arg, void *data, size_t size);
    void *arg;
    uint64_t total; /* bytes to come, for the progress callback; 0: not known */
} se_source;

/* Where bytes go. write(): all of `size` bytes, 0; or -1 on failure with errno set. */
typedef struct se_sink {
    int (*write)(void *arg, const void *data, size_t size);
    void *arg;
} se_sink;

/* A file descriptor as a source, from where it stands to its end, and as a sink. The descriptor is
 * the caller's and stays open. */
se_source se_source_fd(int fd);
se_sink se_sink_fd(int fd);

/* Called now and then by long jobs, on the caller's thread; false stops the job with
 * SE_ERR_CANCELLED. */
typedef bool (*se_progress_fn)(void *arg, uint64_t done, uint64_t total);

/* ---- open and close ---- */

typedef struct se_engine se_engine;

/* Something that a person should know about the configuration. */
typedef struct se_report {
    bool error;       /* false: a warning */
    const char *file; /* the configuration */
    int line;         /* from 1; 0: the file as a whole */
    const char *text; /* one line */
} se_report;
typedef void (*se_report_fn)(void *arg, const se_report *report);

/* Something that happened: see the section on events, at the end. */
typedef struct se_event se_event;

/*
 * Called on the thread of the call that noticed the event, before that call returns; from several
 * threads at once when several use the engine. With se_options.watch also on a thread of the
 * library's. The job waits meanwhile, so be quick. It must not call a function of the engine, least
 * of all se_close().
 */
typedef void (*se_event_fn)(void *arg, const se_event *event);

typedef struct se_options {
    size_t size;         /* sizeof(se_options), set by SE_OPTIONS_INIT */
    se_report_fn report; /* called for every error and warning of the configuration, in the order of
                            its lines: by se_open(), se_reload() and `watch` */
    void *report_arg;
    const char *pin_key; /* file with the key that unscrambles PINs; NULL: `pin.key` in the
                            configuration's folder */
    se_event_fn event;   /* called for every change of a key's state and every finished operation,
                            until se_close() */
    void *event_arg;

    /* PEM file of CA certificates: a configuration is refused (SE_ERR_CONFIG) unless
     * se_config_verify() accepts it; NULL: it need not be signed */
    const char *trust_config;

    /* A thread loads the engine again, as se_reload() does, when the configuration changes, or a
     * file that it names: certificates, keys, PINs, what unscrambles them, the CAs. What is
     * written is given 200 ms to come to its end. Where the system tells of no changes, they are
     * found within 30 seconds. Events say what became of it; what was refused is tried again */
    bool watch;

    /* Another engine, which this one takes the place of: the keys that it has opened are opened
     * before *out is there, by the same rules and with the same failures as of se_reload(), and
     * what it has noticed about versions is known. It stays as it is, and may be closed at any
     * time after se_open(); NULL: none */
    se_engine *follows;

    /* Whether the certificate of who signed the configuration was revoked; NULL: it is not looked
     * at. It goes with trust_config, or SE_ERR_USAGE. CRLs are read, and others asked, at each
     * loading; `watch` does not look at them */
    const struct se_revocation_params *config_revocation;
} se_options;
#define SE_OPTIONS_INIT                                                                            \
    {                                                                                              \
        sizeof(se_options), NULL, NULL, NULL, NULL, NULL, NULL, false, NULL, NULL                  \
    }

/*
 * Loads and checks the configuration at `path`. No key store is touched before a job needs it. The
 * caller closes *out with se_close(). `options` may be NULL.
 * SE_ERR_CONFIG: the error holds the first finding as `FILE:LINE: text`; options->report got all of
 * them.
 */
SE_MUST_CHECK se_status se_open(se_engine **out, const char *path, const se_options *options,
                                se_error *error);

/*
 * Loads the configuration again, from the same file and by the same options, and reads the files
 * that it names and the certificates in tokens anew. Calls that are under way end as they began,
 * later ones use what is loaded now. Keys that are in use are opened anew before, so this may take
 * as long as their stores do; other threads do not wait meanwhile. Remembered data keys go. A
 * relative path begins in the working directory that the process has now.
 *
 * After a failure all stays as it was, and SE_EVENT_RELOAD_REFUSED tells it, too. SE_ERR_CONFIG: as
 * se_open(). SE_ERR_KEY, SE_ERR_STORE, SE_ERR_ACCESS: a key that is in use can't be opened any
 * more; a store that is away does not hinder. SE_ERR_USAGE: `engine` is of se_hold().
 */
SE_MUST_CHECK se_status se_reload(se_engine *engine, se_error *error);

/*
 * *out is `engine` as it is now: what reloads it later leaves *out as it is. For jobs that consist
 * of several calls. Both have the same keys, sessions and events; each is closed with se_close(),
 * in any order. A history keeps the engine as it was when the history was opened.
 */
SE_MUST_CHECK se_status se_hold(se_engine **out, se_engine *engine, se_error *error);

/*
 * Logs out of the key stores, wipes what is secret, and sets *engine to NULL. Accepts NULL and a
 * pointer to NULL. When a call has not come back from its key store, what it needs is released once
 * it does.
 */
void se_close(se_engine **engine);

/* ---- describe and check ---- */

/*
 * SHA-256 over the canonical form of the configuration (doc/formats.md), PINs left out, as 64
 * hexadecimal digits and a NUL. Processes that share data compare it.
 */
SE_MUST_CHECK se_status se_fingerprint(char out[65], se_engine *engine, se_error *error);

/*
 * Describes the configuration as the engine understood it, property by property, with defaults
 * filled in and PINs masked. `item` is "descriptor NAME:VERSION", "key NAME", "key NAME replica N",
 * "access NAME" or "access NAME certificate N".
 */
typedef void (*se_property_fn)(void *arg, const char *item, const char *property,
                               const char *value);
SE_MUST_CHECK se_status se_describe(se_engine *engine, se_property_fn fn, void *arg,
                                    se_error *error);

/*
 * Lists what differs between the configurations of two engines, in the words of the canonical form,
 * with PINs masked. A NULL `before` or `after`: there is no such value on that side.
 */
typedef void (*se_difference_fn)(void *arg, const char *item, const char *property,
                                 const char *before, const char *after);
SE_MUST_CHECK se_status se_config_diff(se_engine *before, se_engine *after, se_difference_fn fn,
                                       void *arg, se_error *error);

/* What a version of a descriptor does at a time, as `from`, `until` and `signs` of the
 * configuration say. Each of them verifies and decrypts at all times. */
typedef enum se_version_state {
    SE_VERSION_CURRENT = 0, /* the highest whose time it is: it signs and encrypts */
    SE_VERSION_OLDER,       /* a higher one is current; it signs if it is asked for by its number */
    SE_VERSION_WAITS,       /* for its `from` */
    SE_VERSION_ENDED,       /* with its `until` */
    SE_VERSION_VERIFIES,    /* signs="false" */
} se_version_state;

/* One word for a state, as "waits"; never NULL. */
const char *se_version_state_name(se_version_state state);

/* How much a finding of se_check() matters. */
typedef enum se_check_level {
    SE_CHECK_DATE = 0, /* not yet: it is known when something ends */
    SE_CHECK_NOTE,     /* it is as it was meant to be */
    SE_CHECK_WARNING,  /* a person may have to do something about it */
    SE_CHECK_FAILURE,  /* the descriptor can't be used */
} se_check_level;

/* One word for a level, as "warning"; never NULL. */
const char *se_check_level_name(se_check_level level);

/* One thing that se_check() found out. Strings are never NULL. */
typedef struct se_check_finding {
    se_check_level level;
    const char *kind;    /* a word that stays the same: "certificate", "secret", ... as
                            signengine-check(1) lists them */
    const char *subject; /* what it is about, as "descriptor FileSigner:1", "login azure"; rows that
                            share that have the finding each */
    int64_t date;        /* when it ends, or of "waits" begins; 0: it has no date */
    const char *text;    /* one line */
} se_check_finding;

/* What se_check() found out about one descriptor. Strings are never NULL. */
typedef struct se_check_row {
    const char *descriptor; /* its name; or of something else as "tsa URL", "record NAME" */
    unsigned version;       /* 0: of something else */
    const char *key;
    const char *store;     /* "pkcs12", "pem", "HSM", ... */
    const char *algorithm; /* canonical name */
    const char *key_type;  /* "RSA-2048", "EC-P-256"; "" when the key could not be opened */
    const char *subject;   /* of the certificate, RFC 4514; "" likewise */
    int64_t not_after;     /* when the certificate ends; 0 likewise */
    int days_left;         /* until then, rounded down */
    const char *mechanism; /* how the store did the probe, as "CKM_RSA_PKCS" or "software"; of
                              replicas each way once; "" without a probe */
    se_status status;      /* SE_OK: usable */
    bool warning;          /* usable, but `text` should be read */
    const char *text;      /* why not; or the warnings, and what else there is to know; or "" */
    const se_check_finding *findings; /* the same, one by one, and dates that are far away */
    size_t finding_count;
    se_version_state state; /* now */
    int64_t from, until;    /* as the configuration has them; 0: it does not say */
    const char *may_leave;  /* whether the private key may leave its store, if only under another
                               key: "yes", of a replica at least, "no"; "": it is not known */
} se_check_row;
typedef void (*se_check_fn)(void *arg, const se_check_row *row);

typedef struct se_check_options {
    size_t size;
    bool probe; /* also sign and verify, or encrypt and decrypt, with each key, and with each of its
                   replicas */
    int days;   /* warn when a certificate, that of its CA, a client secret or a version without a
                   successor has fewer days left; 0: 30, below 0: never */
} se_check_options;
#define SE_CHECK_OPTIONS_INIT                                                                      \
    {                                                                                              \
        sizeof(se_check_options), false, 0                                                         \
    }

/*
 * Opens the key of every descriptor, with all its replicas, and calls `fn` for each descriptor in
 * the order of the file. `options` may be NULL. A replica that does not serve while another does is
 * a warning. Returns the first status that is not SE_OK, with its error, after the last row.
 */
SE_MUST_CHECK se_status se_check(se_engine *engine, se_check_fn fn, void *arg,
                                 const se_check_options *options, se_error *error);

/*
 * What no configuration names, and has its time as well: `fn` is called for one row, whose version
 * is 0 and whose not_after is that of the authority's certificate. Errors are those of the row.
 *
 * se_check_tsa() asks the time stamping authority at `url`, which may be several as
 * se_sign_params.tsa has them, for a time stamp of random bytes, `policy` as in
 * se_sign_params.tsa_policy; that the clocks differ by more than a minute is a warning.
 * SE_ERR_UNAVAILABLE: it is away, or gives none that would count for who trusts it.
 *
 * se_check_record() looks at the last time stamp of the evidence record in the file `path`, which
 * has to be renewed before the certificate of its authority ends. Nothing is verified, for that
 * takes what it is about (se_evidence_verify()). SE_ERR_FORMAT: it is none; SE_ERR_POLICY: its time
 * is over.
 */
SE_MUST_CHECK se_status se_check_tsa(const char *url, const char *policy, se_check_fn fn, void *arg,
                                     const se_check_options *options, se_error *error);
SE_MUST_CHECK se_status se_check_record(const char *path, se_check_fn fn, void *arg,
                                        const se_check_options *options, se_error *error);

/* ---- sign and verify ---- */

typedef enum se_form {
    SE_FORM_DETACHED = 0, /* CMS SignedData (RFC 5652) in DER, the content is not part of it */
    SE_FORM_ATTACHED,     /* CMS SignedData in BER with the content inside */
    SE_FORM_RAW, /* RFC 8017 RSA signature or DER ECDSA-Sig-Value (RFC 3279), nothing around it */
    /* XML Signature 1.1; these keep the document in memory */
    SE_FORM_XML, /* an XML document, or an element of it, gets a Signature as its last child; all
                    else of its text stays */
    SE_FORM_XML_ENVELOPING, /* a Signature with the XML document in its Object */
    SE_FORM_XML_DETACHED, /* a Signature over the bytes of something else, which may be of any kind
                             and size */
} se_form;

/* What is signed, as far as a certificate's extendedKeyUsage may limit it (RFC 5280, 4.2.1.12). */
typedef enum se_purpose {
    SE_PURPOSE_DESCRIPTOR, /* what the descriptor's name stands for; documents, if it is no
                              well-known one */
    SE_PURPOSE_MAIL,
    SE_PURPOSE_ZIP,
} se_purpose;

/* Whose signatures are accepted when no CAs are given. */
typedef enum se_accept {
    SE_ACCEPT_VERSIONS,     /* a certificate of the descriptor's versions, with the algorithm of
                               its version */
    SE_ACCEPT_CERTIFICATES, /* such a certificate while it is valid, with any algorithm that is
                               strong enough: others' zips */
    SE_ACCEPT_ISSUERS, /* also whomever the issuers of those certificates certify; the key store has
                          to have these (SE_ERR_CONFIG) */
} se_accept;

/* Whether the signer's certificate, and those of the CAs above it, have been revoked. */
typedef enum se_revocation {
    SE_REVOCATION_UNCHECKED, /* it was not looked at */
    SE_REVOCATION_GOOD,      /* not when it signed */
    SE_REVOCATION_UNKNOWN,   /* what there is does not tell */
} se_revocation;

/* Who tells. */
typedef enum se_revocation_source {
    SE_REVOCATION_BY_NOBODY,
    SE_REVOCATION_BY_CRL,
    SE_REVOCATION_BY_OCSP,
} se_revocation_source;

/* How that is found out (RFC 5280, 6.3; RFC 6960).  Whoever says "revoked" counts; the newest CRL
 * and the newest answer of a responder do. CRLs and answers that a CMS signature brings (RFC 5652,
 * 10.2.1; RFC 5940) are looked at in any case. */
typedef struct se_revocation_params {
    size_t size;      /* sizeof(se_revocation_params) */
    const char *crls; /* a file of CRLs, in PEM, or one in DER; or a folder of such files, named
                       *.crl or *.pem. NULL: there are none */
    int64_t max_age;  /* seconds; a CRL or answer that is older tells nothing. 0: until its
                         nextUpdate */
    bool required;    /* SE_REVOCATION_UNKNOWN is a refusal */
    bool stamps_outlive_compromise; /* what was stamped before a key was known to be compromised
                                       stays good; otherwise nothing that was signed with it does */
    bool ask_responders; /* the OCSP responder that a certificate names is asked: by HTTP, without a
                            proxy, for 5 seconds each. That there is no answer is no refusal */
    bool fetch_crls;     /* where nobody else tells, the CRL is fetched whose place a certificate
                            names: likewise */
} se_revocation_params;
#define SE_REVOCATION_PARAMS_INIT                                                                  \
    {                                                                                              \
        sizeof(se_revocation_params), NULL, 0, false, false, false, false                          \
    }

typedef struct se_sign_params {
    size_t size;      /* sizeof(se_sign_params) */
    unsigned version; /* of the descriptor; 0: the current one (se_version_state), by the clock and
                         not by `time` */
    se_form form;
    bool pem;     /* CMS in PEM armour (RFC 7468) */
    int64_t time; /* the signingTime; 0: now */

    /* CMS: URL (http) of a time stamping authority (RFC 3161), whose time stamp of the signature
     * becomes an unsigned attribute; or several, with blanks between them, that are asked in turn
     * until one gives a stamp that would count for whoever trusts it; NULL: none. The error has the
     * reason of each. SE_ERR_UNAVAILABLE: one of them is away; SE_ERR_REJECTED: all refuse, or
     * answer something else */
    const char *tsa;

    se_purpose purpose; /* SE_PURPOSE_MAIL: CMS says besides what the sender can decrypt
                           (sMIMECapabilities, RFC 8551) */

    /* mail addresses, one of which the certificate must name; NULL: it need not */
    const char *const *addresses;
    size_t address_count;

    const char *xml_id;  /* SE_FORM_XML: the ID of the element to sign; NULL: the whole document */
    const char *xml_uri; /* SE_FORM_XML_DETACHED: what the signature calls the content */
    bool xml_inclusive;  /* Canonical XML 1.0 instead of Exclusive Canonical XML */
    se_progress_fn progress; /* may be NULL */
    void *progress_arg;
    /* SE_FORM_DETACHED, SE_FORM_RAW, SE_FORM_XML_DETACHED: the digest of the content, by the digest
     * algorithm of the descriptor (se_signer.digest); then the input has to be empty. Empty: the
     * input is the content */
    se_bytes digest;
    const char *tag; /* for se_event.tag: up to 64 visible ASCII characters; NULL: none */
    int64_t begun;   /* when the job began that this call is a part of: the version that was current
                        then is for all its parts; 0: now */
    unsigned least;  /* no version below this one, and this one before its `from` too: others, whose
                        clocks are ahead, use it already; 0: any */
    bool at_any_time; /* `version`, which has to be stated, before its `from` and after its `until`
                         as well: for tests and repair. Those with signs="false" never sign */
    const char *tsa_policy; /* `tsa`: OID of the policy that the stamp has to be made by, as
                               "1.2.3.4"; NULL: any */
} se_sign_params;
#define SE_SIGN_PARAMS_INIT                                                                        \
    {                                                                                              \
        sizeof(se_sign_params), 0, SE_FORM_DETACHED, false, 0, NULL, SE_PURPOSE_DESCRIPTOR, NULL,  \
            0, NULL, NULL, false, NULL, NULL, { NULL, 0 }, NULL, 0, 0, false, NULL                 \
    }

typedef struct se_verify_params {
    size_t size;            /* sizeof(se_verify_params) */
    unsigned version;       /* of the descriptor; 0: whichever signed */
    se_form form;           /* whether it is CMS, raw or XML: any of each kind */
    se_bytes signature;     /* empty: the input is an attached one, or `later` has it */
    const se_source *later; /* gives the signature once the input has been read to its end; NULL:
                               `signature` has it */
    int64_t time;           /* when certificates must be valid; 0: now */
    const char *trust;      /* PEM file of CA certificates; any signer below them is accepted */
    se_accept accept;       /* without `trust` */
    const char *trust_tsa;  /* PEM file of CA certificates that vouch for time stamping authorities;
                               NULL: those that vouch for signers */
    se_purpose purpose;

    /* mail addresses, one of which the certificate must name; NULL: it need not */
    const char *const *addresses;
    size_t address_count;

    const char *xml_id;  /* the ID of the element that must be signed; NULL: the whole document */
    const char *xml_uri; /* SE_FORM_XML_DETACHED: what the signature must call the content; NULL:
                            anything */
    const se_sink *content;  /* gets the content of an attached signature; not to be used before
                                SE_OK */
    se_progress_fn progress; /* may be NULL */
    void *progress_arg;
    se_bytes digest; /* of detached and raw signatures: that of the content, by the digest algorithm
                        that signed it; then the input has to be empty. Empty: the input is the
                        content */
    const char *tag; /* as se_sign_params.tag */
    const se_revocation_params *revocation; /* NULL: only what the signature brings is looked at */
} se_verify_params;
#define SE_VERIFY_PARAMS_INIT                                                                      \
    {                                                                                              \
        sizeof(se_verify_params), 0, SE_FORM_DETACHED, { NULL, 0 }, NULL, 0, NULL,                 \
            SE_ACCEPT_VERSIONS, NULL, SE_PURPOSE_DESCRIPTOR, NULL, 0, NULL, NULL, NULL, NULL,      \
            NULL, { NULL, 0 }, NULL, NULL                                                          \
    }

/* Who signed, as far as it has been verified; or who would sign. */
typedef struct se_signer {
    unsigned version;   /* of the descriptor; 0: a signer that only `trust` vouches for */
    char algorithm[40]; /* as "SHA256withRSA" */
    char subject[256];  /* RFC 4514, cut if longer */
    char issuer[256];
    char serial[64];      /* hexadecimal */
    int64_t signing_time; /* as the signer says; 0: not said */
    int64_t not_after;    /* of the certificate */
    char address[320];    /* the one of `addresses` that the certificate names */
    int64_t stamp_time;   /* of the time stamp (RFC 3161) that counts, at which the certificate was
                             valid; 0: none does */
    char stamp_authority[256]; /* who made it */
    char stamp_ignored[256];   /* why none counts although there is one; "" otherwise */

    /* of se_find_signer(); "" otherwise */
    char key[256];     /* its name in the configuration */
    char alias[256];   /* what the key store calls it; its name where there is no other */
    char key_type[32]; /* "RSA-2048", "EC-P-256" */
    char digest[16];   /* of the algorithm, as "SHA-256" */

    int64_t stamp_accuracy_us; /* by how much `stamp_time` may be wrong, as its authority says; 0:
                                  not said */

    se_revocation revocation;
    se_revocation_source revocation_source; /* who tells about the certificate */
    char revocation_teller[256]; /* the CRL's issuer, or the responder; "": nobody tells */
    int64_t revocation_update;   /* thisUpdate of what it says */
    char revocation_note[256];   /* SE_REVOCATION_UNKNOWN: why. SE_REVOCATION_GOOD: that it was
                                    revoked after the time that counts, or "" */
} se_signer;

/*
 * Who would sign with these `params`, which may be NULL: params->version, params->begun,
 * params->least and params->addresses decide. The certificate is enough; no private key is opened
 * and no PIN presented, and no token is asked where the configuration names a file with the
 * certificate. Whether the certificate may be used today is for se_sign() and se_check() to say;
 * out->not_after says when it ends. The certificate itself: se_verifier_certificate().
 * SE_ERR_POLICY: the descriptor's algorithm does not sign with that key, the certificate names none
 * of the addresses, or it is not the version's time.
 */
SE_MUST_CHECK se_status se_find_signer(se_signer *out, se_engine *engine, const char *descriptor,
                                       const se_sign_params *params, se_error *error);

/*
 * Signs `in`, or the content of params->digest, with the key of `descriptor`. `params` may be NULL.
 * The caller releases *out. CMS (RFC 5652) carries contentType, messageDigest, signingTime and
 * signingCertificateV2 (RFC 5035), and the certificate chain.
 * SE_ERR_USAGE: among others, the digest has another length than those of the descriptor's
 * algorithm, which the error names. SE_ERR_POLICY: among others, no version is current, or
 * params->version waits for its `from` or has ended; so too of all else that signs or encrypts.
 */
SE_MUST_CHECK se_status se_sign(se_buf *out, se_engine *engine, const char *descriptor, se_bytes in,
                                const se_sign_params *params, se_error *error);

/* The same in constant memory. What `out` got before a failure is worthless. */
SE_MUST_CHECK se_status se_sign_stream(const se_sink *out, se_engine *engine,
                                       const char *descriptor, const se_source *in,
                                       const se_sign_params *params, se_error *error);

/*
 * Verifies params->signature over `in`, or over the content of params->digest, or the attached
 * signature that `in` is. params->form says whether it is CMS, raw or XML: any of the three; XML
 * may also be enveloped. The content of an XML
 * signature is the canonical form of exactly those nodes that are signed: work with that, not with
 * the document.
 *
 * Accepted are the certificates of the descriptor's versions (params->accept) or, with
 * params->trust, whatever chains to one of its CAs (RFC 5280). The system's CAs vouch for nobody.
 * Private keys are not needed. `out` may be NULL.
 *
 * With a time stamp (RFC 3161) of the signature by a trusted authority, the signer's certificate
 * has to be valid at the time of the stamp. A stamp that lies or is broken is a refusal; one that
 * proves nothing is as if it were not there: see doc/formats.md.
 * Revocation is looked at where params->revocation says how, and where the signature brings what
 * tells: at the time of the stamp, or else now. SE_ERR_REJECTED: the signature is not good;
 * SE_ERR_NO_DESCRIPTOR: it says that a certificate of the same name with another key made it, which
 * may be that of a version that is not configured here; SE_ERR_FORMAT: it is not a signature at
 * all.
 */
SE_MUST_CHECK se_status se_verify(se_signer *out, se_engine *engine, const char *descriptor,
                                  se_bytes in, const se_verify_params *params, se_error *error);

/* The same in constant memory. */
SE_MUST_CHECK se_status se_verify_stream(se_signer *out, se_engine *engine, const char *descriptor,
                                         const se_source *in, const se_verify_params *params,
                                         se_error *error);

/*
 * ---- many raw signatures, verified with one public key ----
 *
 * se_verify() with SE_FORM_RAW looks for the version that signed, in the way that
 * se_verifier_check() verifies; a verifier is one version, opened once, for any number of
 * signatures.
 */

/* A certificate and the algorithm of its signatures. It never changes: any number of threads, and
 * the child of a fork, may use one. */
typedef struct se_verifier se_verifier;

/*
 * The verifier of a descriptor's version; 0: the current one, which se_sign() takes. The caller
 * closes *out; the engine may be closed before. The certificate is held to the rules of the
 * descriptor's use, but for its validity: what was signed before it expired stays signed.
 */
SE_MUST_CHECK se_status se_verifier_open(se_verifier **out, se_engine *engine,
                                         const char *descriptor, unsigned version, se_error *error);

/* The verifier of a certificate in DER or PEM, without configuration. `algorithm` is named as in
 * se_signer.algorithm. The caller closes *out. */
SE_MUST_CHECK se_status se_verifier_read(se_verifier **out, se_bytes certificate,
                                         const char *algorithm, se_error *error);
void se_verifier_close(se_verifier **verifier); /* accepts NULL and a pointer to NULL */

/* Whose certificate it is; signing_time is 0, and so is the version of one without configuration.
 */
void se_verifier_signer(se_signer *out, const se_verifier *verifier);

/* The certificate, which is empty of a public key that has none, and its SubjectPublicKeyInfo (RFC
 * 5280, 4.1.2.7), in DER; both last until the verifier is closed. */
se_bytes se_verifier_certificate(const se_verifier *verifier);
se_bytes se_verifier_key(const se_verifier *verifier);

/* Verifies a raw signature (SE_FORM_RAW) over `in`. SE_ERR_REJECTED: it is not good. */
SE_MUST_CHECK se_status se_verifier_check(const se_verifier *verifier, se_bytes in,
                                          se_bytes signature, se_error *error);

/* ---- files ---- */

/* se_sign() from file to file. `out` appears, or is replaced, when it is complete. */
SE_MUST_CHECK se_status se_sign_file(const char *out, se_engine *engine, const char *descriptor,
                                     const char *in, const se_sign_params *params, se_error *error);

/* se_verify() of a file. `signature` is the file with the signature, of up to 64 MB; NULL:
 * params->signature, or `in` itself, has it. `out` may be NULL. */
SE_MUST_CHECK se_status se_verify_file(se_signer *out, se_engine *engine, const char *descriptor,
                                       const char *in, const char *signature,
                                       const se_verify_params *params, se_error *error);

/*
 * ---- XML: signed configurations ----
 *
 * Documents are signed by se_sign() with SE_FORM_XML and its neighbours (XML Signature 1.1).
 */

typedef struct se_config_verify_params {
    size_t size;                            /* sizeof(se_config_verify_params) */
    int64_t time;                           /* when certificates have to be valid; 0: now */
    const se_revocation_params *revocation; /* NULL: it is not looked at */
} se_config_verify_params;
#define SE_CONFIG_VERIFY_PARAMS_INIT                                                               \
    {                                                                                              \
        sizeof(se_config_verify_params), 0, NULL                                                   \
    }

/*
 * Signs a configuration's text with the key of `descriptor` (doc/formats.md), in place of the
 * signatures that it has. `version` 0: the current one. `path` is where the configuration is: files
 * with certificates that it names are signed with it; NULL: in the working directory. The caller
 * releases *out.
 * SE_ERR_CONFIG: it is not a configuration that an engine would open; SE_ERR_FORMAT: it is no XML.
 */
SE_MUST_CHECK se_status se_config_sign(se_buf *out, se_engine *engine, const char *descriptor,
                                       unsigned version, se_bytes config, const char *path,
                                       se_error *error);

/*
 * Verifies a configuration's text: it has to be signed with a certificate that chains to one of the
 * CAs in the PEM file `trust`, or is one of them. `path` as above. `out` and `params` may be NULL.
 * SE_ERR_REJECTED: it was changed after signing, and the error says what, as far as that can be
 * known, or somebody else signed it. SE_ERR_FORMAT: it is not signed at all.
 */
SE_MUST_CHECK se_status se_config_verify(se_signer *out, se_bytes config, const char *path,
                                         const char *trust, const se_config_verify_params *params,
                                         se_error *error);

/*
 * ---- JOSE: signatures and tokens of the web ----
 *
 * RS, PS and ES with 256, 384 or 512 (RFC 7518, 3.1). Algorithm and key are the descriptor's; what
 * a header says of them is compared with that, and nothing is fetched. There is no `none` and no
 * HMAC.
 */

typedef enum se_jws_form {
    SE_JWS_COMPACT = 0, /* RFC 7515, 7.1 */
    SE_JWS_FLATTENED,   /* JSON with one signature (7.2.2) */
    SE_JWS_GENERAL,     /* JSON with a list of signatures (7.2.1) */
} se_jws_form;

typedef struct se_jws_sign_params {
    size_t size;      /* sizeof(se_jws_sign_params), set by SE_JWS_SIGN_PARAMS_INIT */
    unsigned version; /* of the descriptor; 0: the current one */
    se_jws_form form;
    bool detached;      /* the payload is not part of it (RFC 7515, appendix F) */
    bool unencoded;     /* the payload is signed as it is (RFC 7797), and not in base64url */
    bool certificates;  /* the header has the certificate and its issuers (x5c) */
    const char *type;   /* typ; NULL: none */
    const char *key_id; /* kid; NULL: the thumbprint of the key (RFC 7638) */

    /* further members of the header, each a text */
    const se_pair *headers;
    size_t header_count;

    const char *tag; /* as se_sign_params.tag */
} se_jws_sign_params;
#define SE_JWS_SIGN_PARAMS_INIT                                                                    \
    {                                                                                              \
        sizeof(se_jws_sign_params), 0, SE_JWS_COMPACT, false, false, false, NULL, NULL, NULL, 0,   \
            NULL                                                                                   \
    }

/*
 * Signs `payload`, which may be anything (RFC 7515). `params` may be NULL. The caller releases
 * *out, a text without line end; a NUL that is not counted ends it. The header has alg, typ and
 * kid, and what is asked for. SE_ERR_POLICY: JOSE has no algorithm for the descriptor's and its
 * key, as for SHA-512 on P-256.
 */
SE_MUST_CHECK se_status se_jws_sign(se_buf *out, se_engine *engine, const char *descriptor,
                                    se_bytes payload, const se_jws_sign_params *params,
                                    se_error *error);

typedef struct se_jws_verify_params {
    size_t size;        /* sizeof(se_jws_verify_params), set by SE_JWS_VERIFY_PARAMS_INIT */
    unsigned version;   /* of the descriptor; 0: whichever signed */
    se_bytes payload;   /* of a detached one; data NULL: it is inside */
    bool any;           /* of several signatures one good one is enough; otherwise all that may be
                           the descriptor's have to be good */
    const char *type;   /* what typ has to be, as a media type; NULL: anything */
    const char *key_id; /* what others call the key: kid, if it is there, has to be that; NULL: the
                           thumbprint of the key (RFC 7638) */
    int64_t time;       /* when the certificate must be valid, where that counts; 0: now */
    se_signer *signer;  /* gets who signed, `algorithm` by its name in JOSE; may be NULL */
    const char *tag;    /* as se_sign_params.tag */
    const se_revocation_params *revocation; /* NULL: it is not looked at */
} se_jws_verify_params;
#define SE_JWS_VERIFY_PARAMS_INIT                                                                  \
    {                                                                                              \
        sizeof(se_jws_verify_params), 0, { NULL, 0 }, false, NULL, NULL, 0, NULL, NULL, NULL       \
    }

/*
 * Verifies a JWS of any form, with the public keys of the descriptor's versions. *payload gets what
 * was signed; the caller releases it. `params` may be NULL.
 *
 * Stricter than others: each value has one spelling, members come once, and what the header says of
 * a key (kid, jwk, x5c, x5t, x5t#S256) has to be true of the one that signed.
 *
 * Of its certificate, revocation is looked at where params->revocation says how, at params->time:
 * a JWS has no time stamp, and stamps_outlive_compromise does nothing.
 * SE_ERR_FORMAT: it is no JWS; SE_ERR_REJECTED: it is one, and is not accepted.
 */
SE_MUST_CHECK se_status se_jws_verify(se_buf *payload, se_engine *engine, const char *descriptor,
                                      se_bytes jws, const se_jws_verify_params *params,
                                      se_error *error);

/* One of many. */
typedef struct se_jws {
    se_bytes in;      /* the JWS */
    se_bytes payload; /* as se_jws_verify_params.payload, which is for single ones only */
    se_buf out;       /* what was signed; released by the caller; empty unless status is SE_OK */
    se_status status;
    unsigned version; /* of the descriptor, that signed; 0 unless status is SE_OK */
} se_jws;

/* Verifies each of `list` as if one by one, and sets `out`, `status` and `version` of every one,
 * whatever they were. params->signer, if it is not NULL, is an array of `count`, and gets who
 * signed each. About the signer of several that stand side by side, OCSP responders are asked once.
 * Returns SE_OK, or the first status that is not, with its error. */
SE_MUST_CHECK se_status se_jws_verify_many(se_jws *list, size_t count, se_engine *engine,
                                           const char *descriptor,
                                           const se_jws_verify_params *params, se_error *error);

typedef struct se_jwt_sign_params {
    size_t size;        /* sizeof(se_jwt_sign_params), set by SE_JWT_SIGN_PARAMS_INIT */
    unsigned version;   /* of the descriptor; 0: the current one */
    bool certificates;  /* as se_jws_sign_params.certificates */
    const char *type;   /* typ; NULL: "JWT" */
    const char *key_id; /* as se_jws_sign_params.key_id */

    /* claims beside those that are given; NULL and 0: none */
    const char *issuer, *subject;
    const char *const *audiences;
    size_t audience_count;
    int64_t lifetime;   /* seconds from now to exp */
    int64_t not_before; /* nbf */
    bool make_id;       /* jti: 16 random bytes in base64url */
    bool no_expiry;     /* no exp is meant */

    const char *tag; /* as se_sign_params.tag */
} se_jwt_sign_params;
#define SE_JWT_SIGN_PARAMS_INIT                                                                    \
    {                                                                                              \
        sizeof(se_jwt_sign_params), 0, false, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, false, false, \
            NULL                                                                                   \
    }

/*
 * Signs a token (RFC 7519). `claims` is an object of JSON, or empty; it stays as it is written, and
 * gets what `params` says, and iat unless it has it. `params` may be NULL. The caller releases
 * *out.
 * SE_ERR_FORMAT: `claims` are none, or a time in it is no number; SE_ERR_USAGE: one is given twice,
 * or the token would not expire.
 */
SE_MUST_CHECK se_status se_jwt_sign(se_buf *out, se_engine *engine, const char *descriptor,
                                    se_bytes claims, const se_jwt_sign_params *params,
                                    se_error *error);

typedef struct se_jwt_verify_params {
    size_t size;        /* sizeof(se_jwt_verify_params), set by SE_JWT_VERIFY_PARAMS_INIT */
    unsigned version;   /* of the descriptor; 0: whichever signed */
    const char *type;   /* what typ has to be; NULL: "JWT", or not there */
    const char *key_id; /* as se_jws_verify_params.key_id */

    /* what the claims have to be; NULL and 0: that does not matter. A token that is for an audience
     * is refused unless it is among these */
    const char *issuer, *subject, *id;
    const char *const *audiences;
    size_t audience_count;
    unsigned leeway; /* seconds by which clocks may differ */
    bool no_expiry;  /* exp may be missing */

    int64_t time;          /* when it has to be valid; 0: now */
    unsigned *leeway_used; /* gets how many seconds of leeway it took; may be NULL */
    se_signer *signer;     /* as se_jws_verify_params.signer */
    const char *tag;       /* as se_sign_params.tag */
    const se_revocation_params *revocation; /* as se_jws_verify_params.revocation */
} se_jwt_verify_params;
#define SE_JWT_VERIFY_PARAMS_INIT                                                                  \
    {                                                                                              \
        sizeof(se_jwt_verify_params), 0, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, false, 0, NULL, \
            NULL, NULL, NULL                                                                       \
    }

/*
 * Verifies a token, as se_jws_verify() does, and its claims: exp has to be there, exp, nbf and iat
 * have to be right for params->time, and the others what is asked for. *claims gets them as they
 * were signed. `params` may be NULL.
 * SE_ERR_FORMAT: it is no JWT; SE_ERR_REJECTED: it is one, and is not accepted.
 */
SE_MUST_CHECK se_status se_jwt_verify(se_buf *claims, se_engine *engine, const char *descriptor,
                                      se_bytes token, const se_jwt_verify_params *params,
                                      se_error *error);

typedef struct se_jwks_params {
    size_t size;      /* sizeof(se_jwks_params), set by SE_JWKS_PARAMS_INIT */
    unsigned version; /* of the descriptors; 0: all, those that wait for their time too */
    bool current;     /* only the current one of each */
} se_jwks_params;
#define SE_JWKS_PARAMS_INIT                                                                        \
    {                                                                                              \
        sizeof(se_jwks_params), 0, false                                                           \
    }

/*
 * The public keys of descriptors as a JWK set (RFC 7517), for those who verify: with alg, use, kid
 * (the thumbprint of RFC 7638), x5t#S256 and x5c. A key that comes twice with one algorithm is
 * there once. `count` 0: of all descriptors whose algorithm is one of JOSE. `params` may be NULL.
 * The caller releases *out.
 */
SE_MUST_CHECK se_status se_jwks(se_buf *out, se_engine *engine, const char *const *descriptors,
                                size_t count, const se_jwks_params *params, se_error *error);

/* ---- encrypted fields ---- */

typedef struct se_field_params {
    size_t size;      /* sizeof(se_field_params), set by SE_FIELD_PARAMS_INIT */
    unsigned version; /* of the descriptor; 0: the current one encrypts, and any that the value was
                         made for decrypts */
    bool binary;      /* encrypting: the binary form, not text */
    se_bytes context; /* single values: what the value belongs to (tenant, table, row ...); it
                         decrypts only with the same context */
    const char *tag;  /* as se_sign_params.tag */
    bool at_any_time; /* as se_sign_params.at_any_time */
    unsigned threads; /* many values: at the most so many at work; 0: one for each core */
} se_field_params;
#define SE_FIELD_PARAMS_INIT                                                                       \
    {                                                                                              \
        sizeof(se_field_params), 0, false, { NULL, 0 }, NULL, false, 0                             \
    }

/*
 * Encrypts `in` for the certificate of `descriptor`; no key store is asked once the certificate is
 * known. `params` may be NULL. The caller releases *out. Text has no line breaks; a NUL that is not
 * counted ends it.
 */
SE_MUST_CHECK se_status se_encrypt(se_buf *out, se_engine *engine, const char *descriptor,
                                   se_bytes in, const se_field_params *params, se_error *error);

/*
 * Decrypts a value, text or binary. `params` may be NULL. The caller releases *out.
 * SE_ERR_FORMAT: it is no encrypted value at all. SE_ERR_NO_DESCRIPTOR: it was made with a version
 * that is not configured here, as it says in clear. SE_ERR_REJECTED: it does not decrypt, for
 * whatever other reason: all reasons have one text.
 */
SE_MUST_CHECK se_status se_decrypt(se_buf *out, se_engine *engine, const char *descriptor,
                                   se_bytes in, const se_field_params *params, se_error *error);

/*
 * Makes the bytes of a context from its parts, in whatever order they are given (doc/formats.md):
 * no other parts give the same. The caller releases *out.
 * SE_ERR_USAGE: a name is empty or comes twice.
 */
SE_MUST_CHECK se_status se_context(se_buf *out, const se_pair *pairs, size_t count,
                                   se_error *error);

/* ---- batches of encrypted fields ---- */

/* One of many. */
typedef struct se_field {
    se_bytes in;      /* plaintext, or an encrypted value */
    se_bytes context; /* as se_field_params.context, which is for single values only */
    se_buf out;       /* released by the caller; empty unless status is SE_OK */
    se_status status;
    bool kept; /* se_rekey_many(): it was encrypted under that version already, and `out` is what
                  `in` was */
} se_field;

/*
 * Each encrypts, or decrypts, all of `fields` as if one by one, and sets `out`, `status` and `kept`
 * of every one, whatever they were. `params` may be NULL. Returns SE_OK, or the first status that
 * is not, with its error.
 *
 * Encrypting: the fields share a data key, as far as the descriptor lets them (dataKeyUses,
 * dataKeyBytes). Decrypting: each data key is unwrapped once, several at a time, and remembered for
 * a while (cacheSize, cacheAge). A key store that is away gives its status to all fields that are
 * still to be done. Several hundred fields and more are shared among threads (params->threads),
 * which are the library's own.
 */
SE_MUST_CHECK se_status se_encrypt_many(se_field *fields, size_t count, se_engine *engine,
                                        const char *descriptor, const se_field_params *params,
                                        se_error *error);
SE_MUST_CHECK se_status se_decrypt_many(se_field *fields, size_t count, se_engine *engine,
                                        const char *descriptor, const se_field_params *params,
                                        se_error *error);

/* Decrypts each field under the version that it names, and encrypts it under params->version, or
 * the current one, with the same context. What a newer one has encrypted than the current, because
 * others' clocks are ahead, is kept. Plaintext stays inside. */
SE_MUST_CHECK se_status se_rekey_many(se_field *fields, size_t count, se_engine *engine,
                                      const char *descriptor, const se_field_params *params,
                                      se_error *error);

/* ---- containers: encrypted files ---- */

typedef struct se_container_params {
    size_t size;      /* sizeof(se_container_params), set by SE_CONTAINER_PARAMS_INIT */
    unsigned version; /* of the descriptor; 0: the current one encrypts, and any that the container
                         was made for decrypts */
    se_bytes context; /* what the file belongs to, as se_context() makes it; it decrypts only with
                         the same */
    se_progress_fn progress; /* may be NULL */
    void *progress_arg;
    const char *tag;  /* as se_sign_params.tag */
    bool at_any_time; /* as se_sign_params.at_any_time */
} se_container_params;
#define SE_CONTAINER_PARAMS_INIT                                                                   \
    {                                                                                              \
        sizeof(se_container_params), 0, { NULL, 0 }, NULL, NULL, NULL, false                       \
    }

/*
 * Encrypts a configuration zip, or any other file of any size, to an NX02 container
 * (doc/formats.md) for the certificate of `descriptor`, in constant memory. `params` may be NULL.
 * What `out` got before a failure is worthless.
 */
SE_MUST_CHECK se_status se_container_encrypt_stream(const se_sink *out, se_engine *engine,
                                                    const char *descriptor, const se_source *in,
                                                    const se_container_params *params,
                                                    se_error *error);

/*
 * Decrypts a container in constant memory. `params` may be NULL. What `out` gets is authentic,
 * piece by piece. Only the end shows whether anything is missing, so that nothing of it is to be
 * used before SE_OK. SE_ERR_FORMAT: it is no container at all. SE_ERR_NO_DESCRIPTOR: it was made
 * with a version that is not configured here, as it says in clear. SE_ERR_REJECTED: it does not
 * decrypt, for whatever other reason: all reasons have one text.
 */
SE_MUST_CHECK se_status se_container_decrypt_stream(const se_sink *out, se_engine *engine,
                                                    const char *descriptor, const se_source *in,
                                                    const se_container_params *params,
                                                    se_error *error);

/*
 * The same from file to file. `out` appears, or is replaced, when all is done and, decrypting,
 * verified. Until then it has no name where the file system allows that (O_TMPFILE), or a name of
 * its own; it is wiped after a failure. A new file has mode 0600 after decryption. `out` and `in`
 * may be the same file.
 */
SE_MUST_CHECK se_status se_container_encrypt_file(const char *out, se_engine *engine,
                                                  const char *descriptor, const char *in,
                                                  const se_container_params *params,
                                                  se_error *error);
SE_MUST_CHECK se_status se_container_decrypt_file(const char *out, se_engine *engine,
                                                  const char *descriptor, const char *in,
                                                  const se_container_params *params,
                                                  se_error *error);

/* Whether a file that begins so is taken for a container. Four bytes are enough; give fewer only
 * when the file is shorter. */
bool se_is_container(se_bytes beginning);

/* ---- zips, signed as JARs ---- */

/* What verification found out about an entry. */
typedef enum se_zip_state {
    SE_ZIP_SIGNED = 0,
    SE_ZIP_SIGNATURE,    /* the manifest, or part of a signature */
    SE_ZIP_FOLDER,       /* of other entries; the manifest need not name it */
    SE_ZIP_UNSIGNED,     /* the manifest does not name it */
    SE_ZIP_NOT_COVERED,  /* the manifest names it, and no signature covers that */
    SE_ZIP_WEAK,         /* no digest of SHA-256 or better */
    SE_ZIP_CHANGED,      /* not what was signed */
    SE_ZIP_EMPTY_FOLDER, /* nothing is below it, and the manifest does not name it */
} se_zip_state;

/* As "not signed"; never NULL. */
const char *se_zip_state_text(se_zip_state state);

typedef struct se_zip_entry {
    const char *name;
    uint64_t size; /* uncompressed */
    se_zip_state state;
    bool good;
} se_zip_entry;
typedef void (*se_zip_entry_fn)(void *arg, const se_zip_entry *entry);

/* A signature that is good; `name` is that of its file, as "META-INF/SIGNER.RSA". */
typedef void (*se_zip_signature_fn)(void *arg, const char *name, const se_signer *signer);

typedef struct se_zip_sign_params {
    size_t size;      /* sizeof(se_zip_sign_params), set by SE_ZIP_SIGN_PARAMS_INIT */
    unsigned version; /* of the descriptor; 0: the current one */
    int64_t time;     /* the signingTime, and that of the new files; 0: now */
    bool keep;        /* leave the signatures that are there, and add one; otherwise it takes their
                         place */
    const char *signature_name; /* of its files; NULL: from the key's alias */
    const char *tsa;            /* as se_sign_params.tsa */
    const char *encrypt; /* `out` becomes a container for the certificate of this descriptor; the
                            signed zip gets no name; NULL: no */
    unsigned encrypt_version; /* of that descriptor; 0: the current one */
    se_bytes context;         /* of that container, as se_container_params.context */
    unsigned threads;         /* 0: one for each core */

    /* archives above are refused; 0: 100,000 entries, 64 GB, 200 to 1 for entries of more than 16
     * MB */
    uint64_t max_entries, max_total, max_ratio;

    se_progress_fn progress; /* may be NULL */
    void *progress_arg;
    const char *tag;  /* as se_sign_params.tag */
    bool at_any_time; /* as se_sign_params.at_any_time; so too of `encrypt_version`, if it is stated
                       */
    const char *tsa_policy; /* as se_sign_params.tsa_policy */
} se_zip_sign_params;
#define SE_ZIP_SIGN_PARAMS_INIT                                                                    \
    {                                                                                              \
        sizeof(se_zip_sign_params), 0, 0, false, NULL, NULL, NULL, 0, { NULL, 0 }, 0, 0, 0, 0,     \
            NULL, NULL, NULL, false, NULL                                                          \
    }

typedef struct se_zip_verify_params {
    size_t size;           /* sizeof(se_zip_verify_params), set by SE_ZIP_VERIFY_PARAMS_INIT */
    int64_t time;          /* when certificates must be valid; 0: now */
    const char *trust;     /* PEM file of CA certificates; NULL: SE_ACCEPT_CERTIFICATES */
    bool issuers;          /* without `trust`: SE_ACCEPT_ISSUERS */
    const char *trust_tsa; /* as se_verify_params.trust_tsa */
    unsigned threads;      /* 0: one for each core */
    uint64_t max_entries, max_total, max_ratio; /* as above */

    se_zip_signature_fn
        signature;         /* called for every signature, as it is found good; may be NULL */
    se_zip_entry_fn entry; /* called for every entry, after all were looked at; may be NULL */
    void *report_arg;

    se_progress_fn progress; /* may be NULL */
    void *progress_arg;
    const char *tag;  /* as se_sign_params.tag */
    unsigned version; /* of the descriptor, without `trust`; 0: whichever signed */
    const se_revocation_params *revocation; /* as se_verify_params.revocation */
} se_zip_verify_params;
#define SE_ZIP_VERIFY_PARAMS_INIT                                                                  \
    {                                                                                              \
        sizeof(se_zip_verify_params), 0, NULL, false, NULL, 0, 0, 0, 0, NULL, NULL, NULL, NULL,    \
            NULL, NULL, 0, NULL                                                                    \
    }

/*
 * Signs the zip at `in` as a JAR (JAR file specification) with the key of `descriptor`, and writes
 * it to `out`; NULL: in place. `out` appears whole or not at all. Entries are copied as they are;
 * manifest and signature stand in front of them. `params` may be NULL.
 * SE_ERR_FORMAT: not a zip, or one that readers could understand differently; SE_ERR_REJECTED: one
 * that holds what se_zip_verify() refuses.
 */
SE_MUST_CHECK se_status se_zip_sign(const char *out, se_engine *engine, const char *descriptor,
                                    const char *in, const se_zip_sign_params *params,
                                    se_error *error);

/*
 * Verifies that every entry of the zip at `path` is what was signed, and that an accepted signer
 * made every signature in it. Stricter than Java: doc/formats.md lists what is refused. `params`
 * may be NULL; its callbacks run on the caller's thread.
 * SE_ERR_FORMAT: not a zip, or one that readers could understand differently; SE_ERR_REJECTED: not
 * signed, or not good.
 */
SE_MUST_CHECK se_status se_zip_verify(se_engine *engine, const char *descriptor, const char *path,
                                      const se_zip_verify_params *params, se_error *error);

/*
 * ---- evidence records: that files were there at a time, shown for decades (RFC 4998) ----
 *
 * A record holds time stamps (RFC 3161) by which its files were there at the time of the first.
 * Before the certificate of the last one's authority ends, or its digest grows weak, the record is
 * renewed: another time stamp covers what is there. Any files can be recorded: signatures with what
 * they sign, zips, mails, exports of a history. No engine is needed, for no key is.
 */

typedef struct se_evidence_file {
    const char *name;    /* the file; with `in`, what messages call it */
    const se_source *in; /* gives its content; NULL: the file is read. Large ones are read in pieces
                          */
} se_evidence_file;

/* A record that is made, and the files that it is about: one data object group (RFC 4998, 4.2),
 * which is verified as a whole. */
typedef struct se_evidence {
    const se_evidence_file *files;
    size_t count;
    se_bytes der; /* the record, which is renewed or verified */
    se_buf made;  /* in DER; the caller releases it. Empty if the call fails */
} se_evidence;

/* Whom time stamps are believed from, and when. */
typedef struct se_evidence_verify_params {
    size_t size;           /* sizeof(se_evidence_verify_params) */
    const char *trust_tsa; /* PEM file of CA certificates that vouch for time stamping authorities;
                              it has to be given. Those whose authorities have ended stay in it */
    int64_t time;          /* when the last time stamp has to be good; 0: now */
    const se_revocation_params *revocation; /* of the authorities' certificates; NULL: only
                                               what the time stamps bring is looked at */
    bool partial; /* the record may be about files that are not named. Among these are the others
                     under one time stamp, if whoever made it lists them beside the file */
} se_evidence_verify_params;
#define SE_EVIDENCE_VERIFY_PARAMS_INIT                                                             \
    {                                                                                              \
        sizeof(se_evidence_verify_params), NULL, 0, NULL, false                                    \
    }

typedef struct se_evidence_params {
    size_t size;            /* sizeof(se_evidence_params) */
    const char *tsa;        /* as se_sign_params.tsa; it has to be given */
    const char *tsa_policy; /* likewise */
    const char *digest;     /* "SHA-256", "SHA-384" or "SHA-512", of the files and all above them.
                               NULL: SHA-256; when renewing, that of the last time stamp */
} se_evidence_params;
#define SE_EVIDENCE_PARAMS_INIT                                                                    \
    {                                                                                              \
        sizeof(se_evidence_params), NULL, NULL, NULL                                               \
    }

/* A time stamp of a record that has been found good. */
typedef struct se_evidence_stamp {
    unsigned tree;         /* of which hash tree, from 1 */
    const char *digest;    /* as "SHA-256" */
    int64_t time;          /* at which all was there that it covers */
    int64_t accuracy_us;   /* by how much `time` may be wrong, as its authority says; 0: not said */
    const char *authority; /* who made it, RFC 4514 */
    int64_t not_after;     /* when the authority's certificate ends */
} se_evidence_stamp;
typedef void (*se_evidence_stamp_fn)(void *arg, const se_evidence_stamp *stamp);

/*
 * Makes a record for each of `records`, all under one time stamp, which is the same for any number
 * of them. SE_ERR_UNAVAILABLE: one of the authorities is away; SE_ERR_REJECTED: all refuse, or
 * answer something else.
 */
SE_MUST_CHECK se_status se_evidence_make(se_evidence *records, size_t count,
                                         const se_evidence_params *params, se_error *error);

/*
 * Renews `records`, all with one new time stamp; of one with another digest than the one before,
 * there is a new hash tree over the files and all so far (RFC 4998, 5.2). Each record is verified
 * by `trust` before and, with the new time stamp in it, afterwards: trust->time has to be 0, and
 * trust->partial false.
 * SE_ERR_USAGE: among others, the new digest is weaker; SE_ERR_REJECTED: among others, one of the
 * records is not good.
 */
SE_MUST_CHECK se_status se_evidence_renew(se_evidence *records, size_t count,
                                          const se_evidence_params *params,
                                          const se_evidence_verify_params *trust, se_error *error);

/*
 * Verifies `record` over its files, all of them and no others. Each time stamp has to be by a
 * trusted authority and to have been good when the next one was made, the last one now. `stamp`,
 * which may be NULL, is called for each, oldest first, once all are good: the files were there at
 * the time of the first, and the record has to be renewed before the certificate of the last ends.
 * SE_ERR_FORMAT: it is no record, or has parts that are not read (doc/formats.md); SE_ERR_REJECTED:
 * it is not good, or not about these files.
 */
SE_MUST_CHECK se_status se_evidence_verify(const se_evidence *record,
                                           const se_evidence_verify_params *params,
                                           se_evidence_stamp_fn stamp, void *arg, se_error *error);

/* ---- which version has made something ---- */

typedef void (*se_version_fn)(void *arg, unsigned version);

/*
 * Calls `fn` for each version of `descriptor` by which `in` was made, as it says itself: an
 * encrypted value, the beginning of a container, a CMS or XML signature. Several are called where
 * they have one key. Nothing is verified or decrypted, no private key is opened. That `fn` is not
 * called and SE_OK comes back means that somebody else has made it, or that nobody has signed it.
 * SE_ERR_FORMAT: it is nothing of the kind. SE_ERR_REJECTED: it may be, and does not tell by whom:
 * it is damaged, a raw signature, or a value of bare RSA-OAEP. Others: a certificate is out of
 * reach with which it would have to be compared.
 */
SE_MUST_CHECK se_status se_find_versions(se_engine *engine, const char *descriptor, se_bytes in,
                                         se_version_fn fn, void *arg, se_error *error);

/* The same of any size; `in` is read as far as it has to be. */
SE_MUST_CHECK se_status se_find_versions_stream(se_engine *engine, const char *descriptor,
                                                const se_source *in, se_version_fn fn, void *arg,
                                                se_error *error);

/* The same of a file, which may also be a zip. */
SE_MUST_CHECK se_status se_find_versions_file(se_engine *engine, const char *descriptor,
                                              const char *path, se_version_fn fn, void *arg,
                                              se_error *error);

/* ---- PINs ---- */

/*
 * Rewrites the plain `pin.encrypted` values of a configuration's text, and nothing else, to their
 * scrambled form. `pin_key`: the file with the scrambling key (doc/formats.md); made, readable by
 * its owner only, if it is not there. *count: how many values were rewritten.
 */
SE_MUST_CHECK se_status se_scramble_pins(se_buf *out, size_t *count, se_bytes config,
                                         const char *pin_key, se_error *error);

/* One PIN to the value that `pin.encrypted` takes; NUL-terminated, the NUL not counted. */
SE_MUST_CHECK se_status se_scramble_pin(se_buf *out, se_bytes pin, const char *pin_key,
                                        se_error *error);

/*
 * This process never presents a PIN again that a token refused, and other processes of this user
 * not within an hour. This function ends that hour.
 */
void se_retry_pins(void);

/* ---- access: who may do what, as <access> of the configuration says ---- */

/*
 * The rows with the names of users and groups resolved, for a program that does jobs for others. It
 * never changes: any number of threads may use one, and no function below but se_access_open()
 * looks anything up. So an engine that is loaded again needs another one; se_hold() keeps the
 * engine that it belongs to for the jobs that it decides about.
 */
typedef struct se_access se_access;

/* Who a row is for; what it does not say is NULL. A certificate has to be so in all that is said.
 */
typedef struct se_access_who {
    const char *user, *group;
    const char *subject, *issuer; /* RFC 4514, as the file has them */
    const char *san;              /* "DNS:host.example" */
    const char *sha256;           /* 64 hexadecimal digits */
} se_access_who;

/* What its operations are done with: a descriptor or a history; the other is NULL. */
typedef struct se_access_what {
    const char *descriptor;
    unsigned version; /* 0: all */
    const char *history;
} se_access_what;

/* An <allow>. What it points to lasts until se_access_close(); what se_access_rows() tells, for the
 * call. */
typedef struct se_access_row {
    unsigned number; /* from 1, in the order of the file */
    int line;
    const char *name;
    const char *const *operations;
    size_t operation_count;
    const se_access_who *who;
    size_t who_count;
    const se_access_what *what;
    size_t what_count;
    unsigned per_minute; /* uses that each caller has; counting them is the program's task; 0: no
                            limit */
    unsigned version; /* of se_access_decide(): the only version of the descriptor that it allows,
                         of several the current one, or else the highest; 0: any, or the one that
                         was asked for */
} se_access_row;
typedef void (*se_access_fn)(void *arg, const se_access_row *row);

/* Who calls. Nothing is believed that the caller says of himself: a process is what the kernel says
 * (SO_PEERCRED, SO_PEERGROUPS), a certificate one whose key the caller has proved to have. */
typedef struct se_caller {
    size_t size; /* sizeof(se_caller), set by SE_CALLER_INIT */
    bool has_uid;
    uint32_t uid;
    const uint32_t *gids; /* all, the primary one too */
    size_t gid_count;
    se_bytes certificate; /* in DER or PEM; its chain has been verified; empty: none */
    se_bytes issuer;      /* the certificate that signed it; empty: the name in `certificate` will
                             do */
} se_caller;
#define SE_CALLER_INIT                                                                             \
    {                                                                                              \
        sizeof(se_caller), false, 0, NULL, 0, { NULL, 0 },                                         \
        {                                                                                          \
            NULL, 0                                                                                \
        }                                                                                          \
    }

/* What the caller wants. */
typedef struct se_use {
    size_t size;            /* sizeof(se_use), set by SE_USE_INIT */
    const char *operation;  /* "sign", "zip-verify", ...: engineSignEncrypt(5) lists them */
    const char *descriptor; /* NULL: none */
    unsigned version;       /* of it; 0: whichever the row allows */
    const char *history;    /* NULL: none */
} se_use;
#define SE_USE_INIT                                                                                \
    {                                                                                              \
        sizeof(se_use), NULL, NULL, 0, NULL                                                        \
    }

/*
 * Looks up the users and groups of all rows. The caller closes *out; the engine may be closed
 * before. `report` may be NULL; it is told of each name that this machine does not know, and warned
 * if there is no row, for then nothing is allowed to anybody.
 * SE_ERR_CONFIG: a name is not known; the error holds the first as `FILE:LINE: text`.
 * SE_ERR_UNAVAILABLE: the system could not say whether it is.
 */
SE_MUST_CHECK se_status se_access_open(se_access **out, se_engine *engine, se_report_fn report,
                                       void *report_arg, se_error *error);
void se_access_close(se_access **access); /* accepts NULL and a pointer to NULL */

/*
 * The first row, in the order of the file, that names the caller and allows the use decides. It
 * goes to *out, which may be NULL. Root has no rights but those of its rows.
 * SE_ERR_ACCESS: none allows it. The text is the same for what does not exist; whoever records the
 * refusal knows the rest. SE_ERR_USAGE: there is no such operation, or `issuer` did not issue the
 * certificate. SE_ERR_FORMAT: the certificate is none.
 */
SE_MUST_CHECK se_status se_access_decide(se_access_row *out, const se_access *access,
                                         const se_caller *caller, const se_use *use,
                                         se_error *error);

/* Calls `fn` for each row that names the caller; NULL: for each row. */
SE_MUST_CHECK se_status se_access_list(const se_access *access, const se_caller *caller,
                                       se_access_fn fn, void *arg, se_error *error);

/* Calls `fn` for each row of the configuration, on whichever machine: nothing is looked up. */
SE_MUST_CHECK se_status se_access_rows(se_engine *engine, se_access_fn fn, void *arg,
                                       se_error *error);

/* ---- events: what se_options.event gets ---- */

typedef enum se_event_kind {
    SE_EVENT_OPERATION = 0, /* a job has ended, well or not */
    SE_EVENT_KEY_LOST,      /* a key is out of reach: its store is away, or refuses it */
    SE_EVENT_KEY_HEALED,    /* it is back */
    SE_EVENT_KEY_RENEWED, /* its store had lost its sessions and opened new ones; nothing failed */
    SE_EVENT_FAILED_OVER, /* another replica of the key is in use now: the one that the event names
                           */
    SE_EVENT_FAILED_BACK, /* an earlier replica is back and in use again */
    SE_EVENT_KEY_SLOWED,  /* its store refuses to work faster, and is asked more slowly from now on
                           */
    SE_EVENT_RELOADED,    /* the engine was loaded again: `text` tells what differs */
    SE_EVENT_RELOAD_REFUSED,   /* it was not, and stays as it was: `status` and `text` tell why */
    SE_EVENT_VERSION_SWITCHED, /* the first job for which another version of the descriptor is
                                  current than for those before, or when the engine was opened */
    SE_EVENT_VERSION_LATE, /* an engine that was loaded again has a version which others have used
                              for more than ten minutes, by its `from` */
} se_event_kind;

/* One word for a kind, as "failed over"; never NULL. */
const char *se_event_name(se_event_kind kind);

/*
 * Strings are never NULL.
 *
 * Each call that signs, verifies, encrypts or decrypts is one operation, whether it ends well or
 * not: a batch is one, and so is a zip, whatever signatures it has. Where se_zip_sign() also
 * encrypts, the container is an operation of its own, for it is another descriptor's. What the
 * other libraries do consists of such calls: a message is the "sign" or "verify" of its signature,
 * a seal of a history a "sign". A verifier (se_verifier_check()) needs no engine and reports
 * nothing.
 *
 * `key`, `version` and `replica` say what the operation used, or would have used: the private key,
 * or the certificate of those that verify and encrypt. Where it used several that differ, as a
 * batch with values of two versions does, what differs is "" or 0. That is also so when it is not
 * known, for example because the job ended before.
 */
struct se_event {
    se_event_kind kind;
    const char *key;  /* name; "" of SE_EVENT_RELOADED and SE_EVENT_RELOAD_REFUSED */
    unsigned replica; /* of the key, from 1 in the order of the file; 0 of those, and of versions */
    se_status status; /* how the operation ended, why the key is lost, or why the engine was not
                         loaded again; else SE_OK */
    const char *text; /* why; "" when there is nothing to say */

    /* of operations; else "" and 0 */
    const char *operation;  /* "sign", "verify", "encrypt", "decrypt", "encrypt many", "decrypt
                               many", "rekey many", "container encrypt", "container decrypt", "zip
                                sign", "zip verify", "jws sign", "jws verify", "jws verify many" */
    const char *descriptor; /* as the caller named it; also of versions */
    unsigned version;       /* of the descriptor; also of versions: the one that the event is about
                             */
    uint64_t bytes;         /* of input, as far as it was read */
    uint64_t duration_us;

    /* of operations with a key in a vault, the last if there were several: to find them in the
     * vault's own log; else "" */
    const char *request_sent;     /* what we named the request: x-ms-client-request-id */
    const char *request_answered; /* what the vault did: x-ms-request-id */

    /* of operations; else "" and 0 */
    uint64_t items;     /* how many values a batch has; 1 of any other operation */
    uint64_t failed;    /* how many of them failed */
    const char *digest; /* of the content that was signed, or is to be verified, as
                           "sha256:HEX"; of XML that of the canonical form, of a zip that of the
                           signature file; "" when it is not known, or there are several, and
                           always of what is encrypted or decrypted */
    const char *tag;    /* the caller's */
    unsigned sessions;  /* open on the key's token when it had done its last part, for all keys
                           there; 0 also where there is no token */
};

#ifdef __cplusplus
}
#endif
#endif
