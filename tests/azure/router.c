/* SPDX-License-Identifier: Apache-2.0 */
/* A vault's requests: who may, what it is, and what every answer has. */
#include "tests/azure/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { VAULT = 1, HSM = 2, BOTH = 3 };

/* "*" is a name, the second one a version */
static const struct route {
    const char *method, *pattern;
    int where;
    const char *operation;
    void (*handle)(struct call *);
    const char *action; /* of a Managed HSM's roles */
} routes[] = {
    { "POST", "keys/restore", BOTH, "restore", key_restore, "keys/restore" },
    { "GET", "keys", BOTH, "list", key_list, "keys/read" },
    { "POST", "keys/*/create", BOTH, "create", key_create, "keys/create" },
    { "PUT", "keys/*", BOTH, "import", key_import, "keys/import" },
    { "GET", "keys/*", BOTH, "get", key_get, "keys/read" },
    { "PATCH", "keys/*", BOTH, "update", key_update, "keys/write" },
    { "DELETE", "keys/*", BOTH, "delete", key_delete, "keys/delete" },
    { "GET", "keys/*/versions", BOTH, "versions", key_versions, "keys/read" },
    { "POST", "keys/*/backup", BOTH, "backup", key_backup, "keys/backup" },
    { "POST", "keys/*/rotate", BOTH, "rotate", key_rotate, "keys/write" },
    { "GET", "keys/*/rotationpolicy", BOTH, "rotation-policy", key_policy, "keys/read" },
    { "PUT", "keys/*/rotationpolicy", BOTH, "rotation-policy-set", key_set_policy, "keys/write" },
    { "PUT", "keys/*/restore", HSM, "restore-key", hsm_restore_key, "restore/start" },
    { "POST", "keys/*/sign", BOTH, "sign", key_operate, "keys/sign" },
    { "POST", "keys/*/verify", BOTH, "verify", key_verify, "keys/verify" },
    { "POST", "keys/*/encrypt", BOTH, "encrypt", key_operate, "keys/encrypt" },
    { "POST", "keys/*/decrypt", BOTH, "decrypt", key_operate, "keys/decrypt" },
    { "POST", "keys/*/wrapkey", BOTH, "wrapkey", key_operate, "keys/wrap" },
    { "POST", "keys/*/unwrapkey", BOTH, "unwrapkey", key_operate, "keys/unwrap" },
    { "GET", "keys/*/*", BOTH, "get", key_get, "keys/read" },
    { "PATCH", "keys/*/*", BOTH, "update", key_update, "keys/write" },
    { "POST", "keys/*/*/sign", BOTH, "sign", key_operate, "keys/sign" },
    { "POST", "keys/*/*/verify", BOTH, "verify", key_verify, "keys/verify" },
    { "POST", "keys/*/*/encrypt", BOTH, "encrypt", key_operate, "keys/encrypt" },
    { "POST", "keys/*/*/decrypt", BOTH, "decrypt", key_operate, "keys/decrypt" },
    { "POST", "keys/*/*/wrapkey", BOTH, "wrapkey", key_operate, "keys/wrap" },
    { "POST", "keys/*/*/unwrapkey", BOTH, "unwrapkey", key_operate, "keys/unwrap" },
    { "GET", "deletedkeys", BOTH, "deleted-list", key_deleted_list, "keys/deletedKeys/read" },
    { "GET", "deletedkeys/*", BOTH, "deleted-get", key_deleted, "keys/deletedKeys/read" },
    { "DELETE", "deletedkeys/*", BOTH, "purge", key_purge, "keys/deletedKeys/delete" },
    { "POST", "deletedkeys/*/recover", BOTH, "recover", key_recover, "keys/deletedKeys/recover" },
    { "POST", "rng", HSM, "random", random_bytes, "rng" },
    { "POST", "backup", HSM, "full-backup", hsm_backup, "backup/start" },
    { "GET", "backup/*/pending", HSM, "backup-status", hsm_job, "backup/status" },
    { "PUT", "restore", HSM, "full-restore", hsm_restore, "restore/start" },
    { "GET", "restore/*/pending", HSM, "restore-status", hsm_job, "restore/status" },
    { "GET", "settings", HSM, "settings", settings_get, NULL },
    { "GET", "settings/*", HSM, "settings", settings_get, NULL },
    { "PATCH", "settings/*", HSM, "settings-set", settings_set, NULL },
    { "GET", "certificates", VAULT, "certificate-list", certificate_list, NULL },
    { "GET", "certificates/contacts", VAULT, "contacts", contacts_get, NULL },
    { "GET", "certificates/issuers/*", VAULT, "issuer", issuer_get, NULL },
    { "POST", "certificates/restore", VAULT, "certificate-restore", certificate_restore, NULL },
    { "POST", "certificates/*/create", VAULT, "certificate-create", certificate_create, NULL },
    { "POST", "certificates/*/import", VAULT, "certificate-import", certificate_import, NULL },
    { "POST", "certificates/*/backup", VAULT, "certificate-backup", certificate_backup, NULL },
    { "GET", "certificates/*/versions", VAULT, "certificate-versions", certificate_versions, NULL },
    { "GET", "certificates/*/policy", VAULT, "certificate-policy", certificate_policy, NULL },
    { "PATCH", "certificates/*/policy", VAULT, "certificate-policy-set", certificate_set_policy,
      NULL },
    { "GET", "certificates/*/pending", VAULT, "certificate-pending", certificate_pending, NULL },
    { "PATCH", "certificates/*/pending", VAULT, "certificate-cancel", certificate_cancel, NULL },
    { "DELETE", "certificates/*/pending", VAULT, "certificate-forget", certificate_forget_pending,
      NULL },
    { "POST", "certificates/*/pending/merge", VAULT, "certificate-merge", certificate_merge, NULL },
    { "GET", "certificates/*", VAULT, "certificate-get", certificate_get, NULL },
    { "GET", "certificates/*/*", VAULT, "certificate-get", certificate_get, NULL },
    { "PATCH", "certificates/*", VAULT, "certificate-update", certificate_update, NULL },
    { "PATCH", "certificates/*/*", VAULT, "certificate-update", certificate_update, NULL },
    { "DELETE", "certificates/*", VAULT, "certificate-delete", certificate_delete, NULL },
    { "GET", "deletedcertificates", VAULT, "deleted-certificate-list", certificate_deleted_list,
      NULL },
    { "GET", "deletedcertificates/*", VAULT, "deleted-certificate-get", certificate_deleted, NULL },
    { "DELETE", "deletedcertificates/*", VAULT, "certificate-purge", certificate_recover, NULL },
    { "POST", "deletedcertificates/*/recover", VAULT, "certificate-recover", certificate_recover,
      NULL },
};

