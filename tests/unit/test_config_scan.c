/* SPDX-License-Identifier: Apache-2.0 */
/* The text before libxml2: the scanner, and the PINs that it takes out. */
#include "config/pin_extract.h"
#include "config/scan.h"
#include "tests/unit/config.h"

static se_status put_item(void *arg, const struct scan_item *item, se_error *err)
{
    struct writer *w = arg;

    if (item->name.size == 4 && !memcmp(item->name.data, "stop", 4))
        return error_set(err, SE_ERR_USAGE, "stopped");
    if (item->element)
        writer_format(w, "%d:<%.*s>", item->line, (int)item->name.size,
                      (const char *)item->name.data);
    else
        writer_format(w, " %d:%.*s=[%.*s]", item->line, (int)item->name.size,
                      (const char *)item->name.data, (int)item->value.size,
                      (const char *)item->value.data);
    return SE_OK;
}

static void assert_scanned(const char *text, const char *items)
{
    AUTO(writer) got = { 0 };
    se_error err = SE_ERROR_INIT;
    int line;

    assert_status(SE_OK, scan_xml(text_bytes(text), put_item, &got, &line, &err), &err);
    assert_string_equal(writer_string(&got), items);
}

static void assert_not_scanned(const char *text, int expected, const char *why)
{
    AUTO(writer) got = { 0 };
    se_error err = SE_ERROR_INIT;
    int line = 0;

    assert_status(SE_ERR_CONFIG, scan_xml(text_bytes(text), put_item, &got, &line, &err), &err);
    assert_string_equal(err.text, why);
    assert_int_equal(line, expected);
}

static void tags_and_attributes_are_seen_with_their_lines(void **state)
{
    (void)state;
    assert_scanned("", "");
    assert_scanned("no tag", "");
    assert_scanned("<a/>", "1:<a>");
    assert_scanned("<a\n b = 'c'\n d=\"e'f\"\t/>\n<g></g>", "1:<a> 2:b=[c] 3:d=[e'f]4:<g>");
    assert_scanned("<a b='1\n2' c='&amp;'>", "1:<a> 1:b=[1\n2] 2:c=[&amp;]");
    assert_scanned("\xEF\xBB\xBF<x:\xC3\xA4-1.2 />", "1:<x:\xC3\xA4-1.2>");
    assert_scanned("<a>]]> > </a >", "1:<a>");
}

static void what_is_no_tag_is_passed_over(void **state)
{
    (void)state;
    assert_scanned("<!---->\n<!-- <b c='d'/> - -> ->\n --><?xml b='c'?><![CDATA[<d>\n]] ]>]]><e/>",
                   "4:<e>");
}

static void the_shape_of_tags_is_strict(void **state)
{
    (void)state;
    assert_not_scanned("\n<a b=c>", 2, "malformed tag <a>: a value must be in quotes");
    assert_not_scanned("<a b>", 1, "malformed tag <a>: attributes must read NAME=\"VALUE\"");
    assert_not_scanned("<a 1='2'>", 1, "malformed tag <a>: attributes must read NAME=\"VALUE\"");
    assert_not_scanned(
        "<a\nb='c'd='e'>", 2,
        "malformed tag <a>: no space after the value of 'b'; is a closing quote missing?");
    assert_not_scanned(
        "<a\nb='c\n<d>", 2,
        "the value of 'b' has no closing quote, or holds a '<' that must be written &lt;");
    assert_not_scanned(
        "<a b='c", 1,
        "the value of 'b' has no closing quote, or holds a '<' that must be written &lt;");
    assert_not_scanned("<a b='c'\n\n", 1, "the tag <a> that begins here has no end '>'");
    assert_not_scanned("<a / >", 1, "the tag <a> that begins here has no end '>'");
    assert_not_scanned("<", 1, "no tag begins with this '<': a '<' in a text is written &lt;");
    assert_not_scanned("<1>", 1, "no tag begins with this '<': a '<' in a text is written &lt;");
    assert_not_scanned("</a b='c'>", 1, "malformed end tag: it must read </NAME>");
    assert_not_scanned("</>", 1, "malformed end tag: it must read </NAME>");
    assert_not_scanned("</a", 1, "malformed end tag: it must read </NAME>");
    assert_not_scanned("<!ELEMENT a ANY>", 1,
                       "'<!' is only allowed in comments and CDATA sections");
    assert_not_scanned("\n<?a", 2, "the '<?' that begins here has no end '?>'");
    assert_not_scanned("\n<![CDATA[ ]>\n", 2,
                       "the CDATA section that begins here has no end ']]>'");
}

