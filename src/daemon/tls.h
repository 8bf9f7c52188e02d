/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS as the daemon speaks it: 1.2 and 1.3, and only with callers who have a certificate. The HTTP
 * library would ask for one and verify nothing, so the handshake itself is ours to judge, and a
 * stranger never reaches the reader of HTTP.
 */
#ifndef DAEMON_TLS_H
#define DAEMON_TLS_H

#include <gnutls/abstract.h>

#include "daemon/peer.h"
#include "daemon/settings.h"

/* Protocols, and ciphers with forward secrecy and authenticated encryption only (RFC 9325). */
#define TLS_PRIORITIES                                                                             \
    "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:-MAC-ALL:"      \
    "+AEAD:%SERVER_PRECEDENCE"

/* One loading of certificate, key, CAs and CRL; counted, for handshakes go on after a reload. */
struct tls;

/* SE_ERR_CONFIG: a file is not what it should be; SE_ERR_ACCESS: others may read the key. */
SE_MUST_CHECK se_status tls_load(struct tls **out, const struct settings *settings, se_error *err);
struct tls *tls_keep(struct tls *tls);
void tls_release(struct tls *tls);

/* The handshake on descriptor `fd` has ended well, or (`why`) its caller is refused. On the thread
 * that reads. */
typedef void (*tls_note_fn)(void *arg, int fd, const se_error *why);

struct handshake {
    struct tls *tls; /* a reference */
    struct peer *peer;
    int fd;
    tls_note_fn note;
    void *arg;
};

/*
 * Before the handshake of `session`: which certificate it shows, and whom it lets in. The peer's
 * identity is of use when the handshake has ended well only. *h stays until the session ends.
 */
void tls_begin(struct handshake *h, gnutls_session_t session);
void tls_end(struct handshake *h);

/* In place of the HTTP library's own certificate: it has none, and no handshake without
 * tls_begin() succeeds. */
gnutls_certificate_retrieve_function3 tls_offer_nothing;

/*
 * Before a request: whether the CAs and the CRL of now vouch for the peer. Kept connections outlive
 * certificates. SE_ERR_REJECTED. `tls` NULL: nobody is let in any more.
 */
SE_MUST_CHECK se_status tls_recheck(struct peer *peer, struct tls *tls, se_error *err);

#endif
