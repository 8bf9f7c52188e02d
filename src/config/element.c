/* SPDX-License-Identifier: Apache-2.0 */
#include "config/element.h"

#include "base/file.h"
#include "base/text.h"

enum { NAMES_MAX = 32 };

/* ---- names ---- */

static bool has_namespace(const xmlNs *ns, const char *href)
{
    return ns && ns->href && !strcmp((const char *)ns->href, href);
}

/* Editors and signers may leave their marks on the root. */
static bool is_schema_mark(const xmlAttr *a)
{
    return has_namespace(a->ns, "http://www.w3.org/2001/XMLSchema-instance") &&
           (!strcmp((const char *)a->name, "noNamespaceSchemaLocation") ||
            !strcmp((const char *)a->name, "schemaLocation"));
}

static bool is_signature(const xmlNode *node)
{
    return has_namespace(node->ns, "http://www.w3.org/2000/09/xmldsig#") &&
           !strcmp((const char *)node->name, "Signature");
}

static const struct attribute_rule *find_attribute(const struct element_rule *element,
                                                   const char *name)
{
    for (const struct attribute_rule *rule = element->attributes; rule && rule->name; rule++)
        if (!strcmp(rule->name, name))
            return rule;
    return NULL;
}

static const struct element_rule *find_child(const struct element_rule *element,
                                             const xmlNode *node)
{
    const struct child_rule *rule = element->children;

    for (; rule && rule->element; rule++)
        if (!node->ns && !strcmp(rule->element->name, (const char *)node->name))
            return rule->element;
    return NULL;
}

static bool is_known(const struct element_rule *element, const xmlAttr *a)
{
    return a->ns ? element->root && is_schema_mark(a)
                 : find_attribute(element, (const char *)a->name) != NULL;
}

static size_t attribute_names(const char *names[NAMES_MAX], const struct element_rule *element)
{
    size_t count = 0;

    for (const struct attribute_rule *rule = element->attributes; rule && rule->name; rule++)
        names[count++] = rule->name;
    return count;
}

static size_t child_names(const char *names[NAMES_MAX], const struct element_rule *element)
{
    size_t count = 0;

    for (const struct child_rule *rule = element->children; rule && rule->element; rule++)
        names[count++] = rule->element->name;
    return count;
}

static const char *nearest_attribute(const struct element_rule *element, const xmlAttr *a)
{
    const char *names[NAMES_MAX] = { NULL };
    size_t count = attribute_names(names, element);

    return a->ns ? NULL : text_nearest((const char *)a->name, names, count);
}

/* ---- what is unknown ---- */

/* As it is written, with what shows that it is of a namespace. */
static void put_name(struct writer *w, const xmlNs *ns, const xmlChar *name)
{
    if (ns && ns->prefix)
        writer_format(w, "%.64s:%.64s", (const char *)ns->prefix, (const char *)name);
    else if (ns)
        writer_format(w, "%.64s xmlns='%.64s'", (const char *)name, (const char *)ns->href);
    else
        writer_format(w, "%.64s", (const char *)name);
}

/* The name that was probably meant, or else all; `quotes` stand around a name. */
static void put_names(struct writer *w, const char *nearest, const char *quotes,
                      const char *const *names, size_t count)
{
    const bool element = *quotes == '<';

    if (nearest) {
        writer_format(w, "; did you mean %c%s%c?", quotes[0], nearest, quotes[1]);
        return;
    }
    if (!count) {
        writer_text(w, element ? ", which may hold nothing" : ", which has none");
        return;
    }
    writer_text(w, element ? ", which may hold: " : ", which has: ");
    for (size_t i = 0; i < count; i++)
        writer_format(w, element ? "%s<%s>" : "%s%s", i ? ", " : "", names[i]);
}

static void add_finding(struct findings *f, const void *node, const struct writer *text)
{
    f->failed |= text->failed;
    findings_error(f, xml_line(node), "%s", writer_string(text));
}

static void add_unknown_attribute(struct findings *f, const struct element_rule *element,
                                  const xmlAttr *a)
{
    const char *names[NAMES_MAX] = { NULL };
    size_t count = attribute_names(names, element);
    AUTO(writer) text = { 0 };

    writer_text(&text, "unknown attribute '");
    put_name(&text, a->ns, a->name);
    writer_format(&text, "' of <%s>", element->name);
    put_names(&text, nearest_attribute(element, a), "''", names, count);
    add_finding(f, a, &text);
}

