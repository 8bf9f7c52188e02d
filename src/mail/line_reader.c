/* SPDX-License-Identifier: Apache-2.0 */
#include "mail/line_reader.h"

#include <stdlib.h>

se_status line_reader_open(struct line_reader *out, struct stream *in, se_error *err)
{
    *out = (struct line_reader){ .in = in, .room = malloc(LINE_READER_ROOM) };
    return out->room ? SE_OK : error_memory(err);
}

void line_reader_close(struct line_reader *lines)
{
    free(lines->room);
    lines->room = NULL;
}

/* Moves what is left to the front and adds to it. */
static se_status buffer_refill(struct line_reader *l, se_error *err)
{
    size_t got = 0;
    se_status st;

    memmove(l->room, l->room + l->at, l->end - l->at);
    l->end -= l->at;
    l->at = 0;
    st = stream_read(&got, l->in, l->room + l->end, LINE_READER_ROOM - l->end, err);
    l->end += got;
    l->over = !got;
    return st;
}

static void line_take(struct line *out, struct line_reader *l, size_t size, enum eol eol, bool ends)
{
    *out = (struct line){ { l->room + l->at, size }, !l->middle, ends, eol };
    l->at += size + (eol == EOL_CRLF ? 2 : eol == EOL_LF);
    l->line += !l->middle;
    l->middle = !ends;
}

static void line_end_at(struct line *out, struct line_reader *l, size_t size)
{
    bool crlf = size && l->room[l->at + size - 1] == '\r';

    line_take(out, l, size - crlf, crlf ? EOL_CRLF : EOL_LF, true);
}

se_status line_reader_next(struct line *out, bool *more, struct line_reader *l, se_error *err)
{
    size_t searched = 0;

    for (*more = true;;) {
        size_t left = l->end - l->at;
        const unsigned char *from = l->room + l->at,
                            *found = left > searched
                                         ? memchr(from + searched, '\n', left - searched)
                                         : NULL;

        if (found) {
            line_end_at(out, l, (size_t)(found - from));
            return SE_OK;
        }
        if (l->over) {
            *more = left || l->middle;
            line_take(out, l, left, EOL_NONE, true);
            return SE_OK;
        }
        if (left == LINE_READER_ROOM) { /* the last byte may be the half of a CRLF */
            line_take(out, l, left - 1, EOL_NONE, false);
            return SE_OK;
        }
        searched = left;
        TRY(buffer_refill(l, err));
    }
}

se_bytes line_reader_ready(const struct line_reader *l)
{
    return (se_bytes){ l->room + l->at, l->middle ? 0 : l->end - l->at };
}

void line_reader_skip(struct line_reader *l, size_t size, size_t count)
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

size_t trimmed_size(se_bytes text)
{
    const char *at = text.data;
    size_t size = text.size;

    while (size && (at[size - 1] == ' ' || at[size - 1] == '\t'))
        size--;
    return size;
}

struct line line_trimmed(const struct line *line)
{
    struct line out = *line;

    out.text.size = trimmed_size(line->text);
    return out;
}

const char *eol_text(enum eol eol)
{
    return eol == EOL_CRLF ? "\r\n" : eol == EOL_LF ? "\n" : "";
}
