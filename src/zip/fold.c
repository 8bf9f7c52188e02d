#include "zip/fold.h"

#include <stdlib.h>

#include "base/auto.h"
#include "base/utf8.h"
#include "zip/libunistring.h"

struct folded {
    uint8_t *text;
    size_t size;
};
AUTO_KIND(folded, struct folded, free(p->text))

bool fold_is_needed(se_bytes name)
{
    const unsigned char *p = name.data;
    unsigned char all = 0;

    for (size_t i = 0; i < name.size; i++)
        all |= p[i];
    return all >= 0x80;
}

static se_status fold(struct folded *out, const uint8_t *text, size_t size, se_error *err)
{
    out->text = unistring.u8_casefold(text, size, NULL, unistring.uninorm_nfkd, NULL, &out->size);
    return out->text || !size ? SE_OK : error_memory(err);
}

static void put_known(struct writer *out, const struct folded *name)
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

/* Twice, for a letter that is decomposed can be one with cases. */
se_status fold_name(struct writer *out, se_bytes name, se_error *err)
{
    AUTO(folded) once = { NULL, 0 };
    AUTO(folded) twice = { NULL, 0 };
    se_status st;

    if ((st = libunistring_load(err)) || (st = fold(&once, name.data, name.size, err)) || (st = fold(&twice, once.text, once.size, err)))
        return st;
    put_known(out, &twice);
    return out->failed ? error_memory(err) : SE_OK;
}
