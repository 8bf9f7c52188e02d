#include <stdio.h>

#include "base/text.h"
#include "history/archive.h"

static const struct archive_type *const types[] = {
    &sqlite_archive,
#ifdef HAVE_POSTGRESQL
    &postgres_archive,
#endif
};

const struct archive_type *archive_type_of(const char *address, se_error *err)
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
char *archive_shown(const char *address)
{
    const char *host = strchr(address, '@'), *user = strstr(address, "://"), *password;
    char *shown;

    if (!user || !host || !(password = memchr(user + 3, ':', (size_t)(host - user - 3))))
        return strdup(address);
    return asprintf(&shown, "%.*s%s", (int)(password - address), address, host) < 0 ? NULL : shown;
}

se_status archive_open(struct archive **out, const char *address, bool create, se_error *err)
{
    const struct archive_type *type = archive_type_of(address, err);

    *out = NULL;
    return type ? type->open(out, address, create, err) : SE_ERR_USAGE;
}

void archive_close(struct archive **store)
{
    if (*store)
        (*store)->type->close(*store);
    *store = NULL;
}

void archive_abandon(struct archive *store)
{
    (void)store->type->end(store, false, NULL);
}
