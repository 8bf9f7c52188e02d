#include "mail/protect.h"

#include <stdlib.h>
#include <strings.h>

bool field_is_protected(const struct header *h, const struct field *field)
{
    static const char *const not_these[] = { "MIME-Version",
                                             "Received",
                                             "Return-Path",
                                             "Delivered-To",
                                             "DKIM-Signature",
                                             "ARC-Seal",
                                             "Bcc",
                                             "ARC-Message-Signature",
                                             "X-Original-To",
                                             "Resent-Bcc",
                                             "Received-SPF",
                                             "ARC-Authentication-Results",
                                             "Content-Length",
                                             "Authentication-Results" };

    if (!field->name_size || field_is_content(h, field))
        return false;
    for (size_t i = 0; i < sizeof not_these / sizeof *not_these; i++)
        if (field_is(h, field, not_these[i]))
            return false;
    return true;
}

/* What people see and answer to.  Servers add fields that the sender left out. */
static const struct seen {
    const char *name;
    bool may_be_added;
} seen[] = {
    { "From", true },
    { "Sender", false },
    { "Reply-To", false },
    { "Subject", false },
    { "To", true },
    { "Cc", false },
    { "Date", true },
    { "Followup-To", false },
    { "Mail-Reply-To", false },
    { "Mail-Followup-To", false },
};

static const struct seen *find_seen(const struct header *h, const struct field *field)
{
    for (size_t i = 0; i < sizeof seen / sizeof *seen; i++)
        if (field_is(h, field, seen[i].name))
            return &seen[i];
    return NULL;
}

/* ---- headers by name ---- */

struct named {
    const char *name;
    const struct field *field;
};

/* The fields that are compared, those of a name together and in their order. */
struct sorted {
    const struct header *header;
    struct named *list;
    size_t count;
};

static void sorted_free(struct sorted *sorted)
{
    free(sorted->list);
}
AUTO_KIND(sorted, struct sorted, sorted_free(p))

static int compare_names(const struct named *a, const struct named *b)
{
    size_t one = a->field->name_size, other = b->field->name_size;
    int order = strncasecmp(a->name, b->name, one < other ? one : other);

    return order ? order : (one > other) - (one < other);
}

static int compare_places(const void *one, const void *other)
{
    const struct named *a = one, *b = other;
    int order = compare_names(a, b);

    return order ? order : (a->field->at > b->field->at) - (a->field->at < b->field->at);
}

static se_status sort_fields(struct sorted *out, const struct header *h, se_error *err)
{
    *out = (struct sorted){ .header = h, .list = calloc(h->count + 1, sizeof *out->list) };
    if (!out->list)
        return error_memory(err);
    for (size_t i = 0; i < h->count; i++)
        if (field_is_protected(h, &h->fields[i]))
            out->list[out->count++] =
                (struct named){ (const char *)h->text.buf.data + h->fields[i].at, &h->fields[i] };
    qsort(out->list, out->count, sizeof *out->list, compare_places);
    return SE_OK;
}

/* Those of one name: `count` from `first` on. */
struct group {
    const struct header *header;
    const struct named *first;
    size_t count;
};

static struct group group_at(const struct sorted *sorted, size_t at)
{
    struct group group = { sorted->header, sorted->list + at, 0 };

    while (at + group.count < sorted->count &&
           compare_names(group.first, group.first + group.count) == 0)
        group.count++;
    return group;
}

/* ---- differences ---- */

/* Relays fold anew. */
static bool are_same_words(const char *a, const char *b)
{
    for (;; a++, b++) {
        if (strchr(" \t", *a) && strchr(" \t", *b)) {
            a += strspn(a, " \t");
            b += strspn(b, " \t");
        }
        if (*a != *b || !*a)
            return *a == *b;
    }
}

