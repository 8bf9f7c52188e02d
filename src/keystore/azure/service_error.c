/* SPDX-License-Identifier: Apache-2.0 */
#include "keystore/azure/service_error.h"

#include <ctype.h>
#include <strings.h>

#include "base/text.h"

enum {
    SHOWN_MOST = 320,  /* bytes of a service's text that a message shows */
    SECRET_LEAST = 64, /* letters in a row that are hidden: longer than what an id has */
    RIGHT_MOST = 60,   /* "does not have keys get" */
    KNOWN_LEAST = 12,  /* the same, where it looks like a secret that is known */
};

/* ---- reading ---- */

static const char *first_text(const json_t *object, const char *one, const char *other)
{
    const char *text = member_text(object, one);

    return *text ? text : member_text(object, other);
}

static void copy_clean(char *out, size_t room, const char *text, size_t size)
{
    text_copy(out, room, text, size);
    text_clean(out);
}

/* Entra's own number, "AADSTS7000215: …". */
static unsigned long find_number(const json_t *json, const char *text)
{
    const json_t *first = json_array_get(json_object_get(json, "error_codes"), 0);
    const char *mark = strstr(text, "AADSTS");
    unsigned long number = 0;

    if (json_is_integer(first) && json_integer_value(first) > 0)
        return (unsigned long)json_integer_value(first);
    for (mark = mark ? mark + strlen("AADSTS") : ""; isdigit((unsigned char)*mark); mark++)
        if (number < 100000000)
            number = number * 10 + (unsigned long)(*mark - '0');
    return number;
}

/* RBAC names an action, access policies say "does not have keys get permission". */
static void find_right(char *out, size_t room, const char *text)
{
    static const char before[] = "does not have ", behind[] = " permission";
    const char *action = strcasestr(text, "Microsoft.KeyVault/"), *start = strstr(text, before),
               *end = start ? strstr(start, behind) : NULL;

    if (action)
        copy_clean(out, room, action,
                   strspn(action, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz./"));
    else if (end && end - start < RIGHT_MOST)
        copy_clean(out, room, start + strlen(before), (size_t)(end - start) - strlen(before));
}

/* {"error":{code,message,innererror:{code}}}, or RFC 6749's {error,error_description} */
void service_error_read(struct service_error *out, const struct http_answer *answer)
{
    AUTO(json) json = NULL;
    const json_t *error, *object;
    const char *code, *text;

    *out = (struct service_error){ .number = 0 };
    if (answer_json(&json, answer, NULL)) {
        out->looks = answer_looks_like(answer);
        return;
    }
    error = json_object_get(json, "error");
    object = json_is_object(error) ? error : json;
    code = member_text(json_object_get(object, "innererror"), "code");
    if (!*code)
        code = json_is_string(error) ? json_string_value(error) : member_text(object, "code");
    text = first_text(object, "error_description", "message");
    copy_clean(out->code, sizeof out->code, code, strlen(code));
    text_copy(out->text, sizeof out->text, text, strlen(text));
    out->number = find_number(json, text);
    find_right(out->right, sizeof out->right, out->text);
}

void answer_code(char out[64], const struct http_answer *answer)
{
    struct service_error error;

    service_error_read(&error, answer);
    memcpy(out, error.code, sizeof error.code);
}

/* ---- telling ---- */

/* What services put behind their texts, on lines of its own or in parentheses. */
static size_t telling_size(const char *text)
{
    static const char *const tails[] = { "Trace ID:", "(Activity ID:", "Caller:" };
    size_t size = strlen(text);

    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        const char *tail = strstr(text, tails[i]);

        if (tail && (size_t)(tail - text) < size)
            size = (size_t)(tail - text);
    }
    while (size && strchr(" \r\n", text[size - 1]))
        size--;
    return size;
}

/* JSON Web Tokens begin with {" in base64; Entra's client secrets have 8Q~ in them. */
static bool is_secret(const char *run, size_t size)
{
    return size >= SECRET_LEAST ||
           (size >= KNOWN_LEAST && (text_starts(run, "eyJ") || memmem(run, size, "Q~", 2)));
}

/* A service that quotes what it was shown must not bring it into a log. */
static void write_hidden(struct writer *w, const char *text, size_t size)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+=~.";
    size_t at = 0;

    while (at < size) {
        size_t run = strspn(text + at, letters), rest;

        if (run > size - at)
            run = size - at;
        if (is_secret(text + at, run))
            writer_text(w, "[hidden]");
        else
            writer_put(w, text + at, run);
        at += run;
        rest = strcspn(text + at, letters);
        if (rest > size - at)
            rest = size - at;
        writer_put(w, text + at, rest);
        at += rest;
    }
}

static void write_text(struct writer *w, const struct service_error *error)
{
    AUTO(writer) whole = { .room = 0 };
    char shown[SHOWN_MOST + 1];
    const char *text;

    write_hidden(&whole, error->text, telling_size(error->text));
    text = writer_string(&whole);
    copy_clean(shown, sizeof shown, text, strlen(text));
    if (*shown)
        writer_format(w, ": \"%s%s\"", shown, strlen(text) > SHOWN_MOST ? "…" : "");
}

static void write_details(struct writer *w, const struct service_error *error,
                          const struct http_answer *answer)
{
    char request[sizeof answer->request_id];

    writer_format(w, " (HTTP %ld", answer->status);
    if (error->looks)
        writer_format(w, " with %s", error->looks);
    if (*error->code) {
        writer_text(w, ", ");
        write_hidden(w, error->code, strlen(error->code));
    }
    write_text(w, error);
    copy_clean(request, sizeof request, answer->request_id, strlen(answer->request_id));
    if (*request)
        writer_format(w, ", request %s", request);
    writer_text(w, ")");
}

static bool row_fits(const struct failure_row *row, const struct service_error *error, long status)
{
    return status >= row->from && status <= row->to &&
           (!row->number || row->number == error->number) &&
           (!row->code || strcasecmp(row->code, error->code) == 0) &&
           (!row->fragment || strcasestr(error->text, row->fragment));
}

se_status service_error_tell(const struct failure_row *rows, size_t count,
                             const struct service_error *error, const struct http_answer *answer,
                             const char *what, se_error *err)
{
    AUTO(writer) details = { .room = 0 };
    const struct failure_row *row = rows;

    while (row < rows + count - 1 && !row_fits(row, error, answer->status))
        row++;
    write_details(&details, error, answer);
    return error_set(err, row->meaning, "cannot %s: %s%s%s%s", what, row->sentence,
                     *error->right ? "; it needs " : "", error->right, writer_string(&details));
}
