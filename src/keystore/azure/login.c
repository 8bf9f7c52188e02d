/* SPDX-License-Identifier: Apache-2.0 */
#include "keystore/azure/login.h"

#include <openssl/crypto.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/fork_lock.h"
#include "keystore/azure/guid.h"
#include "keystore/azure/login_state.h"

static struct login *logins;

/* ---- how it proves who it is ---- */

/* The only place that knows all credentials. */
static const struct credential_type *const types[] = {
    &secret_credential,           &certificate_credential,
    &managed_identity_credential, &workload_identity_credential,
    &environment_credential,
};

static se_status find_credential(const struct credential_type **out, const struct keyref *ref,
                                 se_error *err)
{
    enum credential kind = ref->credential;

    if (!kind && keyref_has_pin(ref))
        kind = CREDENTIAL_SECRET;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        *out = types[i];
        if (types[i]->kind == kind)
            return SE_OK;
    }
    *out = NULL;
    return error_set(err, SE_ERR_CONFIG,
                     "nothing says how to log in: credential must be secret, certificate, "
                     "managedIdentity, workloadIdentity or environment");
}

/* ---- its life ---- */

static void login_free(struct login *login)
{
    se_buf_free(&login->header);
    http_pool_close(login->pool);
    place_free(&login->place);
    keyref_release(login->ref);
    free(login);
}

static se_status open_pool(struct login *login, se_error *err)
{
    const struct http_settings settings = {
        .ca_file = login->ref->ca_file,
        .proxy = login->type->is_local ? "" : login->ref->proxy,
        .connections = 1,
        .keep_alive = 60,
        .is_plain = login->type->is_local,
    };

    return http_pool_open(&login->pool, &settings, err);
}

static se_status login_new(struct login **out, const struct keyref *ref,
                           const struct credential_type *type, const struct vault_place *place,
                           se_error *err)
{
    struct login *login = calloc(1, sizeof *login);
    se_status st;

    *out = NULL;
    if (!login)
        return error_memory(err);
    login->refs = 1;
    login->ref = keyref_hold(ref);
    login->type = type;
    st = login->ref && place_copy(&login->place, place) ? open_pool(login, err) : error_memory(err);
    if (st) {
        login_free(login);
        return st;
    }
    *out = login;
    return SE_OK;
}

/* ---- the table; with the lock held ---- */

static bool has_same_secret(const struct keyref *one, const struct keyref *other)
{
    return !strcmp(one->pin_source, other->pin_source) &&
           !strcmp(one->pin_scrambled, other->pin_scrambled) &&
           (!*one->pin_scrambled || !strcmp(one->pin_key, other->pin_key)) &&
           one->pin.size == other->pin.size &&
           (!one->pin.size || !CRYPTO_memcmp(one->pin.data, other->pin.data, one->pin.size));
}

static bool is_same_login(const struct login *login, const struct keyref *ref,
                          const struct credential_type *type, const struct vault_place *place)
{
    const struct keyref *own = login->ref;

    return login->type == type && !strcmp(login->place.authority, place->authority) &&
           !strcmp(own->authority, ref->authority) &&
           !strcmp(login->place.resource, place->resource) && !strcmp(own->tenant, ref->tenant) &&
           !strcmp(own->client, ref->client) && !strcmp(own->ca_file, ref->ca_file) &&
           !strcmp(own->proxy, ref->proxy) && own->signer == ref->signer &&
           has_same_secret(own, ref);
}

static struct login *find_login(const struct keyref *ref, const struct credential_type *type,
                                const struct vault_place *place)
{
    struct login *login = logins;

    while (login && !is_same_login(login, ref, type, place))
        login = login->next;
    if (login)
        login->refs++;
    return login;
}

/* One of the parent's: its thread is not here, and what it holds is let go in its place. */
void login_forget_foreign(struct login *login)
{
    if (!login->is_flying || login->generation == fork_generation())
        return;
    login->is_flying = false;
    login->waiters = NULL;
    login->breaker.probing = false;
    login->refs--; /* never the last: the caller has one */
}

/* True: it was the last one, and the caller frees it. */
static bool drop_login(struct login *login)
{
    struct login **place = &logins;

    login_forget_foreign(login);
    if (--login->refs)
        return false;
    while (*place && *place != login)
        place = &(*place)->next;
    if (*place)
        *place = login->next;
    return true;
}

/* ---- */

