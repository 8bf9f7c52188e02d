/* SPDX-License-Identifier: Apache-2.0 */
/* What can go wrong on purpose.  One thing to add is one row. */
#include "tests/azure/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind {
    KIND_EXPIRED,
    KIND_CLAIMS,
    KIND_NO_CHALLENGE,
    KIND_FOREIGN_RESOURCE,
    KIND_ATTACKER,
    KIND_OTHER_TENANT,
    KIND_STATUS, /* status, code, and the inner code in text */
    KIND_EMPTY,
    KIND_HTML,
    KIND_NOT_JSON,
    KIND_DELIVERY, /* status is an enum delivery; the argument its number */
    KIND_REDIRECT_HTTP,
    KIND_REDIRECT_HOST,
    KIND_WRONG_KID,
    KIND_SIGNATURE_SHORT,
    KIND_SIGNATURE_TWICE,
    KIND_SIGNATURE_OTHER,
    KIND_SIGNATURE_LONG,
    KIND_TOKEN_ERROR, /* status, error in code, AADSTS number in text */
    KIND_TOKEN_HUGE,
    KIND_TOKEN_LIFETIME,
    KIND_TOKEN_MISSING,
    KIND_ARC,
};

struct fault {
    const char *name;
    enum place place;
    enum kind kind;
    int status;
    const char *code, *text;
    const char *only; /* operation */
};

