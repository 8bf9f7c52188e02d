/* SPDX-License-Identifier: Apache-2.0 */
#include "mail/address.h"

#include <gmime/gmime.h>
#include <stdlib.h>
#include <strings.h>

#include "base/arguments.h"
#include "base/array.h"
#include "mail/media_type.h"
#include "signengine-mail.h"

/* ---- as GMime reads them ---- */

void addresses_free(struct addresses *addresses)
{
    for (size_t i = 0; i < addresses->count; i++)
        free(addresses->list[i]);
    free(addresses->list);
    *addresses = (struct addresses){ .count = 0 };
}

static se_status addresses_add(struct addresses *out, const char *address, se_error *err)
{
    char *copy;

    if (!array_grow(&out->list, &out->room, out->count) || !(copy = strdup(address)))
        return error_memory(err);
    out->list[out->count++] = copy;
    return SE_OK;
}

static se_status addresses_collect(struct addresses *out, InternetAddressList *list, se_error *err)
{
    for (int i = 0; list && i < internet_address_list_length(list); i++) {
        InternetAddress *one = internet_address_list_get_address(list, i);
        const char *address;

        if (INTERNET_ADDRESS_IS_GROUP(one)) { /* groups do not nest */
            InternetAddressGroup *group = (InternetAddressGroup *)one;

            TRY(addresses_collect(out, internet_address_group_get_members(group), err));
            continue;
        }
        address = internet_address_mailbox_get_idn_addr((InternetAddressMailbox *)one);
        if (address)
            TRY(addresses_add(out, address, err));
    }
    return SE_OK;
}

se_status addresses_read(struct addresses *out, const char *value, se_error *err)
{
    InternetAddressList *list;
    se_status st;

    gmime_start();
    list = internet_address_list_parse(NULL, value);
    st = addresses_collect(out, list, err);
    if (list)
        g_object_unref(list);
    return st;
}

se_status words_decode(se_buf *out, const char *value, se_error *err)
{
    char *text = NULL;
    se_status st;

    *out = (se_buf)SE_BUF_INIT;
    if (!strstr(value, "=?"))
        return buf_copy(out, text_bytes(value), err);
    gmime_start();
    text = g_mime_utils_header_decode_text(NULL, value);
    st = text ? buf_copy(out, text_bytes(text), err) : error_memory(err);
    g_free(text);
    return st;
}

se_status se_mail_address(se_buf *out, const char *from, se_error *error)
{
    AUTO(addresses) addresses = { .count = 0 };

    if (out)
        *out = (se_buf)SE_BUF_INIT;
    TRY(arguments_check(error, out, from));
    TRY(addresses_read(&addresses, from, error));
    if (addresses.count != 1)
        return error_set(error, SE_ERR_FORMAT, "%zu mail addresses, one is expected",
                         addresses.count);
    return buf_copy(out, text_bytes(addresses.list[0]), error);
}

/* ---- one mailbox, to the letter (RFC 5322, 3.4) ---- */

struct mailbox_reader {
    const unsigned char *at;
    bool obsolete;
    char *out;
    size_t size;
    const char *fault;
};

static void mailbox_fail(struct mailbox_reader *r, const char *fault)
{
    if (!r->fault)
        r->fault = fault;
}

static void append_read(struct mailbox_reader *r, const unsigned char *from)
{
    size_t size = (size_t)(r->at - from);

    if (r->size + size >= MAILBOX_ROOM) {
        mailbox_fail(r, "has an address of more than 319 characters");
        return;
    }
    memcpy(r->out + r->size, from, size);
    r->size += size;
    r->out[r->size] = '\0';
}

static void mailbox_skip_blanks(struct mailbox_reader *r)
{
    while (*r->at == ' ' || *r->at == '\t')
        r->at++;
}

/* Some readers take a comment for a name, or look for addresses in it. */
static void mailbox_skip_comment(struct mailbox_reader *r)
{
    unsigned depth = 0;

    do {
        if (!*r->at || strchr("\\\"<>@", *r->at)) {
            mailbox_fail(r, *r->at ? "has a mark of addresses or quotes in a comment"
                                   : "has a comment that does not end");
            return;
        }
        depth += *r->at == '(';
        depth -= *r->at == ')';
        r->at++;
    } while (depth);
}

static void mailbox_skip_cfws(struct mailbox_reader *r)
{
    for (mailbox_skip_blanks(r); *r->at == '(' && !r->fault; mailbox_skip_blanks(r))
        mailbox_skip_comment(r);
}

/* Within an address. */
static void skip_obsolete(struct mailbox_reader *r)
{
    const unsigned char *from = r->at;

    if (r->obsolete)
        mailbox_skip_cfws(r);
    else
        mailbox_skip_blanks(r);
    if (r->at > from && !r->obsolete)
        mailbox_fail(r, "has blanks within its address");
}

static bool is_atext(const struct mailbox_reader *r, unsigned char c)
{
    return c > ' ' && c != 0x7f &&
           (!strchr("()<>[]:;@\\,.\"", c) || (r->obsolete && (c == '[' || c == ']')));
}

static void skip_quoted(struct mailbox_reader *r, bool *plain, bool *angle)
{
    *plain = true;
    *angle = false;
    for (r->at++; *r->at && *r->at != '"'; r->at++) {
        *angle = *angle || *r->at == '<' || *r->at == '>';
        *plain = *plain && *r->at != ' ' && (is_atext(r, *r->at) || *r->at == '.');
        if (*r->at == '\\' && r->at[1])
            r->at++;
    }
    if (*r->at)
        r->at++;
    else
        mailbox_fail(r, "has a name whose quotes do not end");
}

