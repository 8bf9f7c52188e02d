/* SPDX-License-Identifier: Apache-2.0 */
/* Targets of requests: what is taken is UTF-8 without control characters, and written in percents
 * it is read as the same again. */
#include <stdlib.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "daemon/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_escaped(struct writer *w, const char *before, const char *text)
{
    writer_text(w, before);
    for (; *text; text++)
        writer_format(w, "%%%02x", (unsigned char)*text);
}

static void check_text(const char *text)
{
    if (!utf8_is(text_bytes(text)))
        abort();
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == '\x7f')
            abort();
}

static void write_again(struct writer *w, const struct target *t)
{
    for (size_t i = 0; i < t->segment_count; i++)
        write_escaped(w, "/", t->segments[i]);
    for (size_t i = 0; i < t->query_count; i++) {
        write_escaped(w, i ? "&" : "?", t->query[i].name);
        write_escaped(w, "=", t->query[i].value);
    }
}

static void compare_targets(const struct target *one, const struct target *other)
{
    if (one->segment_count != other->segment_count || one->query_count != other->query_count)
        abort();
    for (size_t i = 0; i < one->segment_count; i++) {
        check_text(one->segments[i]);
        if (strcmp(one->segments[i], other->segments[i]) != 0)
            abort();
    }
    for (size_t i = 0; i < one->query_count; i++) {
        check_text(one->query[i].name);
        check_text(one->query[i].value);
        if (strcmp(one->query[i].name, other->query[i].name) != 0 ||
            strcmp(one->query[i].value, other->query[i].value) != 0)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(se_buf) raw = SE_BUF_INIT;
    AUTO(writer) w = { 0 };
    struct target one, other;
    se_error err = SE_ERROR_INIT;

    if (buf_copy(&raw, (se_bytes){ data, size }, NULL))
        return 0;
    if (target_read(&one, (const char *)raw.data, &err)) {
        if (err.status != SE_ERR_FORMAT || one.text)
            abort();
        return 0;
    }
    if (target_matches(&one, "/v1/descriptors/{descriptor}/sign") &&
        (!target_variable(&one, "descriptor") || !*target_variable(&one, "descriptor")))
        abort();
    write_again(&w, &one);
    if (!target_read(&other, writer_string(&w), &err)) {
        compare_targets(&one, &other);
        target_free(&other);
    } else if (w.buf.size <= 4096)
        abort();
    target_free(&one);
    return 0;
}