static const struct fault faults[] = {
    { "expired-token", AT_VAULT, KIND_EXPIRED, 401, NULL, NULL, NULL },
    { "claims", AT_VAULT, KIND_CLAIMS, 401, NULL, NULL, NULL },
    { "no-challenge", AT_VAULT, KIND_NO_CHALLENGE, 401, NULL, NULL, NULL },
    { "foreign-resource", AT_VAULT, KIND_FOREIGN_RESOURCE, 401, NULL, NULL, NULL },
    { "attacker-authority", AT_VAULT, KIND_ATTACKER, 401, NULL, NULL, NULL },
    { "other-tenant", AT_VAULT, KIND_OTHER_TENANT, 401, NULL, NULL, NULL },
    { "403-access", AT_VAULT, KIND_STATUS, 403, "Forbidden", "AccessDenied", NULL },
    { "403-policy", AT_VAULT, KIND_STATUS, 403, "Forbidden", "ForbiddenByPolicy", NULL },
    { "403-rbac", AT_VAULT, KIND_STATUS, 403, "Forbidden", "ForbiddenByRbac", NULL },
    { "403-firewall", AT_VAULT, KIND_STATUS, 403, "Forbidden", "ForbiddenByFirewall", NULL },
    { "403-disabled", AT_VAULT, KIND_STATUS, 403, "Forbidden", "KeyDisabled", NULL },
    { "403-expired", AT_VAULT, KIND_STATUS, 403, "Forbidden", "KeyExpired", NULL },
    { "429", AT_VAULT, KIND_STATUS, 429, "Throttled", NULL, NULL },
    { "429-retry-after", AT_VAULT, KIND_STATUS, 429, "Throttled", "Retry-After", NULL },
    { "400", AT_VAULT, KIND_STATUS, 400, "BadParameter", NULL, NULL },
    { "404", AT_VAULT, KIND_STATUS, 404, "KeyNotFound", NULL, NULL },
    { "408", AT_VAULT, KIND_STATUS, 408, "RequestTimeout", NULL, NULL },
    { "409", AT_VAULT, KIND_STATUS, 409, "Conflict", "ObjectIsBeingDeleted", NULL },
    { "500", AT_VAULT, KIND_STATUS, 500, "InternalServerError", NULL, NULL },
    { "502", AT_VAULT, KIND_STATUS, 502, "BadGateway", NULL, NULL },
    { "503", AT_VAULT, KIND_STATUS, 503, "ServiceUnavailable", NULL, NULL },
    { "504", AT_VAULT, KIND_STATUS, 504, "GatewayTimeout", NULL, NULL },
    { "empty-body", AT_VAULT, KIND_EMPTY, 0, NULL, NULL, NULL },
    { "html-body", AT_VAULT, KIND_HTML, 0, NULL, NULL, NULL },
    { "not-json", AT_VAULT, KIND_NOT_JSON, 0, NULL, NULL, NULL },
    { "cut-body", AT_VAULT, KIND_DELIVERY, DELIVER_CUT, NULL, NULL, NULL },
    { "slow-body", AT_VAULT, KIND_DELIVERY, DELIVER_SLOW, NULL, "100", NULL },
    { "endless-body", AT_VAULT, KIND_DELIVERY, DELIVER_ENDLESS, NULL, NULL, NULL },
    { "reset", AT_VAULT, KIND_DELIVERY, DELIVER_RESET, NULL, NULL, NULL },
    { "reset-headers", AT_VAULT, KIND_DELIVERY, DELIVER_RESET_HEADERS, NULL, NULL, NULL },
    { "stall", AT_VAULT, KIND_DELIVERY, DELIVER_STALL, NULL, "60000", NULL },
    { "redirect-http", AT_VAULT, KIND_REDIRECT_HTTP, 302, NULL, NULL, NULL },
    { "redirect-host", AT_VAULT, KIND_REDIRECT_HOST, 302, NULL, NULL, NULL },
    { "wrong-kid", AT_VAULT, KIND_WRONG_KID, 0, NULL, NULL, "sign" },
    { "signature-short", AT_VAULT, KIND_SIGNATURE_SHORT, 0, NULL, NULL, "sign" },
    { "signature-twice", AT_VAULT, KIND_SIGNATURE_TWICE, 0, NULL, NULL, "sign" },
    { "signature-other", AT_VAULT, KIND_SIGNATURE_OTHER, 0, NULL, NULL, "sign" },
    { "signature-long", AT_VAULT, KIND_SIGNATURE_LONG, 0, NULL, NULL, "sign" },
    { "token-invalid-client", AT_TOKEN, KIND_TOKEN_ERROR, 401, "invalid_client", "7000215", NULL },
    { "token-expired-secret", AT_TOKEN, KIND_TOKEN_ERROR, 401, "invalid_client", "7000222", NULL },
    { "token-unauthorized-client", AT_TOKEN, KIND_TOKEN_ERROR, 400, "unauthorized_client", "700016",
      NULL },
    { "token-unavailable", AT_TOKEN, KIND_TOKEN_ERROR, 503, "temporarily_unavailable", "90033",
      NULL },
    { "token-500", AT_TOKEN, KIND_TOKEN_ERROR, 500, "server_error", "90033", NULL },
    { "token-429", AT_TOKEN, KIND_TOKEN_ERROR, 429, "temporarily_unavailable", "90055", NULL },
    { "token-502-html", AT_TOKEN, KIND_HTML, 502, NULL, NULL, NULL },
    { "token-html", AT_TOKEN, KIND_HTML, 0, NULL, NULL, NULL },
    { "token-not-json", AT_TOKEN, KIND_NOT_JSON, 0, NULL, NULL, NULL },
    { "token-empty", AT_TOKEN, KIND_EMPTY, 0, NULL, NULL, NULL },
    { "token-missing", AT_TOKEN, KIND_TOKEN_MISSING, 0, NULL, NULL, NULL },
    { "token-huge-lifetime", AT_TOKEN, KIND_TOKEN_HUGE, 0, NULL, NULL, NULL },
    { "token-lifetime", AT_TOKEN, KIND_TOKEN_LIFETIME, 0, NULL, "3", NULL },
    { "token-reset", AT_TOKEN, KIND_DELIVERY, DELIVER_RESET, NULL, NULL, NULL },
    { "token-stall", AT_TOKEN, KIND_DELIVERY, DELIVER_STALL, NULL, "60000", NULL },
    { "token-endless", AT_TOKEN, KIND_DELIVERY, DELIVER_ENDLESS, NULL, NULL, NULL },
    { "identity-400", AT_IDENTITY, KIND_TOKEN_ERROR, 400, "invalid_request", "0", NULL },
    { "identity-404", AT_IDENTITY, KIND_TOKEN_ERROR, 404, "not_found", "0", NULL },
    { "identity-410", AT_IDENTITY, KIND_TOKEN_ERROR, 410, "gone", "0", NULL },
    { "identity-429", AT_IDENTITY, KIND_TOKEN_ERROR, 429, "too_many_requests", "0", NULL },
    { "identity-500", AT_IDENTITY, KIND_TOKEN_ERROR, 500, "server_error", "0", NULL },
    { "identity-html", AT_IDENTITY, KIND_HTML, 0, NULL, NULL, NULL },
    { "identity-stall", AT_IDENTITY, KIND_DELIVERY, DELIVER_STALL, NULL, "60000", NULL },
    { "arc-outside", AT_IDENTITY, KIND_ARC, 0, NULL, NULL, NULL },
    { "arc-dots", AT_IDENTITY, KIND_ARC, 0, NULL, NULL, NULL },
    { "arc-suffix", AT_IDENTITY, KIND_ARC, 0, NULL, NULL, NULL },
    { "arc-big", AT_IDENTITY, KIND_ARC, 0, NULL, NULL, NULL },
    { "arc-missing", AT_IDENTITY, KIND_ARC, 0, NULL, NULL, NULL },
};

