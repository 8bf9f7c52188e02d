/* SPDX-License-Identifier: Apache-2.0 */
/* Entra's token endpoint, and one that an attacker runs. */
#include "tests/azure/emulator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void add_headers(struct answer *answer)
{
    if (!*answer->request_id)
        guid_random(answer->request_id);
    answer_header(answer, "Cache-Control", "no-store, no-cache");
    answer_header(answer, "Strict-Transport-Security", "max-age=31536000; includeSubDomains");
    answer_header(answer, "x-ms-request-id", "%s", answer->request_id);
}

static void answer_refusal(struct answer *answer, int status, const char *error, int code,
                           const char *text)
{
    char trace[37], correlation[37], stamp[32];
    struct tm parts;
    time_t now = (time_t)clock_seconds();
    gmtime_r(&now, &parts);
    strftime(stamp, sizeof stamp, "%Y-%m-%d %H:%M:%SZ", &parts);
    guid_random(trace);
    guid_random(correlation);
    char *description =
        text_format("AADSTS%d: %s\r\nTrace ID: %s\r\nCorrelation ID: %s\r\nTimestamp: %s", code,
                    text, trace, correlation, stamp);
    char *uri = text_format("https://login.microsoftonline.com/error?code=%d", code);
    answer_json(answer, status,
                json_pack("{ss ss s[i] ss ss ss ss}", "error", error, "error_description",
                          description, "error_codes", code, "timestamp", stamp, "trace_id", trace,
                          "correlation_id", correlation, "error_uri", uri));
    free(description);
    free(uri);
}

/* "RESOURCE/.default", and msal adds "openid profile offline_access" */
static char *scope_resource(const char *scope)
{
    size_t size = scope ? strcspn(scope, " ") : 0;
    if (size < 9 || strncmp(scope + size - 9, "/.default", 9) != 0)
        return NULL;
    return strndup(scope, size - 9);
}

static void answer_token(struct answer *answer, const struct principal *who, const char *resource)
{
    int lifetime = settings.token_lifetime, refresh = settings.token_refresh;
    char *token = token_issue(who->client, who->oid, resource, lifetime);
    json_t *body = json_pack("{ss si si ss}", "token_type", "Bearer", "expires_in", lifetime,
                             "ext_expires_in", lifetime, "access_token", token);
    if (refresh)
        json_object_set_new(body, "refresh_in", json_integer(refresh));
    answer_json(answer, 200, body);
    free(token);
}

static void check_credential(const struct request *request, struct answer *answer,
                             const struct principal *who, const char *resource)
{
    char *secret = form_value(request->body, "client_secret"),
         *assertion = form_value(request->body, "client_assertion");
    char *type = form_value(request->body, "client_assertion_type");
    if (secret) {
        if (client_secret_valid(who->client, secret)) {
            answer_token(answer, who, resource);
        } else {
            char *text = text_format(
                "Invalid client secret provided. Ensure the secret being sent in the request is "
                "the client "
                "secret value, not the client secret ID, for a secret added to app '%s'.",
                who->client);
            answer_refusal(answer, 401, "invalid_client", 7000215, text);
            free(text);
        }
    } else if (assertion && type &&
               strcmp(type, "urn:ietf:params:oauth:client-assertion-type:jwt-bearer") == 0) {
        int code = 0;
        char *audience = text_format("https://%s%s", request->host, request->path);
        const char *wrong = assertion_check(&code, who->client, assertion, audience);
        if (wrong)
            answer_refusal(answer, 401, "invalid_client", code, wrong);
        else
            answer_token(answer, who, resource);
        free(audience);
    } else {
        answer_refusal(answer, 401, "invalid_client", 7000218,
                       "The request body must contain the following parameter: 'client_assertion' "
                       "or 'client_secret'.");
    }
    free(secret);
    free(assertion);
    free(type);
}

static void grant_token(const struct request *request, struct answer *answer)
{
    char *grant = form_value(request->body, "grant_type"),
         *client = form_value(request->body, "client_id");
    char *scope = form_value(request->body, "scope"), *claims = form_value(request->body, "claims");
    char *resource = scope_resource(scope);
    struct principal who;
    if (claims)
        counters.claims++;
    if (!grant || strcmp(grant, "client_credentials") != 0) {
        answer_refusal(answer, 400, "unsupported_grant_type", 70003,
                       "The app requested an unsupported grant type.");
    } else if (!resource) {
        answer_refusal(answer, 400, "invalid_scope", 1002012,
                       "The provided value for scope is not valid. Client credential flows must "
                       "have a scope value with "
                       "/.default suffixed to the resource identifier (application ID URI).");
    } else if (!client_find(&who, client)) {
        char *text =
            text_format("Application with identifier '%s' was not found in the directory '%s'.",
                        client ? client : "", settings.tenant);
        answer_refusal(answer, 400, "unauthorized_client", 700016, text);
        free(text);
    } else {
        check_credential(request, answer, &who, resource);
    }
    free(grant);
    free(client);
    free(scope);
    free(claims);
    free(resource);
}

