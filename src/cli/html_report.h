/* SPDX-License-Identifier: Apache-2.0 */
/* A report as one page that somebody keeps: its style is in it, nothing is loaded, and it prints
 * well.  All texts are escaped here. */
#ifndef CLI_HTML_REPORT_H
#define CLI_HTML_REPORT_H

#include "cli/cli.h"

struct html_report {
    struct writer page;
    const char *const *columns; /* of the table that is open */
};
void html_report_free(struct html_report *report);
AUTO_KIND(html_report, struct html_report, html_report_free(p))

enum html_mood { HTML_GOOD, HTML_WARNING, HTML_BAD };

/* Begins the page, and its list of facts: when, where and with what it was made.  The caller ends
 * it. */
void html_report_begin(struct html_report *report, const char *title, enum html_mood mood,
                       const char *verdict);

/* An empty text is left out. */
void html_fact(struct html_report *report, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void html_facts_end(struct html_report *report);

/* Columns, which last as long as the table, and cells end with NULL. */
void html_table_begin(struct html_report *report, const char *heading, const char *const columns[]);
void html_table_row(struct html_report *report, enum html_mood mood, const char *const cells[]);
void html_table_end(struct html_report *report);

/* What was put into another one, of which html_report_begin() was not called. */
void html_append(struct html_report *report, const struct html_report *part);

void html_paragraph(struct html_report *report, const char *text);
/* As it is, letter by letter. */
void html_verbatim(struct html_report *report, const char *heading, se_bytes text);

/* Ends the page; it appears whole or not at all. */
SE_MUST_CHECK se_status html_report_write(struct html_report *report, const char *path,
                                          se_error *err);

#endif
