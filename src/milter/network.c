#include "milter/network.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/text.h"

struct in6_addr network_map(const struct in_addr *v4)
{
    struct in6_addr mapped = { .s6_addr = { [10] = 0xff, [11] = 0xff } };

    memcpy(mapped.s6_addr + 12, v4, sizeof *v4);
    return mapped;
}

bool network_read(struct network *out, const char *text)
{
    char address[64] = "";
    const char *slash = strchr(text, '/');
    size_t size = slash ? (size_t)(slash - text) : strlen(text);
    unsigned long bits = 128;
    struct in_addr v4;

    if (size >= sizeof address)
        return false;
    memcpy(address, text, size);
    if (inet_pton(AF_INET, address, &v4) == 1) {
        out->address = network_map(&v4);
        bits = 32;
        if (slash && !text_number(&bits, slash + 1, 32))
            return false;
        bits += 96;
    } else if (inet_pton(AF_INET6, address, &out->address) != 1 ||
               (slash && !text_number(&bits, slash + 1, 128)))
        return false;
    out->bits = (unsigned)bits;
    return true;
}

static bool network_holds(const struct network *network, const struct in6_addr *address)
{
    for (unsigned bit = 0; bit < network->bits; bit++) {
        unsigned char mask = (unsigned char)(0x80 >> bit % 8);

        if ((network->address.s6_addr[bit / 8] ^ address->s6_addr[bit / 8]) & mask)
            return false;
    }
    return true;
}

bool networks_hold(const struct network *list, size_t count, const struct in6_addr *address)
{
    for (size_t i = 0; i < count; i++)
        if (network_holds(&list[i], address))
            return true;
    return false;
}
