#include <stdlib.h>

#include "base/arguments.h"
#include "base/reader.h"
#include "engine/engine.h"

AUTO_KIND(pairs, se_pair *, free(*p))

/* By name, as bytes. */
static int compare(const void *left, const void *right)
{
    const se_pair *a = left, *b = right;
    const unsigned char *p = a->name.data, *q = b->name.data;
    size_t least = a->name.size < b->name.size ? a->name.size : b->name.size;

    for (size_t i = 0; i < least; i++)
        if (p[i] != q[i])
            return p[i] < q[i] ? -1 : 1;
    return (a->name.size > b->name.size) - (a->name.size < b->name.size);
}

static void put(struct writer *w, se_bytes part)
{
    writer_number(w, part.size, 4);
    writer_put(w, part.data, part.size);
}

static se_status check(const se_pair *sorted, size_t i, se_error *err)
{
    const se_bytes name = sorted[i].name;

    if (!name.size)
        return error_set(err, SE_ERR_USAGE, "a part of the context has no name");
    if (name.size > UINT32_MAX || sorted[i].value.size > UINT32_MAX)
        return error_set(err, SE_ERR_USAGE, "a part of the context is too long");
    if (i && compare(&sorted[i - 1], &sorted[i]) == 0)
        return error_set(err, SE_ERR_USAGE, "the context has two parts called '%.*s'",
                         name.size > 64 ? 64 : (int)name.size, (const char *)name.data);
    return SE_OK;
}

se_status se_context(se_buf *out, const se_pair *pairs, size_t count, se_error *error)
{
    AUTO(pairs) sorted = calloc(count + 1, sizeof *sorted);
    AUTO(writer) w = { 0 };

    if (out)
        *out = (se_buf)SE_BUF_INIT;
    TRY(arguments_check(error, out, given_array(pairs, count)));
    if (!sorted)
        return error_memory(error);
    for (size_t i = 0; i < count; i++)
        if (!given_bytes(pairs[i].name) || !given_bytes(pairs[i].value))
            return error_set(error, SE_ERR_USAGE, "part %zu of the context is NULL", i + 1);
    if (count)
        memcpy(sorted, pairs, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare);
    for (size_t i = 0; i < count; i++) {
        TRY(check(sorted, i, error));
        put(&w, sorted[i].name);
        put(&w, sorted[i].value);
    }
    return writer_finish(out, &w, error);
}
