/* SPDX-License-Identifier: Apache-2.0 */
/* Where a service is, and who asks it. */
#include <stdlib.h>
#include <sys/un.h>

#include "base/text.h"
#include "client/connection.h"

enum { TIMEOUT_S = 30, TAG_MOST = 64 };

static se_status copy_text(char **out, const char *text, se_error *err)
{
    *out = text ? strdup(text) : NULL;
    return text && !*out ? error_memory(err) : SE_OK;
}

static se_status read_socket_path(struct client *client, const char *path, se_error *err)
{
    const size_t most = sizeof((struct sockaddr_un *)NULL)->sun_path - 1;

    if (!*path)
        return error_set(err, SE_ERR_USAGE, "the path of the socket is missing");
    if (strlen(path) > most)
        return error_set(err, SE_ERR_USAGE,
                         "the path '%s' has %zu bytes; a socket's has %zu at most", path,
                         strlen(path), most);
    TRY(copy_text(&client->socket, path, err));
    return copy_text(&client->origin, "http://signengine", err);
}

static se_status read_host(struct client *client, const char *url, se_error *err)
{
    const char *host = url + strlen("https://");
    size_t size = strlen(host);

    size -= size && host[size - 1] == '/';
    if (!size || strcspn(host, "/?#@\\ ") < size)
        return error_set(err, SE_ERR_USAGE, "'%s' is not https://HOST or https://HOST:PORT", url);
    client->origin = strndup(url, strlen("https://") + size);
    return client->origin ? SE_OK : error_memory(err);
}

static se_status read_address(struct client *client, const char *address, se_error *err)
{
    TRY(copy_text(&client->address, address, err));
    if (text_starts(address, "https://"))
        return read_host(client, address, err);
    if (text_starts(address, "unix:"))
        return read_socket_path(client, address + strlen("unix:"), err);
    if (strstr(address, "://"))
        return error_set(err, SE_ERR_USAGE,
                         "'%s' is neither the path of a socket nor https://HOST:PORT", address);
    return read_socket_path(client, address, err);
}

static se_status check_settings(const struct client *client, const struct client_settings *settings,
                                se_error *err)
{
    const char *tag = settings->tag;

    if (client->socket && (settings->certificate || settings->key || settings->ca))
        return error_set(err, SE_ERR_USAGE,
                         "on the socket '%s' the system knows who asks: certificate, key and CA "
                         "are for https://",
                         client->socket);
    if (settings->key && !settings->certificate)
        return error_set(err, SE_ERR_USAGE, "a client's key needs its certificate");
    for (const char *p = tag; p && *p; p++)
        if (*p <= ' ' || *p > '~')
            return error_set(err, SE_ERR_USAGE, "the tag '%s' has other than visible ASCII", tag);
    if (tag && (!*tag || strlen(tag) > TAG_MOST))
        return error_set(err, SE_ERR_USAGE, "a tag has 1 to %d characters", TAG_MOST);
    return SE_OK;
}

static se_status copy_settings(struct client *client, const struct client_settings *settings,
                               se_error *err)
{
    client->note = settings->note;
    client->note_arg = settings->note_arg;
    client->timeout_s = settings->timeout_s ? settings->timeout_s : TIMEOUT_S;
    if (client->timeout_s > CLIENT_TIMEOUT_MOST_S)
        client->timeout_s = CLIENT_TIMEOUT_MOST_S;
    TRY(copy_text(&client->certificate, settings->certificate, err));
    TRY(copy_text(&client->key, settings->key, err));
    TRY(copy_text(&client->ca, settings->ca, err));
    TRY(copy_text(&client->tag, settings->tag, err));
    return settings->key_pin ? buf_copy(&client->key_pin, text_bytes(settings->key_pin), err)
                             : SE_OK;
}

se_status client_open(struct client **out, const struct client_settings *settings, se_error *err)
{
    AUTO(client) client = calloc(1, sizeof *client);

    *out = NULL;
    if (!client)
        return error_memory(err);
    TRY(read_address(client, settings->address, err));
    TRY(check_settings(client, settings, err));
    TRY(copy_settings(client, settings, err));
    TRY(curl_calls_load(&client->curl, err));
    if (!(client->handle = client->curl->easy_init()))
        return error_memory(err);
    /* answers may hold secrets */
    json_set_alloc_funcs(malloc, buf_wipe_free);
    *out = MOVE(client);
    return SE_OK;
}

void client_close(struct client **client)
{
    struct client *c = *client;

    if (!c)
        return;
    if (c->handle)
        c->curl->easy_cleanup(c->handle);
    free(c->address);
    free(c->socket);
    free(c->origin);
    free(c->certificate);
    free(c->key);
    free(c->ca);
    free(c->tag);
    se_buf_free(&c->key_pin);
    free(c);
    *client = NULL;
}
