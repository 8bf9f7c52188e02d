/* SPDX-License-Identifier: Apache-2.0 */
#include "keystore/azure/place.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/text.h"

static const char scheme[] = "https://";
enum { SCHEME_SIZE = sizeof scheme - 1, VERSION_SIZE = 32 };

/* ---- clouds ---- */

static const struct cloud {
    const char *suffix; /* of the host; with "https://" for its dot it is the resource */
    enum vault_kind kind;
    const char *authority;
} clouds[] = {
    { ".vault.azure.net", VAULT_KEY_VAULT, "https://login.microsoftonline.com" },
    { ".managedhsm.azure.net", VAULT_MANAGED_HSM, "https://login.microsoftonline.com" },
    { ".vault.azure.cn", VAULT_KEY_VAULT, "https://login.chinacloudapi.cn" },
    { ".managedhsm.azure.cn", VAULT_MANAGED_HSM, "https://login.chinacloudapi.cn" },
    { ".vault.usgovcloudapi.net", VAULT_KEY_VAULT, "https://login.microsoftonline.us" },
    { ".managedhsm.usgovcloudapi.net", VAULT_MANAGED_HSM, "https://login.microsoftonline.us" },
};

static const char *const kind_names[] = {
    [VAULT_KEY_VAULT] = "AzureKeyVault",
    [VAULT_MANAGED_HSM] = "AzureManagedHSM",
};

enum vault_kind place_kind(const struct keyref *ref)
{
    return strcmp(ref->store, kind_names[VAULT_MANAGED_HSM]) == 0 ? VAULT_MANAGED_HSM
                                                                  : VAULT_KEY_VAULT;
}

bool place_names_certificate(const struct keyref *ref)
{
    const bool has_certificate = *ref->certificate || ref->certificate_der.size;

    return ref->mode == VAULT_MODE_CERTIFICATE ||
           (!ref->mode && !has_certificate && place_kind(ref) == VAULT_KEY_VAULT);
}

static bool ends_with(const char *text, const char *ending)
{
    size_t size = strlen(text), wanted = strlen(ending);

    return size > wanted && strcasecmp(text + size - wanted, ending) == 0;
}

static const struct cloud *find_cloud(const char *host)
{
    for (size_t i = 0; i < sizeof clouds / sizeof *clouds; i++)
        if (ends_with(host, clouds[i].suffix))
            return &clouds[i];
    return NULL;
}

/* ---- addresses ---- */

/* How many characters of a host the text begins with (RFC 1123, 2.1; RFC 3986, 3.2.2); 0: none that
 * is safe to compare. */
static size_t host_span(const char *text)
{
    size_t size = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-");

    if (*text == '[') { /* an IPv6 address */
        size = 1 + strspn(text + 1, "0123456789abcdefABCDEF:.");
        return text[size] == ']' ? size + 1 : 0;
    }
    if (*text == '.' || memmem(text, size, "..", 2))
        return 0;
    return size;
}

/* ":443" or nothing; SIZE_MAX: neither. */
static size_t port_span(const char *text)
{
    size_t digits;

    if (*text != ':')
        return 0;
    digits = strspn(text + 1, "0123456789");
    return digits >= 1 && digits <= 5 ? digits + 1 : SIZE_MAX;
}

struct address {
    const char *host, *port, *path; /* borrowed; port: from its colon */
    size_t host_size, port_size;
};

/* False: it is no https:// address with a host, or has a user, a query or a fragment.  What can't
 * be read in one way only is not read. */
static bool split_address(struct address *out, const char *text)
{
    if (!text_starts(text, scheme))
        return false;
    out->host = text + SCHEME_SIZE;
    out->host_size = host_span(out->host);
    out->port = out->host + out->host_size;
    out->port_size = port_span(out->port);
    if (!out->host_size || out->port_size == SIZE_MAX)
        return false;
    out->path = out->port + out->port_size;
    return (!*out->path || *out->path == '/') && !out->path[strcspn(out->path, "?#\\@ ")];
}

