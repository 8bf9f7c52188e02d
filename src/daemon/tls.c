/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/tls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "daemon/identity.h"

enum { PEM_LIMIT = 1 << 20, CERTIFICATES_MOST = 64 };

struct tls {
    gnutls_certificate_credentials_t credentials;
    struct trust *trust;
    unsigned references; /* atomic */
};

struct tls *tls_keep(struct tls *tls)
{
    (void)__atomic_add_fetch(&tls->references, 1, __ATOMIC_RELAXED);
    return tls;
}

void tls_release(struct tls *tls)
{
    if (!tls || __atomic_sub_fetch(&tls->references, 1, __ATOMIC_ACQ_REL))
        return;
    gnutls_certificate_free_credentials(tls->credentials);
    trust_free(tls->trust);
    free(tls);
}
AUTO_KIND(tls, struct tls *, tls_release(*p))

/* ---- files ---- */

/* systemd gives a credential to one user by an ACL, which looks like a group's right (systemd.exec,
 * LoadCredential=); nobody else can enter the folder. */
static se_status check_key_file(int fd, const char *path, se_error *err)
{
    const mode_t others = text_starts(path, "/run/credentials/") ? 037 : 077;
    struct stat is;

    if (fstat(fd, &is) || !S_ISREG(is.st_mode))
        return error_set(err, SE_ERR_CONFIG, "key: '%s' is no file", path);
    if (is.st_mode & others)
        return error_set(err, SE_ERR_ACCESS,
                         "key: '%s' has the mode %04o: others than its owner may use it; chmod 600",
                         path, is.st_mode & 07777);
    return is.st_uid == geteuid() || is.st_uid == 0
               ? SE_OK
               : error_set(err, SE_ERR_ACCESS,
                           "key: '%s' belongs to another user than root and the daemon's", path);
}

static se_status read_key(se_buf *out, const char *path, se_error *err)
{
    AUTO(file) fd = file_open(path);

    if (fd < 0)
        return error_set(err, errno == EACCES ? SE_ERR_ACCESS : SE_ERR_CONFIG,
                         "key: cannot open '%s': %s", path, strerror(errno));
    TRY(check_key_file(fd, path, err));
    TRY_PREFIX(file_read_open(out, fd, path, PEM_LIMIT, err), err, "key: ");
    return SE_OK;
}

static gnutls_datum_t datum_of(const se_buf *buf)
{
    return (gnutls_datum_t){ buf->data, (unsigned)buf->size };
}

static se_status load_certificate(struct tls *tls, const struct settings *s, se_error *err)
{
    AUTO(se_buf) certificate = SE_BUF_INIT;
    AUTO(se_buf) key = SE_BUF_INIT;
    gnutls_datum_t certificate_pem, key_pem;
    int failed;

    TRY_PREFIX(file_read(&certificate, s->certificate, PEM_LIMIT, err), err, "certificate: ");
    TRY(read_key(&key, s->key, err));
    certificate_pem = datum_of(&certificate);
    key_pem = datum_of(&key);
    failed = gnutls_certificate_set_x509_key_mem(tls->credentials, &certificate_pem, &key_pem,
                                                 GNUTLS_X509_FMT_PEM);
    return failed < 0 ? error_set(err, SE_ERR_CONFIG, "certificate '%s' with key '%s': %s",
                                  s->certificate, s->key, gnutls_strerror(failed))
                      : SE_OK;
}

/* Clients that have several certificates choose by the names of CAs that they are told. What is
 * trusted is OpenSSL's to say, and GnuTLS is not asked. */
static se_status load_authorities(struct tls *tls, const struct settings *s, se_error *err)
{
    AUTO(se_buf) text = SE_BUF_INIT;
    gnutls_datum_t pem;

    TRY(trust_load(&tls->trust, s->client_ca, s->crl, err));
    TRY_PREFIX(file_read(&text, s->client_ca, PEM_LIMIT, err), err, "client-ca: ");
    pem = datum_of(&text);
    return gnutls_certificate_set_x509_trust_mem(tls->credentials, &pem, GNUTLS_X509_FMT_PEM) <= 0
               ? error_set(err, SE_ERR_CONFIG, "client-ca: '%s' can't be read", s->client_ca)
               : SE_OK;
}

