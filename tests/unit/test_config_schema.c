/* SPDX-License-Identifier: Apache-2.0 */
/* The schema that editors see and the grammar that the engine applies must not drift apart. */
#include <libxml/parser.h>
#include <libxml/xmlschemas.h>

#include "config/grammar.h"
#include "tests/unit/config.h"

AUTO_KIND(schema_parser, xmlSchemaParserCtxt *, xmlSchemaFreeParserCtxt(*p))
AUTO_KIND(schema_valid, xmlSchemaValidCtxt *, xmlSchemaFreeValidCtxt(*p))

static xmlSchema *schema;
static se_buf schema_text;

enum verdict { NOT_XML, REFUSED, ACCEPTED };

static void keep_quiet(void *arg, xmlErrorPtr error)
{
    (void)arg;
    (void)error;
}

/* What the schema alone thinks of a text. */
static enum verdict schema_verdict(se_bytes text)
{
    AUTO(schema_valid) valid = xmlSchemaNewValidCtxt(schema);
    AUTO(xml_doc) doc =
        xmlReadMemory(text.data, (int)text.size, NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR);
    int result;

    if (!doc)
        return NOT_XML;
    xmlSchemaSetValidStructuredErrors(valid, keep_quiet, NULL);
    result = xmlSchemaValidateDoc(valid, doc);
    assert_true(result >= 0);
    return result ? REFUSED : ACCEPTED;
}

static bool engine_accepts(se_bytes text)
{
    AUTO(config) config = NULL;
    AUTO(se_buf) copy = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    assert_status(SE_OK, buf_copy(&copy, text, &err), &err);
    return config_parse(&config, &copy, "engine.xml", NULL, &err) == SE_OK;
}

/* ---- whole configurations ---- */

static se_buf read_vector(const char *folder_name, const char *name)
{
    AUTO(writer) path = { 0 };
    se_buf text = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    writer_format(&path, "%s/%s/engine.xml", folder_name, name);
    assert_status(SE_OK, file_read(&text, writer_string(&path), 1 << 20, &err), &err);
    return text;
}

