#include "config/scan_scope.h"

#include <string.h>

/*
 * About 6 ns each.  A byte of an ordinary document costs up to 10; a word processor's, with 35
 * namespaces that are all declared in its root, 40.  SPENT_FREE is a tenth of a second.
 */
enum { SPENT_FREE = 1 << 24, SPENT_PER_BYTE = 64 };

/* Bytes that are compared in the time of a call. */
enum { PREFIX_STEP = 8, NAME_STEP = 32 };

/* The JDK's limit for names, namespaces among them. */
enum { NAMESPACE_MOST = 1000, SHOWN = 64 };

void scope_enter(struct scan_scope *scope, int depth)
{
    scope->before[depth] = scope->open;
    scope->prefixed = 0;
}

void scope_leave(struct scan_scope *scope, int depth)
{
    scope->open = scope->before[depth];
}

/* Empty: there is none, and the name is all local. */
static se_bytes prefix_of(se_bytes name)
{
    const char *start = name.data, *colon = memchr(start, ':', name.size);

    return (se_bytes){ start, colon ? (size_t)(colon - start) : 0 };
}

static size_t weigh_prefix(size_t size)
{
    return 1 + size / PREFIX_STEP;
}

/*
 * libxml2 writes a namespace's name as it is into the canonical form, and not as the value of an
 * attribute (Canonical XML 1.0, 2.3), as Java does: with '&' in it, no signature is good for both.
 */
static se_status declare(struct scan_scope *scope, se_bytes name, se_bytes value, se_error *err)
{
    const size_t weight = weigh_prefix(name.size - strlen("xmlns"));
    const int shown = (int)(name.size < SHOWN ? name.size : SHOWN);

    if (memchr(value.data, '&', value.size))
        return error_set(
            err, SE_ERR_CONFIG,
            "the namespace of '%.*s' has a '&' in its name, of which canonical forms differ", shown,
            (const char *)name.data);
    if (value.size > NAMESPACE_MOST)
        return error_set(err, SE_ERR_CONFIG,
                         "the namespace of '%.*s' has a name of %zu bytes: %d at the most", shown,
                         (const char *)name.data, value.size, NAMESPACE_MOST);
    if (value.size > scope->longest)
        scope->longest = value.size;
    scope->open.declarations++;
    scope->open.declared += weight;
    scope->open.used += weight;
    return SE_OK;
}

se_status scope_attribute(struct scan_scope *scope, se_bytes name, se_bytes value, se_error *err)
{
    static const char xmlns[] = "xmlns";
    const size_t start = strlen(xmlns);
    se_bytes prefix = prefix_of(name);

    if (name.size >= start && !strncmp(name.data, xmlns, start) &&
        (name.size == start || prefix.size == start))
        return declare(scope, name, value, err);
    if (prefix.size) {
        scope->open.used += weigh_prefix(prefix.size);
        scope->prefixed++;
    }
    return SE_OK;
}

/*
 * Canonical XML 1.0 looks for each declaration among all, and then among those of the elements
 * around; Exclusive C14N for each prefix among all that were used; attributes are sorted by the
 * names of their namespaces.
 */
se_status scope_charge(struct scan_scope *scope, int depth, size_t size, se_error *err)
{
    const struct scan_names *open = &scope->open;

    scope->spent += open->declarations * (open->declared + (size_t)depth) +
                    open->used * (scope->prefixed + 1) +
                    scope->prefixed * scope->prefixed * (scope->longest / NAME_STEP);
    if (scope->spent / SPENT_PER_BYTE <= size + SPENT_FREE / SPENT_PER_BYTE)
        return SE_OK;
    return error_set(err, SE_ERR_CONFIG,
                     "too many elements within too many declarations of namespaces and attributes "
                     "with prefixes (%zu here): "
                     "a canonical form would take too long",
                     open->used);
}
