#include "mail/mime.h"

#include <ctype.h>
#include <gmime/gmime.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static void start(void)
{
    g_mime_init();
}

/* For ever: others in the process may use GMime too. */
static void begin(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, start);
}

/* What does not fit is not there: a cut boundary would be another one. */
static void keep(char *out, size_t room, const char *text)
{
    size_t size = text ? strlen(text) : 0;

    memcpy(out, size < room ? text ? text : "" : "", size < room ? size + 1 : 1);
}

static void keep_small(char *out, size_t room, const char *text)
{
    keep(out, room, text);
    for (; *out; out++)
        *out = (char)tolower((unsigned char)*out);
}

void media_read(struct media *out, const char *value)
{
    GMimeContentType *type;
    char *name;

    *out = (struct media){ .type = "text/plain" };
    if (!*value)
        return;
    begin();
    type = g_mime_content_type_parse(NULL, value);
    name = g_mime_content_type_get_mime_type(type);
    keep_small(out->type, sizeof out->type, name);
    keep(out->boundary, sizeof out->boundary, g_mime_content_type_get_parameter(type, "boundary"));
    keep_small(out->protocol, sizeof out->protocol, g_mime_content_type_get_parameter(type, "protocol"));
    keep_small(out->smime_type, sizeof out->smime_type, g_mime_content_type_get_parameter(type, "smime-type"));
    keep_small(out->hp, sizeof out->hp, g_mime_content_type_get_parameter(type, "hp"));
    g_free(name);
    g_object_unref(type);
}

bool media_is(const struct media *media, const char *major)
{
    size_t size = strlen(major);

    return strncmp(media->type, major, size) == 0 && media->type[size] == '/';
}

bool media_is_signature(const char *type)
{
    return strcmp(type, "application/pkcs7-signature") == 0 || strcmp(type, "application/x-pkcs7-signature") == 0;
}

bool media_is_cms(const char *type)
{
    return strcmp(type, "application/pkcs7-mime") == 0 || strcmp(type, "application/x-pkcs7-mime") == 0;
}

void addresses_free(struct addresses *addresses)
{
    for (size_t i = 0; i < addresses->count; i++)
        free(addresses->list[i]);
    free(addresses->list);
    *addresses = (struct addresses){ .count = 0 };
}

static se_status add(struct addresses *out, const char *address, se_error *err)
{
    if (out->count == out->room) {
        size_t room = out->room * 2 + 4;
        char **more = calloc(room, sizeof *more);

        if (!more)
            return error_memory(err);
        if (out->count)
            memcpy(more, out->list, out->count * sizeof *more);
        free(out->list);
        out->list = more;
        out->room = room;
    }
    if (!(out->list[out->count] = strdup(address)))
        return error_memory(err);
    out->count++;
    return SE_OK;
}

static se_status collect(struct addresses *out, InternetAddressList *list, se_error *err)
{
    se_status st = SE_OK;

    for (int i = 0; !st && list && i < internet_address_list_length(list); i++) {
        InternetAddress *one = internet_address_list_get_address(list, i);

        if (INTERNET_ADDRESS_IS_GROUP(one)) /* groups do not nest */
            st = collect(out, internet_address_group_get_members(INTERNET_ADDRESS_GROUP(one)), err);
        else if (internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(one)))
            st = add(out, internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(one)), err);
    }
    return st;
}

se_status addresses_read(struct addresses *out, const char *value, se_error *err)
{
    InternetAddressList *list;
    se_status st;

    begin();
    list = internet_address_list_parse(NULL, value);
    st = collect(out, list, err);
    if (list)
        g_object_unref(list);
    return st;
}