static void add_unknown_element(struct findings *f, const struct element_rule *parent,
                                const xmlNode *node)
{
    const char *names[NAMES_MAX] = { NULL };
    size_t count = child_names(names, parent);
    AUTO(writer) text = { 0 };

    writer_text(&text, "unknown element <");
    put_name(&text, node->ns, node->name);
    writer_format(&text, "> in <%s>", parent->name);
    put_names(&text, node->ns ? NULL : text_nearest((const char *)node->name, names, count), "<>",
              names, count);
    add_finding(f, node, &text);
}

/* ---- the check of a tree ---- */

bool element_misspells(const struct element_rule *rule, const xmlNode *node, const char *attribute)
{
    for (const xmlAttr *a = node->properties; a; a = a->next) {
        const char *nearest = is_known(rule, a) ? NULL : nearest_attribute(rule, a);

        if (nearest && !strcmp(nearest, attribute))
            return true;
    }
    return false;
}

static void check_attributes(struct findings *f, const struct element_rule *element,
                             const xmlNode *node)
{
    for (const xmlAttr *a = node->properties; a; a = a->next)
        if (!is_known(element, a))
            add_unknown_attribute(f, element, a);
    for (const struct attribute_rule *rule = element->attributes; rule && rule->name; rule++)
        if (rule->needed && !*xml_value(node, rule->name) &&
            !element_misspells(element, node, rule->name))
            findings_error(f, xml_line(node), "<%s> needs the attribute '%s'", element->name,
                           rule->name);
}

/* As XML Schema has it: blanks may stand between elements, but not where there can be none, and not
 * as CDATA. */
static void check_text(struct findings *f, const struct element_rule *parent, const xmlNode *text)
{
    const char *content = text->content ? (const char *)text->content : "";

    if (text->type != XML_TEXT_NODE || !parent->children || content[strspn(content, " \t\r\n")])
        findings_error(f, xml_line(text->parent), "<%s> may not hold text", parent->name);
}

static void check_signature(struct findings *f, const xmlNode *signature)
{
    for (const xmlNode *next = signature->next; next; next = next->next)
        if (next->type == XML_ELEMENT_NODE) {
            findings_error(f, xml_line(signature), "a <Signature> may only be the last element");
            return;
        }
}

static void check_child(struct findings *f, const struct element_rule *parent,
                        const xmlNode *child);

/* "<a>, <b> or <c>" */
static void put_choice(struct writer *w, const struct element_rule *element)
{
    size_t left = 0;

    for (const struct child_rule *rule = element->children; rule->element; rule++)
        left += rule->choice;
    for (const struct child_rule *rule = element->children; rule->element; rule++)
        if (rule->choice) {
            left--;
            writer_format(w, "<%s>%s", rule->element->name, left > 1 ? ", " : left ? " or " : "");
        }
}

static void check_choice(struct findings *f, const struct element_rule *element,
                         const xmlNode *node)
{
    bool wanted = false, there = false;
    AUTO(writer) names = { 0 };

    for (const struct child_rule *rule = element->children; rule && rule->element; rule++) {
        wanted |= rule->choice;
        there |= rule->choice && xml_child(node, rule->element->name);
    }
    if (!wanted || there)
        return;
    put_choice(&names, element);
    f->failed |= names.failed;
    findings_error(f, xml_line(node), "<%s> needs a %s", element->name, writer_string(&names));
}

static void check_last(struct findings *f, const struct element_rule *element, const xmlNode *child)
{
    for (const xmlNode *next = child->next; next; next = next->next)
        if (next->type == XML_ELEMENT_NODE && find_child(element, next)) {
            findings_error(f, xml_line(child), "<%s> must come after <%s>",
                           (const char *)child->name, (const char *)next->name);
            return;
        }
}

static void check_children(struct findings *f, const struct element_rule *element,
                           const xmlNode *node)
{
    for (const xmlNode *child = node->children; child && !findings_full(f); child = child->next)
        check_child(f, element, child);
    for (const struct child_rule *rule = element->children; rule && rule->element; rule++) {
        const char *name = rule->element->name;
        const xmlNode *first = xml_child(node, name), *second = first ? xml_next(first) : NULL;

        if (rule->needed && !first)
            findings_error(f, xml_line(node), "<%s> needs a <%s>", element->name, name);
        if (!rule->several && second)
            findings_error(f, xml_line(second), "<%s> has more than one <%s>", element->name, name);
        else if (rule->last && first)
            check_last(f, element, first);
    }
    check_choice(f, element, node);
}

/* Four levels at most: what is unknown is not entered. */
static void check_element(struct findings *f, const struct element_rule *rule, const xmlNode *node)
{
    if (!findings_full(f))
        check_attributes(f, rule, node);
    check_children(f, rule, node);
}

