#include "config/schema.h"

#include <libxml/xmlschemas.h>

AUTO_KIND(schema_parser, xmlSchemaParserCtxt *, xmlSchemaFreeParserCtxt(*p))
AUTO_KIND(schema, xmlSchema *, xmlSchemaFree(*p))
AUTO_KIND(schema_valid, xmlSchemaValidCtxt *, xmlSchemaFreeValidCtxt(*p))

static void on_error(void *arg, xmlErrorPtr e)
{
    struct findings *f = arg;
    int line = e->node ? xml_line(e->node) : 1;

    if (!findings_error_at(f, line))
        findings_error(f, line, "does not fit the schema: %.*s", (int)strcspn(e->message, "\n"),
                       e->message);
}

static void ignore(void *arg, xmlErrorPtr e)
{
    (void)arg;
    (void)e;
}

static xmlSchema *compile(void)
{
    AUTO(schema_parser) parser =
        xmlSchemaNewMemParserCtxt((const char *)schema_text, (int)schema_size);

    if (!parser)
        return NULL;
    xmlSchemaSetParserStructuredErrors(parser, ignore, NULL);
    return xmlSchemaParse(parser);
}

void schema_check(struct findings *findings, xmlDoc *doc)
{
    AUTO(xml_listener) listener;
    AUTO(schema) schema = NULL;
    AUTO(schema_valid) valid = NULL;
    int result;

    xml_listen(&listener, findings);
    if (!(schema = compile()) || !(valid = xmlSchemaNewValidCtxt(schema))) {
        findings->failed = true;
        return;
    }
    xmlSchemaSetValidStructuredErrors(valid, on_error, findings);
    result = xmlSchemaValidateDoc(valid, doc);
    if (result < 0)
        findings->failed = true;
    else if (result > 0 && !findings->errors)
        findings_error(findings, 1, "does not fit the schema");
}
