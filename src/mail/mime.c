#include "mail/mime.h"

#include <ctype.h>
#include <gmime/gmime.h>
#include <pthread.h>
#include <stdlib.h>
#include <strings.h>

/* For ever: others in the process may use GMime too. */
static void begin_gmime(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, g_mime_init);
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

static const char *parameter(GMimeContentType *type, const char *name)
{
    return g_mime_content_type_get_parameter(type, name);
}

/* The ending of its name says the same, where the parameter is missing (RFC 8551, 3.2.1). */
static const char *find_smime_type(GMimeContentType *type)
{
    const char *told = parameter(type, "smime-type"), *name = parameter(type, "name"),
               *dot = name ? strrchr(name, '.') : NULL;

    if (told || !dot)
        return told;
    return strcasecmp(dot, ".p7c") == 0   ? "certs-only"
           : strcasecmp(dot, ".p7z") == 0 ? "compressed-data"
                                          : NULL;
}

void media_read(struct media *out, const char *value)
{
    GMimeContentType *type;
    char *name;

    begin_gmime();
    *out = (struct media){ .type = "" };
    type = g_mime_content_type_parse(NULL, *value ? value : "text/plain");
    name = g_mime_content_type_get_mime_type(type);
    keep_small(out->type, sizeof out->type, name);
    keep(out->boundary, sizeof out->boundary, parameter(type, "boundary"));
    keep_small(out->protocol, sizeof out->protocol, parameter(type, "protocol"));
    keep_small(out->smime_type, sizeof out->smime_type, find_smime_type(type));
    keep_small(out->hp, sizeof out->hp, parameter(type, "hp"));
    keep_small(out->forwarded, sizeof out->forwarded, parameter(type, "forwarded"));
    keep_small(out->protected_headers, sizeof out->protected_headers,
               parameter(type, "protected-headers"));
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
    return strcmp(type, "application/pkcs7-signature") == 0 ||
           strcmp(type, "application/x-pkcs7-signature") == 0;
}

bool media_is_cms(const char *type)
{
    return strcmp(type, "application/pkcs7-mime") == 0 ||
           strcmp(type, "application/x-pkcs7-mime") == 0;
}

enum media_seal media_seal(const struct media *media)
{
    static const struct {
        const char *smime_type;
        enum media_seal seal;
    } rows[] = { { "enveloped-data", SEAL_ENCRYPTED },
                 { "authenveloped-data", SEAL_ENCRYPTED },
                 { "certs-only", SEAL_NONE },
                 { "compressed-data", SEAL_NONE } };

    if (strcmp(media->type, "multipart/signed") == 0)
        return SEAL_SIGNED;
    if (strcmp(media->type, "multipart/encrypted") == 0)
        return SEAL_ENCRYPTED;
    if (!media_is_cms(media->type))
        return SEAL_NONE;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(media->smime_type, rows[i].smime_type) == 0)
            return rows[i].seal;
    return SEAL_SIGNED; /* and so are receipts (RFC 2634, 2), and what does not say */
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

static bool is_group(InternetAddress *address)
{
    return INTERNET_ADDRESS_IS_GROUP(address);
}

static se_status collect(struct addresses *out, InternetAddressList *list, se_error *err)
{
    se_status st = SE_OK;

    for (int i = 0; !st && list && i < internet_address_list_length(list); i++) {
        InternetAddress *one = internet_address_list_get_address(list, i);
        const char *address;

        if (is_group(one)) /* groups do not nest */
            st = collect(out, internet_address_group_get_members((InternetAddressGroup *)one), err);
        else if ((address = internet_address_mailbox_get_idn_addr((InternetAddressMailbox *)one)))
            st = add(out, address, err);
    }
    return st;
}

se_status addresses_read(struct addresses *out, const char *value, se_error *err)
{
    InternetAddressList *list;
    se_status st;

    begin_gmime();
    list = internet_address_list_parse(NULL, value);
    st = collect(out, list, err);
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
    begin_gmime();
    text = g_mime_utils_header_decode_text(NULL, value);
    st = text ? buf_copy(out, text_bytes(text), err) : error_memory(err);
    g_free(text);
    return st;
}
