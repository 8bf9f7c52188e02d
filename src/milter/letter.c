#include "milter/letter.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "base/text.h"
#include "milter/sender.h"

enum { HEADER_LIMIT = 8 << 20, PIECE = 65535, SENDER_FIELDS = 50 };

AUTO_KIND(text, char *, free(*p))

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
    struct letter *m = arg;
    const struct rule *rule = m->required ? NULL : conf_rule(m->setup->conf, address);

    if (rule && rule->policy == POLICY_REQUIRE)
        m->required = rule;
}

/* Readers show the one address or the other: the strictest rule counts, and so it does for what
 * can't be read. */
static void take_senders(struct letter *m, const char *value)
{
    const struct rule *strictest = rules_requirement(&m->setup->conf->rules);

    if (strictest && !m->required &&
        (m->sender_fields++ == SENDER_FIELDS || senders_read(value, take_sender, m, NULL)) &&
        !m->required)
        m->required = strictest;
}

/* Of several From fields one may be shown, and another one be the certificate's. */
static void take_from(struct letter *m, const char *value)
{
    AUTO(se_buf) read = SE_BUF_INIT;
    AUTO(text) settled =
        se_mail_address(&read, value, NULL) ? NULL : sender_settle((const char *)read.data);
    bool one = settled && strlen(settled) < sizeof m->from;
    const struct rule *rule = one ? conf_rule(m->setup->conf, settled) : NULL;

    if (rule && (!m->rule || rule->policy == POLICY_REQUIRE))
        m->rule = rule;
    *m->from = '\0';
    if (one && !m->from_fields)
        memcpy(m->from, settled, strlen(settled) + 1);
    m->from_fields++;
}

const struct rule *letter_rule(struct letter *m)
{
    if (!m->rule && !*m->from)
        m->rule = conf_rule(m->setup->conf, m->envelope);
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

/* A field that counts, with a blank before its colon (RFC 5322, 4.5.8): some readers and MTAs know
 * it, others do not. */
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

void letter_field(struct letter *m, const char *name, const char *value)
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

se_status letter_sign(se_mail *told, struct letter *m, const struct rule *rule, bool again)
{
    se_error *err = &m->error;
    se_mail_sign_params params = SE_MAIL_SIGN_PARAMS_INIT;
    struct reading reading = { .body = &m->body };
    const se_source source = { read_message, &reading, 0 };
    const se_sink sink = { write_message, &m->out };

    if (m->error.status)
        return m->error.status;
    if (!m->complete)
        writer_text(&m->header, "\r\n");
    m->complete = true;
    spool_clear(&m->out);
    reading.header = buf_bytes(&m->header.buf);
    if (m->header.failed)
        return error_memory(err);
    if (spool_rewind(&m->body))
        return error_set(err, SE_ERR_IO, "cannot read the message back");
    params.version = rule->version;
    params.opaque = m->setup->conf->opaque;
    params.protect = m->setup->conf->protect;
    params.again = again;
    return se_mail_sign(&sink, told, m->setup->engine, rule->descriptor, &source, &params, err);
}

static ptrdiff_t read_signed(void *arg, void *data, size_t size)
{
    return spool_read(arg, data, size);
}

static se_status verify_signed(struct letter *m, const struct rule *rule, const char *trust)
{
    se_mail_verify_params params = SE_MAIL_VERIFY_PARAMS_INIT;
    const se_source source = { read_signed, &m->out, 0 };

    if (spool_rewind(&m->out))
        return error_set(&m->error, SE_ERR_IO, "cannot read the signed message back");
    params.trust = trust;
    return se_mail_verify(NULL, m->setup->engine, rule->descriptor, &source, &params, &m->error);
}

/* By the descriptor's own certificates; by somebody's below the CAs that the configuration names,
 * if it does. */
se_status letter_verify(struct letter *m, const struct rule *rule)
{
    const char *trust = m->setup->conf->trust_signers;
    se_status st = verify_signed(m, rule, NULL);

    if (st != SE_ERR_REJECTED || !trust)
        return st;
    m->error = (se_error)SE_ERROR_INIT;
    return verify_signed(m, rule, trust);
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
    if (strncasecmp(field, "Content-", 8) != 0 &&
        (m->mime || strcasecmp(field, "MIME-Version") != 0))
        return true;
    return smfi_addheader(ctx, field, value) == MI_SUCCESS;
}

/* The header of what was signed, CRLF made LF; what was read of the body behind it goes to *rest.
 */
static bool read_header(struct writer *header, se_bytes *rest, struct letter *m)
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
    bool done =
        piece && smfi_replacebody(ctx, (unsigned char *)first.data, (int)first.size) == MI_SUCCESS;

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
