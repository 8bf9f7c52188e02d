/* SPDX-License-Identifier: Apache-2.0 */
#include "config/scan.h"

#include <string.h>

/* NAME_MOST: the JDK reads no longer ones, nor names of namespaces. */
enum { NAME_SHOWN = 64, NAME_MOST = 1000 };

/* ---- namespaces ---- */

/*
 * The namespaces that the open elements declare and use, and the time that it takes to make a
 * canonical form of them: for every element libxml2 compares all of them, name by name.  In
 * ordinary documents this is little; a hostile one of 2 MB took minutes.
 */
enum { SCOPE_DEPTH_MOST = 200 };

struct scan_names {
    size_t declarations;
    size_t declared; /* like `declarations`, but longer prefixes count for more */
    size_t used;     /* and attributes with a prefix besides */
};

struct scan_scope {
    struct scan_names open;                     /* of all open elements together */
    struct scan_names before[SCOPE_DEPTH_MOST]; /* the same, before the element of that depth */
    size_t prefixed;                            /* attributes of the newest tag */
    size_t longest;                             /* namespace name so far */
    size_t spent;
};

/*
 * About 6 ns each.  A byte of an ordinary document costs up to 10; a word processor's, with 35
 * namespaces that are all declared in its root, 40.  SPENT_FREE is a tenth of a second.
 */
enum { SPENT_FREE = 1 << 24, SPENT_PER_BYTE = 64 };

/* Bytes that are compared in the time of a call. */
enum { PREFIX_STEP = 8, NAME_STEP = 32 };

/* An element begins in a depth below SCOPE_DEPTH_MOST; its attributes follow. */
static void scope_enter(struct scan_scope *scope, int depth)
{
    scope->before[depth] = scope->open;
    scope->prefixed = 0;
}

/* The element of that depth has ended. */
static void scope_leave(struct scan_scope *scope, int depth)
{
    scope->open = scope->before[depth];
}

/* Empty: there is none, and the name is all local. */
static se_bytes find_prefix(se_bytes name)
{
    const char *start = name.data, *colon = memchr(start, ':', name.size);

    return (se_bytes){ start, colon ? (size_t)(colon - start) : 0 };
}

static size_t weigh_prefix(size_t size)
{
    return 1 + size / PREFIX_STEP;
}

/*
 * libxml2 writes a namespace's name as it is into the canonical form, and not as the value of an
 * attribute (Canonical XML 1.0, 2.3), as Java does: with '&' in it, no signature is good for both.
 */
static se_status scope_declare(struct scan_scope *scope, se_bytes name, se_bytes value,
                               se_error *err)
{
    const size_t weight = weigh_prefix(name.size - strlen("xmlns"));
    const int shown = (int)(name.size < NAME_SHOWN ? name.size : NAME_SHOWN);

    if (memchr(value.data, '&', value.size))
        return error_set(
            err, SE_ERR_CONFIG,
            "the namespace of '%.*s' has a '&' in its name, of which canonical forms differ", shown,
            (const char *)name.data);
    if (value.size > NAME_MOST)
        return error_set(err, SE_ERR_CONFIG,
                         "the namespace of '%.*s' has a name of %zu bytes: %d at the most", shown,
                         (const char *)name.data, value.size, NAME_MOST);
    if (value.size > scope->longest)
        scope->longest = value.size;
    scope->open.declarations++;
    scope->open.declared += weight;
    scope->open.used += weight;
    return SE_OK;
}

static se_status scope_attribute(struct scan_scope *scope, se_bytes name, se_bytes value,
                                 se_error *err)
{
    static const char xmlns[] = "xmlns";
    const size_t start = strlen(xmlns);
    se_bytes prefix = find_prefix(name);

    if (name.size >= start && !strncmp(name.data, xmlns, start) &&
        (name.size == start || prefix.size == start))
        return scope_declare(scope, name, value, err);
    if (prefix.size) {
        scope->open.used += weigh_prefix(prefix.size);
        scope->prefixed++;
    }
    return SE_OK;
}

/*
 * Canonical XML 1.0 looks for each declaration among all, and then among those of the elements
 * around; Exclusive C14N for each prefix among all that were used; attributes are sorted by the
 * names of their namespaces.
 */
static se_status scope_charge(struct scan_scope *scope, int depth, size_t size, se_error *err)
{
    const struct scan_names *open = &scope->open;

    scope->spent += open->declarations * (open->declared + (size_t)depth) +
                    open->used * (scope->prefixed + 1) +
                    scope->prefixed * scope->prefixed * (scope->longest / NAME_STEP);
    if (scope->spent / SPENT_PER_BYTE <= size + SPENT_FREE / SPENT_PER_BYTE)
        return SE_OK;
    return error_set(err, SE_ERR_CONFIG,
                     "too many elements within too many declarations of namespaces and attributes "
                     "with prefixes (%zu here): "
                     "a canonical form would take too long",
                     open->used);
}

/* ---- markup ---- */

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

