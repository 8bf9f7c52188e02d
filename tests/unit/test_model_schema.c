/* The schema that editors see and the rules that the engine applies must not drift apart. */
#include "config/grammar.h"
#include "config/schema.h"
#include "tests/unit/model.h"

enum verdict { NOT_XML, REFUSED, ACCEPTED };

static se_buf read_vector(const char *folder_name, const char *name)
{
    AUTO(writer) path = { 0 };
    se_buf text = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    writer_format(&path, "%s/%s/engine.xml", folder_name, name);
    assert_status(SE_OK, file_read(&text, writer_string(&path), 1 << 20, &err), &err);
    return text;
}

/* What the schema alone thinks of a text. */
static enum verdict schema_verdict(se_bytes text)
{
    AUTO(lifted) lifted = { 0 };
    AUTO(findings) findings = { 0 };
    AUTO(xml_doc) doc = NULL;
    int line;

    if (lift_pins(&lifted, text, &line, NULL))
        return NOT_XML;
    xml_parse(&doc, &lifted, &findings);
    if (!doc)
        return NOT_XML;
    schema_check(&findings, doc);
    assert_false(findings.failed);
    return findings.errors ? REFUSED : ACCEPTED;
}

static bool rules_accept(se_bytes text)
{
    AUTO(config) config = NULL;
    AUTO(se_buf) copy = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    assert_status(SE_OK, buf_copy(&copy, text, &err), &err);
    return config_parse(&config, &copy, "engine.xml", NULL, &err) == SE_OK;
}

static int is_case(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* The rules say more than the schema, never less; and where the schema has refused, they had words
 * of their own. */
static void what_the_schema_refuses_the_rules_refuse_too(void **state)
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

        if (verdict != ACCEPTED && rules_accept(buf_bytes(&text)))
            fail_msg("%s: refused by the schema, accepted by the rules", names[i]->d_name);
        accepted += verdict == ACCEPTED;
        refused += verdict == REFUSED;
        free(names[i]);
    }
    free(names);
    assert_true(refused >= 30);
    assert_true(accepted >= 30);
}

/* A finding of the schema that nobody else has is told in libxml2's words. */
static void the_schema_is_the_net_below_the_rules(void **state)
{
    static const char text[] = "<engineSignEncrypt>\n<descriptors>\n<descriptor "
                               "nam='x'/>\n</descriptors>\n<keys/>\n</engineSignEncrypt>";
    AUTO(lifted) lifted = { 0 };
    AUTO(findings) findings = { 0 };
    AUTO(xml_doc) doc = NULL;
    AUTO(writer) got = { 0 };
    struct config_options options = { .report = put_finding, .report_arg = &got };
    se_error err = SE_ERROR_INIT;
    int line;

    (void)state;
    assert_status(SE_OK, lift_pins(&lifted, text_bytes(text), &line, &err), &err);
    xml_parse(&doc, &lifted, &findings);
    assert_non_null(doc);
    schema_check(&findings, doc);
    assert_status(SE_ERR_CONFIG, findings_tell(&findings, "f.xml", &options, &err), &err);
    assert_string_equal(writer_string(&got),
                        "3: does not fit the schema: Element 'descriptor', attribute 'nam': The "
                        "attribute 'nam' is not allowed.\n");
}

static void put_attributes(struct writer *w, const struct element_rule *element)
{
    for (const struct attribute_rule *rule = element->attributes; rule->name; rule++)
        writer_format(w, " %s='%s'", rule->name,
                      strcmp(rule->name, "name") && rule->needed ? "x"
                      : strcmp(rule->name, "name")               ? ""
                                                                 : "HSM");
}

/* Every element with every attribute that the rules know. */
static void put_element(struct writer *w, const struct element_rule *element)
{
    writer_format(w, "<%s", element->name);
    put_attributes(w, element);
    writer_text(w, ">");
    for (const struct child_rule *rule = element->children; rule->element; rule++)
        put_element(w, rule->element);
    writer_format(w, "</%s>", element->name);
}

static void the_schema_knows_every_name_of_the_rules(void **state)
{
    AUTO(writer) text = { 0 };

    (void)state;
    put_element(&text, &structure_root);
    assert_non_null(strstr(writer_string(&text), "tokenSerial=''"));
    assert_int_equal(schema_verdict(buf_bytes(&text.buf)), ACCEPTED);
}

/* How many attributes and elements `element` has, itself included. */
static size_t names_of(const struct element_rule *element)
{
    size_t count = 1;

    for (const struct attribute_rule *rule = element->attributes; rule->name; rule++)
        count++;
    for (const struct child_rule *rule = element->children; rule->element; rule++)
        count += names_of(rule->element);
    return count;
}

static size_t occurrences(const char *text, const char *word)
{
    size_t count = 0;

    for (; (text = strstr(text, word)); text++)
        count++;
    return count;
}

static void the_rules_know_every_name_of_the_schema(void **state)
{
    AUTO(se_buf) text = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_OK, buf_copy(&text, (se_bytes){ schema_text, schema_size }, &err), &err);
    /* descriptors and keys are declared twice, for they may come in any order */
    assert_int_equal(occurrences((char *)text.data, "<xs:attribute name=") +
                         occurrences((char *)text.data, "<xs:element name="),
                     names_of(&structure_root) + 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_schema_refuses_the_rules_refuse_too),
        cmocka_unit_test(the_schema_is_the_net_below_the_rules),
        cmocka_unit_test(the_schema_knows_every_name_of_the_rules),
        cmocka_unit_test(the_rules_know_every_name_of_the_schema),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
