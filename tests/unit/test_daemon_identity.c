/* SPDX-License-Identifier: Apache-2.0 */
/* Who is let in by his certificates, which are made on the spot, and who is not, and why. */
#include "daemon/identity.h"

#include <openssl/pem.h>

#include "base/error.h"
#include "tests/unit/folder.h"
#include "tests/unit/maker.h"

enum { CHAIN_ROOM = 11 };

/* What came in a handshake. */
struct chain {
    se_buf certificates[CHAIN_ROOM];
    se_bytes sent[CHAIN_ROOM];
    size_t count;
};

static void chain_add(struct chain *chain, X509 *certificate)
{
    unsigned char *der = NULL;
    const int size = i2d_X509(certificate, &der);
    se_buf *to = &chain->certificates[chain->count];

    assert_true(size > 0);
    assert_int_equal(buf_copy(to, (se_bytes){ der, (size_t)size }, NULL), SE_OK);
    chain->sent[chain->count++] = buf_bytes(to);
    OPENSSL_free(der);
}

static void chain_free(struct chain *chain)
{
    for (size_t i = 0; i < chain->count; i++)
        se_buf_free(&chain->certificates[i]);
    chain->count = 0;
}
AUTO_KIND(chain, struct chain, chain_free(p))

/* A CA, one below it with the same key, and one of others. */
struct authorities {
    EVP_PKEY *key, *other_key;
    X509 *root, *inner, *other;
    struct trust *trust; /* in the root */
};

static void authorities_make(struct authorities *a)
{
    const struct certificate_wish root = { .subject = "Root", .ca = true };
    const struct certificate_wish other = { .subject = "Other", .ca = true };
    se_error err = SE_ERROR_INIT;

    a->key = make_key("P-256");
    a->root = make_certificate(a->key, &root);
    a->other_key = make_key("P-256");
    a->other = make_certificate(a->other_key, &other);
    a->inner = make_certificate(
        a->key, &(struct certificate_wish){
                    .subject = "Inner", .ca = true, .issuer = a->root, .issuer_key = a->key });
    make_bundle("root.pem", NULL, a->root);
    assert_status(SE_OK, trust_load(&a->trust, "root.pem", NULL, &err), &err);
}

static void authorities_free(struct authorities *a)
{
    trust_free(a->trust);
    X509_free(a->root);
    X509_free(a->inner);
    X509_free(a->other);
    EVP_PKEY_free(a->key);
    EVP_PKEY_free(a->other_key);
}
AUTO_KIND(authorities, struct authorities, authorities_free(p))

/* By the issuer that the wish names, or else by the root, with a key of its own. */
static X509 *make_caller(const struct authorities *a, const char *key_type,
                         struct certificate_wish wish)
{
    EVP_PKEY *key = make_key(key_type);
    X509 *made;

    wish.issuer = wish.issuer ? wish.issuer : a->root;
    wish.issuer_key = a->key;
    made = make_certificate(key, &wish);
    EVP_PKEY_free(key);
    return made;
}

static struct chain chain_of(X509 *one)
{
    struct chain chain = { .count = 0 };

    chain_add(&chain, one);
    X509_free(one);
    return chain;
}

static void let_in(const struct trust *trust, const struct chain *chain)
{
    struct identity *identity;
    se_error err = SE_ERROR_INIT;

    assert_status(SE_OK, identity_read(&identity, trust, chain->sent, chain->count, &err), &err);
    assert_status(SE_OK, identity_check(identity, trust, &err), &err);
    identity_free(identity);
}

static void turned_away(const struct trust *trust, const struct chain *chain, const char *why)
{
    struct identity *identity = (struct identity *)(uintptr_t)1;
    se_error err = SE_ERROR_INIT;

    assert_status(SE_ERR_REJECTED, identity_read(&identity, trust, chain->sent, chain->count, &err),
                  &err);
    assert_null(identity);
    if (!strstr(err.text, why))
        fail_msg("'%s' does not say '%s'", err.text, why);
}

/* ---- who gets in ---- */

