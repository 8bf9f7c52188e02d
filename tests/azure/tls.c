/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates of the emulator's own making, and what can be wrong with a server's TLS. */
#include "tests/azure/emulator.h"

#include <openssl/bn.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

/* Real names too: through the proxy a client reaches us by them. */
#define OUR_NAMES                                                                                  \
    "DNS:localhost,IP:127.0.0.1,DNS:*.localhost,DNS:*.vault.localhost,DNS:*.managedhsm.localhost," \
    "DNS:*.vault.azure.net,DNS:*.managedhsm.azure.net,DNS:*.vault.azure.cn,DNS:*.managedhsm."      \
    "azure.cn,"                                                                                    \
    "DNS:*.vault.usgovcloudapi.net,DNS:*.managedhsm.usgovcloudapi.net,DNS:login.microsoftonline."  \
    "com,"                                                                                         \
    "DNS:login.windows.net,DNS:login.chinacloudapi.cn,DNS:login.partner.microsoftonline.cn,"       \
    "DNS:login.microsoftonline.us"

enum mode {
    MODE_NORMAL,
    MODE_EXPIRED,
    MODE_WRONG_HOST,
    MODE_UNKNOWN_CA,
    MODE_OLD,
    MODE_TLS12,
    MODE_TLS13,
    MODE_CLOSE
};
static const char *const mode_names[] = { "normal", "expired", "wrong-host", "unknown-ca",
                                          "old",    "tls12",   "tls13",      "close" };

static SSL_CTX *contexts[MODE_CLOSE];
static atomic_int modes[PORTS];

struct issuer {
    EVP_PKEY *key;
    X509 *certificate;
};

static bool add_extension(X509 *certificate, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool added = extension && X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
    return added;
}

static X509 *make_certificate(EVP_PKEY *key, const char *name, long from, long until,
                              const struct issuer *issuer)
{
    X509 *certificate = X509_new();
    X509_NAME *subject = X509_NAME_new();
    unsigned char serial[8];
    RAND_bytes(serial, sizeof serial);
    serial[0] &= 0x7f;
    BIGNUM *number = BN_bin2bn(serial, sizeof serial, NULL);
    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
    BN_free(number);
    X509_set_version(certificate, X509_VERSION_3);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1,
                               0);
    X509_set_subject_name(certificate, subject);
    X509_set_issuer_name(certificate,
                         issuer ? X509_get_subject_name(issuer->certificate) : subject);
    X509_gmtime_adj(X509_getm_notBefore(certificate), from);
    X509_gmtime_adj(X509_getm_notAfter(certificate), until);
    X509_set_pubkey(certificate, key);
    X509_NAME_free(subject);
    return certificate;
}

static struct issuer make_issuer(const char *name)
{
    struct issuer ca = { EVP_EC_gen("P-256"), NULL };
    ca.certificate = make_certificate(ca.key, name, -86400, 86400L * 3650, NULL);
    add_extension(ca.certificate, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(ca.certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
    add_extension(ca.certificate, NID_subject_key_identifier, "hash");
    X509_sign(ca.certificate, ca.key, EVP_sha256());
    return ca;
}

static SSL_CTX *make_context(const struct issuer *ca, const char *names, long until, int lowest,
                             int highest)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = make_certificate(key, "emulator", -2 * 86400, until, ca);
    bool made = context && add_extension(certificate, NID_subject_alt_name, names) &&
                add_extension(certificate, NID_ext_key_usage, "serverAuth") &&
                X509_sign(certificate, ca->key, EVP_sha256()) &&
                SSL_CTX_use_certificate(context, certificate) == 1 &&
                SSL_CTX_use_PrivateKey(context, key) == 1 &&
                SSL_CTX_set_min_proto_version(context, lowest) == 1 &&
                SSL_CTX_set_max_proto_version(context, highest) == 1 &&
                SSL_CTX_set_session_id_context(context, (const unsigned char *)"emulator", 8) == 1;
    if (highest < TLS1_2_VERSION) /* SHA-1 signatures */
        SSL_CTX_set_cipher_list(context, "DEFAULT:@SECLEVEL=0");
    SSL_CTX_set_mode(context, SSL_MODE_AUTO_RETRY);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return made ? context : NULL;
}

static bool write_pem(const char *name, X509 *certificate)
{
    BIO *memory = BIO_new(BIO_s_mem());
    char *data, *path = text_format("%s/%s", settings.folder, name);
    PEM_write_bio_X509(memory, certificate);
    long size = BIO_get_mem_data(memory, &data);
    bool written = file_write(path, data, (size_t)size);
    free(path);
    BIO_free(memory);
    return written;
}

bool tls_start(void)
{
    struct issuer ca = make_issuer("Emulator CA"), other = make_issuer("Unknown CA");
    long year = 86400L * 365;
    contexts[MODE_NORMAL] = make_context(&ca, OUR_NAMES, year, TLS1_2_VERSION, TLS1_3_VERSION);
    contexts[MODE_EXPIRED] = make_context(&ca, OUR_NAMES, -86400, TLS1_2_VERSION, TLS1_3_VERSION);
    contexts[MODE_WRONG_HOST] =
        make_context(&ca, "DNS:other.example", year, TLS1_2_VERSION, TLS1_3_VERSION);
    contexts[MODE_UNKNOWN_CA] =
        make_context(&other, OUR_NAMES, year, TLS1_2_VERSION, TLS1_3_VERSION);
    contexts[MODE_OLD] = make_context(&ca, OUR_NAMES, year, TLS1_VERSION, TLS1_1_VERSION);
    contexts[MODE_TLS12] = make_context(&ca, OUR_NAMES, year, TLS1_2_VERSION, TLS1_2_VERSION);
    contexts[MODE_TLS13] = make_context(&ca, OUR_NAMES, year, TLS1_3_VERSION, TLS1_3_VERSION);
    bool made = write_pem("ca.pem", ca.certificate) && write_pem("other-ca.pem", other.certificate);
    for (int i = 0; i < MODE_CLOSE; i++)
        made = made && contexts[i];
    EVP_PKEY_free(ca.key);
    EVP_PKEY_free(other.key);
    X509_free(ca.certificate);
    X509_free(other.certificate);
    return made;
}

bool tls_select(enum port port, const char *mode)
{
    for (int i = 0; i <= MODE_CLOSE; i++) {
        if (strcmp(mode, mode_names[i]) == 0) {
            modes[port] = i;
            return true;
        }
    }
    return false;
}

SSL *tls_accept(enum port port, int fd)
{
    int mode = modes[port];
    SSL *ssl = mode == MODE_CLOSE ? NULL : SSL_new(contexts[mode]);
    if (!ssl)
        return NULL;
    SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) != 1) {
        SSL_free(ssl);
        return NULL;
    }
    counters.handshakes++;
    if (SSL_session_reused(ssl))
        counters.resumed++;
    return ssl;
}
