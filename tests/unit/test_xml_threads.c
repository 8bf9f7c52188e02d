/* SPDX-License-Identifier: Apache-2.0 */
/* Eight threads sign and verify XML on two engines while four sign CMS: libxml2 has state of its
 * own, and an application may use it too. */
#include <libxml/parser.h>
#include <pthread.h>
#include <stdio.h>

#include "base/stream.h"
#include "tests/unit/folder.h"
#include "tests/unit/maker.h"
#include "tests/unit/unit.h"

enum { XML_THREADS = 8, CMS_THREADS = 4, ROUNDS = 12 };

static const char configuration[] =
    "<engineSignEncrypt><descriptors><descriptor name='Files'><type algorithm='SHA256withECDSA' "
    "key='k'/></descriptor></descriptors>"
    "<keys><key name='k'><type name='pem' locationValue='k.pem'/></key></keys></engineSignEncrypt>";

struct work {
    se_engine *engine;
    pthread_barrier_t *start;
    unsigned number, done;
};

static bool verified(const struct work *w, const se_buf *document, const char *expected)
{
    AUTO(writer) content = { 0 };
    const se_sink sink = sink_writer(&content);
    se_verify_params params = SE_VERIFY_PARAMS_INIT;

    params.form = SE_FORM_XML;
    params.content = &sink;
    return !se_verify(NULL, w->engine, "Files", buf_bytes(document), &params, NULL) &&
           !strcmp(writer_string(&content), expected);
}

static bool refused(const struct work *w, se_buf *document)
{
    se_verify_params params = SE_VERIFY_PARAMS_INIT;

    params.form = SE_FORM_XML;
    document->data[strlen("<o n=\"")] ^= 1; /* another digit */
    return se_verify(NULL, w->engine, "Files", buf_bytes(document), &params, NULL) ==
           SE_ERR_REJECTED;
}

static void *do_xml(void *arg)
{
    struct work *w = arg;

    pthread_barrier_wait(w->start);
    for (unsigned i = 0; i < ROUNDS; i++) {
        AUTO(se_buf) document = SE_BUF_INIT;
        se_sign_params params = SE_SIGN_PARAMS_INIT;
        char text[64];

        params.form = SE_FORM_XML;
        params.xml_inclusive = i % 2;
        snprintf(text, sizeof text, "<o n=\"%u\"><i>%u</i></o>", w->number, i);
        w->done += !se_sign(&document, w->engine, "Files", text_bytes(text), &params, NULL) &&
                   verified(w, &document, text) && refused(w, &document);
    }
    return NULL;
}

static void *do_cms(void *arg)
{
    struct work *w = arg;

    pthread_barrier_wait(w->start);
    for (unsigned i = 0; i < ROUNDS; i++) {
        AUTO(se_buf) signature = SE_BUF_INIT;
        se_verify_params params = SE_VERIFY_PARAMS_INIT;

        if (se_sign(&signature, w->engine, "Files", text_bytes("content"), NULL, NULL))
            continue;
        params.signature = buf_bytes(&signature);
        w->done += !se_verify(NULL, w->engine, "Files", text_bytes("content"), &params, NULL);
    }
    return NULL;
}

static void make_files(void)
{
    EVP_PKEY *key = make_key("P-256");
    X509 *certificate =
        make_certificate(key, &(struct certificate_wish){ .usage = "critical,digitalSignature" });

    make_bundle("k.pem", key, certificate);
    make("engine.xml", configuration, 0600);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

static void threads_share_engines(void **state)
{
    struct work works[XML_THREADS + CMS_THREADS];
    pthread_t threads[XML_THREADS + CMS_THREADS];
    se_engine *engines[2];
    pthread_barrier_t start;
    se_error err = SE_ERROR_INIT;

    (void)state;
    make_files();
    for (unsigned i = 0; i < 2; i++)
        assert_status(SE_OK, se_open(&engines[i], "engine.xml", NULL, &err), &err);
    pthread_barrier_init(&start, NULL, XML_THREADS + CMS_THREADS);
    for (unsigned i = 0; i < XML_THREADS + CMS_THREADS; i++) {
        works[i] = (struct work){ engines[i % 2], &start, i % 10, 0 };
        assert_int_equal(
            pthread_create(&threads[i], NULL, i < XML_THREADS ? do_xml : do_cms, &works[i]), 0);
    }
    for (unsigned i = 0; i < XML_THREADS + CMS_THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(works[i].done, ROUNDS);
    }
    pthread_barrier_destroy(&start);
    for (unsigned i = 0; i < 2; i++)
        se_close(&engines[i]);
}

static unsigned heard;

static void hear(void *arg, xmlErrorPtr error)
{
    (void)arg;
    (void)error;
    heard++;
}

/* The handler of the application hears nothing of ours, and is there afterwards. */
static void the_handler_stays(void **state)
{
    AUTO(se_buf) out = SE_BUF_INIT;
    se_engine *engine;
    se_sign_params params = SE_SIGN_PARAMS_INIT;
    se_error err = SE_ERROR_INIT;

    (void)state;
    make_files();
    assert_status(SE_OK, se_open(&engine, "engine.xml", NULL, &err), &err);
    xmlSetStructuredErrorFunc(&heard, hear);
    params.form = SE_FORM_XML;
    assert_int_equal(se_sign(&out, engine, "Files", text_bytes("<a><b></a>"), &params, NULL),
                     SE_ERR_FORMAT);
    assert_int_equal(
        se_sign(&out, engine, "Files", text_bytes("<a xmlns='relative'/>"), &params, NULL),
        SE_ERR_FORMAT);
    assert_int_equal(heard, 0);
    assert_ptr_equal(xmlStructuredErrorContext, &heard);
    assert_null(xmlReadMemory("<a>", 3, NULL, NULL, 0));
    assert_true(heard > 0);
    xmlSetStructuredErrorFunc(NULL, NULL);
    se_close(&engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = { IN_FOLDER(threads_share_engines),
                                        IN_FOLDER(the_handler_stays) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
