/* SPDX-License-Identifier: Apache-2.0 */
#include "milter/peers.h"

#include <arpa/inet.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/text.h"

enum { TABLE_LIMIT = 256 << 20, ESTABLISHED = 1 };

/* ---- networks ---- */

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

/* ---- the configuration ---- */

void peers_default(struct peers *peers)
{
    const struct passwd *entry = getpwnam("postfix");

    *peers = (struct peers){ .count = entry != NULL };
    peers->users[0] = entry ? entry->pw_uid : 0;
}

se_status peers_add(struct peers *peers, const char *word, se_error *err)
{
    const struct passwd *entry;

    if (strcmp(word, "*") == 0) {
        peers->anybody = true;
        return SE_OK;
    }
    if (peers->count == PEERS || peers->network_count == PEERS)
        return error_set(err, SE_ERR_CONFIG, "more than %d peers", PEERS);
    if (network_read(&peers->networks[peers->network_count], word)) {
        peers->network_count++;
        return SE_OK;
    }
    if (!(entry = getpwnam(word)))
        return error_set(err, SE_ERR_CONFIG,
                         "'%s' is neither a user of this machine nor a network, as 192.0.2.0/24",
                         word);
    peers->users[peers->count++] = entry->pw_uid;
    return SE_OK;
}

/* ---- connections ---- */

struct end {
    struct in6_addr address;
    unsigned port;
};

static bool are_same_ends(const struct end *a, const struct end *b)
{
    return a->port == b->port && IN6_ARE_ADDR_EQUAL(&a->address, &b->address);
}

static bool read_end(struct end *out, const struct sockaddr_storage *from)
{
    const struct sockaddr_in *v4 = (const void *)from;
    const struct sockaddr_in6 *v6 = (const void *)from;

    if (from->ss_family != AF_INET && from->ss_family != AF_INET6)
        return false;
    out->address = from->ss_family == AF_INET ? network_map(&v4->sin_addr) : v6->sin6_addr;
    out->port = ntohs(from->ss_family == AF_INET ? v4->sin_port : v6->sin6_port);
    return true;
}

/* As the kernel prints it: words of 32 bits as this machine has them, and the port. */
static bool read_table_end(struct end *out, const char *text)
{
    uint32_t words[4] = { 0 };
    const size_t digits = strspn(text, "0123456789ABCDEF"), count = digits / 8;
    struct in_addr v4;

    if (count != 1 && count != 4)
        return false;
    for (size_t i = 0; i < count; i++)
        if (sscanf(text + 8 * i, "%8x", &words[i]) != 1)
            return false;
    v4.s_addr = words[0];
    memcpy(&out->address, words, sizeof out->address);
    if (count == 1)
        out->address = network_map(&v4);
    return sscanf(text + digits, ":%x", &out->port) == 1;
}

/*
 * One line of the kernel's table: the peer's socket has our addresses, exchanged.  A socket that
 * its process has closed has no inode any more and shows root as its user, whoever it was.
 */
static bool read_row(uid_t *user, char *line, const struct end *ours, const struct end *theirs)
{
    char local[48], remote[48];
    unsigned state, uid;
    unsigned long inode;
    struct end ends[2];

    if (sscanf(line, " %*[^:]: %47s %47s %x %*s %*s %*s %u %*s %lu", local, remote, &state, &uid,
               &inode) != 5 ||
        state != ESTABLISHED || !inode || !read_table_end(&ends[0], local) ||
        !read_table_end(&ends[1], remote))
        return false;
    *user = (uid_t)uid;
    return are_same_ends(&ends[0], theirs) && are_same_ends(&ends[1], ours);
}

/* Finds the user of the peer's socket on this machine (RFC 1413 asks the same); false: none is
 * here. */
static bool find_user(uid_t *user, const struct end *ours, const struct end *theirs)
{
    static const char *const tables[] = { "/proc/net/tcp", "/proc/net/tcp6" };

    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        AUTO(se_buf) table = SE_BUF_INIT;
        char *rest, *line;

        if (file_read(&table, tables[i], TABLE_LIMIT, NULL))
            continue;
        rest = (char *)table.data;
        while ((line = strsep(&rest, "\n")))
            if (read_row(user, line, ours, theirs))
                return true;
    }
    return false;
}

static bool is_peer(const struct peers *peers, uid_t user)
{
    for (size_t i = 0; i < peers->count; i++)
        if (peers->users[i] == user)
            return true;
    return peers->anybody || user == 0 || user == geteuid();
}

static bool admit_local(const struct peers *peers, int fd, char who[128])
{
    struct ucred peer;
    socklen_t size = sizeof peer;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size)) {
        (void)snprintf(who, 128, "somebody whom the system does not tell");
        return peers->anybody;
    }
    (void)snprintf(who, 128, "the user with the ID %lu, process %ld", (unsigned long)peer.uid,
                   (long)peer.pid);
    return is_peer(peers, peer.uid);
}

static bool admit_inet(const struct peers *peers, const struct end *ours, const struct end *theirs,
                       char who[128])
{
    char address[INET6_ADDRSTRLEN] = "";
    uid_t user;

    (void)inet_ntop(AF_INET6, &theirs->address, address, sizeof address);
    if (peers->anybody || networks_hold(peers->networks, peers->network_count, &theirs->address))
        return true;
    if (!find_user(&user, ours, theirs)) {
        (void)snprintf(who, 128, "%s, where no user of this machine is", address);
        return false;
    }
    (void)snprintf(who, 128, "the user with the ID %lu, from %s", (unsigned long)user, address);
    return is_peer(peers, user);
}

bool peers_admit(const struct peers *peers, int fd, char who[128])
{
    struct sockaddr_storage here = { .ss_family = AF_UNSPEC }, there = { .ss_family = AF_UNSPEC };
    socklen_t here_size = sizeof here, there_size = sizeof there;
    struct end ours, theirs;

    if (getsockname(fd, (struct sockaddr *)&here, &here_size) ||
        getpeername(fd, (struct sockaddr *)&there, &there_size)) {
        (void)snprintf(who, 128, "somebody who has gone");
        return false;
    }
    if (here.ss_family == AF_UNIX)
        return admit_local(peers, fd, who);
    return read_end(&ours, &here) && read_end(&theirs, &there) &&
           admit_inet(peers, &ours, &theirs, who);
}
