#include "zip/casefold.h"

#include <stdlib.h>

#include "base/auto.h"
#include "base/libunistring.h"
#include "base/utf8.h"

struct folded {
    uint8_t *text;
    size_t size;
};
AUTO_KIND(folded, struct folded, free(p->text))

bool casefold_is_needed(se_bytes name)
{
    const unsigned char *p = name.data;
    unsigned char all = 0;

    for (size_t i = 0; i < name.size; i++)
        all |= p[i];
    return all >= 0x80;
}

static void put_visible(struct writer *out, const struct folded *name)
{
    size_t size;
    uint32_t point;

    for (size_t i = 0; i < name->size; i += size) {
        size = utf8_take(&point, (se_bytes){ name->text + i, name->size - i });
        if (!size)
            size = name->size - i;
        if (!unistring.uc_is_property_default_ignorable_code_point(point))
            writer_put(out, name->text + i, size);
    }
    writer_put(out, "", 1);
}

/* libunistring folds a name as Unicode's D146 (compatibility caseless match) does: before and after letters are decomposed. */
se_status casefold_name(struct writer *out, se_bytes name, se_error *err)
{
    AUTO(folded) folded = { NULL, 0 };
    se_status st = libunistring_load(err);

    if (st)
        return st;
    folded.text = unistring.u8_casefold(name.data, name.size, NULL, unistring.uninorm_nfkd, NULL, &folded.size);
    if (!folded.text && name.size)
        return error_memory(err);
    put_visible(out, &folded);
    return out->failed ? error_memory(err) : SE_OK;
}
