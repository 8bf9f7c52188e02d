#include "mail/levels.h"

#include <stdlib.h>

void levels_free(struct levels *l)
{
    while (l->depth)
        free(l->list[--l->depth].boundary);
}

/* Readers leave out the blanks that RFC 2046, 5.1.1 does not allow at its end. */
static size_t boundary_size(const char *boundary)
{
    size_t size = strlen(boundary);

    while (size && (boundary[size - 1] == ' ' || boundary[size - 1] == '\t'))
        size--;
    return size;
}

se_status levels_push(struct levels *l, const struct media *media, se_error *err)
{
    struct level *level = &l->list[l->depth];

    if (l->depth == DEPTH_LIMIT)
        return error_set(err, SE_ERR_FORMAT, "parts within parts, more than %d deep", DEPTH_LIMIT);
    *level = (struct level){ .boundary = strdup(media->boundary),
                             .size = boundary_size(media->boundary) };
    if (!level->boundary)
        return error_memory(err);
    level->boundary[level->size] = '\0';
    level->digest = strcmp(media->type, "multipart/digest") == 0;
    l->depth++;
    return SE_OK;
}

struct level *levels_find(struct levels *l, const struct line *line, bool *close)
{
    const char *text = line->text.data;
    size_t size = line->text.size;

    if (!line->begins || !line->ends || size < 3 || text[0] != '-' || text[1] != '-')
        return NULL;
    while (text[size - 1] == ' ' || text[size - 1] == '\t')
        size--;
    for (size_t i = l->depth; i--;) {
        struct level *level = &l->list[i];
        size_t bare = 2 + level->size;

        *close = size == bare + 2;
        if (level->size &&
            (size == bare || (*close && text[bare] == '-' && text[bare + 1] == '-')) &&
            strncmp(text + 2, level->boundary, level->size) == 0)
            return level;
    }
    return NULL;
}

/* A multipart can't be encoded (RFC 2045, 6.4), and what is read instead of parts may not be left
 * out. */
static se_status check_parts(const struct level *level, se_error *err)
{
    if (level->has_parts || !level->lost)
        return SE_OK;
    return error_set(err, SE_ERR_FORMAT,
                     "a multipart whose %s%.100s%s: line %zu of the message belongs to no part, "
                     "and can't be signed as it is (it is not "
                     "ASCII, holds a CR or NUL, ends in a blank, is longer than 998 characters or "
                     "begins with \"From \")",
                     level->size
                         ? "boundary \""
                         : "Content-Type names no boundary, or a longer one than there may be",
                     level->boundary, level->size ? "\" begins no part" : "", level->lost);
}

se_status levels_leave(struct levels *l, const struct level *keep, se_error *err)
{
    size_t left = keep ? (size_t)(keep - l->list) + 1 : 0;
    se_status st = SE_OK;

    for (; !st && l->depth > left; l->depth -= !st)
        if (!(st = check_parts(&l->list[l->depth - 1], err)))
            free(l->list[l->depth - 1].boundary);
    return st;
}