static void lower_text(char *text)
{
    for (; *text; text++)
        *text = (char)tolower((unsigned char)*text);
}

size_t place_address_size(const char *address)
{
    size_t size = strlen(address);

    while (size && address[size - 1] == '/')
        size--;
    return size;
}

/* A copy without the slashes at its end; NULL: out of memory. */
static char *copy_address(const char *text)
{
    return strndup(text, place_address_size(text));
}

bool place_is_within(const char *host, const char *resource)
{
    size_t size = strlen(host);
    struct address a;

    if (!split_address(&a, resource) || size < a.host_size ||
        strncasecmp(host + size - a.host_size, a.host, a.host_size) != 0)
        return false;
    return size == a.host_size ||
           (host[size - a.host_size - 1] == '.' && memchr(a.host, '.', a.host_size));
}

/* ---- from the configuration to a place ---- */

void place_free(struct vault_place *place)
{
    free(place->base);
    free(place->host);
    free(place->resource);
    free(place->authority);
    *place = (struct vault_place){ .base = NULL };
}

bool place_copy(struct vault_place *out, const struct vault_place *place)
{
    *out = (struct vault_place){
        .kind = place->kind,
        .base = strdup(place->base),
        .host = strdup(place->host),
        .resource = strdup(place->resource),
        .authority = strdup(place->authority),
    };
    return out->base && out->host && out->resource && out->authority;
}

/* These names lead to a vault's private address, but its certificate has the public one. */
static se_status check_private_link(const char *host, se_error *err)
{
    static const struct {
        const char *alias, *suffix;
    } links[] = {
        { ".privatelink.vaultcore.azure.net", ".vault.azure.net" },
        { ".privatelink.managedhsm.azure.net", ".managedhsm.azure.net" },
    };

    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        if (ends_with(host, links[i].alias))
            return error_set(err, SE_ERR_CONFIG,
                             "'%s' is an alias that no certificate has: locationValue stays "
                             "https://%.*s%s with a private link, too",
                             host, (int)(strlen(host) - strlen(links[i].alias)), host,
                             links[i].suffix);
    return SE_OK;
}

static se_status read_location(struct vault_place *place, const struct keyref *ref, se_error *err)
{
    struct address a;

    if (!split_address(&a, ref->location) || (*a.path && strcmp(a.path, "/") != 0))
        return error_set(
            err, SE_ERR_CONFIG,
            "locationValue '%s' is no vault's address: https://NAME.vault.azure.net or "
            "https://NAME.managedhsm.azure.net, without a path",
            ref->location);
    if (a.port_size && !*ref->resource)
        return error_set(err, SE_ERR_CONFIG,
                         "locationValue '%s' has a port, which vaults of Azure do not: leave it "
                         "out, or give resource and authority of another service",
                         ref->location);
    place->base = copy_address(ref->location);
    place->host = strndup(a.host, a.host_size);
    if (!place->base || !place->host)
        return error_memory(err);
    lower_text(place->base);
    lower_text(place->host);
    return check_private_link(place->host, err);
}

static se_status check_kind(const struct vault_place *place, const struct cloud *cloud,
                            const struct keyref *ref, se_error *err)
{
    if (!cloud || cloud->kind == place->kind)
        return SE_OK;
    return error_set(err, SE_ERR_CONFIG, "'%s' is of type %s, not %s", place->host,
                     kind_names[cloud->kind], ref->store);
}

/* The secrets of a login go there. */
static se_status read_authority(struct vault_place *place, const char *authority, se_error *err)
{
    struct address a;

    if (*authority && !split_address(&a, authority))
        return error_set(err, SE_ERR_CONFIG,
                         "authority '%s' is no login service's address: "
                         "https://login.microsoftonline.com, say",
                         authority);
    return (place->authority = copy_address(authority)) ? SE_OK : error_memory(err);
}

/* A resource is a name, which a login service compares letter by letter: nothing of it is changed.
 */
