/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate: a head that passes, written plainly, is one that a strict reader of RFC 9112 splits
 * into the same parts, with one way to find where its body ends. Input: lines of the head, as they
 * would be sent; the first digit says by how much the library counted something else.
 */
#include <stdlib.h>
#include <strings.h>

#include "base/buf.h"
#include "daemon/gate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What stands before the next `end`, cut off. */
static char *next_part(char **rest, const char *end)
{
    char *part = *rest, *found = part ? strstr(part, end) : NULL;

    if (found)
        *found = '\0';
    *rest = found ? found + strlen(end) : NULL;
    return part;
}

static void split_fields(struct head *head, struct head_field *fields, char *rest)
{
    char *line;

    while (head->field_count < HEAD_FIELDS && (line = next_part(&rest, "\r\n")) && *line) {
        char *value = strstr(line, ": ");

        if (!value)
            return;
        fields[head->field_count++] = (struct head_field){
            .name = { line, (size_t)(value - line) },
            .value = { value + 2, strlen(value + 2) },
        };
    }
}

static size_t count_named(const struct head *head, const char *name)
{
    size_t count = 0;

    for (size_t i = 0; i < head->field_count; i++)
        count += head->fields[i].name.size == strlen(name) &&
                 strncasecmp(head->fields[i].name.data, name, strlen(name)) == 0;
    return count;
}

/* What passed has to be so. */
static void judge_passed(const struct head *head, const struct head_framing *f)
{
    const size_t lengths = count_named(head, "content-length"),
                 encodings = count_named(head, "transfer-encoding");

    if (lengths + encodings > 1 || f->has_length != (lengths == 1) ||
        f->chunked != (encodings == 1) || count_named(head, "host") > 1)
        abort();
    if (strcmp(head->version, "HTTP/1.1") == 0 && count_named(head, "host") != 1)
        abort();
    if (f->chunked && strcmp(head->version, "HTTP/1.1") != 0)
        abort();
    if (head->target[0] != '/' || strpbrk(head->target, " \t\r\n\x7f"))
        abort();
    for (size_t i = 0; i < head->field_count; i++)
        if (!head_is_token(head->fields[i].name) ||
            memchr(head->fields[i].value.data, '\0', head->fields[i].value.size) ||
            memchr(head->fields[i].value.data, '\r', head->fields[i].value.size) ||
            memchr(head->fields[i].value.data, '\n', head->fields[i].value.size))
            abort();
}

static size_t plain_size(const struct head *head)
{
    size_t all = strlen(head->method) + strlen(head->target) + strlen(head->version) + 6;

    for (size_t i = 0; i < head->field_count; i++)
        all += head->fields[i].name.size + head->fields[i].value.size + 4;
    return all;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct head_field fields[HEAD_FIELDS];
    AUTO(se_buf) text = SE_BUF_INIT;
    struct head head = { .fields = fields };
    struct head_framing framing;
    se_error err = SE_ERROR_INIT;
    char *rest, *line;
    size_t off;

    if (!size || buf_copy(&text, (se_bytes){ data + 1, size - 1 }, NULL))
        return 0;
    off = data[0] >= '0' && data[0] <= '9' ? (size_t)(data[0] - '0') : 0;
    rest = (char *)text.data;
    line = next_part(&rest, "\r\n");
    head.method = next_part(&line, " ");
    head.target = line ? next_part(&line, " ") : "";
    head.version = line ? line : "";
    if (rest)
        split_fields(&head, fields, rest);
    head.size = plain_size(&head) + off;
    if (gate_check(&framing, &head, &err)) {
        if (err.status != SE_ERR_FORMAT || !*err.text || framing.chunked || framing.has_length)
            abort();
        return 0;
    }
    if (off)
        abort();
    judge_passed(&head, &framing);
    return 0;
}
