/*
 * What the elements that are open declare and use of namespaces, and what it costs whoever makes a
 * canonical form to look through it: for every element libxml2 compares all of that name by name.
 * In ordinary documents this is little beside the rest; made for it, 2 MB took minutes.
 */
#ifndef CONFIG_SCAN_SCOPE_H
#define CONFIG_SCAN_SCOPE_H

#include "base/error.h"

enum { SCOPE_DEPTH_MOST = 200 };

struct scan_names {
    size_t declarations;
    size_t declared; /* like `declarations`, but longer prefixes count for more */
    size_t used;     /* and attributes with a prefix besides */
};

/* Start it with zeroes. */
struct scan_scope {
    struct scan_names open;                     /* of all open elements together */
    struct scan_names before[SCOPE_DEPTH_MOST]; /* the same, before the element of that depth */
    size_t prefixed;                            /* attributes of the newest tag */
    size_t longest;                             /* namespace name so far */
    size_t spent;
};

/* An element begins in a depth below SCOPE_DEPTH_MOST; its attributes follow. */
void scope_enter(struct scan_scope *scope, int depth);

/* SE_ERR_CONFIG: a namespace's name that canonical forms differ about. */
SE_MUST_CHECK se_status scope_attribute(struct scan_scope *scope, se_bytes name, se_bytes value,
                                        se_error *err);

/* The tag is complete; `size` is that of the whole text.  SE_ERR_CONFIG: too much in comparison
 * with that. */
SE_MUST_CHECK se_status scope_charge(struct scan_scope *scope, int depth, size_t size,
                                     se_error *err);

/* The element of that depth has ended. */
void scope_leave(struct scan_scope *scope, int depth);

#endif