static int is_case(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* The engine has more rules than the schema, never fewer. */
static void what_the_schema_refuses_the_engine_refuses_too(void **state)
{
    AUTO(writer) path = { 0 };
    struct dirent **names = NULL;
    const char *top = getenv("top_srcdir");
    size_t refused = 0, accepted = 0;
    int count;

    (void)state;
    writer_format(&path, "%s/tests/vectors/config", top ? top : ".");
    count = scandir(writer_string(&path), &names, is_case, alphasort);
    for (int i = 0; i < count; i++) {
        AUTO(se_buf) text = read_vector(writer_string(&path), names[i]->d_name);
        enum verdict verdict = schema_verdict(buf_bytes(&text));

        if (verdict != ACCEPTED && engine_accepts(buf_bytes(&text)))
            fail_msg("%s: refused by the schema, accepted by the engine", names[i]->d_name);
        accepted += verdict == ACCEPTED;
        refused += verdict == REFUSED;
        free(names[i]);
    }
    free(names);
    assert_true(refused >= 30);
    assert_true(accepted >= 30);
}

#define ROOT_TAG         "engineSignEncrypt"
#define DESCRIPTORS      "<descriptors> <!-- --> <?p?></descriptors>"
#define KEYS             "<keys/>"
#define SIGNATURE        "<Signature xmlns='http://www.w3.org/2000/09/xmldsig#'><x/></Signature>"
#define IN_ROOT(content) "<" ROOT_TAG ">" content "</" ROOT_TAG ">"
#define IN_KEY(content)                                                                            \
    "<" ROOT_TAG "><descriptors><descriptor name='d'><type key='k' algorithm='SHA-256'/>"          \
    "</descriptor></descriptors><keys><key name='k'>" content "</key></keys></" ROOT_TAG ">"
#define IN_ALLOW(operations, content)                                                              \
    "<" ROOT_TAG "><descriptors><descriptor name='d'><type key='k' algorithm='SHA-256'/>"          \
    "</descriptor></descriptors><keys><key name='k'>" TYPE(                                        \
        "") "</key></keys><access>"                                                                \
            "<allow name='a' operations='" operations "'>" content "</allow></access></" ROOT_TAG  \
            ">"
#define USER          "<user name='u'/>"
#define D             "<descriptor name='d'/>"
#define H             "<history name='h'/>"
#define TYPE(content) "<type name='pem' locationValue='k.pem'>" content "</type>"

static const struct {
    const char *text;
    bool accepted;
} documents[] = {
    { IN_ROOT(DESCRIPTORS KEYS), true },
    { IN_ROOT(KEYS DESCRIPTORS), true },
    { IN_ROOT(DESCRIPTORS KEYS SIGNATURE "<!-- -->\n"), true },
    { IN_ROOT(DESCRIPTORS SIGNATURE KEYS), false },
    { IN_ROOT(SIGNATURE DESCRIPTORS KEYS), false },
    { IN_ROOT(DESCRIPTORS KEYS SIGNATURE SIGNATURE), false },
    { IN_ROOT(DESCRIPTORS KEYS "<Signature/>"), false },
    { IN_ROOT(DESCRIPTORS KEYS "x"), false },
    { IN_ROOT(DESCRIPTORS KEYS "<![CDATA[ ]]>"), false },
    { IN_ROOT(DESCRIPTORS), false },
    { IN_ROOT(DESCRIPTORS KEYS KEYS), false },
    { "<" ROOT_TAG " xmlns='urn:x'>" DESCRIPTORS KEYS "</" ROOT_TAG ">", false },
    { "<" ROOT_TAG " xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' "
      "xsi:noNamespaceSchemaLocation='none.xsd'>" DESCRIPTORS KEYS "</" ROOT_TAG ">",
      true },
    { "<" ROOT_TAG " xml:lang='en'>" DESCRIPTORS KEYS "</" ROOT_TAG ">", false },
    { IN_ROOT(DESCRIPTORS KEYS "<access/>"), true },
    { IN_ROOT(DESCRIPTORS KEYS "<login name='l'/><access> <!-- --></access>" SIGNATURE), true },
    { IN_ROOT(DESCRIPTORS KEYS "<access/><access/>"), false },
    { IN_ROOT("<access/>" DESCRIPTORS KEYS), false },
    { IN_ROOT(DESCRIPTORS "<access/>" KEYS), false },
    { IN_ROOT(DESCRIPTORS KEYS "<access/><login name='l'/>"), false },
    { IN_ROOT(DESCRIPTORS KEYS SIGNATURE "<access/>"), false },
    { IN_ALLOW("sign", USER D), true },
    { IN_ALLOW("sign", D USER D "<group name='g'/>"), true },
    { IN_ALLOW(" sign\n verify sign ", USER D), true },
    { IN_ALLOW("history-read", H USER H), true },
    { IN_ALLOW("check monitor", USER), true },
    { IN_ALLOW("sign", "<certificate san='DNS:a'/>" D), true },
    { IN_ALLOW("sign", D), false },
    { IN_ALLOW("sign", ""), false },
    { IN_ALLOW("sign", USER D "x"), false },
    { IN_ALLOW("sign", "<user name='u'> </user>" D), false },
    { IN_ALLOW("", USER D), false },
    { IN_ALLOW(" ", USER D), false },
    { IN_ALLOW("sing", USER D), false },
    { IN_ALLOW("Sign", USER D), false },
    { IN_ALLOW("sign,verify", USER D), false },
    { IN_ALLOW("history-read", USER "<history name='a/b'/>"), false },
    { IN_ALLOW("sign", "<certificate san='DN:a'/>" D), false },
    { IN_ALLOW("sign", "<certificate sha256='abcd'/>" D), false },
    { IN_KEY(TYPE("")), true },
    { IN_KEY(TYPE("") "\n " TYPE("<!-- -->")), true },
    { IN_KEY(TYPE(" ")), false },
    { IN_KEY(TYPE("x")), false },
    { IN_KEY(TYPE("<x/>")), false },
    { IN_KEY("x" TYPE("")), false },
    { IN_KEY(""), false },
};

static void both_think_the_same_of_what_stands_where(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) {
        se_bytes text = text_bytes(documents[i].text);

        if ((schema_verdict(text) == ACCEPTED) != documents[i].accepted ||
            engine_accepts(text) != documents[i].accepted)
            fail_msg("not %s by both: %s", documents[i].accepted ? "accepted" : "refused",
                     documents[i].text);
    }
}

