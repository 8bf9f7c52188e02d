/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Managed identity, over plain HTTP:
 *   /metadata/identity/oauth2/token   IMDS
 *   /msi/token                        App Service 2019 and 2017, Service Fabric
 *   /arc/token                        Azure Arc
 *   /cloudshell                       Cloud Shell
 */
#include "tests/azure/emulator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static void answer_refusal(struct answer *answer, int status, const char *error, const char *text)
{
    answer_json(answer, status, json_pack("{ss ss}", "error", error, "error_description", text));
}

static bool has_header(const struct request *request, const char *name, const char *wanted)
{
    const char *value = request_header(request, name);
    return value && (!wanted || strcmp(value, wanted) == 0);
}

/* Recorded: IMDS gives its numbers as strings. */
static void answer_token(struct answer *answer, const char *resource, bool imds)
{
    int lifetime = settings.token_lifetime;
    int64_t now = clock_seconds();
    char *token =
        token_issue(settings.identity_client, settings.identity_principal, resource, lifetime);
    char *expires = text_format("%lld", (long long)(now + lifetime)),
         *begins = text_format("%lld", (long long)now - 300);
    char *in = text_format("%d", lifetime);
    json_t *body =
        json_pack("{ss ss ss ss ss}", "access_token", token, "client_id", settings.identity_client,
                  "expires_on", expires, "resource", resource, "token_type", "Bearer");
    if (imds) {
        json_object_set_new(body, "expires_in", json_string(in));
        json_object_set_new(body, "ext_expires_in", json_string(in));
        json_object_set_new(body, "not_before", json_string(begins));
        json_reorder(body, "access_token client_id expires_in expires_on ext_expires_in not_before "
                           "resource token_type");
    }
    answer_json(answer, 200, body);
    free(token);
    free(expires);
    free(begins);
    free(in);
}

/* The identity that was asked for is ours, or none was named. */
static bool known_identity(const struct request *request, const char *parameter)
{
    char *client = request_parameter(request, parameter),
         *object = request_parameter(request, "object_id");
    bool known = (!client || strcasecmp(client, settings.identity_client) == 0) &&
                 (!object || strcasecmp(object, settings.identity_principal) == 0);
    free(client);
    free(object);
    return known;
}

static void answer_imds(const struct request *request, struct answer *answer, const char *version,
                        const char *resource)
{
    if (!has_header(request, "Metadata", "true"))
        answer_refusal(answer, 400, "invalid_request", "Required metadata header not specified");
    else if (!version || strcmp(version, "2018-02-01") != 0)
        answer_refusal(answer, 400, "invalid_request",
                       "The api-version is missing or not supported");
    else if (!known_identity(request, "client_id"))
        answer_refusal(answer, 400, "invalid_request", "Identity not found");
    else
        answer_token(answer, resource, true);
}

static void answer_app_service(const struct request *request, struct answer *answer,
                               const char *version, const char *resource)
{
    bool old = version && strcmp(version, "2017-09-01") == 0;
    bool fabric = version && strcmp(version, "2019-07-01-preview") == 0;
    const char *name = old || fabric ? "secret" : "X-IDENTITY-HEADER";
    if (!version || (!old && !fabric && strcmp(version, "2019-08-01") != 0))
        answer_json(answer, 400,
                    json_pack("{si ss}", "statusCode", 400, "message",
                              "The api-version is missing or not supported"));
    else if (!has_header(request, name, settings.identity_header))
        answer_json(answer, 401,
                    json_pack("{si ss}", "statusCode", 401, "message",
                              "The identity header is missing or wrong"));
    else if (!known_identity(request, old ? "clientid" : "client_id"))
        answer_json(answer, 400,
                    json_pack("{si ss}", "statusCode", 400, "message",
                              "No User Assigned or Delegated Managed Identity found"));
    else
        answer_token(answer, resource, false);
    if (old && answer->status == 200) { /* a date, not a number */
        char date[64];
        struct tm parts;
        time_t until = (time_t)(clock_seconds() + settings.token_lifetime);
        gmtime_r(&until, &parts);
        strftime(date, sizeof date, "%m/%d/%Y %H:%M:%S +00:00", &parts);
        json_object_set_new(answer->json, "expires_on", json_string(date));
    }
}

