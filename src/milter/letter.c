#include "milter/letter.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "base/text.h"

enum { HEADER_LIMIT = 8 << 20, PIECE = 65535 };

void letter_free(struct letter *m)
{
    if (!m)
        return;
    service_leave(m->setup);
    free(m->envelope);
    writer_free(&m->header);
    spool_clear(&m->body);
    spool_clear(&m->out);
    free(m);
}

static bool count_content(struct letter *m, const char *name)
{
    for (size_t i = 0; i < m->content_count; i++)
        if (strcasecmp(m->content[i].name, name) == 0) {
            m->content[i].count++;
            return true;
        }
    if (m->content_count == sizeof m->content / sizeof *m->content || strlen(name) >= sizeof m->content->name)
        return false;
    memcpy(m->content[m->content_count].name, name, strlen(name) + 1);
    m->content[m->content_count++].count = 1;
    return true;
}

/* libmilter separates the lines of a folded field by LF alone. */
static void put_value(struct writer *w, const char *value)
{
    for (const char *lf; (lf = strchr(value, '\n')); value = lf + 1) {
        writer_put(w, value, (size_t)(lf - value) - (lf > value && lf[-1] == '\r'));
        writer_text(w, "\r\n");
    }
    writer_text(w, value);
    writer_text(w, "\r\n");
}

/* Of several From fields, of which readers show one or the other, the strictest rule counts. */
static void take_from(struct letter *m, const char *value)
{
    AUTO(se_buf) read = SE_BUF_INIT;
    bool one = !se_mail_address(&read, value, NULL) && read.size < sizeof m->from;
    const struct rule *rule = one ? conf_rule(m->setup->conf, (const char *)read.data) : NULL;

    if (rule && (!m->rule || rule->policy == POLICY_REQUIRE))
        m->rule = rule;
    *m->from = '\0';
    for (size_t i = 0; one && !m->from_fields && i <= read.size; i++)
        m->from[i] = (char)tolower(read.data[i]);
    m->from_fields++;
}

void letter_field(struct letter *m, const char *name, const char *value)
{
    if (strcasecmp(name, "From") == 0)
        take_from(m, value);
    m->list = m->list || strcasecmp(name, "List-Id") == 0 || strcasecmp(name, "List-Post") == 0;
    m->mime = m->mime || strcasecmp(name, "MIME-Version") == 0;
    if (strncasecmp(name, "Content-", 8) == 0 && !count_content(m, name))
        (void)error_set(&m->error, SE_ERR_IO, "more than %zu different Content- fields, or a name of %zu letters", CONTENT_NAMES,
                        strlen(name));
    if (m->header.buf.size > HEADER_LIMIT)
        (void)error_set(&m->error, SE_ERR_IO, "a header of more than %d MB", HEADER_LIMIT >> 20);
    if (m->error.status)
        return;
    writer_text(&m->header, name);
    writer_text(&m->header, ":");
    put_value(&m->header, value);
    if (m->header.failed)
        (void)error_memory(&m->error);
}

void letter_body(struct letter *m, const void *data, size_t size)
{
    if (!m->error.status && spool_write(&m->body, data, size))
        (void)error_set(&m->error, SE_ERR_IO, "cannot keep the message: %s", strerror(errno));
}

/* ---- signing ---- */

struct reading {
    se_bytes header;
    struct spool *body;
};

static ptrdiff_t read_message(void *arg, void *data, size_t size)
{
    struct reading *r = arg;
    size_t n = r->header.size < size ? r->header.size : size;

    if (!n)
        return spool_read(r->body, data, size);
    memcpy(data, r->header.data, n);
    r->header.data = (const char *)r->header.data + n;
    r->header.size -= n;
    return (ptrdiff_t)n;
}

static int write_message(void *arg, const void *data, size_t size)
{
    return spool_write(arg, data, size);
}