static void those_who_are_vouched_for(void **state)
{
    static const struct {
        const char *key;
        struct certificate_wish wish;
    } callers[] = {
        { "P-256", { .usage = "critical,digitalSignature" } },
        { "P-384", { .usage = NULL } },
        { "RSA-2048", { .usage = "digitalSignature,keyEncipherment" } },
        { "P-256", { .extended_usage = "clientAuth" } },
        { "P-256", { .extended_usage = "serverAuth,clientAuth" } },
    };
    AUTO(authorities) a = { .trust = NULL };

    (void)state;
    authorities_make(&a);
    for (size_t i = 0; i < sizeof callers / sizeof *callers; i++) {
        AUTO(chain) chain = chain_of(make_caller(&a, callers[i].key, callers[i].wish));

        let_in(a.trust, &chain);
    }
}

static void chains_of_several(void **state)
{
    AUTO(authorities) a = { .trust = NULL };
    AUTO(chain) chain = { .count = 0 };
    struct trust *inner;
    se_error err = SE_ERROR_INIT;

    (void)state;
    authorities_make(&a);
    chain = chain_of(make_caller(&a, "P-256", (struct certificate_wish){ .issuer = a.inner }));
    turned_away(a.trust, &chain, "unable to get local issuer certificate");
    /* a CA that is trusted need not be a root */
    make_bundle("inner.pem", NULL, a.inner);
    assert_status(SE_OK, trust_load(&inner, "inner.pem", NULL, &err), &err);
    let_in(inner, &chain);
    trust_free(inner);
    chain_add(&chain, a.inner);
    let_in(a.trust, &chain);
    /* what else he sends does no harm */
    chain_add(&chain, a.other);
    let_in(a.trust, &chain);
}

/* ---- who does not ---- */

static void those_whom_nobody_vouches_for(void **state)
{
    static const struct {
        const char *key;
        struct certificate_wish wish;
        const char *why;
    } strangers[] = {
        { "P-256", { .from_days = -9, .to_days = -1 }, "certificate has expired" },
        { "P-256", { .from_days = 1, .to_days = 9 }, "certificate is not yet valid" },
        { "P-256", { .extended_usage = "serverAuth" }, "certificate purpose" },
        { "P-256", { .extended_usage = "emailProtection" }, "certificate purpose" },
        { "P-256", { .usage = "keyAgreement" }, "no digitalSignature" },
        { "RSA-2048", { .usage = "keyEncipherment" }, "certificate purpose" },
        { "RSA-1024", { .usage = NULL }, "EE certificate key too weak" },
        { "P-256", { .ca = true }, "the certificate is a CA's" },
        { "P-256", { .ca = true, .usage = "keyCertSign,digitalSignature" }, "is a CA's" },
    };
    AUTO(authorities) a = { .trust = NULL };

    (void)state;
    authorities_make(&a);
    for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++) {
        AUTO(chain) chain = chain_of(make_caller(&a, strangers[i].key, strangers[i].wish));

        turned_away(a.trust, &chain, strangers[i].why);
    }
}

static void certificates_of_others(void **state)
{
    AUTO(authorities) a = { .trust = NULL };
    AUTO(chain) forged = { .count = 0 };
    AUTO(chain) self = { .count = 0 };
    AUTO(chain) below = { .count = 0 };
    X509 *leaf;

    (void)state;
    authorities_make(&a);
    /* the other CA's name, signed by the root's key; then with that CA behind it */
    forged = chain_of(make_caller(&a, "P-256", (struct certificate_wish){ .issuer = a.other }));
    turned_away(a.trust, &forged, "unable to get local issuer certificate");
    chain_add(&forged, a.other);
    turned_away(a.trust, &forged, "certificate ");
    self = chain_of(make_certificate(a.key, &(struct certificate_wish){ .subject = "Root" }));
    turned_away(a.trust, &self, "self-signed certificate");
    /* a caller who certifies others */
    leaf = make_caller(&a, "P-256", (struct certificate_wish){ .subject = "Caller" });
    below = chain_of(make_caller(&a, "P-256", (struct certificate_wish){ .issuer = leaf }));
    chain_add(&below, leaf);
    turned_away(a.trust, &below, "invalid CA certificate");
    X509_free(leaf);
}

