/* SPDX-License-Identifier: Apache-2.0 */
/* An HTTP proxy that knows CONNECT and, for real hosts' names, leads to the emulator's ports. */
#include "tests/azure/emulator.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char *wanted; /* "Basic ..." */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void proxy_password_set(const char *user, const char *password)
{
    char *pair = text_format("%s:%s", user, password),
         *code = base64_encode((unsigned char *)pair, strlen(pair));
    pthread_mutex_lock(&lock);
    free(wanted);
    wanted = text_format("Basic %s", code);
    pthread_mutex_unlock(&lock);
    free(pair);
    free(code);
}

static bool may_pass(const struct request *request)
{
    const char *given = request_header(request, "Proxy-Authorization");
    pthread_mutex_lock(&lock);
    bool may = !wanted || (given && strcmp(given, wanted) == 0);
    pthread_mutex_unlock(&lock);
    return may;
}

/* The port of ours that plays this host, or 0. */
static int find_target(const char *target)
{
    char host[256];
    const char *colon = strrchr(target, ':');
    int number = colon ? atoi(colon + 1) : 443;
    snprintf(host, sizeof host, "%.*s", colon ? (int)(colon - target) : 255, target);
    if (text_ends(host, "localhost") || strcmp(host, "127.0.0.1") == 0) {
        for (int i = 0; i < PORTS; i++)
            if (settings.ports[i] == number)
                return number;
        return 0;
    }
    if (strstr(host, ".vault.") || strstr(host, ".managedhsm."))
        return settings.ports[PORT_VAULT];
    if (strncmp(host, "login.", 6) == 0)
        return settings.ports[PORT_AUTHORITY];
    return 0;
}

static int connect_port(int number)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)number) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool copy_part(int from, int to)
{
    char block[16384];
    ssize_t got = recv(from, block, sizeof block, 0);
    return got > 0 && send(to, block, (size_t)got, MSG_NOSIGNAL) == got;
}

static void copy_both_ways(int a, int b)
{
    struct pollfd fds[2] = { { a, POLLIN, 0 }, { b, POLLIN, 0 } };
    while (poll(fds, 2, -1) > 0) {
        if (fds[0].revents && !copy_part(a, b))
            return;
        if (fds[1].revents && !copy_part(b, a))
            return;
    }
}

static void refuse(struct connection *c, int status, const char *header)
{
    struct answer answer = { .status = status };
    answer_text(&answer, status, "text/plain", "");
    if (header)
        answer_header(&answer, "Proxy-Authenticate", "%s", header);
    http_write(c, &answer, false);
    answer_free(&answer);
}

void proxy_serve(struct connection *c)
{
    struct request request;
    int fd = -1;
    if (http_read(c, &request) == READ_REQUEST) {
        bool connects = strcmp(request.method, "CONNECT") == 0;
        int number = connects ? find_target(request.path) : 0;
        log_note(PORT_PROXY, json_pack("{ss ss}", "method", request.method, "host",
                                       connects ? request.path : request.host));
        if (!may_pass(&request))
            refuse(c, 407, "Basic realm=\"proxy\"");
        else if (!number || (fd = connect_port(number)) < 0)
            refuse(c, 502, NULL);
        else if (connection_write(c, "HTTP/1.1 200 Connection established\r\n\r\n", 39))
            copy_both_ways(c->fd, fd);
    }
    if (fd >= 0)
        close(fd);
    request_free(&request);
}