static void comments_that_do_not_end_are_told_where_they_should(void **state)
{
    (void)state;
    assert_not_scanned("<!-- a\nb ->\n<c/>", 2,
                       "'->' does not end the comment that begins in line 1: write '-->'");
    assert_not_scanned("<!-- a\nb ->\n<!-- c -->", 2,
                       "'->' does not end the comment that begins in line 1: write '-->'");
    assert_not_scanned("\n<!-- a\n", 2, "the comment that begins here has no end '-->'");
    assert_not_scanned("<!-- a\n -- -->", 2,
                       "'--' in the comment that begins in line 1: only '-->' may hold it");
    assert_not_scanned("<!-- a --->", 1,
                       "'--' in the comment that begins in line 1: only '-->' may hold it");
    assert_not_scanned("<!--", 1, "the comment that begins here has no end '-->'");
}

static void what_would_take_libxml2_too_long_is_refused(void **state)
{
    AUTO(writer) deep = { 0 };
    AUTO(writer) wide = { 0 };
    AUTO(writer) many = { 0 };

    (void)state;
    for (int i = 0; i < 33; i++)
        writer_text(&deep, "<a>\n");
    assert_not_scanned(writer_string(&deep), 33, "elements are nested more than 32 deep");
    writer_text(&wide, "<a");
    for (int i = 0; i < 65; i++)
        writer_text(&wide, " b=''");
    assert_not_scanned(writer_string(&wide), 1, "<a> has more than 64 attributes");
    for (int i = 0; i < 100001; i++)
        writer_text(&many, "<!---->");
    assert_not_scanned(writer_string(&many), 1, "more than 100000 tags, attributes and comments");
}

static void the_visitor_may_stop(void **state)
{
    AUTO(writer) got = { 0 };
    se_error err = SE_ERROR_INIT;
    int line = 0;

    (void)state;
    assert_status(SE_ERR_USAGE,
                  scan_xml(text_bytes("<a>\n<b\nstop='1\n'/>"), put_item, &got, &line, &err), &err);
    assert_int_equal(line, 3);
    assert_string_equal(writer_string(&got), "1:<a>2:<b>");
}

/* Where the element with that number begins and ends, as the texts from there on. */
static void assert_element(const char *text, size_t element, const char *start, const char *end,
                           bool empty)
{
    struct scan_end found = { .element = element };
    se_error err = SE_ERROR_INIT;
    int line;

    assert_status(SE_OK, scan_document(&found, text_bytes(text), &line, &err), &err);
    assert_string_equal(text + found.start, start);
    assert_string_equal(text + found.offset, end);
    assert_int_equal(found.empty, empty);
    assert_memory_equal(found.name.data, start + 1, found.name.size);
    assert_int_equal(found.name.size, strcspn(start + 1, " />"));
}

static void the_end_of_an_element_is_found(void **state)
{
    (void)state;
    assert_element("<a/>", 0, "<a/>", "/>", true);
    assert_element("<a></a>", 0, "<a></a>", "</a>", false);
    assert_element("\xEF\xBB\xBF<?p <a> ?><!-- <a> --><a b='>'\n></a\n>", 0, "<a b='>'\n></a\n>",
                   "</a\n>", false);
    assert_element("<a><a><a/></a></a><!-- -->", 0, "<a><a><a/></a></a><!-- -->", "</a><!-- -->",
                   false);
    assert_element("<a><a><a/></a></a>", 1, "<a><a/></a></a>", "</a></a>", false);
    assert_element("<a><a><a/></a></a>", 2, "<a/></a></a>", "/></a></a>", true);
    assert_element("<a><b/><c><![CDATA[</c>]]><!--</c>--><?c </c>?></c></a>", 2,
                   "<c><![CDATA[</c>]]><!--</c>--><?c </c>?></c></a>", "</c></a>", false);
    assert_element("<a><b></b><b></b></a>", 2, "<b></b></a>", "</b></a>", false);
}

static void assert_document_refused(const char *text, int expected, const char *why)
{
    struct scan_end found = { 0 };
    se_error err = SE_ERROR_INIT;
    int line = 0;

    assert_status(SE_ERR_CONFIG, scan_document(&found, text_bytes(text), &line, &err), &err);
    assert_string_equal(err.text, why);
    assert_int_equal(line, expected);
}

