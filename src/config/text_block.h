/* Strings that are released together. */
#ifndef CONFIG_TEXT_BLOCK_H
#define CONFIG_TEXT_BLOCK_H

#include <stddef.h>

struct config_text {
    struct config_text *next;
    char text[];
};

/* A copy of `size` bytes and a NUL; NULL: out of memory. */
const char *text_block_add(struct config_text **blocks, const char *text, size_t size);
void text_blocks_free(struct config_text *blocks);

#endif
