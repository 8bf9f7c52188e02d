/* SPDX-License-Identifier: Apache-2.0 */
/* signengined.conf: where to listen, and how much at once. Who may do what is in
 * engineSignEncrypt.xml. */
#ifndef DAEMON_SETTINGS_H
#define DAEMON_SETTINGS_H

#include <sys/socket.h>

#include "audit/audit.h"
#include "daemon/histories.h"

enum {
    /* descriptors that connections leave to key stores, files and the rest of the process */
    DESCRIPTORS_RESERVED = 1024,
    DESCRIPTORS_LEAST = 2048,
};

struct settings {
    char *path;                      /* of this file */
    char *config;                    /* engineSignEncrypt.xml */
    char *trust_config;              /* CAs that must have signed it; NULL: it need not be signed */
    char *config_crls;               /* by which its signer is refused; NULL: there are none */
    bool config_revocation_required; /* about whom the CRLs do not tell is refused */
    char *verify_crls;               /* by which signers are refused; NULL: there are none */
    unsigned verify_crl_max_age;     /* days; 0: until their nextUpdate */
    bool verify_asks_responders, verify_fetches_crls;
    bool verify_revocation_required; /* about whom nobody tells is refused */
    char *user;                      /* to become, if started as root */
    char *socket;                    /* path of the local socket */
    char *group;                     /* of the socket; NULL: as the system makes it */
    unsigned mode;                   /* of the socket */
    char *tls; /* ADDRESS:PORT, for callers of a network; NULL: there are none */
    struct sockaddr_storage tls_address; /* the same */
    char *certificate, *key;             /* that the daemon shows them: paths, in PEM */
    char *client_ca, *crl;               /* who vouches for them; NULL: nothing is revoked */
    char *spool; /* folder for bodies that are not kept in memory; NULL: the system's */

    unsigned threads, io_threads; /* that do jobs, that read and write */
    unsigned queue;               /* jobs that may wait for a thread */
    unsigned connections, per_user;
    unsigned connections_most; /* as far as open files allow; set at the start */
    unsigned head_timeout, body_timeout, idle_timeout; /* seconds */
    uint64_t body, bodies;           /* bytes of one in memory, and of all at once */
    uint64_t spool_body, spool_size; /* the same of those in the spool */

    struct history_setting *histories; /* their strings are the settings' */
    size_t history_count;
    struct audit_sinks audit;
};

/* SE_ERR_CONFIG: the first finding, as "FILE:LINE: text". The caller releases *out with
 * settings_free(). */
SE_MUST_CHECK se_status settings_load(struct settings **out, const char *path, se_error *err);
/* The same for a text, which is cut to pieces; `path` is for the findings. */
SE_MUST_CHECK se_status settings_parse(struct settings **out, se_buf *text, const char *path,
                                       se_error *err);
/* How a signed configuration's signer is looked at; NULL: not at all. The settings stay longer. */
const se_revocation_params *settings_config_revocation(se_revocation_params *out,
                                                       const struct settings *settings);

/* The same of signers whom callers have verified. */
const se_revocation_params *settings_verify_revocation(se_revocation_params *out,
                                                       const struct settings *settings);

void settings_free(struct settings **settings);
AUTO_KIND(settings, struct settings *, settings_free(p))

/* Whether what only a start can change is the same in both; else the name of what is not. */
const char *settings_difference(const struct settings *one, const struct settings *other);

#endif