/* ---- Azure Arc ---- */

static char *arc_path(const char *fault)
{
    if (strcmp(fault, "arc-outside") == 0)
        return text_format("%s/outside.key", settings.folder);
    if (strcmp(fault, "arc-suffix") == 0)
        return text_format("%s/arc/himds.txt", settings.folder);
    if (strcmp(fault, "arc-dots") == 0)
        return text_format("%s/arc/../outside.key", settings.folder);
    return text_format("%s/arc/himds.key", settings.folder);
}

static void challenge_arc(struct answer *answer, const char *fault)
{
    static const char filler[8192] = "";
    char secret[65];
    char *path = arc_path(fault);
    char *folder = text_format("%s/arc", settings.folder);
    hex_random(secret, 32);
    mkdir(folder, 0700);
    if (strcmp(fault, "arc-big") == 0) {
        char *big = allocate(sizeof filler);
        memset(big, 'a', sizeof filler);
        file_write(path, big, sizeof filler);
        free(big);
    } else if (strcmp(fault, "arc-missing") != 0) {
        file_write(path, secret, 64);
    } else {
        remove(path);
    }
    answer_header(answer, "WWW-Authenticate", "Basic realm=%s", path);
    answer_text(answer, 401, "text/plain", "");
    free(path);
    free(folder);
}

static void answer_arc(const struct request *request, struct answer *answer, const char *version,
                       const char *resource, const char *fault)
{
    const char *given = request_header(request, "Authorization");
    char *path = text_format("%s/arc/himds.key", settings.folder), *content = file_read(path, NULL);
    if (!has_header(request, "Metadata", "true")) {
        answer_refusal(answer, 400, "invalid_request", "Required metadata header not specified");
    } else if (!version ||
               (strcmp(version, "2019-11-01") != 0 && strcmp(version, "2020-06-01") != 0)) {
        answer_refusal(answer, 400, "invalid_request",
                       "The api-version is missing or not supported");
    } else if (!given) {
        challenge_arc(answer, fault);
    } else if (content && strncmp(given, "Basic ", 6) == 0 && strcmp(given + 6, content) == 0) {
        remove(path); /* each is good once */
        answer_token(answer, resource, true);
    } else {
        answer_refusal(answer, 401, "unauthorized", "The challenge was not answered");
    }
    free(path);
    free(content);
}

/* ---- all of them ---- */

static void answer_source(const struct request *request, struct answer *answer, const char *fault)
{
    char *version = request_parameter(request, "api-version"),
         *resource = request_parameter(request, "resource");
    if (strcmp(request->path, "/cloudshell") == 0) {
        free(resource);
        resource = form_value(request->body, "resource");
    }
    if (!resource)
        answer_refusal(answer, 400, "invalid_request", "The resource is missing");
    else if (strcmp(request->path, "/metadata/identity/oauth2/token") == 0)
        answer_imds(request, answer, version, resource);
    else if (strcmp(request->path, "/msi/token") == 0)
        answer_app_service(request, answer, version, resource);
    else if (strcmp(request->path, "/arc/token") == 0)
        answer_arc(request, answer, version, resource, fault);
    else if (strcmp(request->path, "/cloudshell") == 0)
        answer_token(answer, resource, true);
    else
        answer_text(answer, 404, "text/html", "<html><body>Not Found</body></html>");
    free(version);
    free(resource);
}

void identity_handle(const struct request *request, struct answer *answer)
{
    struct active_fault fault;
    answer->operation = "identity";
    bool faulty = fault_take(&fault, AT_IDENTITY, "identity", true);
    if (faulty && fault_replaces(&fault, request, answer))
        return;
    answer_source(request, answer, faulty ? fault.name : "");
    if (faulty)
        fault_changes(&fault, request, answer);
}
