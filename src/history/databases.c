#include <stdio.h>

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
#ifdef HAVE_POSTGRESQL
    (void)error_set(err, SE_ERR_USAGE, "'%s' is no store: sqlite:PATH or postgresql://...", address);
#else
    (void)error_set(err, SE_ERR_USAGE, "'%s' is no store: sqlite:PATH (postgresql:// was not built in)", address);
#endif
    return NULL;
}

/* "postgresql://user:password@host/..." without the password */
char *database_shown(const char *address)
{
    const char *host = strchr(address, '@'), *user = strstr(address, "://"), *password;
    char *shown;

    if (!user || !host || !(password = memchr(user + 3, ':', (size_t)(host - user - 3))))
        return strdup(address);
    return asprintf(&shown, "%.*s%s", (int)(password - address), address, host) < 0 ? NULL : shown;
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
