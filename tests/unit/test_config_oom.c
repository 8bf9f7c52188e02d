/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Without memory a configuration is refused, never half understood: every allocation of ours fails
 * once.  Of libxml2's only some do, for 2.9.14 does not check all.
 */
#include <libxml/parser.h>

#include "tests/unit/config.h"

/* Counts down to the allocation that fails, ours and libxml2's; negative: none does. */
static int left = -1, left_for_xml = -1;

static bool fails(int *countdown)
{
    return *countdown >= 0 && (*countdown)-- == 0;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t size);
int __real_vasprintf(char **out, const char *format, va_list args);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t size);
int __wrap_vasprintf(char **out, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

void *__wrap_malloc(size_t size)
{
    return fails(&left) ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails(&left) ? NULL : __real_calloc(count, size);
}

char *__wrap_strdup(const char *text)
{
    return fails(&left) ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t size)
{
    return fails(&left) ? NULL : __real_strndup(text, size);
}

int __wrap_vasprintf(char **out, const char *format, va_list args)
{
    return fails(&left) ? -1 : __real_vasprintf(out, format, args);
}

/* what _FORTIFY_SOURCE calls in its place */
int __wrap___vasprintf_chk(char **out, int flag, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));
int __wrap___vasprintf_chk(char **out, int flag, const char *format, va_list args)
{
    (void)flag;
    return __wrap_vasprintf(out, format, args);
}

static void *xml_malloc(size_t size)
{
    return fails(&left_for_xml) ? NULL : __real_malloc(size);
}

static char *xml_strdup(const char *string)
{
    return fails(&left_for_xml) ? NULL : __real_strdup(string);
}

static void *xml_realloc(void *old, size_t size)
{
    return fails(&left_for_xml) ? NULL : realloc(old, size);
}

static const char text[] =
    ROOT_WITH("<descriptor name='FileSigner' version='2'><type algorithm='SHA256withRSA' "
              "key='one'/></descriptor>\n"
              "<descriptor name='EncryptedFields'><type algorithm='AES/GCM/NoPadding' "
              "asymCipher='RSA/ECB/OAEPWithSHA-256AndMGF1Padding'"
              " initVector='000102030405060708090a0b' mgf1='SHA-1' size='128' result='CMS' "
              "key='two'/></descriptor>\n",
              "<key name='one'><type name='HSM' locationValue='lib' alias='a&amp;b' tokenLabel='t' "
              "slot='7' pin='12&#x33;4'/>"
              "<type name='pkcs12' locationValue='x.p12' pin.source='file:pin' "
              "certificate='MAMCAQE='/></key>\n"
              "<key name='two'><type name='pem' locationValue='file:y.pem' "
              "certificate='file:y.crt'/></key>\n",
              "<access><allow name='a' operations='sign history-read'><user name='u'/>"
              "<group name='g'/><certificate subject='CN=a,O=b' issuer='/O=c' san='DNS:d'/>"
              "<descriptor name='FileSigner'/><history name='h'/></allow></access>\n");

static const char bad[] = ROOT_WITH(
    "<descriptor nam='FileSigner'><type algoritm='SHA256withRSA' key='on'/></descriptor>\n",
    "<key name='one'><type name='HSM' locationValue='lib' pin='1' pin.encrypted='2'/></key>\n",
    "<access><allow name='a' operations='sing'><certificate issuer='c'/>"
    "<descriptor name='FielSigner'/></allow><allow/></access>\n");

/* What is understood when the n-th allocation fails; *failed: there was an n-th. */
static se_status load(se_buf *canonical, bool *failed, const char *from, int n)
{
    AUTO(config) config = NULL;
    AUTO(se_buf) copy = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;
    se_status st;

    assert_status(SE_OK, buf_copy(&copy, text_bytes(from), &err), &err);
    left = n;
    if (!(st = config_parse(&config, &copy, "conf/engine.xml", NULL, &err)))
        st = config_canonical(canonical, config, &err);
    *failed = n >= 0 && left < 0;
    left = -1;
    assert_null(copy.data);
    assert_int_equal(canonical->data != NULL, st == SE_OK);
    assert_int_equal(err.text[0] != '\0', st != SE_OK);
    return st;
}

/* How many allocations there are. */
static int allocations(se_status end, const char *from)
{
    AUTO(se_buf) whole = SE_BUF_INIT;
    bool failed = true;
    int n = 0;

    assert_int_equal(load(&whole, &failed, from, -1), end);
    for (failed = true; failed; n++) {
        AUTO(se_buf) canonical = SE_BUF_INIT;
        se_status st = load(&canonical, &failed, from, n);

        if (st != (failed ? SE_ERR_MEMORY : end))
            fail_msg("allocation %d: %s", n, se_status_name(st));
    }
    return n;
}

static void a_good_configuration(void **state)
{
    (void)state;
    assert_true(allocations(SE_OK, text) > 50);
}

static void a_bad_configuration(void **state)
{
    (void)state;
    assert_true(allocations(SE_ERR_CONFIG, bad) > 20);
}

/* libxml2 can't say so in any other way than by printing, or to a handler of ours. */
static void a_parser_that_cannot_be_made(void **state)
{
    AUTO(se_buf) canonical = SE_BUF_INIT;
    bool failed;

    (void)state;
    left_for_xml = 0;
    assert_int_equal(load(&canonical, &failed, text, -1), SE_ERR_MEMORY);
    assert_int_equal(left_for_xml, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_configuration),
        cmocka_unit_test(a_bad_configuration),
        cmocka_unit_test(a_parser_that_cannot_be_made),
    };

    return xmlMemSetup(free, xml_malloc, xml_realloc, xml_strdup) ||
           cmocka_run_group_tests(tests, NULL, NULL);
}
