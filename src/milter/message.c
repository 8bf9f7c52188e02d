/* SPDX-License-Identifier: Apache-2.0 */
#include "milter/message.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "milter/sender.h"

enum { HEADER_LIMIT = 8 << 20, PIECE = 65535, SENDER_FIELDS = 50, SPOOL_MEMORY = 1 << 20 };

AUTO_KIND(text, char *, free(*p))

static int spool_to_file(struct spool *s)
{
    const char *folder = getenv("TMPDIR");

    s->fd = open(folder && *folder ? folder : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (s->fd < 0 || write_all(s->fd, s->memory.buf.data, s->memory.buf.size))
        return -1;
    writer_free(&s->memory);
    return 0;
}

/* These return 0, or -1 with errno set. */
static int spool_write(struct spool *s, const void *data, size_t size)
{
    if (s->fd < 0 && s->memory.buf.size + size > SPOOL_MEMORY && spool_to_file(s))
        return -1;
    if (s->fd >= 0)
        return write_all(s->fd, data, size);
    writer_put(&s->memory, data, size);
    errno = ENOMEM;
    return s->memory.failed ? -1 : 0;
}

/* From the beginning again. */
static int spool_rewind(struct spool *s)
{
    s->read = 0;
    return s->fd < 0 || lseek(s->fd, 0, SEEK_SET) == 0 ? 0 : -1;
}

/* Up to `size` bytes; 0 at the end. */
static ptrdiff_t spool_read(struct spool *s, void *data, size_t size)
{
    size_t left = s->memory.buf.size - s->read;

    if (s->fd >= 0)
        return read(s->fd, data, size);
    size = left < size ? left : size;
    if (size)
        memcpy(data, s->memory.buf.data + s->read, size);
    s->read += size;
    return (ptrdiff_t)size;
}

static void spool_clear(struct spool *s)
{
    if (s->fd >= 0)
        close(s->fd);
    writer_free(&s->memory);
    *s = (struct spool){ .fd = -1 };
}

/* ---- the message, as it comes ---- */

struct message *message_new(char *envelope)
{
    struct message *m = calloc(1, sizeof *m);

    if (!m)
        return NULL;
    *m = (struct message){
        .setup = service_enter(),
        .envelope = envelope,
        .body = { .fd = -1 },
        .out = { .fd = -1 },
    };
    return m;
}

void message_free(struct message *m)
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

static bool count_content(struct message *m, const char *name)
{
    for (size_t i = 0; i < m->content_count; i++)
        if (strcasecmp(m->content[i].name, name) == 0) {
            m->content[i].count++;
            return true;
        }
    if (m->content_count == sizeof m->content / sizeof *m->content ||
        strlen(name) >= sizeof m->content->name)
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

static void take_sender(void *arg, const char *address)
{
    struct message *m = arg;
    const struct rule *rule = m->required ? NULL : rules_find(&m->setup->conf->rules, address);

    if (rule && rule->policy == POLICY_REQUIRE)
        m->required = rule;
}

/* Readers show one address or the other: the strictest rule counts, also where none can be read. */
static void take_senders(struct message *m, const char *value)
{
    const struct rule *strictest = rules_requirement(&m->setup->conf->rules);

    if (strictest && !m->required &&
        (m->sender_fields++ == SENDER_FIELDS || senders_read(value, take_sender, m, NULL)) &&
        !m->required)
        m->required = strictest;
}

/* Of several From fields, readers may show one while the certificate names another. */
static void take_from(struct message *m, const char *value)
{
    AUTO(se_buf) read = SE_BUF_INIT;
    AUTO(text) settled =
        se_mail_address(&read, value, NULL) ? NULL : sender_settle((const char *)read.data);
    bool one = settled && strlen(settled) < sizeof m->from;
    const struct rule *rule = one ? rules_find(&m->setup->conf->rules, settled) : NULL;

    if (rule && (!m->rule || rule->policy == POLICY_REQUIRE))
        m->rule = rule;
    *m->from = '\0';
    if (one && !m->from_fields)
        memcpy(m->from, settled, strlen(settled) + 1);
    m->from_fields++;
}

const struct rule *message_find_rule(struct message *m)
{
    if (!m->rule && !*m->from)
        m->rule = rules_find(&m->setup->conf->rules, m->envelope);
    if (m->rule && m->rule->policy == POLICY_REQUIRE)
        m->required = m->rule;
    return m->required && (!m->rule || m->rule->policy == POLICY_SKIP) ? m->required : m->rule;
}

/* Whether some reader takes it for that field. */
static bool is_field(const char *name, const char *wanted)
{
    const size_t size = strlen(wanted);

    while (*name && (unsigned char)*name <= ' ')
        name++;
    return strncasecmp(name, wanted, size) == 0 && (unsigned char)name[size] <= ' ';
}

/* A field that matters, with a blank before its colon (RFC 5322, 4.5.8): only some readers and
 * MTAs know it. */
static bool is_ambiguous(const char *name)
{
    static const char *const names[] = { "From", "Sender", "MIME-Version" };
    bool counts = strncasecmp(name, "Content-", 8) == 0;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        counts = counts || is_field(name, names[i]);
    while (*name > ' ' && *name < 0x7f)
        name++;
    return counts && *name;
}

void message_take_field(struct message *m, const char *name, const char *value)
{
    if (is_field(name, "From") || is_field(name, "Sender"))
        take_senders(m, value);
    if (strcasecmp(name, "From") == 0)
        take_from(m, value);
    if (is_ambiguous(name))
        (void)error_set(&m->error, SE_ERR_FORMAT,
                        "a blank or another odd character in the name of the field '%.40s'", name);
    m->list = m->list || strcasecmp(name, "List-Id") == 0 || strcasecmp(name, "List-Post") == 0;
    m->mime = m->mime || strcasecmp(name, "MIME-Version") == 0;
    if (strncasecmp(name, "Content-", 8) == 0 && !count_content(m, name))
        (void)error_set(&m->error, SE_ERR_IO,
                        "more than %zu different Content- fields, or a name of %zu letters",
                        CONTENT_NAMES, strlen(name));
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

void message_take_body(struct message *m, const void *data, size_t size)
{
    if (!m->error.status && spool_write(&m->body, data, size))
        (void)error_set(&m->error, SE_ERR_IO, "cannot keep the message: %s", strerror(errno));
}

/* ---- signing ---- */

struct message_source {
    se_bytes header;
    struct spool *body;
};

static ptrdiff_t read_message(void *arg, void *data, size_t size)
{
    struct message_source *r = arg;
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

se_status message_sign(se_mail *result, struct message *m, const struct rule *rule, bool again)
{
    se_error *err = &m->error;
    se_mail_sign_params params = SE_MAIL_SIGN_PARAMS_INIT;
    struct message_source from = { .body = &m->body };
    const se_source source = { read_message, &from, 0 };
    const se_sink sink = { write_message, &m->out };

    if (m->error.status)
        return m->error.status;
    if (!m->complete)
        writer_text(&m->header, "\r\n");
    m->complete = true;
    spool_clear(&m->out);
    from.header = buf_bytes(&m->header.buf);
    if (m->header.failed)
        return error_memory(err);
    if (spool_rewind(&m->body))
        return error_set(err, SE_ERR_IO, "cannot read the message back");
    params.version = rule->version;
    params.opaque = m->setup->conf->opaque;
    params.protect = m->setup->conf->protect;
    params.again = again;
    return se_mail_sign(&sink, result, m->setup->engine, rule->descriptor, &source, &params, err);
}

static ptrdiff_t read_signed(void *arg, void *data, size_t size)
{
    return spool_read(arg, data, size);
}

static se_status verify_signed(struct message *m, const struct rule *rule, const char *trust)
{
    const struct conf *conf = m->setup->conf;
    se_mail_verify_params params = SE_MAIL_VERIFY_PARAMS_INIT;
    se_revocation_params revocation = SE_REVOCATION_PARAMS_INIT;
    const se_source source = { read_signed, &m->out, 0 };

    if (spool_rewind(&m->out))
        return error_set(&m->error, SE_ERR_IO, "cannot read the signed message back");
    revocation.crls = conf->crls;
    revocation.required = conf->revocation_required;
    if (conf->crls || conf->revocation_required)
        params.revocation = &revocation;
    params.trust = trust;
    return se_mail_verify(NULL, m->setup->engine, rule->descriptor, &source, &params, &m->error);
}

/* By the descriptor's own certificates, then by any below the CAs of trust-signers. */
se_status message_verify(struct message *m, const struct rule *rule)
{
    const char *trust = m->setup->conf->trust_signers;
    se_status st = verify_signed(m, rule, NULL);

    if ((st != SE_ERR_REJECTED && st != SE_ERR_NO_DESCRIPTOR) || !trust)
        return st;
    m->error = (se_error)SE_ERROR_INIT;
    return verify_signed(m, rule, trust);
}

/* ---- the answer to the MTA ---- */

static bool delete_content_fields(struct message *m, SMFICTX *ctx)
{
    for (size_t i = 0; i < m->content_count; i++)
        for (int k = m->content[i].count; k; k--)
            if (smfi_chgheader(ctx, m->content[i].name, k, NULL) != MI_SUCCESS)
                return false;
    return true;
}

/* Adds a field of the signed message: those of MIME are new to the MTA, it has the others. */
static bool add_mime_field(struct message *m, SMFICTX *ctx, char *field)
{
    char *value = strchr(field, ':');

    if (!value)
        return true;
    *value++ = '\0';
    if (strncasecmp(field, "Content-", 8) != 0 &&
        (m->mime || strcasecmp(field, "MIME-Version") != 0))
        return true;
    return smfi_addheader(ctx, field, value) == MI_SUCCESS;
}

/* Reads the header of the signed message; the part of the body that was read with it goes to
 * *rest. */
static bool read_header(struct writer *header, se_bytes *rest, struct message *m)
{
    char piece[4096];
    ptrdiff_t n;
    char *end = NULL;

    while (!end && header->buf.size <= HEADER_LIMIT * 2 &&
           (n = spool_read(&m->out, piece, sizeof piece)) > 0) {
        size_t from = header->buf.size < 4 ? 0 : header->buf.size - 4;

        writer_put(header, piece, (size_t)n);
        end = header->failed
                  ? NULL
                  : memmem(header->buf.data + from, header->buf.size - from, "\r\n\r\n", 4);
    }
    if (!end)
        return false;
    rest->data = end + 4;
    rest->size = header->buf.size - (size_t)(end + 4 - (char *)header->buf.data);
    end[2] = '\0';
    return true;
}

static bool add_mime_fields(struct message *m, SMFICTX *ctx, char *header)
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
        if (!add_mime_field(m, ctx, header))
            return false;
        header = next;
    }
    return true;
}

static bool replace_body(struct message *m, SMFICTX *ctx, se_bytes first)
{
    unsigned char *piece = malloc(PIECE);
    ptrdiff_t n = 0;
    bool done =
        piece && smfi_replacebody(ctx, (unsigned char *)first.data, (int)first.size) == MI_SUCCESS;

    while (done && (n = spool_read(&m->out, piece, PIECE)) > 0)
        done = smfi_replacebody(ctx, piece, (int)n) == MI_SUCCESS;
    free(piece);
    return done && n == 0;
}

bool message_replace(struct message *m, SMFICTX *ctx)
{
    AUTO(writer) header = { 0 };
    se_bytes rest;

    return spool_rewind(&m->out) == 0 && read_header(&header, &rest, m) &&
           delete_content_fields(m, ctx) && add_mime_fields(m, ctx, (char *)header.buf.data) &&
           replace_body(m, ctx, rest);
}
