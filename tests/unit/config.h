/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of configurations share: files, and the findings of a configuration as text. */
#ifndef TESTS_UNIT_CONFIG_H
#define TESTS_UNIT_CONFIG_H

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "config/config.h"
#include "tests/unit/folder.h"

#define ROOT_WITH(descriptors, keys, rest)                                                         \
    "<engineSignEncrypt>\n<descriptors>\n" descriptors "</descriptors>\n<keys>\n" keys             \
    "</keys>\n" rest "</engineSignEncrypt>\n"
#define ROOT(descriptors, keys) ROOT_WITH(descriptors, keys, "")

static inline void make_file(const char *path, const void *data, size_t size, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write_all(fd, data, size), 0);
    assert_int_equal(fchmod(fd, mode), 0);
    assert_int_equal(close(fd), 0);
}

static inline void make_text(const char *path, const char *text, mode_t mode)
{
    make_file(path, text, strlen(text), mode);
}

/* "LINE: text" or "LINE: warning: text" for every finding */
static inline void put_finding(void *arg, const se_report *report)
{
    writer_format(arg, "%d: %s%s\n", report->line, report->error ? "" : "warning: ", report->text);
}

static inline void put_property(void *arg, const char *item, const char *property,
                                const char *value)
{
    writer_format(arg, "%s | %s | %s\n", item, property, value);
}

/* The findings about a text go to `findings`, which may be NULL. */
static inline se_status parse_text(struct config **out, const char *text, struct writer *findings,
                                   se_error *err)
{
    const struct config_options options = { .report = findings ? put_finding : NULL,
                                            .report_arg = findings };
    AUTO(se_buf) copy = SE_BUF_INIT;

    assert_status(SE_OK, buf_copy(&copy, text_bytes(text), err), err);
    return config_parse(out, &copy, "conf/engine.xml", &options, err);
}

static inline struct config *parsed(const char *text)
{
    struct config *config = NULL;
    se_error err = SE_ERROR_INIT;

    assert_status(SE_OK, parse_text(&config, text, NULL, &err), &err);
    return config;
}

#endif