#define MOST_PARTS 12
struct parts {
    char *part[MOST_PARTS];
    size_t count;
};

static void split_path(struct parts *out, const char *path)
{
    while (*path && out->count < MOST_PARTS) {
        size_t size = strcspn(path, "/");
        if (size)
            out->part[out->count++] = url_decode(path, size, false);
        path += size + (path[size] == '/');
    }
}

static void free_parts(struct parts *parts)
{
    for (size_t i = 0; i < parts->count; i++)
        free(parts->part[i]);
}

static bool fits_pattern(const char *pattern, const struct parts *parts, const char *found[2])
{
    size_t i = 0, stars = 0;
    found[0] = found[1] = NULL;
    for (; *pattern; i++) {
        size_t size = strcspn(pattern, "/");
        if (i == parts->count)
            return false;
        if (*pattern == '*')
            found[stars++] = parts->part[i];
        else if (strlen(parts->part[i]) != size || strncasecmp(parts->part[i], pattern, size) != 0)
            return false;
        pattern += size + (pattern[size] == '/');
    }
    return i == parts->count;
}

static const struct route *find_route(const struct request *request, const struct parts *parts,
                                      const char *found[2])
{
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
        if (strcmp(routes[i].method, request->method) == 0 &&
            (routes[i].where & (settings.hsm ? HSM : VAULT)) &&
            fits_pattern(routes[i].pattern, parts, found))
            return &routes[i];
    return NULL;
}

