#include "config/grammar.h"

#include "base/text.h"

enum { NAMES_MAX = 32 };

static const struct attribute_rule no_attributes[] = { { NULL, false, NULL } };
static const struct child_rule no_children[] = { { NULL, false, false } };

static const struct attribute_rule operation_attributes[] = {
    { "algorithm", false, NULL }, /* not for bare RSA-OAEP */
    { "size", false, "128, 192 or 256" },
    { "result", false, "NX02, CMS or JWE" },
    { "key", true, NULL },
    { "asymCipher", false, NULL },
    { "mgf1", false, "SHA-1, SHA-256, SHA-384 or SHA-512" },
    { "initVector", false, "hexadecimal digits" },
    { "dataKeyUses", false, "a number from 1 to 16777216" },
    { "dataKeyBytes", false, "a number of bytes from 1" },
    { "cacheSize", false, "a number of data keys up to 16384" },
    { "cacheAge", false, "a number of seconds up to 86400" },
    { NULL, false, NULL },
};
static const struct element_rule operation = { "type", operation_attributes, no_children };

static const struct attribute_rule descriptor_attributes[] = {
    { "name", true, NULL },
    { "version", false, "a number from 1 to 2147483647" },
    { NULL, false, NULL },
};
static const struct child_rule descriptor_children[] = { { &operation, true, false },
                                                         { NULL, false, false } };
static const struct element_rule descriptor = { "descriptor", descriptor_attributes,
                                                descriptor_children };

static const struct child_rule descriptors_children[] = { { &descriptor, false, true },
                                                          { NULL, false, false } };
static const struct element_rule descriptors = { "descriptors", no_attributes,
                                                 descriptors_children };

static const struct attribute_rule store_attributes[] = {
    { "name", true, "pkcs12, pem, HSM, AzureKeyVault or AzureManagedHSM" },
    { "locationValue", true, NULL },
    { "pin", false, NULL },
    { "pin.encrypted", false, NULL },
    { "pin.source", false, NULL },
    { "alias", false, NULL },
    { "id", false, "pairs of hexadecimal digits" },
    { "slot", false, "a number" },
    { "slotIndex", false, "a number" },
    { "tokenLabel", false, NULL },
    { "tokenSerial", false, NULL },
    { "initArgs", false, NULL },
    { "maxSessions", false, "a number from 1 to 65535" },
    { "keepAlive", false, "a number of seconds from 1 to 86400" },
    { "failback", false, "true or false" },
    { "deadline", false, "a number of seconds from 1 to 3600, or none" },
    { "certificate", false, "file:PATH or a certificate in base64" },
    { NULL, false, NULL },
};
static const struct element_rule store = { "type", store_attributes, no_children };

static const struct attribute_rule key_attributes[] = { { "name", true, NULL },
                                                        { NULL, false, NULL } };
static const struct child_rule key_children[] = { { &store, true, true }, { NULL, false, false } };
static const struct element_rule key = { "key", key_attributes, key_children };

static const struct child_rule keys_children[] = { { &key, false, true }, { NULL, false, false } };
static const struct element_rule keys = { "keys", no_attributes, keys_children };

static const struct child_rule root_children[] = {
    { &descriptors, true, false },
    { &keys, true, false },
    { NULL, false, false },
};
const struct element_rule structure_root = { "engineSignEncrypt", no_attributes, root_children };

static bool foreign(const xmlNs *ns, const char *href)
{
    return ns && ns->href && !strcmp((const char *)ns->href, href);
}

/* Editors and signers may leave their marks on the root. */
static bool allowed_on_root(const xmlAttr *a)
{
    return foreign(a->ns, "http://www.w3.org/2001/XMLSchema-instance") &&
           (!strcmp((const char *)a->name, "noNamespaceSchemaLocation") ||
            !strcmp((const char *)a->name, "schemaLocation"));
}