/* Recorded; URLs below the one that was asked, and texts. */
static const char discovery[] =
    "{\"token_endpoint\":\"+/oauth2/v2.0/"
    "token\",\"token_endpoint_auth_methods_supported\":[\"client_secret_post\","
    "\"private_key_jwt\",\"client_secret_basic\"],\"jwks_uri\":\"+/discovery/v2.0/"
    "keys\",\"response_modes_supported\":"
    "[\"query\",\"fragment\",\"form_post\"],\"subject_types_supported\":[\"pairwise\"],"
    "\"id_token_signing_alg_values_supported\":[\"RS256\"],\"response_types_supported\":[\"code\","
    "\"id_token\","
    "\"code id_token\",\"id_token "
    "token\"],\"scopes_supported\":[\"openid\",\"profile\",\"email\",\"offline_access\"],"
    "\"issuer\":\"+/v2.0\",\"request_uri_parameter_supported\":false,\"userinfo_endpoint\":\"+/"
    "userinfo\","
    "\"authorization_endpoint\":\"+/oauth2/v2.0/authorize\",\"device_authorization_endpoint\":\"+/"
    "oauth2/v2.0/devicecode\","
    "\"http_logout_supported\":true,\"frontchannel_logout_supported\":true,\"end_session_"
    "endpoint\":"
    "\"+/oauth2/v2.0/"
    "logout\",\"claims_supported\":[\"sub\",\"iss\",\"aud\",\"exp\"],\"tenant_region_scope\":"
    "\"WW\","
    "\"cloud_instance_name\":\"microsoftonline.com\",\"cloud_graph_host_name\":\"graph.windows."
    "net\","
    "\"msgraph_host\":\"graph.microsoft.com\",\"rbac_url\":\"https://pas.windows.net\"}";

static void answer_discovery(const struct request *request, struct answer *answer,
                             const char *tenant)
{
    struct buffer out = { 0 };
    for (const char *p = discovery; *p; p++) {
        if (*p == '+')
            buffer_format(&out, "https://%s/%s", request->host, tenant);
        else
            buffer_add(&out, p, 1);
    }
    answer_json(answer, 200, json_loads(out.data, 0, NULL));
    free(out.data);
}

static void answer_instance(const struct request *request, struct answer *answer)
{
    char *endpoint = text_format("https://%s/%s/v2.0/.well-known/openid-configuration",
                                 request->host, settings.tenant);
    answer_json(answer, 200,
                json_pack("{ss ss s[{ss ss s[s]}]}", "tenant_discovery_endpoint", endpoint,
                          "api-version", "1.1", "metadata", "preferred_network", request->host,
                          "preferred_cache", request->host, "aliases", request->host));
    free(endpoint);
}

void login_handle(const struct request *request, struct answer *answer)
{
    struct active_fault fault;
    const char *path = request->path + 1, *rest = strchr(path, '/');
    char *tenant = strndup(path, rest ? (size_t)(rest - path) : strlen(path));
    bool known = strcasecmp(tenant, settings.tenant) == 0;
    answer->operation = "login";
    if (rest && strcmp(request->path, "/common/discovery/instance") == 0) {
        answer_instance(request, answer);
    } else if (!rest || !known) {
        char *text = text_format("Tenant '%s' not found. Check to make sure you have the correct "
                                 "tenant ID and are signing into "
                                 "the correct cloud.",
                                 tenant);
        answer_refusal(answer, 400, "invalid_tenant", 90002, text);
        free(text);
    } else if (strcmp(rest, "/v2.0/.well-known/openid-configuration") == 0) {
        answer_discovery(request, answer, tenant);
    } else if (strcmp(rest, "/oauth2/v2.0/token") == 0 && strcmp(request->method, "POST") == 0) {
        answer->operation = "token";
        bool faulty = fault_take(&fault, AT_TOKEN, "token", true);
        if (!faulty || !fault_replaces(&fault, request, answer)) {
            grant_token(request, answer);
            if (faulty)
                fault_changes(&fault, request, answer);
        }
    } else {
        answer_text(answer, 404, "text/html", "<html><body>Not Found</body></html>");
    }
    add_headers(answer);
    free(tenant);
}

/* Takes whatever it is sent, and gives a token that nobody accepts. */
void attacker_handle(const struct request *request, struct answer *answer)
{
    answer->operation = "attacker";
    log_note(PORT_ATTACKER,
             json_pack("{ss ss ss ss}", "method", request->method, "path", request->path, "query",
                       request->query, "body", request->body ? request->body : ""));
    if (strstr(request->path, "openid-configuration")) {
        answer_discovery(request, answer, settings.tenant);
        return;
    }
    answer_json(answer, 200,
                json_pack("{ss si si ss}", "token_type", "Bearer", "expires_in", 3599,
                          "ext_expires_in", 3599, "access_token", "attacker"));
}
