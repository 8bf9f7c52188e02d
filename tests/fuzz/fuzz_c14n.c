/* The canonical form that is made while parsing is that of the tree, and what one can't read the other can't. */
#include <stdlib.h>

#include "format/xmlc14n.h"
#include "format/xmldsig_digest.h"
#include "format/xmlpass.h"
#include "format/xmltree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static se_status by_tree(struct writer *out, se_bytes text)
{
    const struct xml_c14n exclusive = { .exclusive = true };
    AUTO(xml_tree) doc = NULL;
    se_status st = xml_tree_read(&doc, text, NULL);

    return st ? st : xml_c14n_write(&exclusive, doc, NULL, xml_collect, out, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(se_buf) text = SE_BUF_INIT;
    AUTO(writer) tree = { 0 };
    AUTO(writer) pass = { 0 };
    struct xml_passed passed;
    se_status expected, st;

    if (buf_copy(&text, (se_bytes){ data, size }, NULL)) /* a NUL must follow */
        abort();
    expected = by_tree(&tree, buf_bytes(&text));
    st = xml_pass(&passed, buf_bytes(&text), xml_collect, &pass, NULL);
    if (st != expected || (!st && strcmp(writer_string(&tree), writer_string(&pass)) != 0))
        abort();
    if (!st && passed.root.offset >= size)
        abort();
    return 0;
}