/* ---- 401 ---- */

char *port_url(enum port port)
{
    return text_format("https://localhost:%d", settings.ports[port]);
}

/* The name behind the first label, as with real vaults. */
char *vault_resource(const struct request *request)
{
    const char *dot = strchr(request->host, '.');
    if (!dot || strncmp(request->host, "127.", 4) == 0)
        return text_format("https://%s.localhost", settings.hsm ? "managedhsm" : "vault");
    return text_format("https://%.*s", (int)strcspn(dot + 1, ":"), dot + 1);
}

void vault_challenge(const struct request *request, struct answer *answer, const char *authority,
                     const char *tenant, const char *resource, const char *more)
{
    char *own = vault_resource(request), *ours = port_url(PORT_AUTHORITY);
    counters.unauthorized++;
    answer_header(answer, "WWW-Authenticate", "Bearer authorization=\"%s/%s\", resource=\"%s\"%s",
                  authority ? authority : ours, tenant ? tenant : settings.tenant,
                  resource ? resource : own, more);
    bool lists_roles = strcmp(request->method, "GET") == 0 && strstr(request->path, "/providers/");
    if (settings.hsm) /* recorded: empty, or "OK" */
        answer_text(answer, 401, "application/json; charset=utf-8", lists_roles ? "OK" : "");
    else
        answer_json(answer, 401,
                    json_pack("{s{ss ss}}", "error", "code", "Unauthorized", "message",
                              "AKV10000: Request is missing a Bearer or PoP token."));
    free(own);
    free(ours);
}

static bool find_principal(struct call *c)
{
    const char *given = request_header(c->request, "Authorization");
    char *resource = vault_resource(c->request);
    bool good =
        given && strncasecmp(given, "Bearer ", 7) == 0 && token_check(&c->who, given + 7, resource);
    free(resource);
    return good;
}

/* ---- headers ---- */

static void add_headers(const struct call *c, bool authorized, int64_t began)
{
    struct answer *answer = c->answer;
    const char *id = request_header(c->request, "x-ms-client-request-id");
    answer_header(answer, "Cache-Control", "no-cache");
    answer_header(answer, "x-ms-request-id", "%s", answer->request_id);
    if (settings.hsm) {
        answer_header(answer, "Strict-Transport-Security", "max-age=31536000; includeSubDomains");
        answer_header(answer, "x-ms-server-latency", "%lld", (long long)(clock_ms() - began));
        if (!authorized)
            return;
        answer_header(answer, "x-ms-keyvault-network-info",
                      "conn_type=Ipv4;addr=192.0.2.1;act_addr_fam=Ipv4;");
        answer_header(answer, "x-ms-keyvault-region", "uksouth");
        answer_header(answer, "x-ms-build-version", "1.0.20230312-1-12e5b134-feb-lkg");
        return;
    }
    char date[64];
    struct tm parts;
    time_t now = (time_t)clock_seconds();
    gmtime_r(&now, &parts);
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    answer_header(answer, "Date", "%s", date);
    answer_header(answer, "Strict-Transport-Security", "max-age=31536000;includeSubDomains");
    answer_header(answer, "x-ms-keyvault-network-info",
                  "conn_type=Ipv4;addr=192.0.2.1;act_addr_fam=InterNetwork;");
    answer_header(answer, "x-ms-keyvault-region", "uksouth");
    answer_header(answer, "x-ms-keyvault-service-version", "1.9.749.1");
    if (id)
        answer_header(answer, "x-ms-client-request-id", "%s", id);
    if (!authorized || answer->status >= 400)
        return;
    answer_header(answer, "x-ms-keyvault-rbac-assignment-id",
                  "d9ad6326-eeeb-4dbd-870a-43bd19eec49b");
    answer_header(answer, "x-ms-keyvault-rbac-cache",
                  "ra_age=555;da_age=2841;rd_age=2841;brd_age=7182;ra_notif_age=982;dec_lev=1;");
}

/* ---- one request ---- */

