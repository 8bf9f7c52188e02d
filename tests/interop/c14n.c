/* SPDX-License-Identifier: Apache-2.0 */
/*
 * c14n inclusive|exclusive FILE: the canonical form, on standard output.  Unlike everything else of
 * ours it reads DTDs and what they name, for that is what the examples of the recommendations are
 * about.
 */
#include "xmldsig/c14n.h"

#include <libxml/parser.h>
#include <stdio.h>

#include "xmldsig/tree.h"

enum { PARSE = XML_PARSE_NONET | XML_PARSE_NOENT | XML_PARSE_DTDLOAD | XML_PARSE_DTDATTR };

static se_status print(void *arg, se_bytes piece, se_error *err)
{
    (void)arg;
    return fwrite(piece.data, 1, piece.size, stdout) == piece.size
               ? SE_OK
               : error_set(err, SE_ERR_IO, "cannot write");
}

int main(int argc, char **argv)
{
    struct xml_c14n how = { .exclusive = argc == 3 && strcmp(argv[1], "exclusive") == 0 };
    AUTO(xml_tree) doc = argc == 3 ? xmlReadFile(argv[2], NULL, PARSE) : NULL;
    se_error err = SE_ERROR_INIT;

    if (doc && !xml_c14n_write(&how, doc, NULL, print, NULL, &err))
        return 0;
    fprintf(stderr, "c14n: %s\n", doc ? err.text : "cannot read the file");
    return 1;
}