#define MOST_ACTIVE 32
static struct active {
    const struct fault *fault;
    long left; /* -1: for ever */
    long after;
    char argument[128], only[32];
} active[MOST_ACTIVE];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* fault NAME [COUNT|*] [ARGUMENT] [only=OPERATION] [after=N] */
char *fault_set(int count, char **words)
{
    const struct fault *found = NULL;
    struct active made = { .left = 1 };
    int plain = 0;
    for (size_t i = 0; count && i < sizeof faults / sizeof *faults; i++)
        if (strcmp(faults[i].name, words[0]) == 0)
            found = &faults[i];
    if (!found)
        return text_copy("no such fault");
    if (found->kind == KIND_SIGNATURE_OTHER)
        other_keys_make();
    made.fault = found;
    snprintf(made.argument, sizeof made.argument, "%s", found->text ? found->text : "");
    snprintf(made.only, sizeof made.only, "%s", found->only ? found->only : "");
    for (int i = 1; i < count; i++) {
        if (strncmp(words[i], "only=", 5) == 0)
            snprintf(made.only, sizeof made.only, "%s", words[i] + 5);
        else if (strncmp(words[i], "after=", 6) == 0)
            made.after = atol(words[i] + 6);
        else if (plain++ == 0)
            made.left = strcmp(words[i], "*") == 0 ? -1 : atol(words[i]);
        else
            snprintf(made.argument, sizeof made.argument, "%s", words[i]);
    }
    pthread_mutex_lock(&lock);
    struct active *place = NULL;
    for (int i = MOST_ACTIVE - 1; i >= 0; i--)
        if (!active[i].fault || active[i].left == 0)
            place = &active[i];
    if (place)
        *place = made;
    pthread_mutex_unlock(&lock);
    return place ? NULL : text_copy("too many faults");
}

void fault_clear(const char *name)
{
    pthread_mutex_lock(&lock);
    for (int i = 0; i < MOST_ACTIVE; i++)
        if (!name || (active[i].fault && strcmp(active[i].fault->name, name) == 0))
            active[i].fault = NULL;
    pthread_mutex_unlock(&lock);
}

json_t *fault_list(void)
{
    json_t *list = json_array();
    pthread_mutex_lock(&lock);
    for (int i = 0; i < MOST_ACTIVE; i++)
        if (active[i].fault && active[i].left)
            json_array_append_new(list, json_pack("{ss sI}", "name", active[i].fault->name, "left",
                                                  (json_int_t)active[i].left));
    pthread_mutex_unlock(&lock);
    return list;
}

static bool needs_token(const struct fault *fault)
{
    return fault->place == AT_VAULT && fault->kind != KIND_FOREIGN_RESOURCE &&
           fault->kind != KIND_ATTACKER && fault->kind != KIND_OTHER_TENANT &&
           fault->kind != KIND_NO_CHALLENGE;
}