static se_status values_of(se_buf values[2], const struct group *inside,
                           const struct group *outside, size_t i, se_error *err)
{
    se_status st = field_value(&values[0], inside->header,
                               i < inside->count ? inside->first[i].field : NULL, err);

    return st ? st
              : field_value(&values[1], outside->header,
                            i < outside->count ? outside->first[i].field : NULL, err);
}

static void note(char changed[SE_MAIL_CHANGED], const struct named *field)
{
    size_t used = strlen(changed), size = field->field->name_size, separator = used ? 2 : 0;

    if (used + separator + size + sizeof ", ..." > SE_MAIL_CHANGED) {
        if (used < 3 || strcmp(changed + used - 3, "...") != 0)
            memcpy(changed + used, ", ...", sizeof ", ...");
        return;
    }
    memcpy(changed + used, ", ", separator);
    memcpy(changed + used + separator, field->name, size);
    changed[used + separator + size] = '\0';
}

struct comparing {
    char *changed;
    enum protect_rule rule;
};

static se_status tell_difference(const struct comparing *c, const struct group *inside,
                                 const struct group *outside, const se_buf values[2], se_error *err)
{
    const struct group *one = inside->count ? inside : outside;
    const struct seen *row = find_seen(one->header, one->first->field);
    bool added = !inside->count;

    if (c->rule == PROTECT_FORWARD ? row != NULL : !row || (added && row->may_be_added))
        note(c->changed, one->first);
    if (c->rule == PROTECT_FORWARD || !row || (added && row->may_be_added))
        return SE_OK;
    if (added)
        return error_set(err, SE_ERR_REJECTED,
                         "the message has a %s field, \"%.200s\", and the header that was signed "
                         "says nothing of it",
                         row->name, (const char *)values[1].data);
    if (inside->count != outside->count)
        return error_set(err, SE_ERR_REJECTED,
                         "the message has %zu %s fields, the header that was signed has %zu",
                         outside->count, row->name, inside->count);
    return error_set(
        err, SE_ERR_REJECTED,
        "the message's %s field is \"%.200s\", the header that was signed says \"%.200s\"",
        row->name, (const char *)values[1].data, (const char *)values[0].data);
}

static se_status compare_group(const struct comparing *c, const struct group *inside,
                               const struct group *outside, se_error *err)
{
    size_t most = inside->count > outside->count ? inside->count : outside->count;
    bool same = true;
    se_status st = SE_OK;

    for (size_t i = 0; !st && same && i < most; i++) {
        AUTO(se_buf) signed_one = SE_BUF_INIT;
        AUTO(se_buf) other = SE_BUF_INIT;
        se_buf values[2];

        TRY(values_of(values, inside, outside, i, err));
        signed_one = values[0];
        other = values[1];
        same = i < inside->count && i < outside->count &&
               are_same_words((const char *)values[0].data, (const char *)values[1].data);
        if (!same)
            st = tell_difference(c, inside, outside, values, err);
    }
    return st;
}

se_status protect_compare(char changed[SE_MAIL_CHANGED], const struct header *inside,
                          const struct header *outside, enum protect_rule rule, se_error *err)
{
    const struct comparing comparing = { changed, rule };
    AUTO(sorted) in = { .count = 0 };
    AUTO(sorted) out = { .count = 0 };
    size_t i = 0, k = 0;
    se_status st;

    if ((st = sort_fields(&in, inside, err)) || (st = sort_fields(&out, outside, err)))
        return st;
    while (!st && (i < in.count || k < out.count)) {
        int order = i == in.count    ? 1
                    : k == out.count ? -1
                                     : compare_names(&in.list[i], &out.list[k]);
        struct group a = group_at(&in, i), b = group_at(&out, k);

        a.count = order > 0 ? 0 : a.count;
        b.count = order < 0 ? 0 : b.count;
        i += a.count;
        k += b.count;
        /* servers add fields, of which most are nobody's business */
        if (a.count || (rule != PROTECT_SOME && find_seen(b.header, b.first->field)))
            st = compare_group(&comparing, &a, &b, err);
    }
    return st;
}
