#include "provision/shelf.h"

/* The only place that knows all shelves. */
static const struct {
    const char *store;
    const struct shelf_type *type;
} shelves[] = { { "HSM", &token_shelf }, { "pkcs12", &pkcs12_shelf }, { "pem", &pem_shelf } };

se_status shelf_open(struct shelf **out, const struct target *target, enum access access,
                     se_error *err)
{
    *out = NULL;
    for (size_t i = 0; i < sizeof shelves / sizeof *shelves; i++)
        if (strcmp(shelves[i].store, target->ref.store) == 0)
            return shelves[i].type->open(out, target, access, err);
    return error_set(err, SE_ERR_USAGE, "keys in '%s' are made with its own tools",
                     target->ref.store);
}

void shelf_close(struct shelf *shelf)
{
    if (shelf)
        shelf->type->close(shelf);
}

void pair_free(struct pair *pair)
{
    EVP_PKEY_free(pair->private);
    EVP_PKEY_free(pair->public);
    *pair = (struct pair){ NULL, NULL };
}
