/* SPDX-License-Identifier: Apache-2.0 */
/* After a key was used, or refused, no PIN stays in memory: engine, stores, OpenSSL, p11-kit and
 * SoftHSM together. */
#include <stdio.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "tests/token/fixture.h"
#include "tests/unit/needle.h"

static void make_keys(const char *pin)
{
    run("openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -subj /CN=x -days "
        "10 -config /dev/null");
    run("openssl pkcs12 -export -inkey key.pem -in cert.pem -out key.p12 -passout 'pass:%s'", pin);
    run("openssl pkcs12 -export -legacy -inkey key.pem -in cert.pem -out old.p12 -passout "
        "'pass:%s'",
        pin);
    run("openssl pkcs8 -topk8 -in key.pem -out locked.pem -passout 'pass:%s' && cat cert.pem "
        ">>locked.pem",
        pin);
    run("softhsm2-util --init-token --free --label secret --so-pin 12345678 --pin '%s'", pin);
    run("pkcs11-tool --module %s --token-label secret --login --pin '%s' --keypairgen --key-type "
        "rsa:2048 --label x --id 01",
        softhsm, pin);
    run("openssl x509 -in cert.pem -outform DER -out cert.der");
    run("pkcs11-tool --module %s --token-label secret --login --pin '%s' --read-object --type "
        "pubkey --label x -o pub.der",
        softhsm, pin);
    run("openssl x509 -new -force_pubkey pub.der -CA cert.pem -CAkey key.pem -subj /CN=x -days 10 "
        "| openssl x509 -outform DER -out "
        "own.der");
    run("pkcs11-tool --module %s --token-label secret --login --pin '%s' --write-object own.der "
        "--type cert --label x --id 01",
        softhsm, pin);
}

/* A configuration whose only key is that <type>; `before`: what its PIN has in front; NULL: it has
 * none of its own. */
static const char *type, *before;
static void write_config(const char *pin)
{
    FILE *file = fopen(file_of("engine.xml"), "w");

    fprintf(file,
            "<engineSignEncrypt><descriptors><descriptor name='d'><type algorithm='SHA-256' "
            "key='k'/></descriptor></descriptors>"
            "<keys><key name='k'><type %s ",
            type);
    if (before)
        fprintf(file, "pin='%s%s'", before, pin);
    fprintf(file, "/></key></keys></engineSignEncrypt>");
    (void)fclose(file);
}

static void write_pin(const char *pin)
{
    FILE *file = fopen(file_of("the.pin"), "w");

    (void)fchmod(fileno(file), 0600);
    fprintf(file, "%s\n", pin);
    (void)fclose(file);
}

static void use(se_status expected)
{
    se_error err = SE_ERROR_INIT;
    se_engine *engine;

    assert_status(SE_OK, se_open(&engine, file_of("engine.xml"), NULL, &err), &err);
    for (int i = 0; i < 2; i++) {
        AUTO(se_buf) signature = SE_BUF_INIT;
        se_error failure = SE_ERROR_INIT;

        assert_status(expected,
                      se_sign(&signature, engine, "d", text_bytes("content"), NULL, &failure),
                      &failure);
    }
    se_close(&engine);
}

static void leaves_nothing(const char *how, const char *before_pin, se_status expected)
{
    size_t left;

    type = how;
    before = before_pin;
    in_child(write_config);
    use(expected);
    left = pieces_in_memory();
    if (left)
        fail_msg("%s: %zu pieces of the PIN are left", how, left);
}

static void key_files_leave_nothing(void **state)
{
    (void)state;
    leaves_nothing("name='pkcs12' locationValue='key.p12'", "", SE_OK);
    leaves_nothing("name='pkcs12' locationValue='old.p12'", "", SE_OK);
    leaves_nothing("name='pem' locationValue='locked.pem'", "", SE_OK);
    leaves_nothing("name='pkcs12' locationValue='key.p12' pin.source='file:the.pin'", NULL, SE_OK);
}

static void wrong_pins_leave_nothing(void **state)
{
    (void)state;
    leaves_nothing("name='pkcs12' locationValue='key.p12'", "x", SE_ERR_ACCESS);
    leaves_nothing("name='pem' locationValue='locked.pem'", "x", SE_ERR_ACCESS);
}

static void tokens_leave_nothing(void **state)
{
    char how[256];

    (void)state;
    (void)snprintf(how, sizeof how, "name='HSM' locationValue='%s' tokenLabel='secret' alias='x'",
                   softhsm);
    leaves_nothing(how, "", SE_OK);
    leaves_nothing(how, "x", SE_ERR_ACCESS);
    (void)snprintf(
        how, sizeof how,
        "name='HSM' locationValue='%s' tokenLabel='secret' alias='x' pin.source='file:the.pin'",
        softhsm);
    leaves_nothing(how, NULL, SE_OK);
}

static int fill(void **state)
{
    if (fixture_make(state))
        return -1;
    in_child(make_keys);
    in_child(write_pin);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(key_files_leave_nothing),
        cmocka_unit_test(wrong_pins_leave_nothing),
        cmocka_unit_test(tokens_leave_nothing),
    };

    return cmocka_run_group_tests(tests, fill, fixture_drop);
}