/* SCOPE/providers/Microsoft.Authorization/KIND[/NAME] */
static bool handle_roles(struct call *c, const struct parts *parts)
{
    size_t i = 0;
    while (i < parts->count && strcmp(parts->part[i], "providers") != 0)
        i++;
    if (!settings.hsm || i + 2 >= parts->count ||
        strcasecmp(parts->part[i + 1], "Microsoft.Authorization") != 0)
        return false;
    struct buffer scope = { 0 };
    for (size_t k = 0; k < i; k++)
        buffer_format(&scope, "/%s", parts->part[k]);
    roles_handle(c, scope.size ? scope.data : "/", parts->part[i + 2],
                 i + 3 < parts->count ? parts->part[i + 3] : NULL);
    free(scope.data);
    return true;
}

static bool is_crypto(const char *operation)
{
    static const char *const names[] = { "sign",    "verify",  "encrypt",
                                         "decrypt", "wrapkey", "unwrapkey" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], operation) == 0)
            return true;
    return false;
}

static bool is_poll(const struct call *c)
{
    return strcmp(c->operation, "backup-status") == 0 ||
           strcmp(c->operation, "restore-status") == 0 ||
           (settings.hsm && strstr(c->request->query, "skiptoken"));
}

static void run_route(struct call *c, const struct route *route)
{
    const char *kty = json_string_value(json_object_get(c->body, "kty"));
    if ((!c->api || !*c->api) &&
        !is_poll(c)) /* recorded: a Managed HSM's nextLink and polls have none */
        answer_error(c, 400, "BadParameter", NULL, "api-version must be specified");
    else if (c->request->body_size && !c->body)
        answer_error(c, 400, "BadParameter", NULL, "The request body is not a JSON object");
    else if (!roles_allow(c, route->action))
        answer_error(c, 403, "Forbidden", NULL,
                     "Caller is not authorized to perform this action: %s", route->action);
    else if (!is_crypto(route->operation) && !throttle_allows(route->operation, kty, 0, ""))
        answer_error(c, 429, settings.hsm ? "TooManyRequests" : "Throttled", NULL,
                     "Request was not processed because too many requests were received. Reason: "
                     "VaultRequestTypeLimitReached");
    else
        route->handle(c);
}

static void answer_authorized(struct call *c, const struct route *route, const struct parts *parts)
{
    struct active_fault fault;
    bool faulty = fault_take(&fault, AT_VAULT, c->operation, true);
    latency_wait();
    if (faulty && fault_replaces(&fault, c->request, c->answer))
        return;
    if (route)
        run_route(c, route);
    else if (!handle_roles(c, parts))
        answer_error(c, 404, "NotFound", NULL, "No such resource: %s", c->request->path);
    if (faulty)
        fault_changes(&fault, c->request, c->answer);
}

void vault_handle(const struct request *request, struct answer *answer)
{
    struct parts parts = { .count = 0 };
    const char *found[2];
    int64_t began = clock_ms();
    struct active_fault fault;
    split_path(&parts, request->path);
    const struct route *route = find_route(request, &parts, found);
    char *api = request_parameter(request, "api-version");
    struct call c = { .request = request, .answer = answer, .api = api };
    c.operation = answer->operation = route ? route->operation : "roles";
    answer->status = 0;
    guid_random(answer->request_id);
    bool authorized = find_principal(&c);
    if (!authorized) {
        if (!fault_take(&fault, AT_VAULT, c.operation, false) ||
            !fault_replaces(&fault, request, answer))
            vault_challenge(request, answer, NULL, NULL, NULL, "");
    } else {
        c.body = request->body_size ? json_loadb(request->body, request->body_size, 0, NULL) : NULL;
        c.name = found[0] && route ? found[0] : NULL;
        c.version = route ? found[1] : NULL;
        if (!json_is_object(c.body)) {
            json_decref(c.body);
            c.body = NULL;
        }
        answer_authorized(&c, route, &parts);
        json_decref(c.body);
    }
    if (answer->status == 429)
        counters.throttled++;
    add_headers(&c, authorized, began);
    free(api);
    free_parts(&parts);
}