static void what_is_no_chain(void **state)
{
    AUTO(authorities) a = { .trust = NULL };
    AUTO(chain) chain = { .count = 0 };
    const se_bytes nothing = { "", 0 }, text = { "-----BEGIN", 10 };
    se_bytes whole;

    (void)state;
    authorities_make(&a);
    turned_away(a.trust, &chain, "no certificate came");
    while (chain.count < CHAIN_ROOM)
        chain_add(&chain, a.root);
    turned_away(a.trust, &chain, "11 certificates came; 10 at most");
    chain.count = 2;
    whole = chain.sent[0];
    chain.sent[0] = nothing;
    turned_away(a.trust, &chain, "certificate 1 of those that came can't be read");
    chain.sent[0] = text;
    turned_away(a.trust, &chain, "certificate 1 of those that came can't be read");
    chain.sent[0] = (se_bytes){ whole.data, whole.size - 1 };
    turned_away(a.trust, &chain, "certificate 1 of those that came can't be read");
    chain.sent[0] = whole;
    chain.sent[1] = text;
    turned_away(a.trust, &chain, "certificate 2 of those that came can't be read");
    chain.count = CHAIN_ROOM;
}

/* ---- what is read of him ---- */

static struct identity *identify(const struct authorities *a, struct certificate_wish wish)
{
    AUTO(chain) chain = chain_of(make_caller(a, "P-256", wish));
    struct identity *identity;
    se_error err = SE_ERROR_INIT;

    assert_status(SE_OK, identity_read(&identity, a->trust, chain.sent, chain.count, &err), &err);
    return identity;
}

static void the_same_caller_renewed(void **state)
{
    const struct certificate_wish wishes[] = {
        { .subject = "portal", .alt_name = "DNS:portal.example" },
        { .subject = "portal", .alt_name = "DNS:other.example" },
        { .subject = "other", .alt_name = "DNS:portal.example" },
        { .subject = "portal" },
    };
    enum { COUNT = sizeof wishes / sizeof *wishes };
    struct identity *first[COUNT];
    AUTO(authorities) a = { .trust = NULL };

    (void)state;
    authorities_make(&a);
    for (size_t i = 0; i < COUNT; i++) {
        struct identity *again = identify(&a, wishes[i]);

        first[i] = identify(&a, wishes[i]);
        assert_string_equal(first[i]->id, again->id);
        assert_string_not_equal(first[i]->sha256, again->sha256);
        assert_string_not_equal(first[i]->serial, again->serial);
        identity_free(again);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(first[i]->id, first[k]->id);
    }
    for (size_t i = 0; i < COUNT; i++)
        identity_free(first[i]);
}

static void names_as_they_are_told(void **state)
{
    AUTO(authorities) a = { .trust = NULL };
    struct identity *identity;
    se_error err = SE_ERROR_INIT;
    AUTO(se_buf) root = SE_BUF_INIT;
    AUTO(chain) of_root = { .count = 0 };

    (void)state;
    authorities_make(&a);
    identity = identify(&a, (struct certificate_wish){ .subject = "M\303\274ller, \"A\"\n" });
    assert_string_equal(identity->subject, "CN=M\303\274ller\\, \\\"A\\\"\\0A");
    assert_string_equal(identity->issuer, "CN=Root");
    assert_int_equal(strlen(identity->sha256), 64);
    assert_int_equal(strspn(identity->sha256, "0123456789abcdef"), 64);
    assert_memory_equal(identity->id, "cert:", 5);
    chain_add(&of_root, a.root);
    assert_int_equal(identity->issued_by.size, of_root.sent[0].size);
    assert_memory_equal(identity->issued_by.data, of_root.sent[0].data, of_root.sent[0].size);
    /* the CAs of now are what counts: those of the others do not vouch for him */
    trust_free(a.trust);
    make_bundle("other.pem", NULL, a.other);
    assert_status(SE_OK, trust_load(&a.trust, "other.pem", NULL, &err), &err);
    assert_status(SE_ERR_REJECTED, identity_check(identity, a.trust, &err), &err);
    identity_free(identity);
}

/* ---- revocation ---- */

