/* Types and senders of the usual form mean what GMime reads in them. */
#include "mail/plain.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/unit.h"

static void usual_types_are_read(void **state)
{
    static const char *const same[] = { "text/plain", "TEXT/Html; charset=utf-8", "text/calendar; Charset=\"US-ASCII\"",
                                        "application/vnd.ms-excel", "x-a/b+c.d-e" };
    static const char *const others[] = { "",
                                          "text",
                                          "text/",
                                          "/plain",
                                          " text/plain",
                                          "text/plain ",
                                          "text/plain;",
                                          "text/plain;charset=a",
                                          "text/plain; charset=",
                                          "text/plain; charset=\"a",
                                          "text/plain; charset=a\"",
                                          "text/plain; charset=\"a;",
                                          "text/plain; charset=\"a\" ",
                                          "text/plain; charset=\"\"",
                                          "text/plain; charset=a; boundary=b",
                                          "text/plain; charset=a b",
                                          "text/plain; charset*=a",
                                          "text/plain; name=a",
                                          "multipart/mixed; boundary=b",
                                          "text/pl(ain)",
                                          "text/plain (a)",
                                          "text/plain, text/html" };
    struct media m;
    char longer[140];

    (void)state;
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        assert_true(plain_media(&m, same[i]));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (plain_media(&m, others[i]))
            fail_msg("%s", others[i]);
    assert_true(plain_media(&m, "Text/PLAIN; charset=utf-8"));
    assert_string_equal(m.type, "text/plain");
    assert_string_equal(m.boundary, "");
    memset(longer, 'x', sizeof longer);
    memcpy(longer, "text/", 5);
    longer[128] = '\0';
    assert_false(plain_media(&m, longer));
    longer[127] = '\0';
    assert_true(plain_media(&m, longer));
    assert_string_equal(m.type, longer);
}

static void usual_senders_are_read(void **state)
{
    static const struct {
        const char *value, *address; /* NULL: not of that form */
    } rows[] = {
        { "a@x", "a@x" },
        { "Alice.von-A_b+c@mail.Example.org", "Alice.von-A_b+c@mail.Example.org" },
        { "Alice B 3 <alice@example.org>", "alice@example.org" },
        { "", NULL },
        { "alice", NULL },
        { "@x", NULL },
        { "a@", NULL },
        { ".a@x", NULL },
        { "a.@x", NULL },
        { "a..b@x", NULL },
        { "a@.x", NULL },
        { "a@x.", NULL },
        { "a@x..y", NULL },
        { "a@b@x", NULL },
        { "a@xn--bcher-kva.example", NULL },
        { "a@x_y", NULL },
        { "a@[127.0.0.1]", NULL },
        { "a@x ", NULL },
        { "a@x, b@x", NULL },
        { "a@x>", NULL },
        { "<a@x>", NULL },
        { "A <a@x", NULL },
        { "A <a@x> ", NULL },
        { "A <a@x>, b@x", NULL },
        { "A <a@x>>", NULL },
        { "A <>", NULL },
        { "A <b <a@x>", NULL },
        { "A a@x", NULL },
        { "b@y <a@x>", NULL },
        { "A, B <a@x>", NULL },
        { "\"A\" <a@x>", NULL },
        { "A (b) <a@x>", NULL },
        { "list: a@x;", NULL },
        { "J. Doe <a@x>", NULL },
        { "=?utf-8?q?A?= <a@x>", NULL },
        { "\xc3\x84 <a@x>", NULL },
        { "A <@y:a@x>", NULL },
    };
    char address[320], longer[400];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool plain = plain_address(address, rows[i].value);

        if (plain != !!rows[i].address || (plain && strcmp(address, rows[i].address) != 0))
            fail_msg("%s: %s", rows[i].value, plain ? address : "nothing");
    }
    for (size_t size = 318; size < 322; size++) {
        memset(longer, 'a', sizeof longer);
        memcpy(longer, "A <a@", 5);
        memcpy(longer + 3 + size, ">", 2);
        assert_int_equal(plain_address(address, longer), size < 320);
    }
}

/* A comment behind it changes nothing, but is for GMime. */
static void same_as_gmime(const char *value)
{
    AUTO(addresses) list = { .count = 0 };
    struct media plain, read;
    char address[320], commented[300];

    (void)snprintf(commented, sizeof commented, "%s (a)", value);
    if (plain_media(&plain, value)) {
        assert_false(plain_media(&read, commented));
        assert_int_equal(media_read(&read, commented, NULL), SE_OK);
        if (strcmp(plain.type, read.type) != 0 || *read.boundary || *read.protocol || *read.smime_type || *read.hp)
            fail_msg("%s: %s, not %s", value, plain.type, read.type);
    }
    if (plain_address(address, value)) {
        assert_int_equal(addresses_read(&list, commented, NULL), SE_OK);
        if (list.count != 1 || strcmp(list.list[0], address) != 0)
            fail_msg("%s: %s, not %s", value, address, list.count ? list.list[0] : "none");
    }
}

static void gmime_reads_the_same(void **state)
{
    static const char *const bits[] = { "a",       "B9",         "@",          ".",  "-",
                                        "_",       "+",          " ",          "<",  ">",
                                        "/",       "text/plain", "; charset=", "\"", "alice@example.org",
                                        "Alice <", "a.b",        "xn--p1ai" };
    size_t plain = 0;

    (void)state;
    srand(1);
    for (int i = 0; i < 100000; i++) {
        char value[200] = "", address[320];
        struct media m;

        for (int k = rand() % 7 + 1; k; k--)
            (void)snprintf(value + strlen(value), 30, "%s", bits[(size_t)rand() % (sizeof bits / sizeof *bits)]);
        plain += plain_media(&m, value) || plain_address(address, value);
        same_as_gmime(value);
    }
    assert_true(plain > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usual_types_are_read),
        cmocka_unit_test(usual_senders_are_read),
        cmocka_unit_test(gmime_reads_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