bool fault_take(struct active_fault *out, enum place place, const char *operation, bool authorized)
{
    bool taken = false;
    pthread_mutex_lock(&lock);
    for (int i = 0; i < MOST_ACTIVE && !taken; i++) {
        struct active *a = &active[i];
        if (!a->fault || !a->left || a->fault->place != place ||
            (*a->only && strcmp(a->only, operation) != 0) || (!authorized && needs_token(a->fault)))
            continue;
        if (a->after > 0) {
            a->after--;
            continue;
        }
        if (a->left > 0)
            a->left--;
        out->fault = a->fault;
        out->name = a->fault->name;
        memcpy(out->argument, a->argument, sizeof out->argument);
        taken = true;
    }
    pthread_mutex_unlock(&lock);
    return taken;
}

/* ---- instead of an answer ---- */

static void replace_status(const struct active_fault *active_fault, const struct request *request,
                           struct answer *answer)
{
    const struct fault *fault = active_fault->fault;
    struct call call = { .request = request, .answer = answer };
    bool throttled = fault->status == 429, inner = fault->text && !throttled;
    if (throttled && fault->text)
        answer_header(answer, "Retry-After", "%s",
                      strcmp(active_fault->argument, fault->text) == 0 ? "1"
                                                                       : active_fault->argument);
    answer_error(&call, fault->status, fault->code, inner ? fault->text : NULL, "%s",
                 throttled
                     ? "Request was not processed because too many requests were received. Reason: "
                       "VaultRequestTypeLimitReached"
                     : "This is a fault that a test asked for.");
}

static void replace_token(const struct fault *fault, struct answer *answer)
{
    int code = atoi(fault->text);
    char *text = code ? text_format("AADSTS%d: This is a fault that a test asked for.", code)
                      : text_copy("A fault that a test asked for");
    json_t *body = json_pack("{ss ss}", "error", fault->code, "error_description", text);
    if (code)
        json_object_set_new(body, "error_codes", json_pack("[i]", code));
    answer_json(answer, fault->status, body);
    free(text);
}

bool fault_replaces(const struct active_fault *active_fault, const struct request *request,
                    struct answer *answer)
{
    const struct fault *fault = active_fault->fault;
    char *attacker = NULL;
    switch (fault->kind) {
    case KIND_EXPIRED:
        vault_challenge(
            request, answer, NULL, NULL, NULL,
            ", error=\"invalid_token\", error_description=\"The access token has expired\"");
        return true;
    case KIND_CLAIMS: /* recorded of another service: a claim with a time, in base64 */
        vault_challenge(request, answer, NULL, NULL, NULL,
                        ", error=\"insufficient_claims\", "
                        "claims="
                        "\"eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZSwgInZhbHVlIjoiMTYx"
                        "MTE2NTM1OSJ9fX0=\"");
        return true;
    case KIND_NO_CHALLENGE:
        answer_text(answer, 401, "application/json; charset=utf-8", "");
        return true;
    case KIND_FOREIGN_RESOURCE:
        vault_challenge(request, answer, NULL, NULL,
                        *active_fault->argument ? active_fault->argument : "https://vault.example",
                        "");
        return true;
    case KIND_ATTACKER:
        attacker = port_url(PORT_ATTACKER);
        vault_challenge(request, answer, attacker, NULL, NULL, "");
        free(attacker);
        return true;
    case KIND_OTHER_TENANT:
        vault_challenge(request, answer, NULL, "99999999-9999-4999-8999-999999999999", NULL, "");
        return true;
    case KIND_STATUS:
        replace_status(active_fault, request, answer);
        return true;
    case KIND_TOKEN_ERROR:
        replace_token(fault, answer);
        return true;
    case KIND_REDIRECT_HTTP:
        answer_header(answer, "Location", "http://%s%s?%s", request->host, request->path,
                      request->query);
        answer_text(answer, 302, "text/html", "");
        return true;
    case KIND_REDIRECT_HOST:
        attacker = port_url(PORT_ATTACKER);
        answer_header(answer, "Location", "%s%s?%s", attacker, request->path, request->query);
        free(attacker);
        answer_text(answer, 302, "text/html", "");
        return true;
    default:
        return false;
    }
}