/* ---- every rule ---- */

/* What is different from a document in which every element has every attribute. */
struct change {
    const struct element_rule *element, *child;
    const struct attribute_rule *attribute;
    const char *value; /* NULL: the attribute is left out */
    int children;      /* how often the child is there */
    bool no_choice;    /* nothing that there is to choose from is there */
};

static const char *good_value(const struct element_rule *element, const struct attribute_rule *a)
{
    if (element == &store_rule && !strcmp(a->name, "name"))
        return "HSM";
    if (a->words)
        return *a->words;
    return a->needed ? "x" : "";
}

static void put_attributes(struct writer *w, const struct element_rule *element,
                           const struct change *change)
{
    for (const struct attribute_rule *a = element->attributes; a && a->name; a++) {
        bool changed = element == change->element && a == change->attribute;
        const char *value = changed ? change->value : good_value(element, a);

        if (value)
            writer_format(w, " %s='%s'", a->name, value);
    }
}

static void put_element(struct writer *w, const struct element_rule *element,
                        const struct change *change)
{
    writer_format(w, "<%s", element->name);
    put_attributes(w, element, change);
    writer_text(w, ">");
    for (const struct child_rule *rule = element->children; rule && rule->element; rule++) {
        bool here = element == change->element, changed = here && rule->element == change->child;
        int times = changed ? change->children : here && rule->choice && change->no_choice ? 0 : 1;

        for (int n = times; n; n--)
            put_element(w, rule->element, change);
    }
    writer_format(w, "</%s>", element->name);
}

static bool schema_accepts(const struct change *change)
{
    AUTO(writer) text = { 0 };

    put_element(&text, &root_rule, change);
    return schema_verdict(buf_bytes(&text.buf)) == ACCEPTED;
}

static bool is_word(const struct attribute_rule *a, const char *value)
{
    for (size_t i = 0; a->words[i]; i++)
        if (!strcmp(a->words[i], value))
            return true;
    return false;
}

static bool parses(const struct attribute_rule *a, const char *value)
{
    union {
        struct descriptor descriptor;
        struct keyref keyref;
        struct access_caller caller;
        struct access_target target;
        struct access_row row;
    } out = { .keyref = { .line = 0 } };

    return a->words ? is_word(a, value) : !a->parse || !a->parse(&out, value, a);
}

static void check_attributes_of(const struct element_rule *element)
{
    for (const struct attribute_rule *a = element->attributes; a && a->name; a++) {
        struct change change = { .element = element, .attribute = a };

        if (schema_accepts(&change) == a->needed)
            fail_msg("<%s>: needs '%s' in one of the two only", element->name, a->name);
        change.value = "?";
        /* what is in base64 the schema leaves to the engine */
        if (strcmp(a->name, "certificate") && schema_accepts(&change) != parses(a, "?"))
            fail_msg("<%s>: '%s' takes any text in one of the two only", element->name, a->name);
        change.value = "-1";
        assert_true(parses(a, "-1") || !strcmp(a->name, "certificate") || !schema_accepts(&change));
        assert_true(!a->parse == !a->must);
        for (size_t i = 0; a->words && a->words[i]; i++) {
            change.value = a->words[i];
            if (!schema_accepts(&change))
                fail_msg("<%s>: '%s' can't be '%s' in the schema", element->name, a->name,
                         a->words[i]);
        }
    }
}