static bool is_at(const struct scan *s, const char *text)
{
    size_t size = strlen(text);

    return (size_t)(s->end - s->p) >= size && !memcmp(s->p, text, size);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_byte(struct scan *s)
{
    s->line += *s->p++ == '\n';
}

static void skip_blanks(struct scan *s)
{
    while (s->p < s->end && is_blank(*s->p))
        skip_byte(s);
}

/* Goes behind `mark`; false: the text ends before it. */
static bool skip_past(struct scan *s, const char *mark)
{
    for (; s->p < s->end; skip_byte(s))
        if (is_at(s, mark)) {
            s->p += strlen(mark);
            return true;
        }
    return false;
}

static bool starts_name(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' || c >= 0x80;
}

static bool continues_name(unsigned char c)
{
    return starts_name(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

/* Empty when there is none. */
static se_bytes take_name(struct scan *s)
{
    const char *start = s->p;

    if (s->p < s->end && starts_name((unsigned char)*s->p))
        while (s->p < s->end && continues_name((unsigned char)*s->p))
            s->p++;
    return (se_bytes){ start, (size_t)(s->p - start) };
}

#define SHOWN(name)                                                                                \
    (int)((name).size < NAME_SHOWN ? (name).size : NAME_SHOWN), (const char *)(name).data

/* People close comments with "->": the message names that place, not the end of the file. */
static se_status refuse_open_comment(struct scan *s, int first, const char *body)
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

    for (; s->p < s->end; skip_byte(s)) {
        if (!is_at(s, "--"))
            continue;
        if (!is_at(s, "-->") && s->p[-1] == '!')
            break;
        if (!is_at(s, "-->"))
            return refuse(s, "'--' in the comment that begins in line %d: only '-->' may hold it",
                          first);
        s->p += strlen("-->");
        return SE_OK;
    }
    return refuse_open_comment(s, first, body);
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
    if (is_at(s, "<!--"))
        return skip_comment(s);
    if (is_at(s, "<![CDATA["))
        return skip_cdata(s);
    if (is_at(s, "<!DOCTYPE"))
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

static se_status take_end_tag(struct scan *s)
{
    const char *start = s->p;
    se_bytes name;

    s->p += 2;
    name = take_name(s);
    skip_blanks(s);
    if (!name.size || !is_at(s, ">"))
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
        skip_byte(s);
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
    if (!item.name.size || !is_at(s, "="))
        return refuse(s, "malformed tag <%.*s>: attributes must read NAME=\"VALUE\"", SHOWN(tag));
    TRY(check_name(s, item.name));
    s->p++;
    skip_blanks(s);
    if (!is_at(s, "\"") && !is_at(s, "'"))
        return refuse(s, "malformed tag <%.*s>: a value must be in quotes", SHOWN(tag));
    TRY(take_value(s, &item));
    if (s->p < s->end && !is_blank(*s->p) && *s->p != '/' && *s->p != '>')
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

static se_status take_start_tag(struct scan *s)
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
    if (is_at(s, "/>")) {
        s->p += 2;
        scope_leave(&s->scope, s->depth);
        note_start(s, start, item.name, true);
    } else if (is_at(s, ">")) {
        s->p++;
        s->depth++;
        note_start(s, start, item.name, false);
    } else {
        s->line = item.line;
        return refuse(s, "the tag <%.*s> that begins here has no end '>'", SHOWN(item.name));
    }
    return SE_OK;
}

static se_status take_markup(struct scan *s)
{
    if (s->items++ >= s->limits->items)
        return refuse(s, "more than %d tags, attributes and comments", s->limits->items);
    if (is_at(s, "<!"))
        return skip_declaration(s);
    if (is_at(s, "<?"))
        return skip_instruction(s);
    if (is_at(s, "</"))
        return take_end_tag(s);
    return take_start_tag(s);
}

static void skip_text(struct scan *s)
{
    const char *next = memchr(s->p, '<', (size_t)(s->end - s->p));

    for (next = next ? next : s->end; s->p < next; s->p++)
        s->line += *s->p == '\n';
}

static se_status scan_text(struct scan *s, se_bytes text, int *line)
{
    se_status st = SE_OK;

    s->p = s->start = text.data;
    s->end = s->p + text.size;
    s->line = 1;
    if (is_at(s, "\xEF\xBB\xBF"))
        s->p += 3;
    while (!st && s->p < s->end)
        if (*s->p == '<')
            st = take_markup(s);
        else
            skip_text(s);
    *line = s->line;
    return st;
}

se_status scan_xml(se_bytes text, scan_fn fn, void *arg, int *line, se_error *err)
{
    struct scan s = { .limits = &configuration_limits, .fn = fn, .arg = arg, .err = err };

    return scan_text(&s, text, line);
}

se_status scan_document(struct scan_end *wanted, se_bytes text, int *line, se_error *err)
{
    struct scan s = { .limits = &document_limits, .wanted = wanted, .err = err };

    return scan_text(&s, text, line);
}
