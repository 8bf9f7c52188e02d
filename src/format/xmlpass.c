#include "format/xmlpass.h"

#include <libxml/parser.h>
#include <stdlib.h>

#include "format/xmlc14n.h"
#include "format/xmldsig_names.h"
#include "format/xmltree.h"

/* DEPTH, ATTRIBUTES: the limits of scan_document(). */
enum { PIECE = 16384, DEPTH_MOST = 200, ATTRIBUTES_MOST = 256, BINDINGS_FEW = 16 };

/* A namespace declaration.  Names stay where they are until the parser is released. */
struct binding {
    const xmlChar *prefix, *uri; /* prefix NULL: the default; uri "": none */
};

struct attribute {
    const xmlChar *name, *prefix, *uri, *value, *end;
};

struct pass {
    xmlParserCtxt *parser;
    stream_take_fn take;
    void *arg;
    se_error *err;
    se_status status;
    int depth;
    bool ended; /* the root */
    bool dsig;
    struct binding *rendered;
    size_t count, room;
    size_t marks[DEPTH_MOST + 1]; /* `count` before the element of that depth */
    size_t held;
    char piece[PIECE];
};

static void pass_free(struct pass *p)
{
    xmlFreeParserCtxt(p->parser);
    free(p->rendered);
    free(p);
}
AUTO_KIND(pass, struct pass *, if (*p) pass_free(*p))

static void stop(struct pass *p, se_status status)
{
    p->status = status;
    xmlStopParser(p->parser);
}

/* ---- output ---- */

static void flush(struct pass *p)
{
    if (p->held && !p->status) {
        se_status st = p->take(p->arg, (se_bytes){ p->piece, p->held }, p->err);

        if (st)
            stop(p, st);
    }
    p->held = 0;
}

static void put(struct pass *p, const void *data, size_t size)
{
    const char *from = data;

    while (size) {
        size_t some = size < PIECE - p->held ? size : PIECE - p->held;

        memcpy(p->piece + p->held, from, some);
        p->held += some;
        from += some;
        size -= some;
        if (p->held == PIECE)
            flush(p);
    }
}

static void put_text(struct pass *p, const char *text)
{
    put(p, text, strlen(text));
}

static void put_name(struct pass *p, const xmlChar *prefix, const xmlChar *name)
{
    if (prefix) {
        put_text(p, (const char *)prefix);
        put(p, ":", 1);
    }
    put_text(p, (const char *)name);
}

