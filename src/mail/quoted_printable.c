#include "mail/quoted_printable.h"

static void start_line(struct qp_lines *q)
{
    if (q->begun)
        writer_text(q->out, q->eol);
    q->begun = true;
    q->column = 0;
}

/* `text` stays together on a line. */
static void token(struct qp_lines *q, const char *text, size_t size)
{
    if (q->column + size > QP_LINE - 1) {
        writer_put(q->out, "=", 1);
        start_line(q);
    }
    writer_put(q->out, text, size);
    q->column += size;
}

static void escaped(struct qp_lines *q, unsigned char c)
{
    static const char digits[] = "0123456789ABCDEF";

    token(q, (const char[]){ '=', digits[c >> 4], digits[c & 15] }, 3);
}

static void release_blank(struct qp_lines *q)
{
    char blank = (char)q->blank;

    q->blank = 0;
    if (blank)
        token(q, &blank, 1);
}

/* At the start of a line it would mean something to some relays: "From ", and a dot that stands
 * alone. */
static bool is_risky(unsigned char c, se_bytes rest)
{
    return (c == '.' && !rest.size) ||
           (c == 'F' && strncmp(rest.data, "rom ", rest.size < 4 ? rest.size : 4) == 0);
}

static void literal(struct qp_lines *q, unsigned char c, se_bytes rest)
{
    char text = (char)c;

    release_blank(q);
    if (c == ' ' || c == '\t') {
        q->blank = c;
        return;
    }
    if (c == '=' || c < ' ' || c > '~' ||
        ((q->column == 0 || q->column >= QP_LINE - 1) && is_risky(c, rest)))
        escaped(q, c);
    else
        token(q, &text, 1);
}

/* How many characters from here on fit on the line, mean themselves wherever they stand, and do not
 * end in a blank. */
static size_t plain_run(const struct qp_lines *q, se_bytes text)
{
    const unsigned char *in = text.data;
    size_t most = QP_LINE - 1 - (q->column < QP_LINE - 1 ? q->column : QP_LINE - 1), n = 0;

    if (!q->column || q->blank || q->escape_size)
        return 0;
    most = text.size < most ? text.size : most;
    while (n < most && ((in[n] >= ' ' && in[n] <= '~' && in[n] != '=') || in[n] == '\t'))
        n++;
    while (n && (in[n - 1] == ' ' || in[n - 1] == '\t'))
        n--;
    return n;
}

static void put_run(struct qp_lines *q, se_bytes run)
{
    writer_put(q->out, run.data, run.size);
    q->column += run.size;
}

static void end_line(struct qp_lines *q, bool keep_blank)
{
    if (q->blank && keep_blank)
        escaped(q, q->blank);
    q->blank = 0;
}

void qp_put(struct qp_lines *q, se_bytes text, bool begins, bool ends)
{
    const unsigned char *in = text.data;

    if (begins)
        start_line(q);
    for (size_t i = 0, run; i < text.size; i += run) {
        run = plain_run(q, (se_bytes){ in + i, text.size - i });
        put_run(q, (se_bytes){ in + i, run });
        if (!run)
            literal(q, in[i], (se_bytes){ in + i + 1, text.size - i - 1 }), run = 1;
    }
    if (ends)
        end_line(q, true);
}

static int digit(unsigned char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* An "=" that means nothing is a character like others. */
static void give_up_escape(struct qp_lines *q)
{
    size_t size = q->escape_size;

    q->escape_size = 0;
    for (size_t i = 0; i < size; i++)
        literal(q, q->escape[i], (se_bytes){ "", 0 });
}

static void encoded(struct qp_lines *q, unsigned char c, se_bytes rest)
{
    if (q->escape_size && digit(c) < 0)
        give_up_escape(q);
    if (q->escape_size == 2) {
        q->escape_size = 0;
        release_blank(q);
        escaped(q, (unsigned char)(digit(q->escape[1]) << 4 | digit(c)));
    } else if (q->escape_size || c == '=') {
        q->escape[q->escape_size++] = c;
    } else
        literal(q, c, rest);
}

/* How much of the line counts: blanks at its end were added on the way (RFC 2045, 6.7, rule 3). */
static size_t without_blanks(const unsigned char *text, size_t size)
{
    while (size && (text[size - 1] == ' ' || text[size - 1] == '\t'))
        size--;
    return size;
}

void qp_put_encoded(struct qp_lines *q, se_bytes text, bool begins, bool ends)
{
    const unsigned char *in = text.data;
    size_t size = ends ? without_blanks(in, text.size) : text.size;

    if (begins && !q->soft)
        start_line(q);
    if (begins && q->soft) {
        release_blank(q);
        if (q->column)
            writer_text(q->out, "=");
        if (q->column)
            start_line(q);
    }
    q->soft = false;
    for (size_t i = 0, run; i < size; i += run) {
        run = plain_run(q, (se_bytes){ in + i, size - i });
        put_run(q, (se_bytes){ in + i, run });
        if (!run)
            encoded(q, in[i], (se_bytes){ in + i + 1, size - i - 1 }), run = 1;
    }
    if (!ends)
        return;
    q->soft = q->escape_size == 1;
    if (q->soft)
        q->escape_size = 0;
    else {
        give_up_escape(q);
        end_line(q, false);
    }
}

/* Whoever decodes it joins what follows, or nothing follows: a line end more would be one of the
 * text's. */
void qp_end_encoded(struct qp_lines *q)
{
    if (!q->soft)
        return;
    release_blank(q);
    writer_text(q->out, "=");
}
