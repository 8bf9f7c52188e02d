#include "base/array.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 8 };

bool array_grow_sized(void **list, size_t *room, size_t count, size_t size)
{
    size_t more = *room ? *room : FIRST_ROOM / 2;
    void *grown;

    if (count < *room)
        return true;
    while (more <= count) {
        if (more > SIZE_MAX / 2)
            return false;
        more *= 2;
    }
    if (!(grown = calloc(more, size)))
        return false;
    if (*list) {
        memcpy(grown, *list, *room * size);
        explicit_bzero(*list, *room * size);
        free(*list);
    }
    *list = grown;
    *room = more;
    return true;
}
