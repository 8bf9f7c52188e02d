/* SPDX-License-Identifier: Apache-2.0 */
/* Callers with certificates, which are made on the spot. */
#include <pthread.h>

#include "tests/unit/access.h"
#include "tests/unit/maker.h"

static se_caller client(const se_buf *certificate)
{
    se_caller caller = SE_CALLER_INIT;

    caller.certificate = buf_bytes(certificate);
    return caller;
}

static se_buf der_of(X509 *certificate)
{
    unsigned char *der = NULL;
    const int size = i2d_X509(certificate, &der);
    se_buf out;

    assert_true(size > 0);
    assert_int_equal(buf_copy(&out, (se_bytes){ der, (size_t)size }, NULL), SE_OK);
    OPENSSL_free(der);
    return out;
}

/* Two CAs, and what they have certified; all with one key. */
struct certified {
    EVP_PKEY *key;
    X509 *ca, *other_ca;
    se_buf app, alien, bare, wild, ca_der, other_ca_der;
};

static void certified_make(struct certified *c)
{
    static const char names[] = "DNS:other.example,DNS:App1.Example.test,URI:urn:app:1,"
                                "IP:192.0.2.7,email:Me@example.org";
    struct certificate_wish wish = { .subject = "App One", .alt_name = names };
    X509 *made[4];

    c->key = make_key("P-256");
    c->ca = make_certificate(c->key, &(struct certificate_wish){ .subject = "CA", .ca = true });
    c->other_ca =
        make_certificate(c->key, &(struct certificate_wish){ .subject = "Other CA", .ca = true });
    wish.issuer_key = c->key;
    wish.issuer = c->ca;
    made[0] = make_certificate(c->key, &wish);
    wish.issuer = c->other_ca;
    made[1] = make_certificate(c->key, &wish);
    wish.issuer = c->ca;
    wish.alt_name = NULL;
    wish.subject = "app1.example.test";
    made[2] = make_certificate(c->key, &wish);
    wish.alt_name = "DNS:*.example.test";
    made[3] = make_certificate(c->key, &wish);
    c->app = der_of(made[0]);
    c->alien = der_of(made[1]);
    c->bare = der_of(made[2]);
    c->wild = der_of(made[3]);
    c->ca_der = der_of(c->ca);
    c->other_ca_der = der_of(c->other_ca);
    for (size_t i = 0; i < 4; i++)
        X509_free(made[i]);
}

static void certified_free(struct certified *c)
{
    se_buf *const all[] = { &c->app, &c->alien, &c->bare, &c->wild, &c->ca_der, &c->other_ca_der };

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        se_buf_free(all[i]);
    X509_free(c->ca);
    X509_free(c->other_ca);
    EVP_PKEY_free(c->key);
}
AUTO_KIND(certified, struct certified, certified_free(p))

static void fingerprint_of(char out[65], const se_buf *der)
{
    unsigned char hash[32];
    size_t size = sizeof hash;

    assert_true(EVP_Q_digest(NULL, "SHA2-256", NULL, der->data, der->size, hash, &size));
    for (size_t i = 0; i < sizeof hash; i++)
        (void)snprintf(out + 2 * i, 3, "%02X", hash[i]);
}