static se_status read_resource(struct vault_place *place, const struct cloud *cloud,
                               const struct keyref *ref, se_error *err)
{
    int written;

    if (*ref->resource)
        written = asprintf(&place->resource, "%s", ref->resource);
    else
        written = asprintf(&place->resource, "%s%s", scheme, cloud->suffix + 1);
    if (written >= 0)
        return SE_OK;
    place->resource = NULL;
    return error_memory(err);
}

/* A machine's own service gives the tokens of a managed identity. */
static bool needs_authority(const struct keyref *ref)
{
    return ref->credential != CREDENTIAL_MANAGED_IDENTITY;
}

static se_status fill_place(struct vault_place *place, const struct keyref *ref, se_error *err)
{
    const struct cloud *cloud;

    place->kind = place_kind(ref);
    TRY(read_location(place, ref, err));
    cloud = find_cloud(place->host);
    TRY(check_kind(place, cloud, ref, err));
    if (!cloud && (!*ref->resource || (!*ref->authority && needs_authority(ref))))
        return error_set(err, SE_ERR_CONFIG,
                         "'%s' is in no cloud that is known, and %s not given: resource says whom "
                         "tokens are for, authority who gives them",
                         place->host,
                         *ref->resource    ? "authority is"
                         : *ref->authority ? "resource is"
                                           : "resource and authority are");
    TRY(read_resource(place, cloud, ref, err));
    return read_authority(place, *ref->authority || !cloud ? ref->authority : cloud->authority,
                          err);
}

se_status place_find(struct vault_place *out, const struct keyref *ref, se_error *err)
{
    AUTO(vault_place) place = { .base = NULL };

    *out = (struct vault_place){ .base = NULL };
    TRY(fill_place(&place, ref, err));
    *out = MOVE(place);
    return SE_OK;
}

/* ---- names of objects ---- */

static bool is_default_port(const struct address *a)
{
    return a->port_size == 4 && strncmp(a->port, ":443", 4) == 0;
}

/* Whether an address is of this place; a service may write out the port of https. */
static bool is_of_place(const struct address *a, const struct vault_place *place)
{
    struct address own;

    if (!split_address(&own, place->base) || own.host_size != a->host_size ||
        strncasecmp(own.host, a->host, own.host_size) != 0)
        return false;
    if (own.port_size == a->port_size && strncmp(own.port, a->port, own.port_size) == 0)
        return true;
    return (!own.port_size || is_default_port(&own)) && (!a->port_size || is_default_port(a));
}

/* Behind "/", as far as the next one. */
static bool take_segment(char *out, size_t room, const char **path, const char *letters)
{
    size_t size;

    if (**path != '/')
        return false;
    ++*path;
    size = strspn(*path, letters);
    if (!size || size >= room)
        return false;
    text_copy(out, room, *path, size);
    *path += size;
    return !**path || **path == '/';
}

static bool split_object(struct object_id *out, const char *collection, const char *path)
{
    static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-";
    char first[32];

    if (!take_segment(first, sizeof first, &path, letters) || strcmp(first, collection) != 0 ||
        !take_segment(out->name, sizeof out->name, &path, letters))
        return false;
    if (!*path || strcmp(path, "/") == 0)
        return true;
    if (!take_segment(out->version, sizeof out->version, &path, "0123456789abcdefABCDEF") ||
        strlen(out->version) != VERSION_SIZE)
        return false;
    lower_text(out->version);
    return !*path || strcmp(path, "/") == 0;
}

se_status object_id_parse(struct object_id *out, const struct vault_place *place,
                          const char *collection, const char *id, se_error *err)
{
    struct object_id object = { .name = "" };
    struct address a;

    *out = object;
    if (!split_address(&a, id) || !split_object(&object, collection, a.path))
        return error_set(err, SE_ERR_STORE, "'%.200s' is no name of an object in %s/%s", id,
                         place->base, collection);
    if (!is_of_place(&a, place))
        return error_set(err, SE_ERR_STORE, "'%.200s' is of another vault than %s", id,
                         place->base);
    *out = object;
    return SE_OK;
}
