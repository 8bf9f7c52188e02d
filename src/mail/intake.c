#include "mail/intake.h"

#include <stdlib.h>

se_status intake_open(struct intake *out, struct stream *in, se_error *err)
{
    *out = (struct intake){ .in = in, .room = malloc(INTAKE_ROOM) };
    return out->room ? SE_OK : error_memory(err);
}

void intake_close(struct intake *lines)
{
    free(lines->room);
    lines->room = NULL;
}

/* Moves what is left to the front and adds to it. */
static se_status refill(struct intake *l, se_error *err)
{
    size_t got = 0;
    se_status st;

    memmove(l->room, l->room + l->at, l->end - l->at);
    l->end -= l->at;
    l->at = 0;
    st = stream_read(&got, l->in, l->room + l->end, INTAKE_ROOM - l->end, err);
    l->end += got;
    l->over = !got;
    return st;
}

static void hand_out(struct line *out, struct intake *l, size_t size, enum eol eol, bool ends)
{
    *out = (struct line){ { l->room + l->at, size }, !l->middle, ends, eol };
    l->at += size + (eol == EOL_CRLF ? 2 : eol == EOL_LF);
    l->line += !l->middle;
    l->middle = !ends;
}

static void hand_out_line(struct line *out, struct intake *l, size_t size)
{
    bool crlf = size && l->room[l->at + size - 1] == '\r';

    hand_out(out, l, size - crlf, crlf ? EOL_CRLF : EOL_LF, true);
}

se_status intake_next(struct line *out, bool *more, struct intake *l, se_error *err)
{
    size_t searched = 0;

    for (*more = true;;) {
        size_t left = l->end - l->at;
        const unsigned char *from = l->room + l->at,
                            *found = left > searched
                                         ? memchr(from + searched, '\n', left - searched)
                                         : NULL;

        if (found) {
            hand_out_line(out, l, (size_t)(found - from));
            return SE_OK;
        }
        if (l->over) {
            *more = left || l->middle;
            hand_out(out, l, left, EOL_NONE, true);
            return SE_OK;
        }
        if (left == INTAKE_ROOM) { /* the last byte may be the half of a CRLF */
            hand_out(out, l, left - 1, EOL_NONE, false);
            return SE_OK;
        }
        searched = left;
        TRY(refill(l, err));
    }
}

se_bytes intake_ready(const struct intake *l)
{
    return (se_bytes){ l->room + l->at, l->middle ? 0 : l->end - l->at };
}

void intake_skip(struct intake *l, size_t size, size_t count)
{
    l->at += size;
    l->line += count;
}

bool line_is_empty(const struct line *line)
{
    return line->begins && line->ends && !line->text.size;
}

bool line_is_blank(const struct line *line)
{
    const unsigned char *text = line->text.data;

    for (size_t i = 0; i < line->text.size; i++)
        if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r')
            return false;
    return line->begins && line->ends;
}

struct line line_trimmed(const struct line *line)
{
    const char *text = line->text.data;
    struct line out = *line;

    while (out.text.size && (text[out.text.size - 1] == ' ' || text[out.text.size - 1] == '\t'))
        out.text.size--;
    return out;
}

const char *eol_text(enum eol eol)
{
    return eol == EOL_CRLF ? "\r\n" : eol == EOL_LF ? "\n" : "";
}
