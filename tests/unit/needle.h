/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A PIN that this process never holds in plain, and the search for it in all memory that the
 * process can write to. It exists masked only, so that the search does not find itself; what needs
 * it in plain is done by a child.
 */
#ifndef TESTS_UNIT_NEEDLE_H
#define TESTS_UNIT_NEEDLE_H

#include <stddef.h>

enum { NEEDLE = 24 };

/* Runs `work` in a child, whose memory is not searched. */
void in_child(void (*work)(const char *pin));

/* How many pieces of the needle there are. */
size_t pieces_in_memory(void);

#endif
