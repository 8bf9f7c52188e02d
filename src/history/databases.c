#include "base/text.h"
#include "history/database.h"

static const struct database_type *const types[] = {
    &sqlite_database,
#ifdef HAVE_POSTGRESQL
    &postgres_database,
#endif
};

const struct database_type *database_type_of(const char *address, se_error *err)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (text_starts(address, types[i]->scheme))
            return types[i];
            /* no more of it is told: a password may follow */
#ifdef HAVE_POSTGRESQL
    (void)error_set(err, SE_ERR_USAGE, "'%.*s' is no store: sqlite:PATH or postgresql://...",
                    (int)strcspn(address, ":=@?"), address);
#else
    (void)error_set(err, SE_ERR_USAGE,
                    "'%.*s' is no store: sqlite:PATH (postgresql:// was not built in)",
                    (int)strcspn(address, ":=@?"), address);
#endif
    return NULL;
}

se_status database_open(struct database **out, const char *address, bool create, se_error *err)
{
    const struct database_type *type = database_type_of(address, err);

    *out = NULL;
    return type ? type->open(out, address, create, err) : SE_ERR_USAGE;
}

void database_close(struct database **store)
{
    if (*store)
        (*store)->type->close(*store);
    *store = NULL;
}

void database_abandon(struct database *store)
{
    (void)store->type->end(store, false, NULL);
}
