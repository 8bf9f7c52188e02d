/* Networks, as 192.0.2.0/24 or 2001:db8::/32. */
#ifndef MILTER_NETWORK_H
#define MILTER_NETWORK_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

struct network {
    struct in6_addr address; /* IPv4 as ::ffff:a.b.c.d */
    unsigned bits;
};

/* False: it is none. */
bool network_read(struct network *out, const char *text);

/* An address of IPv4 as struct network has it. */
struct in6_addr network_map(const struct in_addr *v4);

/* Whether it belongs to one of them. */
bool networks_hold(const struct network *list, size_t count, const struct in6_addr *address);

#endif
