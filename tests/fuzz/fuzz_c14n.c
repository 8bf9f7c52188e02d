/* SPDX-License-Identifier: Apache-2.0 */
/* A canonical form is its own canonical form. */
#include <stdlib.h>

#include "xmldsig/c14n.h"
#include "xmldsig/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static se_status write_canonical(se_buf *out, se_bytes text, se_error *err)
{
    const struct xml_c14n exclusive = { .exclusive = true };
    AUTO(xml_tree) doc = NULL;
    AUTO(writer) w = { 0 };
    se_status st;

    *out = (se_buf)SE_BUF_INIT;
    if ((st = xml_tree_read(&doc, text, err)) ||
        (st = xml_c14n_write(&exclusive, doc, NULL, xml_collect, &w, err)))
        return st;
    return writer_finish(out, &w, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(se_buf) text = SE_BUF_INIT;
    AUTO(se_buf) once = SE_BUF_INIT;
    AUTO(se_buf) twice = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    if (buf_copy(&text, (se_bytes){ data, size }, NULL)) /* a NUL must follow */
        abort();
    if (write_canonical(&once, buf_bytes(&text), &err))
        return 0;
    /* what it declares again and again may be more than we read */
    if (write_canonical(&twice, buf_bytes(&once), &err) && !strstr(err.text, "malformed"))
        return 0;
    if (twice.size != once.size || memcmp(twice.data, once.data, once.size) != 0)
        abort();
    return 0;
}