/* Words and dots. */
static void read_dotted(struct mailbox_reader *r)
{
    for (;;) {
        const unsigned char *from = r->at;

        while (is_atext(r, *r->at))
            r->at++;
        if (r->at == from)
            mailbox_fail(r, "has a mail address that is not as RFC 5322 has it");
        append_read(r, from);
        from = r->at;
        if (r->obsolete)
            mailbox_skip_cfws(r);
        if (r->fault || *r->at != '.')
            return;
        from = r->at++;
        append_read(r, from);
        if (r->obsolete)
            mailbox_skip_cfws(r);
    }
}

static void read_local(struct mailbox_reader *r)
{
    const unsigned char *from = r->at;
    bool plain, angle;

    if (*from != '"') {
        read_dotted(r);
        return;
    }
    skip_quoted(r, &plain, &angle);
    append_read(r, from);
    if (!plain || r->at - from <= 2)
        mailbox_fail(r, "has marks in the quotes of a mail address");
}

static void read_domain(struct mailbox_reader *r)
{
    const unsigned char *from = r->at;

    if (*from != '[') {
        read_dotted(r);
        return;
    }
    while (*r->at > ' ' && *r->at < 0x7f && *r->at != ']')
        r->at++;
    if (*r->at == ']')
        r->at++;
    else
        mailbox_fail(r, "has a domain whose bracket does not end");
    append_read(r, from);
}

static void read_address(struct mailbox_reader *r)
{
    const unsigned char *at;

    read_local(r);
    skip_obsolete(r);
    if (*r->at != '@') {
        mailbox_fail(r, r->size ? "has no mail address, but a word without \"@\""
                                : "has no mail address");
        return;
    }
    at = r->at++;
    append_read(r, at);
    skip_obsolete(r);
    read_domain(r);
}

static void read_angle(struct mailbox_reader *r)
{
    r->at++;
    r->size = 0;
    mailbox_skip_blanks(r);
    if (*r->at == '>')
        mailbox_fail(r, "has no mail address");
    else if (*r->at == '@')
        mailbox_fail(r, "has a route in its address");
    else
        read_address(r);
    mailbox_skip_blanks(r);
    if (*r->at == '>')
        r->at++;
    else
        mailbox_fail(r, "has something within its angle brackets that is no mail address");
}

/* Goes past the words of a name; *words: how many there were. */
static void skip_name(struct mailbox_reader *r, size_t *words)
{
    bool plain, angle = false;

    for (*words = 0; !r->fault; ++*words) {
        const unsigned char *from;

        mailbox_skip_cfws(r);
        from = r->at;
        if (*r->at == '"')
            skip_quoted(r, &plain, &angle);
        while (is_atext(r, *r->at) || *r->at == '.')
            r->at++;
        if (angle)
            mailbox_fail(r, "has angle brackets in its name");
        if (r->at == from)
            return;
    }
}

static const char *end_fault(unsigned char c)
{
    switch (c) {
    case ',':
    case ';':
        return "has several mail addresses, or a name with a comma that is not quoted";
    case '<':
        return "has two angle brackets, or an address in front of them";
    case '@':
        return "has an \"@\" in a name that is not quoted, or several addresses";
    case ':':
        return "is a group of addresses";
    default:
        return "is not as RFC 5322 has it";
    }
}

/* Behind a name, or in place of one. */
static void read_mailbox(struct mailbox_reader *r)
{
    const unsigned char *begin;
    size_t words;

    mailbox_skip_cfws(r);
    begin = r->at;
    skip_name(r, &words);
    if (*r->at == '<' && !r->fault) {
        read_angle(r);
    } else if (!r->fault && words && (!*r->at || (*r->at == '@' && words == 1))) {
        r->at = begin;
        read_address(r);
    }
    if (!r->fault)
        mailbox_skip_cfws(r);
}

static void read_group(struct mailbox_reader *r)
{
    size_t words;

    skip_name(r, &words);
    if (r->fault || *r->at != ':' || !words)
        return;
    r->at++;
    read_mailbox(r);
    if (*r->at == ';')
        r->at++;
    mailbox_skip_cfws(r);
}

const char *mailbox_read(char out[MAILBOX_ROOM], const char *value, enum mailbox_forms forms)
{
    struct mailbox_reader r = {
        .at = (const unsigned char *)value,
        .obsolete = forms == MAILBOX_OBSOLETE,
        .out = out,
    };

    *out = '\0';
    read_mailbox(&r);
    if (*r.at == ':' && r.obsolete && !r.size && !r.fault) {
        r.at = (const unsigned char *)value;
        read_group(&r);
    }
    if (*r.at)
        mailbox_fail(&r, end_fault(*r.at));
    if (!r.size)
        mailbox_fail(&r, "has no mail address");
    return r.fault;
}

/* Of "@" that belong to no mention of the address. */
static size_t count_others(const char *text, const char *address)
{
    size_t count = 0, size = strlen(address);

    while (*text) {
        bool mention = strncasecmp(text, address, size) == 0;

        count += !mention && *text == '@';
        text += mention ? size : 1;
    }
    return count;
}

bool mailbox_hides_another(const char *value, const char *decoded, const char *address)
{
    return count_others(decoded, address) > count_others(value, address);
}