static struct login *look_up_login(const struct keyref *ref, const struct credential_type *type,
                                   const struct vault_place *place)
{
    struct login *login;

    fork_lock_take();
    login = find_login(ref, type, place);
    fork_lock_give();
    return login;
}

/* Another thread may have put an equal one there: that is the one. */
static struct login *share_login(struct login *made)
{
    struct login *found;

    fork_lock_take();
    if (!(found = find_login(made->ref, made->type, &made->place))) {
        made->next = logins;
        logins = made;
    }
    fork_lock_give();
    if (!found)
        return made;
    login_free(made);
    return found;
}

se_status login_open(struct login **out, const struct keyref *ref, const struct vault_place *place,
                     se_error *err)
{
    const struct credential_type *type;
    struct login *made;

    *out = NULL;
    TRY(find_credential(&type, ref, err));
    /* where the configuration names the resource itself, that is what vaults are compared with */
    if (!*ref->resource && !place_is_within(place->host, place->resource))
        return error_set(err, SE_ERR_CONFIG, "'%s' is no host of '%s', whose tokens it would get",
                         place->host, place->resource);
    if ((*out = look_up_login(ref, type, place)))
        return SE_OK;
    TRY(login_new(&made, ref, type, place, err));
    *out = share_login(made);
    return SE_OK;
}

void login_close(struct login *login)
{
    bool is_last;

    if (!login)
        return;
    fork_lock_take();
    is_last = drop_login(login);
    fork_lock_give();
    if (is_last)
        login_free(login);
}

/* ---- tokens that a vault refuses ---- */

/* A vault that may choose for whom a token is could pass it on there: ours are for the resource
 * that stands above its host, or that the configuration names. */
static se_status check_resource(const struct login *login, const char *resource, se_error *err)
{
    const char *own = login->place.resource;
    size_t size = place_address_size(own);

    if (!*resource || (size == place_address_size(resource) && !strncasecmp(own, resource, size)))
        return SE_OK;
    return error_set(err, SE_ERR_STORE,
                     "the vault wants a token for '%.200s', and this login is for '%.200s': it "
                     "gets none%s",
                     resource, own,
                     place_is_within(login->place.host, resource)
                         ? "; if it is right, say so by 'resource'"
                         : "");
}

/* A name cannot be compared with a GUID. */
static se_status check_tenant(const struct login *login, const char *tenant, se_error *err)
{
    const char *own = credential_tenant(login->type, login->ref);

    if (!*tenant || !*own || !strcasecmp(own, tenant) || guid_is(own) != guid_is(tenant))
        return SE_OK;
    return error_set(
        err, SE_ERR_STORE,
        "the vault takes tokens of the tenant '%.100s', and this login is with '%.100s'", tenant,
        own);
}

/* Base64 of either alphabet, padded or not. */
static se_status decode_claims(char out[CLAIMS_ROOM], const char *claims, se_error *err)
{
    struct base64_reader reader = { 0 };
    char text[CLAIMS_ROOM] = "";
    size_t size = strlen(claims);

    if (size >= sizeof text)
        return error_set(err, SE_ERR_STORE, "the vault's challenge has claims of %zu bytes", size);
    for (size_t i = 0; i < size; i++)
        text[i] = claims[i] == '-' ? '+' : claims[i] == '_' ? '/' : claims[i];
    memset(out, 0, CLAIMS_ROOM);
    size = base64_read((unsigned char *)out, &reader, text_bytes(text));
    size += base64_read_end((unsigned char *)out + size, &reader);
    return strlen(out) == size
               ? SE_OK
               : error_set(err, SE_ERR_STORE, "the vault's challenge has claims that are no text");
}

static bool has_header(const struct login *login, const se_buf *header)
{
    return login->header.size && login->header.size == header->size &&
           !CRYPTO_memcmp(login->header.data, header->data, header->size);
}

se_status login_refused(struct login *login, const se_buf *header,
                        const struct challenge *challenge, se_error *err)
{
    AUTO(se_buf) old = SE_BUF_INIT;
    char claims[CLAIMS_ROOM];

    TRY(check_resource(login, challenge->resource, err));
    TRY(check_tenant(login, challenge->tenant, err));
    TRY(decode_claims(claims, challenge->claims, err));
    fork_lock_take();
    login_forget_foreign(login);
    if (has_header(login, header)) {
        old = buf_move(&login->header);
        if (*claims) {
            memcpy(login->claims, claims, sizeof claims);
            login->claims_count++;
        }
    }
    fork_lock_give();
    return SE_OK;
}