static bool is_signature(const xmlNode *node)
{
    return foreign(node->ns, "http://www.w3.org/2000/09/xmldsig#") &&
           !strcmp((const char *)node->name, "Signature");
}

static const struct attribute_rule *attribute_rule(const struct element_rule *element,
                                                   const char *name)
{
    const struct attribute_rule *rule = element->attributes;

    while (rule->name && strcmp(rule->name, name))
        rule++;
    return rule->name ? rule : NULL;
}

static const struct element_rule *child_rule(const struct element_rule *element,
                                             const xmlNode *node)
{
    const struct child_rule *rule = element->children;

    while (rule->element && (node->ns || strcmp(rule->element->name, (const char *)node->name)))
        rule++;
    return rule->element;
}

/* As it is written, with what tells that it is of a namespace. */
static void put_name(struct writer *w, const xmlNs *ns, const xmlChar *name)
{
    if (ns && ns->prefix)
        writer_format(w, "%.64s:%.64s", (const char *)ns->prefix, (const char *)name);
    else if (ns)
        writer_format(w, "%.64s xmlns='%.64s'", (const char *)name, (const char *)ns->href);
    else
        writer_format(w, "%.64s", (const char *)name);
}

static size_t attribute_names(const char *names[NAMES_MAX], const struct element_rule *element)
{
    size_t count = 0;

    for (const struct attribute_rule *rule = element->attributes; rule->name; rule++)
        names[count++] = rule->name;
    return count;
}

static const char *nearest_attribute(const struct element_rule *element, const xmlAttr *a)
{
    const char *names[NAMES_MAX] = { NULL };
    size_t count = attribute_names(names, element);

    return a->ns ? NULL : text_nearest((const char *)a->name, names, count);
}

static void put_list(struct writer *w, const char *const *names, size_t count, const char *before,
                     const char *after)
{
    for (size_t i = 0; i < count; i++)
        writer_format(w, "%s%s%s%s", i ? ", " : "", before, names[i], after);
}

static void unknown_attribute(struct findings *f, const struct element_rule *element,
                              const xmlAttr *a)
{
    const char *names[NAMES_MAX] = { NULL }, *nearest = nearest_attribute(element, a);
    size_t count = attribute_names(names, element);
    AUTO(writer) text = { 0 };

    writer_text(&text, "unknown attribute '");
    put_name(&text, a->ns, a->name);
    writer_format(&text, "' of <%s>", element->name);
    if (nearest)
        writer_format(&text, "; did you mean '%s'?", nearest);
    else if (count) {
        writer_text(&text, ", which has: ");
        put_list(&text, names, count, "", "");
    } else
        writer_text(&text, ", which has none");
    f->failed |= text.failed;
    findings_error(f, xml_line(a), "%s", writer_string(&text));
}

static void unknown_element(struct findings *f, const struct element_rule *parent,
                            const xmlNode *node)
{
    const char *names[NAMES_MAX] = { NULL }, *nearest = NULL;
    AUTO(writer) text = { 0 };
    size_t count = 0;

    for (const struct child_rule *rule = parent->children; rule->element; rule++)
        names[count++] = rule->element->name;
    if (!node->ns)
        nearest = text_nearest((const char *)node->name, names, count);
    writer_text(&text, "unknown element <");
    put_name(&text, node->ns, node->name);
    writer_format(&text, "> in <%s>", parent->name);
    if (nearest)
        writer_format(&text, "; did you mean <%s>?", nearest);
    else if (count) {
        writer_text(&text, ", which may hold: ");
        put_list(&text, names, count, "<", ">");
    } else
        writer_text(&text, ", which may hold nothing");
    f->failed |= text.failed;
    findings_error(f, xml_line(node), "%s", writer_string(&text));
}

static bool known(const struct element_rule *element, const xmlAttr *a)
{
    return a->ns ? element == &structure_root && allowed_on_root(a)
                 : attribute_rule(element, (const char *)a->name) != NULL;
}