/* What a <certificate> says, and which of app, alien, bare, wild it is. */
static void a_certificate_is_all_that_is_said(void **state)
{
    AUTO(certified) c = { .key = NULL };
    char own[65];
    const struct {
        const char *says;
        bool app, alien, bare, wild;
    } cases[] = {
        { "subject='CN=App One'", true, true, false, false },
        { "subject='/CN=App One'", true, true, false, false },
        { "subject='cn=APP  one'", true, true, false, false },
        { "subject='CN=App'", false, false, false, false },
        { "subject='CN=App One,O=x'", false, false, false, false },
        { "issuer='CN=CA'", true, false, true, true },
        { "issuer='CN=Other CA'", false, true, false, false },
        { "subject='CN=App One' issuer='CN=Other CA'", false, true, false, false },
        { "san='DNS:app1.example.test'", true, true, false, false },
        { "san='DNS:OTHER.example'", true, true, false, false },
        { "san='DNS:app1.example.tes'", false, false, false, false },
        { "san='DNS:app2.example.test'", false, false, false, false },
        { "san='DNS:app1.example.test' issuer='CN=CA'", true, false, false, false },
        { "san='DNS:app1.example.test' subject='CN=x'", false, false, false, false },
        { "san='URI:urn:app:1'", true, true, false, false },
        { "san='URI:urn:App:1'", false, false, false, false },
        { "san='IP:192.0.2.7'", true, true, false, false },
        { "san='IP:192.0.2.8'", false, false, false, false },
        { "san='email:Me@example.org'", true, true, false, false },
        { "san='email:me@example.org'", false, false, false, false },
        { own, true, false, false, false },
    };
    char says[100];

    (void)state;
    certified_make(&c);
    fingerprint_of(own, &c.app);
    (void)snprintf(says, sizeof says, "sha256='%s'", own);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO(writer) text = { 0 };
        AUTO(access) access = NULL;
        const se_buf *const ders[] = { &c.app, &c.alien, &c.bare, &c.wild };
        const bool is[] = { cases[i].app, cases[i].alien, cases[i].bare, cases[i].wild };

        writer_format(&text,
                      ROWS("<allow name='%zu' operations='monitor'><certificate %s/></allow>"), i,
                      cases[i].says == own ? says : cases[i].says);
        access = access_of(writer_string(&text));
        for (size_t j = 0; j < 4; j++) {
            const se_caller caller = client(ders[j]);
            se_use use = SE_USE_INIT;

            use.operation = "monitor";
            if ((se_access_decide(NULL, access, &caller, &use, NULL) == SE_OK) != is[j])
                fail_msg("%s: certificate %zu", cases[i].says, j);
        }
    }
}

static void an_issuer_is_the_one_of_the_certificate(void **state)
{
    AUTO(certified) c = { .key = NULL };
    AUTO(access)
    access = access_of(
        ROWS("<allow name='ca' operations='monitor'><certificate issuer='CN=CA'/></allow>"));
    const uint32_t number = 1001;
    se_use use = SE_USE_INIT;
    se_error err = SE_ERROR_INIT;
    se_caller caller;

    (void)state;
    certified_make(&c);
    use.operation = "monitor";
    caller = client(&c.app);
    caller.issuer = buf_bytes(&c.ca_der);
    assert_status(SE_OK, se_access_decide(NULL, access, &caller, &use, &err), &err);
    caller.issuer = buf_bytes(&c.other_ca_der);
    assert_status(SE_ERR_USAGE, se_access_decide(NULL, access, &caller, &use, &err), &err);
    assert_string_equal(err.text, "the issuer did not issue the certificate");
    caller.issuer = text_bytes("CN=CA");
    assert_status(SE_ERR_FORMAT, se_access_decide(NULL, access, &caller, &use, &err), &err);
    caller = client(&c.app);
    caller.certificate.size--;
    assert_status(SE_ERR_FORMAT, se_access_decide(NULL, access, &caller, &use, &err), &err);
    caller = user(number);
    caller.gids = &number;
    caller.gid_count = 1;
    assert_status(SE_ERR_ACCESS, se_access_decide(NULL, access, &caller, &use, &err), &err);
}

/* ---- threads ---- */

enum { THREADS = 4, ROUNDS = 200 };

struct crowd {
    const se_access *access;
    se_caller caller;
};

/* How often it was allowed. */
static void *decide_often(void *arg)
{
    const struct crowd *crowd = arg;
    uintptr_t allowed = 0;
    se_use use = SE_USE_INIT;

    use.operation = "monitor";
    for (int i = 0; i < ROUNDS; i++)
        allowed += !se_access_decide(NULL, crowd->access, &crowd->caller, &use, NULL);
    return (void *)allowed;
}

static void threads_share_it(void **state)
{
    AUTO(certified) c = { .key = NULL };
    AUTO(access)
    access = access_of(ROWS("<allow name='a' operations='monitor'><certificate "
                            "subject='CN=App One' issuer='CN=CA' san='DNS:other.example'/>"
                            "</allow>"));
    struct crowd crowd = { .access = access };
    pthread_t threads[THREADS];

    (void)state;
    certified_make(&c);
    crowd.caller = client(&c.app);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, decide_often, &crowd), 0);
    for (size_t i = 0; i < THREADS; i++) {
        void *allowed;

        assert_int_equal(pthread_join(threads[i], &allowed), 0);
        assert_int_equal((uintptr_t)allowed, ROUNDS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_certificate_is_all_that_is_said),
        IN_FOLDER(an_issuer_is_the_one_of_the_certificate),
        IN_FOLDER(threads_share_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
