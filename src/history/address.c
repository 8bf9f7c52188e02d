/* Addresses of stores, of which messages may have all but passwords. */
#include <stdlib.h>

#include "base/text.h"
#include "history/database.h"

/* What follows user and password, as libpq sees it: they end at the first "@", if no "/" comes
 * before it. */
static const char *host_of(const char *user)
{
    const char *end = user + strcspn(user, "@/");

    return *end == '@' ? end + 1 : user;
}

/* An "@" further on, but for the values of parameters, is the end of a password that has more of
 * its like in it. */
bool address_clear(const char *address)
{
    const char *user = strstr(address, "://");
    const char *host = user ? host_of(user + 3) : "";

    return !memchr(host, '@', strcspn(host, "="));
}

/* The parameters that are no secrets; libpq may know more of those than we do. */
static void put_parameters(struct writer *w, const char *parameters)
{
    static const char *const plain[] = { "host=",   "hostaddr=", "port=",
                                         "dbname=", "user=",     "sslmode=" };
    char before = '?';

    for (const char *at = parameters; *at++; at += strcspn(at, "&"))
        for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
            if (text_starts(at, plain[i])) {
                writer_put(w, &before, 1);
                writer_put(w, at, strcspn(at, "&"));
                before = '&';
            }
}

char *address_shown(const char *address)
{
    AUTO(writer) w = { 0 };
    const char *user = strstr(address, "://"), *host;

    if (text_starts(address, sqlite_database.scheme) || !user)
        return strdup(address);
    user += 3;
    host = host_of(user);
    writer_put(&w, address, (size_t)(user - address));
    if (!address_clear(address))
        writer_text(&w, "...");
    else {
        if (host > user)
            writer_format(&w, "%.*s@", (int)strcspn(user, ":@"), user);
        writer_put(&w, host, strcspn(host, "?"));
        put_parameters(&w, host + strcspn(host, "?"));
    }
    return w.failed ? NULL : strndup((const char *)w.buf.data, w.buf.size);
}