static void check_child(struct findings *f, const struct element_rule *parent, const xmlNode *child)
{
    const struct element_rule *rule = NULL;

    if (child->type == XML_COMMENT_NODE || child->type == XML_PI_NODE)
        return;
    if (child->type != XML_ELEMENT_NODE)
        check_text(f, parent, child);
    else if ((rule = find_child(parent, child)))
        check_element(f, rule, child);
    else if (parent->root && is_signature(child))
        check_signature(f, child);
    else
        add_unknown_element(f, parent, child);
}

void element_check(struct findings *findings, const struct element_rule *rule, const xmlNode *root)
{
    AUTO(writer) text = { 0 };

    if (!root->ns && !strcmp((const char *)root->name, rule->name)) {
        check_element(findings, rule, root);
        return;
    }
    writer_text(&text, "the root element is <");
    put_name(&text, root->ns, root->name);
    writer_format(&text, ">, not <%s>", rule->name);
    add_finding(findings, root, &text);
}

/* ---- values ---- */

static const char *keep_text(struct loading *l, const char *kept)
{
    l->findings.failed |= !kept;
    return kept ? kept : "";
}

const char *loading_keep(struct loading *l, const char *text)
{
    return keep_text(l, config_keep(l->config, text));
}

const char *loading_keep_path(struct loading *l, const char *written)
{
    return keep_text(l, config_keep_path(l->config, written));
}

void element_bad_value(struct findings *findings, const struct element_rule *rule,
                       const xmlNode *node, const char *attribute)
{
    findings_error(findings, xml_attribute_line(node, attribute), "'%s' must be %s, not '%.64s'",
                   attribute, find_attribute(rule, attribute)->must, xml_value(node, attribute));
}

/* A word of a list into its bit; what is unknown is reported, with the word that was probably
 * meant. */
static void load_word(struct loading *l, const struct attribute_rule *a, const xmlNode *node,
                      const char *word, unsigned *bits)
{
    AUTO(writer) text = { 0 };
    const char *nearest, *hint = "";
    size_t count = 0;

    for (; a->words[count]; count++)
        if (!strcmp(a->words[count], word)) {
            *bits |= 1U << count;
            return;
        }
    if (strpbrk(word, ",;"))
        hint = "; there are blanks between words, nothing else";
    else if ((nearest = text_nearest(word, a->words, count)))
        writer_format(&text, "; did you mean '%s'?", nearest);
    l->findings.failed |= text.failed;
    findings_error(&l->findings, xml_attribute_line(node, a->name),
                   "'%s' holds an unknown word, '%.64s'%s%s", a->name, word, hint,
                   writer_string(&text));
}

static void load_words(struct loading *l, const struct attribute_rule *a, const xmlNode *node,
                       void *out)
{
    static const char blanks[] = " \t\r\n";
    const char *at = xml_value(node, a->name);
    unsigned bits = 0;
    bool any = false;

    for (at += strspn(at, blanks); *at && !findings_full(&l->findings); at += strspn(at, blanks)) {
        AUTO(writer) word = { 0 };
        const size_t size = strcspn(at, blanks);

        writer_put(&word, at, size);
        l->findings.failed |= word.failed;
        load_word(l, a, node, writer_string(&word), &bits);
        at += size;
        any = true;
    }
    if (*xml_value(node, a->name) && !any)
        findings_error(&l->findings, xml_attribute_line(node, a->name), "'%s' holds no word",
                       a->name);
    memcpy((char *)out + a->field, &bits, sizeof bits);
}

void element_load(struct loading *l, const struct element_rule *rule, const xmlNode *node,
                  void *out)
{
    for (const struct attribute_rule *a = rule->attributes; a && a->name; a++) {
        const char *value = xml_value(node, a->name);
        se_status st = *value && a->parse ? a->parse(out, value, a) : SE_OK;

        if (a->text)
            *(const char **)(void *)((char *)out + a->text) = loading_keep(l, value);
        if (a->words)
            load_words(l, a, node, out);
        if (st == SE_ERR_CONFIG)
            element_bad_value(&l->findings, rule, node, a->name);
        else if (st)
            l->findings.failed = true;
    }
}

void element_refuse_others(struct findings *findings, const struct element_rule *rule,
                           const xmlNode *node, unsigned kind, const char *owner)
{
    for (const struct attribute_rule *a = rule->attributes; a && a->name; a++)
        if (a->kinds && !(a->kinds & kind) && *xml_value(node, a->name))
            findings_error(findings, xml_attribute_line(node, a->name), "'%s' is not for %s",
                           a->name, owner);
}
