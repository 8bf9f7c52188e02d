#include "base/reader.h"

struct reader reader_of(se_bytes bytes)
{
    return (struct reader){ bytes.data, bytes.size, false };
}

se_bytes reader_take(struct reader *r, size_t size)
{
    se_bytes taken = { r->at, size };

    if (r->failed || size > r->left) {
        r->failed = true;
        return (se_bytes){ NULL, 0 };
    }
    if (size)
        r->at += size;
    r->left -= size;
    return taken;
}

uint64_t reader_number(struct reader *r, size_t bytes)
{
    const unsigned char *p = reader_take(r, bytes).data;
    uint64_t number = 0;

    for (size_t i = 0; p && i < bytes; i++)
        number = number << 8 | p[i];
    return number;
}

void writer_number(struct writer *w, uint64_t number, size_t bytes)
{
    unsigned char digits[8];

    for (size_t i = bytes; i; i--, number >>= 8)
        digits[i - 1] = (unsigned char)number;
    writer_put(w, digits, bytes);
}