static bool misspelled(const struct element_rule *element, const xmlNode *node,
                       const char *attribute)
{
    for (const xmlAttr *a = node->properties; a; a = a->next) {
        const char *nearest = known(element, a) ? NULL : nearest_attribute(element, a);

        if (nearest && !strcmp(nearest, attribute))
            return true;
    }
    return false;
}

static void check_attributes(struct findings *f, const struct element_rule *element,
                             const xmlNode *node)
{
    if (findings_full(f))
        return;
    for (const xmlAttr *a = node->properties; a; a = a->next)
        if (!known(element, a))
            unknown_attribute(f, element, a);
    for (const struct attribute_rule *rule = element->attributes; rule->name; rule++)
        if (rule->needed && !*xml_value(node, rule->name) && !misspelled(element, node, rule->name))
            findings_error(f, xml_line(node), "<%s> needs the attribute '%s'", element->name,
                           rule->name);
}

static bool blank(const xmlNode *text)
{
    const char *content = text->content ? (const char *)text->content : "";

    return !content[strspn(content, " \t\r\n")];
}

static void check_element(struct findings *f, const struct element_rule *element,
                          const xmlNode *node);

static void check_child(struct findings *f, const struct element_rule *parent, const xmlNode *child)
{
    const struct element_rule *rule;

    if (child->type == XML_COMMENT_NODE || child->type == XML_PI_NODE)
        return;
    if (child->type != XML_ELEMENT_NODE) {
        if (!blank(child))
            findings_error(f, xml_line(child->parent), "<%s> may not hold text", parent->name);
    } else if ((rule = child_rule(parent, child)))
        check_element(f, rule, child);
    else if (parent != &structure_root || !is_signature(child))
        unknown_element(f, parent, child);
}

static void check_children(struct findings *f, const struct element_rule *element,
                           const xmlNode *node)
{
    for (const xmlNode *child = node->children; child && !findings_full(f); child = child->next)
        check_child(f, element, child);
    for (const struct child_rule *rule = element->children; rule->element; rule++) {
        const char *name = rule->element->name;
        const xmlNode *first = xml_child(node, name), *second = first ? xml_next(first) : NULL;

        if (rule->needed && !first)
            findings_error(f, xml_line(node), "<%s> needs a <%s>", element->name, name);
        if (!rule->several && second)
            findings_error(f, xml_line(second), "<%s> has more than one <%s>", element->name, name);
    }
}

/* Four levels at most: what is unknown is not entered. */
static void check_element(struct findings *f, const struct element_rule *element,
                          const xmlNode *node)
{
    check_attributes(f, element, node);
    check_children(f, element, node);
}

void structure_check(struct findings *findings, const xmlNode *root)
{
    AUTO(writer) name = { 0 };

    if (!root->ns && !strcmp((const char *)root->name, structure_root.name)) {
        check_element(findings, &structure_root, root);
        return;
    }
    put_name(&name, root->ns, root->name);
    findings->failed |= name.failed;
    findings_error(findings, xml_line(root), "the root element is <%s>, not <%s>",
                   writer_string(&name), structure_root.name);
}

/* The rule of an element that is known. */
static const struct element_rule *rule_of(const xmlNode *element)
{
    if (!strcmp((const char *)element->name, descriptor.name))
        return &descriptor;
    return strcmp((const char *)element->parent->name, key.name) ? &operation : &store;
}

bool structure_misspelled(const xmlNode *element, const char *attribute)
{
    return misspelled(rule_of(element), element, attribute);
}

void structure_bad_value(struct findings *findings, const xmlNode *element, const char *attribute)
{
    findings_error(findings, xml_attribute_line(element, attribute), "'%s' must be %s, not '%.64s'",
                   attribute, attribute_rule(rule_of(element), attribute)->must,
                   xml_value(element, attribute));
}
