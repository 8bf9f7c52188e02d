#include "mail/boundary.h"

enum boundary_kind boundary_kind(const struct boundary *b, const struct line *line)
{
    const char *text = line->text.data;
    size_t size = line->text.size, bare = 2 + strlen(b->text);

    if (!line->begins || size < bare || strncmp(text, "--", 2) != 0 ||
        strncmp(text + 2, b->text, bare - 2) != 0)
        return BOUNDARY_NONE;
    while (text[size - 1] == ' ' || text[size - 1] == '\t')
        size--;
    if (!line->ends || (size != bare && (size != bare + 2 || strncmp(text + bare, "--", 2) != 0)))
        return BOUNDARY_LIKE;
    return size == bare ? BOUNDARY_NEXT : BOUNDARY_LAST;
}

bool boundary_follows_cr(struct boundary *b, const struct line *line)
{
    const char *text = line->text.data, *cr;

    if (line->begins)
        b->after_cr = 0;
    for (size_t i = 0; i < line->text.size; i++) {
        if (!b->after_cr) {
            if (!(cr = memchr(text + i, '\r', line->text.size - i)))
                return false;
            i = (size_t)(cr - text);
            b->after_cr = 1;
        } else if (text[i] == (b->after_cr < 3 ? '-' : b->text[b->after_cr - 3])) {
            if (++b->after_cr == 3 + strlen(b->text))
                return true;
        } else
            b->after_cr = text[i] == '\r';
    }
    return false;
}
