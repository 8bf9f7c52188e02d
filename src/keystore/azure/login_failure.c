/* SPDX-License-Identifier: Apache-2.0 */
/* What the failures of Entra and of managed identities mean, and what can be done about them. */
#include "keystore/azure/service_error.h"

static const struct failure_row rows[] = {
    { 400, 499, 7000215, NULL, NULL, SE_ERR_ACCESS,
      "the client secret is wrong: its value is needed, not its ID (pin)" },
    { 400, 499, 7000222, NULL, NULL, SE_ERR_ACCESS,
      "the client secret has expired: make a new one for the application" },
    { 400, 499, 700016, NULL, NULL, SE_ERR_ACCESS,
      "the tenant has no such application: check `client` and `tenant`" },
    { 400, 499, 7000229, NULL, NULL, SE_ERR_ACCESS,
      "the application has no service principal in this tenant: check `tenant`, or add it there" },
    { 400, 499, 7000112, NULL, NULL, SE_ERR_ACCESS, "the application is disabled in Entra" },
    { 400, 499, 90002, NULL, NULL, SE_ERR_ACCESS,
      "there is no such tenant: check `tenant`, and `authority` of clouds other than the public "
      "one" },
    { 400, 499, 900023, NULL, NULL, SE_ERR_ACCESS,
      "the tenant is neither an ID nor a domain of one: check `tenant`" },
    { 400, 499, 700027, NULL, "key was not found", SE_ERR_ACCESS,
      "the certificate is not registered with the application: upload it there, or name the right "
      "`credentialKey`" },
    { 400, 499, 700027, NULL, NULL, SE_ERR_ACCESS,
      "the signature of the assertion is not taken: do the certificate and its key belong "
      "together?" },
    { 400, 499, 700024, NULL, NULL, SE_ERR_ACCESS,
      "the assertion is too old or too new: is the clock of this machine right, and the federated "
      "token fresh?" },
    { 400, 499, 7000218, NULL, NULL, SE_ERR_ACCESS,
      "the application has to prove itself by a secret or a certificate: check `credential`" },
    { 400, 499, 7000216, NULL, NULL, SE_ERR_ACCESS,
      "the application has to prove itself by a secret or a certificate: check `credential`" },
    { 400, 499, 70021, NULL, NULL, SE_ERR_ACCESS,
      "no federated credential of the application has this token's issuer, subject and audience" },
    { 400, 499, 700211, NULL, NULL, SE_ERR_ACCESS,
      "no federated credential of the application has this token's issuer, subject and audience" },
    { 400, 499, 700212, NULL, NULL, SE_ERR_ACCESS,
      "no federated credential of the application has this token's issuer, subject and audience" },
    { 400, 499, 700213, NULL, NULL, SE_ERR_ACCESS,
      "no federated credential of the application has this token's issuer, subject and audience" },
    { 400, 499, 53003, NULL, NULL, SE_ERR_ACCESS,
      "conditional access forbids it: from this address, say" },
    { 400, 499, 500011, NULL, NULL, SE_ERR_STORE,
      "the tenant does not know what the token is to be for: check `resource`" },
    { 400, 499, 90033, NULL, NULL, SE_ERR_UNAVAILABLE,
      "the login service has a failure of its own" },
    { 400, 499, 0, "temporarily_unavailable", NULL, SE_ERR_UNAVAILABLE,
      "the login service has no time just now" },
    { 400, 499, 0, "server_error", NULL, SE_ERR_UNAVAILABLE,
      "the login service has a failure of its own" },
    /* of a managed identity */
    { 400, 499, 0, NULL, "Identity not found", SE_ERR_ACCESS,
      "this machine has no such managed identity: assign one to it, or check `client`" },
    { 400, 499, 0, "invalid_client", NULL, SE_ERR_ACCESS,
      "the login service does not take what the application proves itself by" },
    { 400, 499, 0, "unauthorized_client", NULL, SE_ERR_ACCESS,
      "the application may not log in this way" },
    { 400, 499, 0, "invalid_grant", NULL, SE_ERR_ACCESS,
      "the login service does not take what the application proves itself by" },
    { 400, 499, 0, "access_denied", NULL, SE_ERR_ACCESS, "the login service forbids it" },
    { 400, 499, 0, "interaction_required", NULL, SE_ERR_ACCESS,
      "a person would have to log in, which no program can" },
    { 400, 499, 0, "invalid_tenant", NULL, SE_ERR_ACCESS,
      "there is no such tenant: check `tenant`" },
    { 400, 499, 0, "invalid_resource", NULL, SE_ERR_STORE,
      "the tenant does not know what the token is to be for: check `resource`" },
    { 400, 499, 0, "invalid_scope", NULL, SE_ERR_STORE,
      "the tenant does not know what the token is to be for: check `resource`" },
    { 401, 401, 0, NULL, NULL, SE_ERR_ACCESS, "the login service does not say why it refuses" },
    { 403, 403, 0, NULL, NULL, SE_ERR_ACCESS, "the login service does not say why it refuses" },
    /* how a metadata service says that it is not ready; no login service of Entra does */
    { 404, 404, 0, NULL, NULL, SE_ERR_UNAVAILABLE, "the login service is not ready" },
    { 410, 410, 0, NULL, NULL, SE_ERR_UNAVAILABLE, "the login service is being updated" },
    { 407, 407, 0, NULL, NULL, SE_ERR_STORE,
      "the proxy wants a login, which it does not get: name one with its login (proxy)" },
    { 408, 408, 0, NULL, NULL, SE_ERR_UNAVAILABLE, "the server waited too long for the request" },
    { 429, 429, 0, NULL, NULL, SE_ERR_UNAVAILABLE,
      "the login service is throttled: more requests came than it takes" },
    { 300, 399, 0, NULL, NULL, SE_ERR_STORE,
      "what answers there redirects, which is not followed: is the address right, or a proxy in "
      "between?" },
    { 500, 599, 0, NULL, NULL, SE_ERR_UNAVAILABLE, "the login service has a failure of its own" },
    { 0, 999, 0, NULL, NULL, SE_ERR_STORE, "the login service does not take the request" },
};

static const struct failure_row page_rows[] = {
    { 0, 999, 0, NULL, NULL, SE_ERR_STORE, "no login service answers there: check `authority`" },
};

se_status answer_login_failure(const struct http_answer *answer, const char *what, se_error *err)
{
    struct service_error error;

    service_error_read(&error, answer);
    /* a metadata service never has pages */
    if (answer->status == 404 && error.looks && strstr(error.looks, "HTML"))
        return service_error_tell(page_rows, 1, &error, answer, what, err);
    return service_error_tell(rows, sizeof rows / sizeof *rows, &error, answer, what, err);
}
