/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/html_report.h"

#include <stdarg.h>
#include <stdlib.h>
#include <sys/utsname.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "base/utf8.h"

/* Colours of 4.5 to 1 at the least, on white and on black; on paper there are none to rely on, so
 * words say it too. */
static const char style[] =
    ":root{color-scheme:light dark;--ink:#1f2328;--soft:#57606a;--paper:#fff;--line:#d0d7de;"
    "--good:#116329;--warning:#7d4e00;--bad:#a40e26}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9da7b3;--paper:#0d1117;"
    "--line:#30363d;--good:#56d364;--warning:#e3b341;--bad:#ff7b72}}"
    "body{margin:0 auto;max-width:62rem;padding:1rem;color:var(--ink);background:var(--paper);"
    "font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}"
    "h1{font-size:1.5rem;margin:.5rem 0}h2{font-size:1.15rem;margin:1.8rem 0 .4rem}"
    ".verdict{font-size:1.15rem;padding:.5rem .8rem;border-left:.4rem solid}"
    ".good{color:var(--good)}.warning{color:var(--warning)}.bad{color:var(--bad)}"
    "dl{display:grid;grid-template-columns:minmax(6rem,max-content) 1fr;gap:.2rem 1rem}"
    "dt{color:var(--soft)}dd{margin:0}"
    "table{border-collapse:collapse;width:100%}th{text-align:left;color:var(--soft)}"
    "th,td{padding:.3rem .6rem .3rem 0;border-bottom:1px solid var(--line);vertical-align:top}"
    "thead{display:table-header-group}tr{break-inside:avoid}"
    "pre{white-space:pre-wrap;font:.85em/1.4 ui-monospace,monospace}"
    "@media(max-width:40rem){table,tbody,tr,td{display:block}thead{display:none}"
    "td{border:0;padding:.1rem 0}td::before{content:attr(data-column) \" \";color:var(--soft)}"
    "tr{border-bottom:1px solid var(--line);padding:.4rem 0}}"
    "@media print{:root{--ink:#000;--paper:#fff;--soft:#444;--line:#999}body{max-width:none}}";

static const char *const moods[] = {
    [HTML_GOOD] = "good", [HTML_WARNING] = "warning", [HTML_BAD] = "bad"
};

void html_report_free(struct html_report *report)
{
    writer_free(&report->page);
}

/* Bytes that are no UTF-8, and controls, which a browser may act upon, become U+FFFD. */
static void put_character(struct writer *w, const char *at, size_t size, uint32_t point)
{
    if (!size || (utf8_is_control(point) && point != '\n'))
        writer_text(w, "\xef\xbf\xbd");
    else if (point == '&')
        writer_text(w, "&amp;");
    else if (point == '<')
        writer_text(w, "&lt;");
    else if (point == '"')
        writer_text(w, "&quot;");
    else
        writer_put(w, at, size);
}

static void put_bytes(struct writer *w, se_bytes text)
{
    for (size_t i = 0, size; i < text.size; i += size ? size : 1) {
        const char *at = (const char *)text.data + i;
        uint32_t point = 0;

        size = utf8_take(&point, (se_bytes){ at, text.size - i });
        put_character(w, at, size, point);
    }
}

static void put_text(struct writer *w, const char *text)
{
    put_bytes(w, text_bytes(text));
}

static void put_fact(struct writer *w, const char *name, const char *text)
{
    writer_text(w, "<dt>");
    put_text(w, name);
    writer_text(w, "</dt><dd>");
    put_text(w, text);
    writer_text(w, "</dd>\n");
}

void html_fact(struct html_report *report, const char *name, const char *format, ...)
{
    va_list args;
    char *text = NULL;
    int n;

    va_start(args, format);
    n = vasprintf(&text, format, args);
    va_end(args);
    if (n < 0) {
        report->page.failed = true;
        return;
    }
    if (n)
        put_fact(&report->page, name, text);
    free(text);
}

void html_facts_end(struct html_report *report)
{
    writer_text(&report->page, "</dl>\n");
}

void html_report_begin(struct html_report *report, const char *title, enum html_mood mood,
                       const char *verdict)
{
    struct utsname host;
    char now[TIME_TEXT_ROOM];

    writer_text(&report->page,
                "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                "<meta http-equiv=\"Content-Security-Policy\" "
                "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n<title>");
    put_text(&report->page, title);
    writer_format(&report->page, "</title>\n<style>%s</style>\n</head>\n<body>\n<h1>", style);
    put_text(&report->page, title);
    writer_format(&report->page, "</h1>\n<p class=\"verdict %s\">", moods[mood]);
    put_text(&report->page, verdict);
    writer_text(&report->page, "</p>\n");
    writer_text(&report->page, "<dl>\n");
    html_fact(report, "when", "%s", time_format(now, TIME_READABLE, clock_seconds()));
    html_fact(report, "where", "%s", uname(&host) ? "" : host.nodename);
    html_fact(report, "with", "signengine %s", PACKAGE_VERSION);
}

void html_table_begin(struct html_report *report, const char *heading, const char *const columns[])
{
    writer_text(&report->page, "<h2>");
    put_text(&report->page, heading);
    writer_text(&report->page, "</h2>\n<table>\n<thead><tr>");
    for (size_t i = 0; columns[i]; i++) {
        writer_text(&report->page, "<th>");
        put_text(&report->page, columns[i]);
        writer_text(&report->page, "</th>");
    }
    writer_text(&report->page, "</tr></thead>\n<tbody>\n");
    report->columns = columns;
}

void html_table_row(struct html_report *report, enum html_mood mood, const char *const cells[])
{
    writer_text(&report->page, "<tr>");
    for (size_t i = 0; cells[i]; i++) {
        writer_text(&report->page, "<td data-column=\"");
        put_text(&report->page, report->columns[i]);
        writer_format(&report->page, "\"%s>",
                      i || mood == HTML_GOOD ? ""
                      : mood == HTML_BAD     ? " class=\"bad\""
                                             : " class=\"warning\"");
        put_text(&report->page, cells[i]);
        writer_text(&report->page, "</td>");
    }
    writer_text(&report->page, "</tr>\n");
}

void html_table_end(struct html_report *report)
{
    writer_text(&report->page, "</tbody>\n</table>\n");
    report->columns = NULL;
}

void html_append(struct html_report *report, const struct html_report *part)
{
    writer_put(&report->page, part->page.buf.data, part->page.buf.size);
    report->page.failed |= part->page.failed;
}

void html_paragraph(struct html_report *report, const char *text)
{
    writer_text(&report->page, "<p>");
    put_text(&report->page, text);
    writer_text(&report->page, "</p>\n");
}

void html_verbatim(struct html_report *report, const char *heading, se_bytes text)
{
    writer_text(&report->page, "<h2>");
    put_text(&report->page, heading);
    writer_text(&report->page, "</h2>\n<pre>");
    put_bytes(&report->page, text);
    writer_text(&report->page, "</pre>\n");
}

se_status html_report_write(struct html_report *report, const char *path, se_error *err)
{
    AUTO(output) out = OUTPUT_INIT;
    AUTO(se_buf) text = SE_BUF_INIT;

    writer_text(&report->page, "</body>\n</html>\n");
    TRY(writer_finish(&text, &report->page, err));
    TRY(output_open(&out, path, 0644, err));
    TRY(output_write(&out, buf_bytes(&text), err));
    return output_commit(&out, err);
}
