/* SPDX-License-Identifier: Apache-2.0 */
/* <access>: its rows, and what in them can't be meant. */
#include <stdlib.h>

#include "config/cert_names.h"
#include "config/grammar.h"
#include "config/load.h"

/* Rows are compared with those before them, so there can't be any number of names in them. */
enum { NAMES_MAX = 2048 };

/* ---- order: what a row says has none of its own, so it is sorted ---- */

static int compare_callers(const void *left, const void *right)
{
    const struct access_caller *a = left, *b = right;
    int order = (a->kind > b->kind) - (a->kind < b->kind);

    order = order ? order : strcmp(a->name, b->name);
    order = order ? order : strcmp(a->subject, b->subject);
    order = order ? order : strcmp(a->issuer, b->issuer);
    order = order ? order : strcmp(a->san, b->san);
    return order ? order : strcmp(a->sha256, b->sha256);
}

static int compare_targets(const void *left, const void *right)
{
    const struct access_target *a = left, *b = right;
    int order = strcmp(a->history, b->history);

    order = order ? order : strcmp(a->descriptor, b->descriptor);
    return order ? order : (a->version > b->version) - (a->version < b->version);
}

static void sort_row(struct access_row *row)
{
    size_t kept = 0;

    if (row->caller_count)
        qsort(row->callers, row->caller_count, sizeof *row->callers, compare_callers);
    for (size_t i = 0; i < row->caller_count; i++)
        if (!kept || compare_callers(&row->callers[kept - 1], &row->callers[i]))
            row->callers[kept++] = row->callers[i];
    row->caller_count = kept;
    if (row->target_count)
        qsort(row->targets, row->target_count, sizeof *row->targets, compare_targets);
    for (size_t i = kept = 0; i < row->target_count; i++)
        if (!kept || compare_targets(&row->targets[kept - 1], &row->targets[i]))
            row->targets[kept++] = row->targets[i];
    row->target_count = kept;
}

/* ---- who ---- */

static void check_name(struct loading *l, const xmlNode *node, const char *attribute)
{
    AUTO(x509_name) name = NULL;
    se_error why = SE_ERROR_INIT;

    if (!*xml_value(node, attribute))
        return;
    if (distinguished_name_parse(&name, xml_value(node, attribute), &why) == SE_ERR_MEMORY)
        l->findings.failed = true;
    else if (!name)
        findings_error(&l->findings, xml_attribute_line(node, attribute), "%s %s", attribute,
                       why.text);
}

static void check_certificate(struct loading *l, const xmlNode *node)
{
    bool says = false;

    for (const struct attribute_rule *a = certificate_rule.attributes; a->name; a++)
        says |= *xml_value(node, a->name);
    if (!says)
        findings_error(&l->findings, xml_line(node),
                       "<certificate> needs one at least of the attributes 'subject', 'issuer', "
                       "'san' and 'sha256'");
    check_name(l, node, "subject");
    check_name(l, node, "issuer");
}

static void load_callers(struct loading *l, struct access_row *row, const xmlNode *allow)
{
    static const struct {
        const struct element_rule *rule;
        enum access_kind kind;
    } kinds[] = {
        { &user_rule, ACCESS_USER },
        { &group_rule, ACCESS_GROUP },
        { &certificate_rule, ACCESS_CERTIFICATE },
    };

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        for (const xmlNode *node = xml_child(allow, kinds[i].rule->name); node;
             node = xml_next(node)) {
            struct access_caller *caller = &row->callers[row->caller_count++];

            *caller = (struct access_caller){
                .line = xml_line(node),
                .kind = kinds[i].kind,
                .name = "",
                .subject = "",
                .issuer = "",
                .san = "",
            };
            element_load(l, kinds[i].rule, node, caller);
            if (kinds[i].kind == ACCESS_CERTIFICATE)
                check_certificate(l, node);
        }
}

/* ---- with what ---- */

static void check_descriptor_name(struct loading *l, const struct access_target *target)
{
    const struct descriptor *found;
    se_error why = SE_ERROR_INIT;

    if (!*target->descriptor || findings_full(&l->findings) || !l->config->descriptors)
        return;
    if (config_descriptor(&found, l->config, target->descriptor, target->version, &why))
        findings_error(&l->findings, target->line, "%s", why.text);
    l->findings.failed |= why.status == SE_ERR_MEMORY;
}

static void load_targets(struct loading *l, struct access_row *row, const xmlNode *allow)
{
    static const struct element_rule *const kinds[] = { &allowed_descriptor_rule,
                                                        &allowed_history_rule };

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        for (const xmlNode *node = xml_child(allow, kinds[i]->name); node; node = xml_next(node)) {
            struct access_target *target = &row->targets[row->target_count++];

            *target = (struct access_target){
                .line = xml_line(node),
                .descriptor = "",
                .history = "",
            };
            element_load(l, kinds[i], node, target);
            check_descriptor_name(l, target);
        }
}

/* Of the sorted ones, descriptors come first. */
static bool has_descriptor(const struct access_row *row)
{
    return row->target_count && *row->targets[0].descriptor;
}

static const char *first_operation(unsigned operations)
{
    return access_operation_names[__builtin_ctz(operations)];
}

/* What an operation needs is there, and what is there is for some operation. */
static void check_targets(struct loading *l, const struct access_row *row, const xmlNode *allow)
{
    const unsigned of_descriptors = row->operations & ACCESS_OF_DESCRIPTORS,
                   of_histories = row->operations & ACCESS_OF_HISTORIES;
    const xmlNode *descriptor = xml_child(allow, "descriptor"),
                  *history = xml_child(allow, "history");

    if (of_descriptors && !descriptor)
        findings_error(&l->findings, row->line, "%s needs a <descriptor>",
                       first_operation(of_descriptors));
    if (of_histories && !history)
        findings_error(&l->findings, row->line, "%s needs a <history>",
                       first_operation(of_histories));
    if (!row->operations)
        return; /* they may be misspelt */
    if (descriptor && !of_descriptors && !(row->operations & ACCESS_OF_ALL))
        findings_error(&l->findings, xml_line(descriptor),
                       "none of the operations is done with a <descriptor>");
    if (history && !of_histories)
        findings_error(&l->findings, xml_line(history),
                       "none of the operations is done with a <history>");
}

