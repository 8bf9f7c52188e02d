/* SPDX-License-Identifier: Apache-2.0 */
/* milter.conf: where to listen, and whose mail is signed with what. */
#ifndef MILTER_CONF_H
#define MILTER_CONF_H

#include "audit/audit.h"
#include "milter/peers.h"
#include "milter/rules.h"

/* What becomes of encrypted mail where a signature is required: nobody here can see whether it
 * is signed. */
enum encrypted {
    ENCRYPTED_REFUSE,
    ENCRYPTED_SIGN, /* around what is encrypted */
    ENCRYPTED_PASS, /* on its word */
};

struct conf {
    char *path; /* of this file */
    char *engine, *socket, *user, *metrics;
    struct audit_sinks audit; /* none: standard output */
    char *trust_config;  /* CAs that must have signed the engine's configuration; NULL: it need not
                            be signed */
    char *config_crls;   /* by which its signer is refused; NULL: there are none */
    char *trust_signers; /* CAs of other signers whose mail may pass; NULL: only the descriptor's
                            own certificates may sign */
    char *crls; /* a file or folder of CRLs, by which signers are refused; NULL: there are none */
    char *socket_group; /* NULL: as the system makes it */
    unsigned socket_mode;
    struct peers peers; /* who may connect */
    bool any_envelope;  /* the envelope's sender need not be the From field's */
    bool sign_bounces, sign_lists, opaque, protect;
    bool revocation_required;        /* about whom the CRLs do not tell is refused */
    bool config_revocation_required; /* the same of who signed the engine's configuration */
    enum encrypted encrypted;
    struct rules rules;
    struct network *networks;
    size_t network_count;
};

/* SE_ERR_CONFIG: the first finding, as "FILE:LINE: text".  The caller releases *out with
 * conf_free(). */
SE_MUST_CHECK se_status conf_load(struct conf **out, const char *path, se_error *err);
/* The same for a text, which is cut to pieces; `path` is for the findings. */
SE_MUST_CHECK se_status conf_parse(struct conf **out, se_buf *text, const char *path,
                                   se_error *err);
void conf_free(struct conf **conf);

/* How a signed configuration's signer is looked at; NULL: not at all. `conf` stays longer. */
const se_revocation_params *conf_config_revocation(se_revocation_params *out,
                                                   const struct conf *conf);
AUTO_KIND(conf, struct conf *, conf_free(p))

#endif