/* ---- to an answer ---- */

static void change_signature(enum kind kind, const struct request *request, json_t *json)
{
    const char *value = json_string_value(json_object_get(json, "value"));
    size_t size = 0;
    unsigned char *bytes = value ? base64url_decode(&size, value) : NULL;
    json_t *body = bytes ? json_loads(request->body, 0, NULL) : NULL;
    unsigned char changed[2048] = { 0 };
    if (body && size && size < sizeof changed - 1) {
        memcpy(changed, bytes, size);
        if (kind == KIND_SIGNATURE_SHORT)
            size /= 2;
        else if (kind == KIND_SIGNATURE_LONG)
            size++;
        else if (kind == KIND_SIGNATURE_TWICE)
            memcpy(changed + size / 2, changed, size / 2);
        else
            size = other_signature(changed, sizeof changed,
                                   json_string_value(json_object_get(body, "alg")), size,
                                   json_string_value(json_object_get(body, "value")));
        char *text = base64url_encode(changed, size);
        json_object_set_new(json, "value", json_string(text));
        free(text);
    }
    json_decref(body);
    free(bytes);
}

/* of another version: the last digit differs */
static void change_kid(json_t *json)
{
    json_t *holder = json_object_get(json, "key") ? json_object_get(json, "key") : json;
    const char *kid = json_string_value(json_object_get(holder, "kid"));
    if (!kid)
        return;
    char *other = text_copy(kid);
    char *last = other + strlen(other) - 1;
    *last = *last == '0' ? '1' : '0';
    json_object_set_new(holder, "kid", json_string(other));
    free(other);
}

static void change_lifetime(const struct active_fault *fault, struct answer *answer, bool huge)
{
    if (!json_object_get(answer->json, "expires_in"))
        return;
    if (huge) {
        json_object_set_new(answer->json, "expires_in", json_integer(INT64_C(9223372036854775807)));
        return;
    }
    struct principal who;
    int seconds = atoi(fault->argument);
    if (client_find(&who, settings.client)) {
        char *resource = text_format("https://%s.localhost", settings.hsm ? "managedhsm" : "vault");
        char *token = token_issue(who.client, who.oid, resource, seconds);
        json_object_set_new(answer->json, "access_token", json_string(token));
        free(token);
        free(resource);
    }
    json_object_set_new(answer->json, "expires_in", json_integer(seconds));
}

void fault_changes(const struct active_fault *active_fault, const struct request *request,
                   struct answer *answer)
{
    const struct fault *fault = active_fault->fault;
    int status = fault->status ? fault->status : answer->status;
    if (fault->kind == KIND_EMPTY)
        answer_text(answer, *active_fault->argument ? atoi(active_fault->argument) : status,
                    "application/json", "");
    else if (fault->kind == KIND_HTML)
        answer_text(
            answer, *active_fault->argument ? atoi(active_fault->argument) : status, "text/html",
            "<html><head><title>Error</title></head><body>An error occurred.</body></html>");
    else if (fault->kind == KIND_NOT_JSON)
        answer_text(answer, status, "application/json; charset=utf-8", "{\"kid\": \"https://");
    else if (fault->kind == KIND_DELIVERY) {
        answer->delivery = (enum delivery)fault->status;
        answer->argument = atol(active_fault->argument);
    } else if (fault->kind == KIND_WRONG_KID)
        change_kid(answer->json);
    else if (fault->kind >= KIND_SIGNATURE_SHORT && fault->kind <= KIND_SIGNATURE_LONG)
        change_signature(fault->kind, request, answer->json);
    else if (fault->kind == KIND_TOKEN_HUGE || fault->kind == KIND_TOKEN_LIFETIME)
        change_lifetime(active_fault, answer, fault->kind == KIND_TOKEN_HUGE);
    else if (fault->kind == KIND_TOKEN_MISSING && answer->json)
        json_object_del(answer->json, "access_token");
}
