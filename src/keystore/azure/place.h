/* SPDX-License-Identifier: Apache-2.0 */
/* Where a vault is, who vouches for its callers, and how its objects are named. */
#ifndef KEYSTORE_AZURE_PLACE_H
#define KEYSTORE_AZURE_PLACE_H

#include "config/config.h"

enum vault_kind {
    VAULT_KEY_VAULT,
    VAULT_MANAGED_HSM,
};

struct vault_place {
    enum vault_kind kind;
    char *base;      /* "https://name.vault.azure.net", without a slash at the end */
    char *host;      /* "name.vault.azure.net" */
    char *resource;  /* whom its tokens are for: "https://vault.azure.net" */
    char *authority; /* "https://login.microsoftonline.com", without a slash at the end; "": none */
};

/* Of the configured store. */
enum vault_kind place_kind(const struct keyref *ref);

/* Whether the alias names a certificate that the vault keeps, with its key: as `mode` says, else
 * unless the configuration has the certificate. */
bool place_names_certificate(const struct keyref *ref);

/*
 * From locationValue, and from `resource` and `authority` where they are given; else by the table
 * of clouds.  Letters of the host become small ones.  SE_ERR_CONFIG: one of them is no such
 * address, the host is of the other kind, or it is in no cloud that is known and not both are
 * given.
 */
SE_MUST_CHECK se_status place_find(struct vault_place *out, const struct keyref *ref,
                                   se_error *err);
/* False: out of memory, and *out is for place_free() all the same. */
bool place_copy(struct vault_place *out, const struct vault_place *place);
void place_free(struct vault_place *place);
AUTO_KIND(vault_place, struct vault_place, place_free(p))

/* How long an address is without slashes at its end. */
size_t place_address_size(const char *address);

/* Whether a token for `resource`, an https:// address, may be sent to `host`, a name without a
 * port: it is the resource's host, or below it.  A resource of one label, "https://net", has none
 * below.
 */
bool place_is_within(const char *host, const char *resource);

/* "https://vault/keys/NAME/VERSION", of this place. */
struct object_id {
    char name[128], version[33]; /* version "": none is said */
};
/* `collection`: "keys", "certificates".  SE_ERR_STORE: it is of another vault, or not such an id.
 */
SE_MUST_CHECK se_status object_id_parse(struct object_id *out, const struct vault_place *place,
                                        const char *collection, const char *id, se_error *err);

#endif
