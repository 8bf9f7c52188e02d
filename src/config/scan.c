#include "config/scan.h"

#include <string.h>

#include "config/scan_scope.h"

/* NAME_MOST: the JDK reads no longer ones. */
enum { NAME_SHOWN = 64, NAME_MOST = 1000 };

/*
 * libxml2 compares each attribute of a tag with all others, and makes hundreds of bytes of the few
 * that a tag, a comment or an attribute has.
 */
struct limits {
    int depth, attributes, items;
};
/* A file of ours is 4 deep, an XML signature in it a few more. */
static const struct limits configuration_limits = { 32, 64, 100000 };
/* libxml2 itself stops at a depth of 256. */
static const struct limits document_limits = { SCOPE_DEPTH_MOST, 256, 8000000 };

struct scan {
    const char *p, *end;
    int line, depth, items;
    const struct limits *limits;
    scan_fn fn; /* may be NULL */
    void *arg;
    const char *start;       /* of the text */
    struct scan_end *wanted; /* may be NULL */
    size_t elements;         /* so far */
    int wanted_depth;        /* inside the element whose end is wanted; 0: not there */
    struct scan_scope scope;
    se_error *err;
};

#define refuse(s, ...) error_set((s)->err, SE_ERR_CONFIG, __VA_ARGS__)

static bool at(const struct scan *s, const char *text)
{
    size_t size = strlen(text);

    return (size_t)(s->end - s->p) >= size && !memcmp(s->p, text, size);
}

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void step(struct scan *s)
{
    s->line += *s->p++ == '\n';
}

static void skip_blanks(struct scan *s)
{
    while (s->p < s->end && blank(*s->p))
        step(s);
}

/* Goes behind `mark`; false: the text ends before it. */
static bool skip_past(struct scan *s, const char *mark)
{
    for (; s->p < s->end; step(s))
        if (at(s, mark)) {
            s->p += strlen(mark);
            return true;
        }
    return false;
}

static bool name_start(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' || c >= 0x80;
}