/* In either walk the same is malformed; what is dangerous is refused before libxml2 sees it. */
static void documents_are_as_strict(void **state)
{
    static const char doctype[] = "a DOCTYPE is not allowed: it can declare entities that read "
                                  "other files or fill the memory";

    (void)state;
    assert_document_refused("<a>\n<b", 2, "the tag <b> that begins here has no end '>'");
    assert_document_refused(
        "<a b='1'c='2'/>", 1,
        "malformed tag <a>: no space after the value of 'b'; is a closing quote missing?");
    assert_document_refused("<a></ a>", 1, "malformed end tag: it must read </NAME>");
    assert_document_refused("<a><!-- </a>", 1, "the comment that begins here has no end '-->'");
    assert_document_refused("<a>\n<![CDATA[ </a>", 2,
                            "the CDATA section that begins here has no end ']]>'");
    assert_document_refused("\n<!DOCTYPE a>", 2, doctype);
    assert_document_refused("<a><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]>", 1,
                            doctype);
    assert_document_refused("<a><!ENTITY b 'c'></a>", 1,
                            "'<!' is only allowed in comments and CDATA sections");
}

static void documents_may_be_larger(void **state)
{
    AUTO(writer) deep = { 0 };
    AUTO(writer) wide = { 0 };
    se_error err = SE_ERROR_INIT;
    int line;

    (void)state;
    for (int i = 0; i < 200; i++)
        writer_text(&deep, "<a>\n");
    assert_status(SE_OK, scan_document(NULL, text_bytes(writer_string(&deep)), &line, &err), &err);
    writer_text(&deep, "<a>");
    assert_document_refused(writer_string(&deep), 201, "elements are nested more than 200 deep");
    writer_text(&wide, "<a");
    for (int i = 0; i < 256; i++)
        writer_text(&wide, " b=''");
    writer_text(&wide, "/>");
    assert_status(SE_OK, scan_document(NULL, text_bytes(writer_string(&wide)), &line, &err), &err);
    wide.buf.size -= strlen("/>");
    writer_text(&wide, " b=''/>");
    assert_document_refused(writer_string(&wide), 1, "<a> has more than 256 attributes");
}

/* Twice as much in the same scope costs twice as much; what an element declared is forgotten when
 * it ends. */
static void namespaces_are_limited(void **state)
{
    AUTO(writer) many = { 0 };
    AUTO(writer) beside = { 0 };
    se_error err = SE_ERROR_INIT;
    int line;

    (void)state;
    writer_text(&many, "<r");
    for (int i = 0; i < 200; i++)
        writer_format(&many, " xmlns:p%d='urn:%d'", i, i);
    writer_text(&many, ">\n");
    assert_status(SE_OK, scan_document(NULL, text_bytes(writer_string(&many)), &line, &err), &err);
    for (int i = 0; i < 1000; i++)
        writer_text(&many, "<a/>");
    assert_document_refused(writer_string(&many), 2,
                            "too many elements within too many declarations of namespaces and "
                            "attributes with prefixes (200 here): "
                            "a canonical form would take too long");
    for (int i = 0; i < 20000; i++)
        writer_text(&beside, "<a xmlns:p='urn:p' xmlns:q='urn:q' p:a='' q:a=''></a>");
    assert_status(SE_OK, scan_document(NULL, text_bytes(writer_string(&beside)), &line, &err),
                  &err);
    assert_document_refused(
        "<a\nxmlns:p='urn:a&amp;b'/>", 2,
        "the namespace of 'xmlns:p' has a '&' in its name, of which canonical forms differ");
    assert_status(
        SE_OK,
        scan_document(NULL, text_bytes("</a></a><b xmlnsx='&amp;' x:xmlns='&amp;'>"), &line, &err),
        &err);
}

static se_status extract_value(struct redacted *out, const char *value, se_error *err)
{
    AUTO(writer) tag = { 0 };
    int line;

    writer_format(&tag, "<a pin=\"%s\"/>", value);
    return pins_extract(out, text_bytes(writer_string(&tag)), &line, err);
}

static void assert_decoded(const char *value, const char *expected)
{
    AUTO(redacted) text = { .pins = NULL };
    se_error err = SE_ERROR_INIT;

    assert_status(SE_OK, extract_value(&text, value, &err), &err);
    assert_int_equal(text.pin_count, 1);
    assert_string_equal((char *)text.pins[0].value.data, expected);
    assert_int_equal(text.pins[0].value.size, strlen(expected));
}

static void values_are_decoded_as_xml_says(void **state)
{
    (void)state;
    assert_decoded("", "");
    assert_decoded("12\t34", "12 34");
    assert_decoded("&lt;&gt;&amp;&quot;&apos;", "<>&\"'");
    assert_decoded("&amp;lt;", "&lt;");
    assert_decoded("&#49;&#x32;&#x000033;", "123");
    assert_decoded("&#xE4;&#x20AC;&#x10FFFF;&#127;&#128;&#x7FF;&#x800;&#xFFFD;&#x10000;",
                   "\xC3\xA4\xE2\x82\xAC\xF4\x8F\xBF\xBF\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF"
                   "\xBD\xF0\x90\x80\x80");
    assert_decoded("&#9;&#10;&#13;", "\t\n\r");
}