static void check_choice_of(const struct element_rule *element)
{
    struct change change = { .element = element, .no_choice = true };
    bool choice = false;

    for (const struct child_rule *rule = element->children; rule && rule->element; rule++)
        choice |= rule->choice;
    if (schema_accepts(&change) == choice)
        fail_msg("<%s>: needs one of several in one of the two only", element->name);
}

static void check_element(const struct element_rule *element)
{
    check_attributes_of(element);
    check_choice_of(element);
    for (const struct child_rule *rule = element->children; rule && rule->element; rule++) {
        struct change change = { .element = element, .child = rule->element };

        if (schema_accepts(&change) == rule->needed)
            fail_msg("<%s>: needs a <%s> in one of the two only", element->name,
                     rule->element->name);
        change.children = 2;
        if (schema_accepts(&change) != rule->several)
            fail_msg("<%s>: several <%s> in one of the two only", element->name,
                     rule->element->name);
        check_element(rule->element);
    }
}

static void the_schema_has_every_rule_of_the_grammar(void **state)
{
    (void)state;
    assert_true(schema_accepts(&(struct change){ .element = NULL }));
    check_element(&root_rule);
}

/* How many attributes and elements `element` has, itself included; the schema has a type once for
 * elements that are alike. */
static size_t count_names(const struct element_rule *element)
{
    const struct attribute_rule *before = NULL;
    size_t count = 0;

    for (const struct child_rule *rule = element->children; rule && rule->element; rule++) {
        const struct attribute_rule *a = rule->element->attributes;

        for (; a && a != before && a->name; a++)
            count++;
        before = rule->element->attributes;
        count += 1 + count_names(rule->element);
    }
    return count;
}

static size_t count_words(const struct element_rule *element)
{
    size_t count = 0;

    for (const struct attribute_rule *a = element->attributes; a && a->name; a++)
        for (size_t i = 0; a->words && a->words[i]; i++)
            count++;
    for (const struct child_rule *rule = element->children; rule && rule->element; rule++)
        count += count_words(rule->element);
    return count;
}

static size_t count_word(const char *text, const char *word)
{
    size_t count = 0;

    for (; (text = strstr(text, word)); text++)
        count++;
    return count;
}

static void the_grammar_has_every_name_of_the_schema(void **state)
{
    const char *text = (const char *)schema_text.data;

    (void)state;
    /* descriptors and keys are declared twice, for they may come in any order; and there is the
     * root
     */
    assert_int_equal(count_word(text, "<xs:attribute name=") +
                         count_word(text, "<xs:element name="),
                     count_names(&root_rule) + 3);
    assert_int_equal(count_word(text, "<xs:enumeration value="), count_words(&root_rule));
}

static int compile_schema(void **state)
{
    AUTO(writer) path = { 0 };
    AUTO(schema_parser) parser = NULL;
    const char *top = getenv("top_srcdir");

    (void)state;
    writer_format(&path, "%s/schemas/engineSignEncrypt.xsd", top ? top : ".");
    parser = xmlSchemaNewParserCtxt(writer_string(&path));
    schema = xmlSchemaParse(parser);
    return !schema || file_read(&schema_text, writer_string(&path), 1 << 20, NULL);
}

static int free_schema(void **state)
{
    (void)state;
    xmlSchemaFree(schema);
    se_buf_free(&schema_text);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_schema_refuses_the_engine_refuses_too),
        cmocka_unit_test(both_think_the_same_of_what_stands_where),
        cmocka_unit_test(the_schema_has_every_rule_of_the_grammar),
        cmocka_unit_test(the_grammar_has_every_name_of_the_schema),
    };

    return cmocka_run_group_tests(tests, compile_schema, free_schema);
}
