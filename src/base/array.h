/* SPDX-License-Identifier: Apache-2.0 */
/* Growing arrays. */
#ifndef BASE_ARRAY_H
#define BASE_ARRAY_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Room for one item more than `count`: `list` is the address of the pointer, `*room` how many items
 * it can hold.  What is new is zero; the old array is wiped, as it may hold secrets.  False: out of
 * memory, and all is as before.
 */
#define array_grow(list, room, count)                                                              \
    array_grow_sized((void **)(list), (room), (count), sizeof **(list))
bool array_grow_sized(void **list, size_t *room, size_t count, size_t size);

#endif
