/* SPDX-License-Identifier: Apache-2.0 */
/* What the failures of a vault mean, and what can be done about them. */
#include "keystore/azure/service_error.h"

/* What several rows say. */
#define SPREADS  "a role that was given just now takes minutes to spread"
#define NO_ROLE  "the login has no role that allows it; " SPREADS
#define NO_RIGHT "the login may not do this; " SPREADS
#define DISABLED "it is disabled: enable it in the vault, or use another version"
#define EXPIRED                                                                                    \
    "it has expired: the vault only decrypts and verifies with it, and a newer version has to "    \
    "sign"
#define NOT_YET      "it is not valid yet: until then the vault only decrypts and verifies with it"
#define NOT_FOR_THIS "the key is not for this: its operations (key_ops) don't include it"
#define FIREWALL                                                                                   \
    "the vault's firewall keeps this machine out: let its address in, or use a private link"
#define MANAGED "a certificate of the vault manages it: only the certificate can be changed"
#define BACKUP  "the vault does not take this backup: it is damaged, or of another vault"

static const struct failure_row rows[] = {
    { 401, 401, 0, NULL, "AKV10022", SE_ERR_ACCESS,
      "the token is for another resource: check `resource`" },
    { 401, 401, 0, NULL, "AKV10032", SE_ERR_ACCESS,
      "the vault belongs to another tenant: check `tenant`" },
    { 401, 401, 0, NULL, NULL, SE_ERR_ACCESS, "the vault does not take the login's token" },
    { 403, 403, 0, "ForbiddenByRbac", NULL, SE_ERR_ACCESS, NO_ROLE },
    { 403, 403, 0, "ForbiddenByPolicy", NULL, SE_ERR_ACCESS,
      "the vault's access policies don't allow it to the login; a change takes minutes to spread" },
    { 403, 403, 0, "ForbiddenByFirewall", NULL, SE_ERR_ACCESS, FIREWALL },
    { 403, 403, 0, "ForbiddenByConnection", NULL, SE_ERR_ACCESS, FIREWALL },
    { 403, 403, 0, "AccessDenied", NULL, SE_ERR_ACCESS, NO_RIGHT },
    { 403, 403, 0, "KeyDisabled", NULL, SE_ERR_POLICY, DISABLED },
    { 403, 403, 0, "CertificateDisabled", NULL, SE_ERR_POLICY, DISABLED },
    { 403, 403, 0, "SecretDisabled", NULL, SE_ERR_POLICY, DISABLED },
    { 403, 403, 0, "KeyExpired", NULL, SE_ERR_POLICY, EXPIRED },
    { 403, 403, 0, "KeyNotYetValid", NULL, SE_ERR_POLICY, NOT_YET },
    { 403, 403, 0, "KeyOperationForbidden", NULL, SE_ERR_POLICY, NOT_FOR_THIS },
    { 403, 403, 0, "KeyManagedByKeyVault", NULL, SE_ERR_POLICY, MANAGED },
    { 403, 403, 0, "SecretManagedByKeyVault", NULL, SE_ERR_POLICY, MANAGED },
    /* a Managed HSM has no inner codes; what is disabled or not authorized need not be a key */
    { 403, 403, 0, NULL, "public network access", SE_ERR_ACCESS, FIREWALL },
    { 403, 403, 0, NULL, "client address is not authorized", SE_ERR_ACCESS, FIREWALL },
    { 403, 403, 0, NULL, "not authorized", SE_ERR_ACCESS, NO_ROLE },
    { 403, 403, 0, NULL, "a disabled ", SE_ERR_POLICY, DISABLED },
    { 403, 403, 0, NULL, "is disabled", SE_ERR_POLICY, DISABLED },
    { 403, 403, 0, NULL, "an expired ", SE_ERR_POLICY, EXPIRED },
    { 403, 403, 0, NULL, "has expired", SE_ERR_POLICY, EXPIRED },
    { 403, 403, 0, NULL, "is expired", SE_ERR_POLICY, EXPIRED },
    { 403, 403, 0, NULL, "not yet valid", SE_ERR_POLICY, NOT_YET },
    { 403, 403, 0, NULL, "not valid yet", SE_ERR_POLICY, NOT_YET },
    { 403, 403, 0, NULL, "not permitted on this key", SE_ERR_POLICY, NOT_FOR_THIS },
    { 403, 403, 0, NULL, NULL, SE_ERR_ACCESS, NO_RIGHT },
    { 404, 404, 0, "KeyNotFound", NULL, SE_ERR_KEY,
      "the vault has no such key, or no such version of it; a deleted one can be recovered" },
    { 404, 404, 0, "CertificateNotFound", NULL, SE_ERR_KEY,
      "the vault has no such certificate, or no such version of it; a deleted one can be "
      "recovered" },
    { 404, 404, 0, "PendingCertificateNotFound", NULL, SE_ERR_KEY,
      "the vault has no open request for this certificate" },
    { 404, 404, 0, "", NULL, SE_ERR_STORE, "no vault answers there: check `locationValue`" },
    { 404, 404, 0, NULL, NULL, SE_ERR_KEY, "the vault has no such object" },
    { 409, 409, 0, "ObjectIsBeingDeleted", NULL, SE_ERR_USAGE,
      "one of that name is being deleted: try again in a minute" },
    { 409, 409, 0, "ObjectIsDeletedButRecoverable", NULL, SE_ERR_USAGE,
      "the name belongs to a deleted one: recover that, purge it, or take another name" },
    { 409, 409, 0, NULL, "restore operation is in progress", SE_ERR_USAGE,
      "the vault is being restored: try again when that has ended" },
    { 409, 409, 0, NULL, NULL, SE_ERR_USAGE,
      "the name is taken, or somebody else is changing it just now" },
    { 400, 400, 0, "Malformed backup blob", NULL, SE_ERR_STORE, BACKUP },
    { 400, 400, 0, "MalformedBackupBlob", NULL, SE_ERR_STORE, BACKUP },
    { 400, 400, 0, NULL, "api-version", SE_ERR_STORE,
      "the vault does not know the version of its interface: check `apiVersion`" },
    { 407, 407, 0, NULL, NULL, SE_ERR_STORE,
      "the proxy wants a login, which it does not get: name one with its login (proxy)" },
    { 408, 408, 0, NULL, NULL, SE_ERR_UNAVAILABLE, "the server waited too long for the request" },
    { 429, 429, 0, NULL, NULL, SE_ERR_UNAVAILABLE,
      "the vault is throttled: more requests came than it takes" },
    { 300, 399, 0, NULL, NULL, SE_ERR_STORE,
      "what answers there redirects, which is not followed: is the address right, or a proxy in "
      "between?" },
    { 500, 599, 0, NULL, NULL, SE_ERR_UNAVAILABLE, "the vault has a failure of its own" },
    { 0, 999, 0, NULL, NULL, SE_ERR_STORE, "the vault does not take the request" },
};

se_status answer_failure(const struct http_answer *answer, const char *what, se_error *err)
{
    struct service_error error;

    service_error_read(&error, answer);
    return service_error_tell(rows, sizeof rows / sizeof *rows, &error, answer, what, err);
}