static bool name_part(unsigned char c)
{
    return name_start(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

/* Empty when there is none. */
static se_bytes take_name(struct scan *s)
{
    const char *start = s->p;

    if (s->p < s->end && name_start((unsigned char)*s->p))
        while (s->p < s->end && name_part((unsigned char)*s->p))
            s->p++;
    return (se_bytes){ start, (size_t)(s->p - start) };
}

#define SHOWN(name)                                                                                \
    (int)((name).size < NAME_SHOWN ? (name).size : NAME_SHOWN), (const char *)(name).data

/* People close comments with "->": that place is told, not the end of the file or the next comment.
 */
static se_status unclosed_comment(struct scan *s, int first, const char *body)
{
    s->line = first;
    for (const char *p = body; p + 1 < s->p; p++) {
        if (!memcmp(p, "->", 2))
            return refuse(s, "'->' does not end the comment that begins in line %d: write '-->'",
                          first);
        s->line += *p == '\n';
    }
    s->line = first;
    return refuse(s, "the comment that begins here has no end '-->'");
}

static se_status skip_comment(struct scan *s)
{
    int first = s->line;
    const char *body = s->p += strlen("<!--");

    for (; s->p < s->end; step(s)) {
        if (!at(s, "--"))
            continue;
        if (!at(s, "-->") && s->p[-1] == '!')
            break;
        if (!at(s, "-->"))
            return refuse(s, "'--' in the comment that begins in line %d: only '-->' may hold it",
                          first);
        s->p += strlen("-->");
        return SE_OK;
    }
    return unclosed_comment(s, first, body);
}

static se_status skip_cdata(struct scan *s)
{
    int first = s->line;

    if (skip_past(s, "]]>"))
        return SE_OK;
    s->line = first;
    return refuse(s, "the CDATA section that begins here has no end ']]>'");
}

static se_status skip_instruction(struct scan *s)
{
    int first = s->line;

    if (skip_past(s, "?>"))
        return SE_OK;
    s->line = first;
    return refuse(s, "the '<?' that begins here has no end '?>'");
}

static se_status skip_declaration(struct scan *s)
{
    if (at(s, "<!--"))
        return skip_comment(s);
    if (at(s, "<![CDATA["))
        return skip_cdata(s);
    if (at(s, "<!DOCTYPE"))
        return refuse(s, "a DOCTYPE is not allowed: it can declare entities that read other files "
                         "or fill the memory");
    return refuse(s, "'<!' is only allowed in comments and CDATA sections");
}

static void note_end(struct scan *s, const char *end, bool empty)
{
    s->wanted->offset = (size_t)(end - s->start);
    s->wanted->empty = empty;
    s->wanted_depth = 0;
}

static void note_start(struct scan *s, const char *start, se_bytes name, bool empty)
{
    if (!s->wanted || s->elements++ != s->wanted->element)
        return;
    s->wanted->start = (size_t)(start - s->start);
    s->wanted->name = name;
    s->wanted_depth = s->depth;
    if (empty)
        note_end(s, s->p - strlen("/>"), true);
}

static se_status end_tag(struct scan *s)
{
    const char *start = s->p;
    se_bytes name;

    s->p += 2;
    name = take_name(s);
    skip_blanks(s);
    if (!name.size || !at(s, ">"))
        return refuse(s, "malformed end tag: it must read </NAME>");
    s->p++;
    if (s->wanted_depth && s->wanted_depth == s->depth)
        note_end(s, start, false);
    if (s->depth) /* else it closes nothing, as libxml2 will say */
        scope_leave(&s->scope, --s->depth);
    return SE_OK;
}

static se_status check_name(const struct scan *s, se_bytes name)
{
    if (name.size <= NAME_MOST)
        return SE_OK;
    return refuse(s, "the name '%.*s...' has %zu bytes: %d at the most", SHOWN(name), name.size,
                  NAME_MOST);
}

/* Stops behind the closing quote. */
static se_status take_value(struct scan *s, struct scan_item *item)
{
    char quote = *s->p++;
    const char *start = s->p;

    while (s->p < s->end && *s->p != quote && *s->p != '<')
        step(s);
    if (s->p == s->end || *s->p == '<') {
        s->line = item->line;
        return refuse(
            s, "the value of '%.*s' has no closing quote, or holds a '<' that must be written &lt;",
            SHOWN(item->name));
    }
    item->value = (se_bytes){ start, (size_t)(s->p - start) };
    s->p++;
    return SE_OK;
}

/* An attribute's name is shown only once a quote follows: before that it may be a part of a PIN
 * whose quotes are wrong. */
static se_status take_attribute(struct scan *s, se_bytes tag)
{
    struct scan_item item = { .line = s->line };
    se_status st = SE_OK;

    item.name = take_name(s);
    skip_blanks(s);
    if (!item.name.size || !at(s, "="))
        return refuse(s, "malformed tag <%.*s>: attributes must read NAME=\"VALUE\"", SHOWN(tag));
    TRY(check_name(s, item.name));
    s->p++;
    skip_blanks(s);
    if (!at(s, "\"") && !at(s, "'"))
        return refuse(s, "malformed tag <%.*s>: a value must be in quotes", SHOWN(tag));
    TRY(take_value(s, &item));
    if (s->p < s->end && !blank(*s->p) && *s->p != '/' && *s->p != '>')
        st = refuse(
            s,
            "malformed tag <%.*s>: no space after the value of '%.*s'; is a closing quote missing?",
            SHOWN(tag), SHOWN(item.name));
    else if (!(st = scope_attribute(&s->scope, item.name, item.value, s->err)) && s->fn)
        st = s->fn(s->arg, &item, s->err);
    if (st)
        s->line = item.line;
    return st;
}

static se_status take_attributes(struct scan *s, se_bytes tag)
{
    for (int count = 0;; count++) {
        skip_blanks(s);
        if (s->p == s->end || *s->p == '/' || *s->p == '>')
            return SE_OK;
        s->items++;
        if (count == s->limits->attributes)
            return refuse(s, "<%.*s> has more than %d attributes", SHOWN(tag),
                          s->limits->attributes);
        TRY(take_attribute(s, tag));
    }
}

static se_status start_tag(struct scan *s)
{
    struct scan_item item = { .element = true, .line = s->line };
    const char *start = s->p++;
    se_status st = SE_OK;

    item.name = take_name(s);
    if (!item.name.size)
        return refuse(s, "no tag begins with this '<': a '<' in a text is written &lt;");
    TRY(check_name(s, item.name));
    if (s->depth == s->limits->depth)
        return refuse(s, "elements are nested more than %d deep", s->limits->depth);
    scope_enter(&s->scope, s->depth);
    if ((s->fn && (st = s->fn(s->arg, &item, s->err))) || (st = take_attributes(s, item.name)) ||
        (st = scope_charge(&s->scope, s->depth, (size_t)(s->end - s->start), s->err)))
        return st;
    if (at(s, "/>")) {
        s->p += 2;
        scope_leave(&s->scope, s->depth);
        note_start(s, start, item.name, true);
    } else if (at(s, ">")) {
        s->p++;
        s->depth++;
        note_start(s, start, item.name, false);
    } else {
        s->line = item.line;
        return refuse(s, "the tag <%.*s> that begins here has no end '>'", SHOWN(item.name));
    }
    return SE_OK;
}

static se_status markup(struct scan *s)
{
    if (s->items++ >= s->limits->items)
        return refuse(s, "more than %d tags, attributes and comments", s->limits->items);
    if (at(s, "<!"))
        return skip_declaration(s);
    if (at(s, "<?"))
        return skip_instruction(s);
    if (at(s, "</"))
        return end_tag(s);
    return start_tag(s);
}

static void skip_text(struct scan *s)
{
    const char *next = memchr(s->p, '<', (size_t)(s->end - s->p));

    for (next = next ? next : s->end; s->p < next; s->p++)
        s->line += *s->p == '\n';
}

static se_status scan(struct scan *s, se_bytes text, int *line)
{
    se_status st = SE_OK;

    s->p = s->start = text.data;
    s->end = s->p + text.size;
    s->line = 1;
    if (at(s, "\xEF\xBB\xBF"))
        s->p += 3;
    while (!st && s->p < s->end)
        if (*s->p == '<')
            st = markup(s);
        else
            skip_text(s);
    *line = s->line;
    return st;
}

se_status scan_xml(se_bytes text, scan_fn fn, void *arg, int *line, se_error *err)
{
    struct scan s = { .limits = &configuration_limits, .fn = fn, .arg = arg, .err = err };

    return scan(&s, text, line);
}

se_status scan_document(struct scan_end *wanted, se_bytes text, int *line, se_error *err)
{
    struct scan s = { .limits = &document_limits, .wanted = wanted, .err = err };

    return scan(&s, text, line);
}
