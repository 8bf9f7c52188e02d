/* What the tests of the model share: a folder of their own, files in it, and the findings of a configuration as text. */
#ifndef TESTS_UNIT_MODEL_H
#define TESTS_UNIT_MODEL_H

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "model/config.h"
#include "tests/unit/unit.h"

#define ROOT(descriptors, keys)                                                                                                            \
    "<engineSignEncrypt>\n<descriptors>\n" descriptors "</descriptors>\n<keys>\n" keys "</keys>\n</engineSignEncrypt>\n"

/* Each test works in an empty folder of its own, and is done in it when it ends. */
static char folder[] = "/tmp/signengine-model.XXXXXX";

static inline int enter(void **state)
{
    (void)state;
    memcpy(strrchr(folder, '.') + 1, "XXXXXX", 6);
    return !mkdtemp(folder) || chdir(folder);
}

static inline int leave(void **state)
{
    DIR *here = opendir(".");

    (void)state;
    for (struct dirent *entry; here && (entry = readdir(here));)
        if (entry->d_name[0] != '.')
            (void)(unlink(entry->d_name) && rmdir(entry->d_name));
    if (here)
        closedir(here);
    return chdir("/") || rmdir(folder);
}

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

static inline void put_property(void *arg, const char *item, const char *property, const char *value)
{
    writer_format(arg, "%s | %s | %s\n", item, property, value);
}

/* The findings about a text go to `findings`, which may be NULL. */
static inline se_status parse_text(struct config **out, const char *text, struct writer *findings, se_error *err)
{
    struct config_options options = { findings ? put_finding : NULL, findings, NULL };
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