se_status tls_load(struct tls **out, const struct settings *s, se_error *err)
{
    AUTO(tls) tls = calloc(1, sizeof *tls);

    *out = NULL;
    if (!tls)
        return error_memory(err);
    tls->references = 1;
    if (gnutls_certificate_allocate_credentials(&tls->credentials))
        return error_memory(err);
    TRY(load_certificate(tls, s, err));
    TRY(load_authorities(tls, s, err));
    *out = MOVE(tls);
    return SE_OK;
}

/* ---- the handshake ---- */

static se_status identify_peer(struct identity **out, gnutls_session_t session,
                               const struct tls *tls, se_error *err)
{
    se_bytes sent[CERTIFICATES_MOST];
    unsigned count = 0;
    const gnutls_datum_t *list = gnutls_certificate_get_peers(session, &count);

    if (!list)
        count = 0;
    for (unsigned i = 0; i < count && i < CERTIFICATES_MOST; i++)
        sent[i] = (se_bytes){ list[i].data, list[i].size };
    return identity_read(out, tls->trust, sent, count, err);
}

/* The library closes without a word, and the client would not know why. */
static int refuse_peer(const struct handshake *h, gnutls_session_t session, const se_error *why)
{
    const bool empty = !gnutls_certificate_get_peers(session, NULL);

    h->note(h->arg, h->fd, why);
    (void)gnutls_alert_send(session, GNUTLS_AL_FATAL,
                            empty ? GNUTLS_A_CERTIFICATE_REQUIRED : GNUTLS_A_BAD_CERTIFICATE);
    return GNUTLS_E_CERTIFICATE_ERROR;
}

/* Between the peer's certificate and the end of the handshake, which proves that he has its key. */
static int judge_peer(gnutls_session_t session)
{
    struct handshake *h = gnutls_session_get_ptr(session);
    struct identity *identity;
    se_error err = SE_ERROR_INIT;

    if (h->peer->identity) {
        (void)error_set(&err, SE_ERR_REJECTED, "a second handshake on one connection");
        return refuse_peer(h, session, &err);
    }
    if (identify_peer(&identity, session, h->tls, &err))
        return refuse_peer(h, session, &err);
    h->peer->identity = identity;
    h->peer->trusted_by = h->tls;
    h->peer->trusted_at = clock_seconds();
    (void)snprintf(h->peer->id, sizeof h->peer->id, "%s", identity->id);
    return 0;
}

/* The peer's last message: he has proved, a message before, that the certificate is his. */
static int note_finished(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
                         const gnutls_datum_t *message)
{
    const struct handshake *h = gnutls_session_get_ptr(session);

    (void)type;
    (void)when;
    (void)message;
    if (incoming && h->peer->identity)
        h->note(h->arg, h->fd, NULL);
    return 0;
}

/* An empty certificate is let through to judge_peer(), which says so to the client. */
void tls_begin(struct handshake *h, gnutls_session_t session)
{
    gnutls_session_set_ptr(session, h);
    (void)gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, h->tls->credentials);
    gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUEST);
    gnutls_session_set_verify_function(session, judge_peer);
    gnutls_handshake_set_hook_function(session, GNUTLS_HANDSHAKE_FINISHED, GNUTLS_HOOK_POST,
                                       note_finished);
}

void tls_end(struct handshake *h)
{
    if (!h)
        return;
    tls_release(h->tls);
    free(h);
}

int tls_offer_nothing(gnutls_session_t session, const struct gnutls_cert_retr_st *info,
                      gnutls_pcert_st **certificates, unsigned *count, gnutls_ocsp_data_st **ocsp,
                      unsigned *ocsp_count, gnutls_privkey_t *key, unsigned *flags)
{
    (void)session;
    (void)info;
    (void)flags;
    *certificates = NULL;
    *ocsp = NULL;
    *key = NULL;
    *count = *ocsp_count = 0;
    return -1;
}

/* ---- afterwards ---- */

/* Once in a second is often enough, for dates are seconds. */
se_status tls_recheck(struct peer *peer, struct tls *tls, se_error *err)
{
    const int64_t now = clock_seconds();

    if (peer->listener != LISTENER_TLS)
        return SE_OK;
    if (!peer->identity || !tls)
        return error_set(err, SE_ERR_REJECTED,
                         tls ? "no certificate was verified" : "TLS is not configured any more");
    if (peer->trusted_by == tls && peer->trusted_at == now)
        return SE_OK;
    TRY(identity_check(peer->identity, tls->trust, err));
    peer->trusted_by = tls;
    peer->trusted_at = now;
    return SE_OK;
}