/* Canonical XML 1.0, 2.3 */
static const char *const in_text[256] = { ['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['\r'] = "&#xD;" };
static const char *const in_value[256] = {
    ['&'] = "&amp;", ['<'] = "&lt;", ['"'] = "&quot;", ['\t'] = "&#x9;", ['\n'] = "&#xA;", ['\r'] = "&#xD;"
};
static const char *const in_instruction[256] = { ['\r'] = "&#xD;" };

static void put_escaped(struct pass *p, const xmlChar *at, const xmlChar *end, const char *const escapes[256])
{
    const xmlChar *plain = at;

    for (; at < end; at++)
        if (escapes[*at]) {
            put(p, plain, (size_t)(at - plain));
            put_text(p, escapes[*at]);
            plain = at + 1;
        }
    put(p, plain, (size_t)(end - plain));
}

/* ---- namespaces ---- */

static const xmlChar *rendered(const struct pass *p, const xmlChar *prefix)
{
    for (size_t i = p->count; i--;)
        if (xmlStrEqual(p->rendered[i].prefix, prefix))
            return p->rendered[i].uri;
    return NULL;
}

static bool make_room(struct pass *p)
{
    size_t room = p->room ? p->room * 2 : BINDINGS_FEW;
    struct binding *more = p->count < p->room ? p->rendered : calloc(room, sizeof *more);

    if (!more || more == p->rendered)
        return more != NULL;
    if (p->count)
        memcpy(more, p->rendered, p->count * sizeof *more);
    free(p->rendered);
    p->rendered = more;
    p->room = room;
    return true;
}

/*
 * To be rendered with this element, if its nearest rendered one is another.  The element's own are sorted by prefix.
 * `declared` NULL: there is none; the parser goes on after a prefix that is not declared, and the document is refused at its end.
 */
static void use(struct pass *p, const xmlChar *prefix, const xmlChar *declared)
{
    const xmlChar *before = rendered(p, prefix), *uri = declared ? declared : BAD_CAST "";
    size_t at;

    if (xmlStrEqual(prefix, BAD_CAST "xml") || (before ? xmlStrEqual(before, uri) : !*uri))
        return;
    if (!make_room(p)) {
        stop(p, error_memory(p->err));
        return;
    }
    for (at = p->count++; at > p->marks[p->depth] && xmlStrcmp(p->rendered[at - 1].prefix, prefix) > 0; at--)
        p->rendered[at] = p->rendered[at - 1];
    p->rendered[at] = (struct binding){ prefix, uri };
}

static void put_bindings(struct pass *p)
{
    for (size_t i = p->marks[p->depth]; i < p->count; i++) {
        const xmlChar *prefix = p->rendered[i].prefix, *uri = p->rendered[i].uri;

        put_text(p, prefix ? " xmlns:" : " xmlns");
        put_text(p, prefix ? (const char *)prefix : "");
        put(p, "=\"", 2);
        put_escaped(p, uri, uri + strlen((const char *)uri), in_value);
        put(p, "\"", 1);
    }
}

static bool check_namespaces(struct pass *p, int count, const xmlChar **namespaces)
{
    for (int i = 0; i < count; i++) {
        se_status st = xml_namespace_check(namespaces[2 * i + 1], p->err);

        if (st) {
            stop(p, st);
            return false;
        }
    }
    return true;
}

/* ---- elements ---- */

static int compare(const void *left, const void *right)
{
    const struct attribute *a = left, *b = right;
    int order = xmlStrcmp(a->uri, b->uri);

    return order ? order : xmlStrcmp(a->name, b->name);
}

static void put_attributes(struct pass *p, int count, const struct attribute *attributes)
{
    for (int i = 0; i < count; i++) {
        put(p, " ", 1);
        put_name(p, attributes[i].prefix, attributes[i].name);
        put(p, "=\"", 2);
        put_escaped(p, attributes[i].value, attributes[i].end, in_value);
        put(p, "\"", 1);
    }
}

/* The parser's own list stays in its order: what is allocated in it is released by its place. */
static void start_element(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int namespace_count,
                          const xmlChar **namespaces, int count, int defaulted, const xmlChar **list)
{
    struct pass *p = arg;
    struct attribute attributes[ATTRIBUTES_MOST];

    (void)defaulted;
    if (p->status || !check_namespaces(p, namespace_count, namespaces))
        return;
    if (p->depth == DEPTH_MOST || count > ATTRIBUTES_MOST) {
        stop(p, error_set(p->err, SE_ERR_FORMAT, "more elements or attributes than there were"));
        return;
    }
    p->dsig = p->dsig || xmlStrEqual(uri, BAD_CAST XMLDSIG_NAMESPACE);
    p->marks[++p->depth] = p->count;
    use(p, prefix, uri);
    for (int i = 0; i < count; i++) {
        attributes[i] = (struct attribute){ list[5 * i], list[5 * i + 1], list[5 * i + 2], list[5 * i + 3], list[5 * i + 4] };
        if (attributes[i].prefix)
            use(p, attributes[i].prefix, attributes[i].uri);
    }
    if (count > 1)
        qsort(attributes, (size_t)count, sizeof *attributes, compare);
    put(p, "<", 1);
    put_name(p, prefix, name);
    put_bindings(p);
    put_attributes(p, count, attributes);
    put(p, ">", 1);
}

static void end_element(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    struct pass *p = arg;

    (void)uri;
    if (p->status)
        return;
    put(p, "</", 2);
    put_name(p, prefix, name);
    put(p, ">", 1);
    p->count = p->marks[p->depth--];
    p->ended = !p->depth;
}

static void characters(void *arg, const xmlChar *text, int size)
{
    put_escaped(arg, text, text + size, in_text);
}

/* Outside of the root they have lines of their own. */
static void instruction(void *arg, const xmlChar *target, const xmlChar *data)
{
    struct pass *p = arg;

    if (p->ended)
        put(p, "\n", 1);
    put(p, "<?", 2);
    put_text(p, (const char *)target);
    if (data && *data) {
        put(p, " ", 1);
        put_escaped(p, data, data + strlen((const char *)data), in_instruction);
    }
    put(p, "?>", 2);
    if (!p->depth && !p->ended)
        put(p, "\n", 1);
}

static se_status pass_new(struct pass **out, stream_take_fn take, void *arg, se_error *err)
{
    static const xmlSAXHandler handler = {
        .initialized = XML_SAX2_MAGIC,
        .startElementNs = start_element,
        .endElementNs = end_element,
        .characters = characters,
        .ignorableWhitespace = characters,
        .cdataBlock = characters,
        .processingInstruction = instruction,
    };
    struct pass *p = calloc(1, sizeof *p);

    if (!(*out = p) || !(p->parser = xmlNewParserCtxt()))
        return error_memory(err);
    *p->parser->sax = handler;
    p->parser->userData = p;
    p->take = take;
    p->arg = arg;
    p->err = err;
    return SE_OK;
}

se_status xml_pass(struct xml_passed *out, se_bytes text, stream_take_fn take, void *arg, se_error *err)
{
    AUTO(xml_quiet) quiet = xml_quiet_begin();
    AUTO(pass) p = NULL;
    se_status st;

    if (out)
        *out = (struct xml_passed){ .root = { .element = 0 } };
    if ((st = xml_text_check(out ? &out->root : NULL, text, err)) || (st = pass_new(&p, take, arg, err)))
        return st;
    xmlFreeDoc(xmlCtxtReadMemory(p->parser, text.data, (int)text.size, NULL, "UTF-8", XML_TREE_PARSE));
    if (p->status)
        return p->status;
    if (!p->parser->wellFormed || !p->parser->nsWellFormed || !p->ended)
        return xml_malformed(p->parser, err);
    flush(p);
    if (out)
        out->dsig = p->dsig;
    return p->status;
}