se_status letter_sign(se_mail *told, struct letter *m, const struct rule *rule)
{
    se_error *err = &m->error;
    se_mail_params params = SE_MAIL_PARAMS_INIT;
    struct reading reading = { .body = &m->body };
    const se_source source = { read_message, &reading, 0 };
    const se_sink sink = { write_message, &m->out };

    if (m->error.status)
        return m->error.status;
    writer_text(&m->header, "\r\n");
    reading.header = buf_bytes(&m->header.buf);
    if (m->header.failed)
        return error_memory(err);
    if (spool_rewind(&m->body))
        return error_set(err, SE_ERR_IO, "cannot read the message back");
    params.version = rule->version;
    params.opaque = m->setup->conf->opaque;
    params.protect = m->setup->conf->protect;
    params.result = told;
    return se_mail_sign(&sink, m->setup->engine, rule->descriptor, &source, &params, err);
}

/* ---- the answer to the MTA ---- */

static bool delete_content(struct letter *m, SMFICTX *ctx)
{
    for (size_t i = 0; i < m->content_count; i++)
        for (int k = m->content[i].count; k; k--)
            if (smfi_chgheader(ctx, m->content[i].name, k, NULL) != MI_SUCCESS)
                return false;
    return true;
}

/* A field of what was signed: those of MIME are new to the MTA, the others it has. */
static bool add_field(struct letter *m, SMFICTX *ctx, char *field)
{
    char *value = strchr(field, ':');

    if (!value)
        return true;
    *value++ = '\0';
    if (strncasecmp(field, "Content-", 8) != 0 && (m->mime || strcasecmp(field, "MIME-Version") != 0))
        return true;
    return smfi_addheader(ctx, field, value) == MI_SUCCESS;
}

/* The header of what was signed, CRLF made LF; what was read of the body behind it goes to *rest. */
static bool read_header(struct writer *header, se_bytes *rest, struct letter *m)
{
    char piece[4096];
    ptrdiff_t n;
    char *end = NULL;

    while (!end && header->buf.size <= HEADER_LIMIT * 2 && (n = spool_read(&m->out, piece, sizeof piece)) > 0) {
        size_t from = header->buf.size < 4 ? 0 : header->buf.size - 4;

        writer_put(header, piece, (size_t)n);
        end = header->failed ? NULL : memmem(header->buf.data + from, header->buf.size - from, "\r\n\r\n", 4);
    }
    if (!end)
        return false;
    rest->data = end + 4;
    rest->size = header->buf.size - (size_t)(end + 4 - (char *)header->buf.data);
    end[2] = '\0';
    return true;
}

static bool add_fields(struct letter *m, SMFICTX *ctx, char *header)
{
    while (*header) {
        char *end = header, *to = header, *next;

        do
            end = strstr(end, "\r\n") + 2;
        while (*end == ' ' || *end == '\t');
        next = end;
        for (char *from = header; from < end - 2; from++)
            if (*from != '\r')
                *to++ = *from;
        *to = '\0';
        if (!add_field(m, ctx, header))
            return false;
        header = next;
    }
    return true;
}

static bool replace_body(struct letter *m, SMFICTX *ctx, se_bytes first)
{
    unsigned char *piece = malloc(PIECE);
    ptrdiff_t n = 0;
    bool done = piece && smfi_replacebody(ctx, (unsigned char *)first.data, (int)first.size) == MI_SUCCESS;

    while (done && (n = spool_read(&m->out, piece, PIECE)) > 0)
        done = smfi_replacebody(ctx, piece, (int)n) == MI_SUCCESS;
    free(piece);
    return done && n == 0;
}

bool letter_replace(struct letter *m, SMFICTX *ctx)
{
    AUTO(writer) header = { 0 };
    se_bytes rest;

    return spool_rewind(&m->out) == 0 && read_header(&header, &rest, m) && delete_content(m, ctx) &&
           add_fields(m, ctx, (char *)header.buf.data) && replace_body(m, ctx, rest);
}
