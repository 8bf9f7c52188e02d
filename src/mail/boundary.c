/* SPDX-License-Identifier: Apache-2.0 */
#include "mail/boundary.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/base64.h"

se_status boundary_choose(char out[BOUNDARY_ROOM], se_error *err)
{
    unsigned char random[24];

    if (getrandom(random, sizeof random, 0) != sizeof random)
        return error_set(err, SE_ERR_CRYPTO, "no random numbers: %s", strerror(errno));
    memcpy(out, "=_", 2);
    base64_write((unsigned char *)out + 2, (se_bytes){ random, sizeof random });
    out[2 + base64_size(sizeof random)] = '\0';
    return SE_OK;
}

enum boundary_kind boundary_kind(const char *boundary, const struct line *line)
{
    const char *text = line->text.data;
    size_t size = line->text.size, bare = 2 + strlen(boundary);

    if (!line->begins || size < bare || strncmp(text, "--", 2) != 0 ||
        strncmp(text + 2, boundary, bare - 2) != 0)
        return BOUNDARY_NONE;
    size = trimmed_size(line->text);
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
        } else {
            b->after_cr = text[i] == '\r';
        }
    }
    return false;
}

/* ---- levels ---- */

void levels_free(struct levels *l)
{
    while (l->depth)
        free(l->list[--l->depth].boundary);
}

/* Readers leave out the blanks that RFC 2046, 5.1.1 does not allow at its end. */
se_status levels_push(struct levels *l, const struct media *media, se_error *err)
{
    size_t size = trimmed_size(text_bytes(media->boundary));
    char *boundary;

    if (l->depth == DEPTH_LIMIT)
        return error_set(err, SE_ERR_FORMAT, "parts within parts, more than %d deep", DEPTH_LIMIT);
    if (!(boundary = strndup(media->boundary, size)))
        return error_memory(err);
    l->list[l->depth++] = (struct level){
        .boundary = boundary,
        .digest = strcmp(media->type, "multipart/digest") == 0,
    };
    return SE_OK;
}

struct level *levels_find(struct levels *l, const struct line *line, bool *close)
{
    if (line->text.size < 3 || strncmp(line->text.data, "--", 2) != 0)
        return NULL;
    for (size_t i = l->depth; i--;) {
        struct level *level = &l->list[i];
        enum boundary_kind kind =
            *level->boundary ? boundary_kind(level->boundary, line) : BOUNDARY_NONE;

        *close = kind == BOUNDARY_LAST;
        if (*close || kind == BOUNDARY_NEXT)
            return level;
    }
    return NULL;
}

/* A multipart can't be encoded (RFC 2045, 6.4), and readers show its text if it has no parts:
 * nothing may be left out. */
static se_status level_check_parts(const struct level *level, se_error *err)
{
    if (level->has_parts || !level->lost)
        return SE_OK;
    return error_set(err, SE_ERR_FORMAT,
                     "a multipart whose %s%.100s%s: line %zu of the message belongs to no part, "
                     "and can't be signed as it is (it is not "
                     "ASCII, holds a CR or NUL, ends in a blank, is longer than 998 characters or "
                     "begins with \"From \")",
                     *level->boundary
                         ? "boundary \""
                         : "Content-Type names no boundary, or a longer one than there may be",
                     level->boundary, *level->boundary ? "\" begins no part" : "", level->lost);
}

se_status levels_leave(struct levels *l, const struct level *keep, se_error *err)
{
    size_t left = keep ? (size_t)(keep - l->list) + 1 : 0;

    while (l->depth > left) {
        TRY(level_check_parts(&l->list[l->depth - 1], err));
        free(l->list[--l->depth].boundary);
    }
    return SE_OK;
}