/* ---- rows that never decide: all that they allow, earlier ones allow ---- */

static bool has_caller(const struct access_row *row, const struct access_caller *caller)
{
    return bsearch(caller, row->callers, row->caller_count, sizeof *row->callers, compare_callers);
}

static bool has_target(const struct access_row *row, const struct access_target *target)
{
    struct access_target all = *target;

    all.version = 0;
    return bsearch(target, row->targets, row->target_count, sizeof all, compare_targets) ||
           bsearch(&all, row->targets, row->target_count, sizeof all, compare_targets);
}

/* What a row allows with a target; NULL: with the process as a whole. */
static unsigned allowed_operations(const struct access_row *row, const struct access_target *target)
{
    const unsigned of_all = has_descriptor(row) ? 0 : row->operations & ACCESS_OF_ALL;

    if (!target)
        return of_all | (row->operations & 1U << ACCESS_MONITOR);
    if (!has_target(row, target))
        return *target->history ? 0 : of_all;
    return row->operations &
           (*target->history ? ACCESS_OF_HISTORIES : ACCESS_OF_DESCRIPTORS | ACCESS_OF_ALL);
}

static const struct access_target *target_at(const struct access_row *row, size_t index)
{
    return index < row->target_count ? &row->targets[index] : NULL;
}

/* Takes what an earlier row allows out of `left`, which has each target of `row`, and the process.
 */
static void take_allowed(unsigned *left, const struct access_row *row,
                         const struct access_row *earlier)
{
    for (size_t i = 0; i <= row->target_count; i++)
        left[i] &= ~allowed_operations(earlier, target_at(row, i));
}

static bool all_is_allowed_before(const struct config *config, size_t index,
                                  const struct access_caller *caller, unsigned *left)
{
    const struct access_row *rows = config->access_rows, *row = &rows[index];
    unsigned any = 0;

    for (size_t i = 0; i <= row->target_count; i++)
        left[i] = allowed_operations(row, target_at(row, i));
    for (size_t i = 0; i < index; i++)
        if (has_caller(&rows[i], caller))
            take_allowed(left, row, &rows[i]);
    for (size_t i = 0; i <= row->target_count; i++)
        any |= left[i];
    return !any;
}

static bool never_decides(struct loading *l, size_t index)
{
    const struct access_row *row = &l->config->access_rows[index];
    unsigned *left = calloc(row->target_count + 1, sizeof *left);
    bool all = left;

    l->findings.failed |= !left;
    for (size_t i = 0; i < row->caller_count && all; i++)
        all = all_is_allowed_before(l->config, index, &row->callers[i], left);
    free(left);
    return all;
}

static void check_row(struct loading *l, size_t index)
{
    const struct access_row *rows = l->config->access_rows, *row = &rows[index];

    for (size_t i = 0; i < index; i++)
        if (*row->name && !strcmp(rows[i].name, row->name)) {
            findings_error(&l->findings, row->line, "'%.64s' is already the name of line %d",
                           row->name, rows[i].line);
            return;
        }
    if (!l->findings.errors && never_decides(l, index))
        findings_warning(&l->findings, row->line,
                         "'%.64s' never decides: earlier rows allow all that it allows", row->name);
}

/* ---- rows ---- */

static void load_allow(struct loading *l, struct access_row *row, const xmlNode *node)
{
    row->line = xml_line(node);
    row->callers = calloc(xml_count(node, "user") + xml_count(node, "group") +
                              xml_count(node, "certificate") + 1,
                          sizeof *row->callers);
    row->targets = calloc(xml_count(node, "descriptor") + xml_count(node, "history") + 1,
                          sizeof *row->targets);
    if (!row->callers || !row->targets) {
        l->findings.failed = true;
        return;
    }
    element_load(l, &allow_rule, node, row);
    load_callers(l, row, node);
    load_targets(l, row, node);
    check_targets(l, row, node);
    sort_row(row);
}

/* Of users and all else that stands in the rows. */
static size_t count_names(const xmlNode *access)
{
    size_t count = 0;

    for (const xmlNode *allow = xml_child(access, "allow"); allow; allow = xml_next(allow)) {
        count++;
        for (const xmlNode *node = allow->children; node; node = node->next)
            count += node->type == XML_ELEMENT_NODE;
    }
    return count;
}

void load_access(struct loading *l, const xmlNode *access)
{
    const size_t names = count_names(access);
    struct config *config = l->config;

    if (names > NAMES_MAX) {
        findings_error(&l->findings, xml_line(access), "%zu rows and names in them: more than %d",
                       names, NAMES_MAX);
        return;
    }
    if (!(config->access_rows =
              calloc(xml_count(access, "allow") + 1, sizeof *config->access_rows))) {
        l->findings.failed = true;
        return;
    }
    for (const xmlNode *node = xml_child(access, "allow"); node; node = xml_next(node)) {
        load_allow(l, &config->access_rows[config->access_row_count], node);
        config->access_row_count++;
    }
    for (size_t i = 0; i < config->access_row_count && !l->findings.failed; i++)
        check_row(l, i);
    if (!config->access_row_count)
        findings_warning(&l->findings, xml_line(access),
                         "<access> has no <allow>: nobody may do anything");
}
