/* SPDX-License-Identifier: Apache-2.0 */
#include "milter/rules.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/text.h"
#include "milter/sender.h"

void rules_free(struct rules *rules)
{
    for (size_t i = 0; i < rules->count; i++) {
        free(rules->list[i].pattern);
        free(rules->list[i].descriptor);
    }
    free(rules->list);
    *rules = (struct rules){ .count = 0 };
}

enum policy policy_read(const char *word)
{
    return strcmp(word, "sign") == 0      ? POLICY_SIGN
           : strcmp(word, "require") == 0 ? POLICY_REQUIRE
           : strcmp(word, "skip") == 0    ? POLICY_SKIP
                                          : POLICY_NONE;
}

/* "@example.org" and "example.org" stand for the domain. */
static char *make_pattern(const char *word)
{
    const char *at = strchr(word, '@');
    AUTO(writer) w = { 0 };

    writer_format(&w, "%s%s", !at ? "*@" : at == word ? "*" : "", word);
    return w.failed ? NULL : strdup(writer_string(&w));
}

static se_status split_version(struct rule *rule, se_error *err)
{
    char *colon = strrchr(rule->descriptor, ':');
    unsigned long version;

    if (!colon)
        return SE_OK;
    if (!text_number(&version, colon + 1, 1000000000) || !version)
        return error_set(err, SE_ERR_CONFIG, "'%s' is no NAME:VERSION", rule->descriptor);
    rule->version = (unsigned)version;
    *colon = '\0';
    return SE_OK;
}

se_status rules_add(struct rules *rules, char *const *words, size_t count, unsigned line,
                    se_error *err)
{
    const enum policy policy = policy_read(words[0]);
    struct rule *rule;

    if (!array_grow(&rules->list, &rules->room, rules->count))
        return error_memory(err);
    if (count < 2 || count > 3 || (policy == POLICY_SKIP && count == 3))
        return error_set(err, SE_ERR_CONFIG,
                         "a rule is: sign|require ADDRESS [DESCRIPTOR[:VERSION]], or skip ADDRESS");
    rule = &rules->list[rules->count++];
    rule->policy = policy;
    rule->line = line;
    rule->pattern = make_pattern(words[1]);
    rule->descriptor = strdup(count == 3 ? words[2] : "SignEmailDescriptor");
    return rule->pattern && rule->descriptor ? split_version(rule, err) : error_memory(err);
}

/* Only a '*' matches a '*' in the text: a pattern covers another one if it matches it. */
static bool matches_pattern(const char *pattern, const char *text)
{
    const char *star = NULL, *retry = text;

    while (*text) {
        if (*pattern == '*') {
            star = pattern++;
            retry = text;
        } else if (*pattern == tolower((unsigned char)*text)) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++retry;
        } else
            return false;
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

static se_status refuse_covered(const struct rule *rule, const struct rule *by, const char *path,
                                se_error *err)
{
    (void)error_set(err, SE_ERR_CONFIG,
                    "the rule for '%s' never counts: that for '%s' in line %u covers it; write it "
                    "above, or remove it",
                    rule->pattern, by->pattern, by->line);
    return error_prefix(err, SE_ERR_CONFIG, "%s:%u: ", path, rule->line);
}

static int compare_patterns(const void *a, const void *b)
{
    const struct rule *const *left = a, *const *right = b;
    int order = strcmp((*left)->pattern, (*right)->pattern);

    return order ? order : (*left)->line < (*right)->line ? -1 : (*left)->line > (*right)->line;
}

/* Finds patterns that are written twice; sorts, as there may be one for each of many thousand
 * people. */
static se_status check_repeated(const struct rules *rules, const char *path, se_error *err)
{
    const struct rule **sorted = calloc(rules->count + 1, sizeof *sorted);
    se_status st = sorted ? SE_OK : error_memory(err);

    for (size_t i = 0; sorted && i < rules->count; i++)
        sorted[i] = &rules->list[i];
    if (sorted)
        qsort(sorted, rules->count, sizeof *sorted, compare_patterns);
    for (size_t i = 1; !st && i < rules->count; i++)
        if (strcmp(sorted[i - 1]->pattern, sorted[i]->pattern) == 0)
            st = refuse_covered(sorted[i], sorted[i - 1], path, err);
    free(sorted);
    return st;
}

static se_status check_reachable(const struct rules *rules, const char *path, se_error *err)
{
    const struct rule *list = rules->list;

    for (size_t wide = 0; wide < rules->count; wide++)
        for (size_t i = wide + 1; strchr(list[wide].pattern, '*') && i < rules->count; i++)
            if (matches_pattern(list[wide].pattern, list[i].pattern))
                return refuse_covered(&list[i], &list[wide], path, err);
    return check_repeated(rules, path, err);
}

se_status rules_settle(struct rules *rules, const char *path, se_error *err)
{
    for (size_t i = 0; i < rules->count; i++) {
        char **pattern = &rules->list[i].pattern, *settled = sender_settle(*pattern);

        if (!settled)
            return error_memory(err);
        free(*pattern);
        *pattern = settled;
    }
    return check_reachable(rules, path, err);
}

const struct rule *rules_find(const struct rules *rules, const char *address)
{
    for (size_t i = 0; i < rules->count; i++)
        if (matches_pattern(rules->list[i].pattern, address))
            return &rules->list[i];
    return NULL;
}

const struct rule *rules_requirement(const struct rules *rules)
{
    for (size_t i = 0; i < rules->count; i++)
        if (rules->list[i].policy == POLICY_REQUIRE)
            return &rules->list[i];
    return NULL;
}
