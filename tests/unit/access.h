/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of access share: configurations with rows, and questions to them. */
#ifndef TESTS_UNIT_ACCESS_H
#define TESTS_UNIT_ACCESS_H

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "tests/unit/folder.h"

AUTO_KIND(access, se_access *, se_access_close(p))
AUTO_KIND(engine, se_engine *, se_close(p))

#define CONFIGURATION(access)                                                                      \
    "<engineSignEncrypt><descriptors>"                                                             \
    "<descriptor name='A' version='1'><type algorithm='SHA-256' key='k'/></descriptor>"            \
    "<descriptor name='A' version='2'><type algorithm='SHA-256' key='k'/></descriptor>"            \
    "<descriptor name='A' version='3'><type algorithm='SHA-256' key='k'/></descriptor>"            \
    "<descriptor name='B'><type algorithm='SHA-256' key='k'/></descriptor>"                        \
    "</descriptors><keys><key name='k'><type name='pem' locationValue='k.pem'/></key></keys>"      \
    "\n" access "</engineSignEncrypt>"
/* The first row is in line 3. */
#define ROWS(rows) CONFIGURATION("<access>\n" rows "</access>")

static inline se_engine *engine_of(const char *text)
{
    se_error err = SE_ERROR_INIT;
    se_engine *engine;

    (void)unlink("engine.xml");
    make("engine.xml", text, 0600);
    assert_status(SE_OK, se_open(&engine, "engine.xml", NULL, &err), &err);
    return engine;
}

/* The engine is closed at once: what is decided does not need it. */
static inline se_access *access_of(const char *text)
{
    AUTO(engine) engine = engine_of(text);
    se_error err = SE_ERROR_INIT;
    se_access *access;

    assert_status(SE_OK, se_access_open(&access, engine, NULL, NULL, &err), &err);
    return access;
}

static inline se_caller user(uint32_t uid)
{
    se_caller caller = SE_CALLER_INIT;

    caller.has_uid = true;
    caller.uid = uid;
    return caller;
}

/* What is asked, and the row that decides; NULL: none. */
struct question {
    const char *operation, *descriptor;
    unsigned version;
    const char *history;
    const char *row;
    unsigned only;
};

static inline void ask(const se_access *access, const se_caller *caller, const struct question *q)
{
    se_use use = SE_USE_INIT;
    se_access_row row = { .number = 7 };
    se_error err = SE_ERROR_INIT;
    se_status st;

    use.operation = q->operation;
    use.descriptor = q->descriptor;
    use.version = q->version;
    use.history = q->history;
    st = se_access_decide(&row, access, caller, &use, &err);
    if (st != (q->row ? SE_OK : SE_ERR_ACCESS) || (q->row && strcmp(row.name, q->row)))
        fail_msg("%s of %s:%u: %s by '%s', not by '%s'", q->operation,
                 q->descriptor ? q->descriptor : "", q->version, se_status_name(st),
                 row.name ? row.name : "", q->row ? q->row : "");
    assert_int_equal(row.version, q->row ? q->only : 0);
    assert_string_equal(err.text, q->row ? "" : "not allowed");
    if (!q->row)
        assert_int_equal(row.number, 0);
}

#define ask_all(access, caller, questions)                                                         \
    do {                                                                                           \
        for (size_t n_ = 0; n_ < sizeof(questions) / sizeof *(questions); n_++)                    \
            ask((access), (caller), &(questions)[n_]);                                             \
    } while (0)

#endif
