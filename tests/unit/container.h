/* SPDX-License-Identifier: Apache-2.0 */
/* Containers in memory: made and read through streams that give and take as they like. */
#ifndef TESTS_UNIT_CONTAINER_H
#define TESTS_UNIT_CONTAINER_H

#include "base/stream.h"
#include "tests/unit/folder.h"
#include "tests/unit/maker.h"
#include "tests/unit/unit.h"

#define CIPHER(name, cipher, bits, more)                                                           \
    "<descriptor name='" name "'><type algorithm='" cipher "' size='" bits "' key='one'" more      \
    " asymCipher='RSA/ECB/OAEPWithSHA-256AndMGF1Padding'/></descriptor>"

static const char configuration[] = "<engineSignEncrypt><descriptors>" CIPHER(
    "CBC-128", "AES/CBC/PKCS7Padding", "128",
    "") CIPHER("CBC-192", "AES/CBC/PKCS7Padding", "192",
               "") CIPHER("CBC-256", "AES/CBC/PKCS7Padding", "256",
                          "") CIPHER("GCM-128", "AES/GCM/NoPadding", "128",
                                     "") CIPHER("GCM-192", "AES/GCM/NoPadding", "192",
                                                "") CIPHER("GCM-256", "AES/GCM/NoPadding", "256",
                                                           "")
    CIPHER("CMS", "AES/GCM/NoPadding", "256", " result='CMS'") CIPHER(
        "fixed", "AES/CBC/PKCS7Padding", "256",
        " initVector='000102030405060708090a0b0c0d0e0f'") "<descriptor name='other'><type "
                                                          "algorithm='AES/GCM/NoPadding' key='two' "
                                                          "asymCipher='RSA/ECB/"
                                                          "OAEPWithSHA-256AndMGF1Padding'/></"
                                                          "descriptor>"
                                                          "<descriptor name='bare'><type "
                                                          "key='three' "
                                                          "asymCipher='RSA/ECB/"
                                                          "OAEPWithSHA-256AndMGF1Padding'/></"
                                                          "descriptor>"
                                                          "<descriptor name='signer'><type "
                                                          "algorithm='SHA-256' "
                                                          "key='one'/></descriptor>"
                                                          "</descriptors><keys><key "
                                                          "name='one'><type name='pem' "
                                                          "locationValue='one.pem'/></key>"
                                                          "<key name='three'><type name='pem' "
                                                          "locationValue='three.pem'/></key>"
                                                          "<key name='two'><type name='pem' "
                                                          "locationValue='two.pem'/></key></keys></"
                                                          "engineSignEncrypt>";

static const char *const ciphers[] = { "CBC-128", "CBC-192", "CBC-256",
                                       "GCM-128", "GCM-192", "GCM-256" };
enum { CIPHERS = sizeof ciphers / sizeof *ciphers, PIECE = 65536 };

/* Makes FIXTURE_FILES files in the current folder. */
enum { FIXTURE_FILES = 4 };

static inline se_engine *opened(void)
{
    se_error err = SE_ERROR_INIT;
    se_engine *engine;

    make("engine.xml", configuration, 0600);
    make_signer("one.pem", "RSA-2048", &(struct certificate_wish){ .subject = "one" });
    make_signer("two.pem", "RSA-2048", &(struct certificate_wish){ .subject = "one" });
    make_signer("three.pem", "RSA-2048", &(struct certificate_wish){ .subject = "three" });
    assert_status(SE_OK, se_open(&engine, "engine.xml", NULL, &err), &err);
    return engine;
}

/* Bytes that are not the same anywhere. */
static inline se_buf plain_of(size_t size)
{
    uint32_t number = 1;
    se_buf out;

    assert_int_equal(buf_new(&out, size, NULL), SE_OK);
    for (size_t i = 0; i < size; i++) {
        number = number * 1664525 + 1013904223;
        out.data[i] = (unsigned char)(number >> 24);
    }
    return out;
}

typedef se_status (*passage_fn)(const se_sink *, se_engine *, const char *, const se_source *,
                                const se_container_params *, se_error *);

/* *out: what was written, whatever the end. */
static inline se_status pass(se_buf *out, passage_fn passage, se_engine *engine,
                             const char *descriptor, se_bytes in, se_error *err)
{
    AUTO(writer) w = { 0 };
    const se_sink sink = sink_writer(&w);
    const se_source source = source_memory(&in);
    se_status st = passage(&sink, engine, descriptor, &source, NULL, err);

    assert_int_equal(writer_finish(out, &w, NULL), SE_OK);
    return st;
}

static inline se_buf contained(se_engine *engine, const char *descriptor, se_bytes plain)
{
    se_error err = SE_ERROR_INIT;
    se_buf out;

    assert_status(SE_OK, pass(&out, se_container_encrypt_stream, engine, descriptor, plain, &err),
                  &err);
    return out;
}

#endif