static X509_CRL *make_crl(const struct authorities *a, X509 *issuer, X509 *revoked)
{
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *now = X509_gmtime_adj(NULL, -60), *later = X509_gmtime_adj(NULL, 3600);

    assert_true(X509_CRL_set_version(crl, X509_CRL_VERSION_2));
    assert_true(X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer)));
    assert_true(X509_CRL_set1_lastUpdate(crl, now) && X509_CRL_set1_nextUpdate(crl, later));
    if (revoked) {
        X509_REVOKED *entry = X509_REVOKED_new();

        assert_true(X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(revoked)) &&
                    X509_REVOKED_set_revocationDate(entry, now) &&
                    X509_CRL_add0_revoked(crl, entry));
    }
    assert_true(X509_CRL_sign(crl, a->key, EVP_sha256()));
    ASN1_TIME_free(now);
    ASN1_TIME_free(later);
    return crl;
}

static void append_crl(const char *path, X509_CRL *crl)
{
    FILE *file = fopen(path, "a");

    assert_non_null(file);
    assert_true(PEM_write_X509_CRL(file, crl));
    assert_int_equal(fclose(file), 0);
    X509_CRL_free(crl);
}

static void those_who_are_revoked(void **state)
{
    AUTO(authorities) a = { .trust = NULL };
    AUTO(chain) good = { .count = 0 };
    AUTO(chain) bad = { .count = 0 };
    AUTO(chain) below = { .count = 0 };
    struct trust *trust;
    X509 *revoked;
    se_error err = SE_ERROR_INIT;

    (void)state;
    authorities_make(&a);
    revoked = make_caller(&a, "P-256", (struct certificate_wish){ .subject = "revoked" });
    append_crl("all.crl", make_crl(&a, a.root, revoked));
    assert_status(SE_OK, trust_load(&trust, "root.pem", "all.crl", &err), &err);
    good = chain_of(make_caller(&a, "P-256", (struct certificate_wish){ .subject = "good" }));
    bad = chain_of(revoked);
    below = chain_of(make_caller(&a, "P-256", (struct certificate_wish){ .issuer = a.inner }));
    chain_add(&below, a.inner);
    let_in(trust, &good);
    let_in(a.trust, &bad); /* where nothing is asked about revocation */
    turned_away(trust, &bad, "certificate revoked");
    turned_away(trust, &below, "unable to get certificate CRL");
    trust_free(trust);
    append_crl("all.crl", make_crl(&a, a.inner, NULL));
    assert_status(SE_OK, trust_load(&trust, "root.pem", "all.crl", &err), &err);
    let_in(trust, &below);
    trust_free(trust);
}

/* ---- files ---- */

static void refuses_file(const char *ca, const char *crl, se_status status, const char *why)
{
    struct trust *trust = (struct trust *)(uintptr_t)1;
    se_error err = SE_ERROR_INIT;

    assert_status(status, trust_load(&trust, ca, crl, &err), &err);
    assert_null(trust);
    if (!strstr(err.text, why))
        fail_msg("'%s' does not say '%s'", err.text, why);
}

static void files_that_hold_something_else(void **state)
{
    AUTO(authorities) a = { .trust = NULL };
    FILE *file;

    (void)state;
    authorities_make(&a);
    append_crl("some.crl", make_crl(&a, a.root, NULL));
    refuses_file("nothing.pem", NULL, SE_ERR_IO, "client-ca: cannot read 'nothing.pem'");
    refuses_file("some.crl", NULL, SE_ERR_CONFIG,
                 "client-ca: 'some.crl' has no certificate in PEM");
    refuses_file("root.pem", "root.pem", SE_ERR_CONFIG, "crl: 'root.pem' has no CRL in PEM");
    refuses_file("root.pem", "nothing.crl", SE_ERR_IO, "crl: cannot read 'nothing.crl'");
    make_bundle("cut.pem", NULL, a.root);
    file = fopen("cut.pem", "a");
    assert_non_null(file);
    assert_true(fputs("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", file) >= 0);
    assert_int_equal(fclose(file), 0);
    refuses_file("cut.pem", NULL, SE_ERR_CONFIG,
                 "client-ca: 'cut.pem': certificate 2 in PEM can't be read");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(those_who_are_vouched_for),
        IN_FOLDER(chains_of_several),
        IN_FOLDER(those_whom_nobody_vouches_for),
        IN_FOLDER(certificates_of_others),
        IN_FOLDER(what_is_no_chain),
        IN_FOLDER(the_same_caller_renewed),
        IN_FOLDER(names_as_they_are_told),
        IN_FOLDER(those_who_are_revoked),
        IN_FOLDER(files_that_hold_something_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