static void values_that_xml_refuses_are_refused(void **state)
{
    static const char *const values[] = {
        "&",     "&;",       "&amp",     "&AMP;",      "&nbsp;",        "&#;",           "&#x;",
        "&#0;",  "&#xD800;", "&#xFFFE;", "&#x110000;", "&#4294967345;", "&#x100000031;", "&#49",
        "&#4A;", "&#X31;",   "& amp;",   "1\n2",       "1\r2",          "\x01",          "&# 49;",
        "&#-1;"
    };

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        AUTO(redacted) text = { .pins = NULL };
        se_error err = SE_ERROR_INIT;

        assert_status(SE_ERR_CONFIG, extract_value(&text, values[i], &err), &err);
        assert_int_equal(text.pin_count, 0);
    }
}

static void pins_are_known_by_their_names(void **state)
{
    static const char *const pins[] = { "pin",        "pin.encrypted", "PIN",
                                        "pins",       "pin.encripted", "x:pin",
                                        "Pin.Source", "pin.source2" };
    static const char *const others[] = { "pi",           "",      "pin.source",
                                          "x:pin.source", "alias", "pinx:alias" };

    (void)state;
    for (size_t i = 0; i < sizeof pins / sizeof *pins; i++)
        assert_true(pins_is_attribute(text_bytes(pins[i])));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(pins_is_attribute(text_bytes(others[i])));
}

static void pins_are_replaced_by_numbers(void **state)
{
    AUTO(redacted) text = { .pins = NULL };
    se_error err = SE_ERROR_INIT;
    int line;

    (void)state;
    assert_status(SE_OK,
                  pins_extract(&text,
                               text_bytes("<a xmlns='u' xmlns:x='v' pin='12&#x33;' b='pin'>\n<!-- "
                                          "pin='4' -->\n<c PIN.x=\"\"\n x:pin='56'/></a>\n"),
                               &line, &err),
                  &err);
    assert_string_equal(writer_string(&text.text),
                        "<a xmlns='u' xmlns:x='v' pin='0' b='pin'>\n<!-- pin='4' -->\n<c "
                        "PIN.x=\"1\"\n x:pin='2'/></a>\n");
    assert_int_equal(text.pin_count, 3);
    assert_string_equal((char *)text.pins[0].value.data, "123");
    assert_int_equal(text.pins[1].value.size, 0);
    assert_string_equal((char *)text.pins[2].value.data, "56");
    assert_int_equal(text.line_count, 6);
    assert_int_equal(text.lines[0], 1);
    assert_int_equal(text.lines[3], 3);
    assert_int_equal(text.lines[5], 4);
}

static void a_pin_that_cannot_be_read_is_told_by_name(void **state)
{
    AUTO(redacted) text = { .pins = NULL };
    se_error err = SE_ERROR_INIT;
    int line;

    (void)state;
    assert_status(
        SE_ERR_CONFIG,
        pins_extract(&text, text_bytes("<a pin='12'\n pin.encrypted='5\n6'/>"), &line, &err), &err);
    assert_string_equal(err.text, "the value of 'pin.encrypted' goes over the end of its line: is "
                                  "its closing quote missing?");
    assert_int_equal(line, 2);
    assert_int_equal(text.pin_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tags_and_attributes_are_seen_with_their_lines),
        cmocka_unit_test(what_is_no_tag_is_passed_over),
        cmocka_unit_test(the_shape_of_tags_is_strict),
        cmocka_unit_test(comments_that_do_not_end_are_told_where_they_should),
        cmocka_unit_test(what_would_take_libxml2_too_long_is_refused),
        cmocka_unit_test(the_visitor_may_stop),
        cmocka_unit_test(the_end_of_an_element_is_found),
        cmocka_unit_test(documents_are_as_strict),
        cmocka_unit_test(documents_may_be_larger),
        cmocka_unit_test(namespaces_are_limited),
        cmocka_unit_test(values_are_decoded_as_xml_says),
        cmocka_unit_test(values_that_xml_refuses_are_refused),
        cmocka_unit_test(pins_are_known_by_their_names),
        cmocka_unit_test(pins_are_replaced_by_numbers),
        cmocka_unit_test(a_pin_that_cannot_be_read_is_told_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
