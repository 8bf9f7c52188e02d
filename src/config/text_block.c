#include "config/text_block.h"

#include <stdlib.h>
#include <string.h>

const char *text_block_add(struct config_text **blocks, const char *text, size_t size)
{
    struct config_text *block = malloc(sizeof *block + size + 1);

    if (!block)
        return NULL;
    memcpy(block->text, text, size);
    block->text[size] = '\0';
    block->next = *blocks;
    *blocks = block;
    return block->text;
}

void text_blocks_free(struct config_text *blocks)
{
    while (blocks) {
        struct config_text *next = blocks->next;

        free(blocks);
        blocks = next;
    }
}
