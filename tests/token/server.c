/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/token/server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/token/fixture.h"

enum { START_MS = 5000 };

void server_needed(void)
{
    if (!system("command -v p11-kit >/dev/null && p11-kit server --help >/dev/null 2>&1"))
        return;
    print_message("SKIPPED: p11-kit server is not installed\n");
    exit(77);
}

static const char *socket_of(const struct server *server)
{
    char name[100];

    snprintf(name, sizeof name, "%s.socket", server->token);
    return file_of(name);
}

static void serve(const struct server *server)
{
    char token[120];

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    snprintf(token, sizeof token, "pkcs11:token=%s", server->token);
    if (freopen("/dev/null", "w", stdout))
        execlp("p11-kit", "p11-kit", "server", "--foreground", "--name", socket_of(server),
               "--provider", softhsm, token, NULL);
    _exit(127);
}

static bool accepts(const struct server *server)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool accepted;

    snprintf(to.sun_path, sizeof to.sun_path, "%s", socket_of(server));
    accepted = fd >= 0 && !connect(fd, (struct sockaddr *)&to, sizeof to);
    close(fd);
    return accepted;
}

void server_start(struct server *server)
{
    int64_t until = clock_monotonic_ms() + START_MS;

    unlink(socket_of(server));
    server->process = fork();
    assert_true(server->process >= 0);
    if (!server->process)
        serve(server);
    while (!accepts(server) && clock_monotonic_ms() < until)
        usleep(1000);
    assert_true(clock_monotonic_ms() < until);
}

/* It serves each connection in a process of its own.  Stopped first, it makes no new one while
 * those are killed. */
void server_kill(struct server *server)
{
    assert_int_equal(kill(server->process, SIGSTOP), 0);
    run("pkill -KILL -P %d || [ $? = 1 ]", (int)server->process);
    assert_int_equal(kill(server->process, SIGKILL), 0);
    assert_int_equal(waitpid(server->process, NULL, 0), server->process);
}

void server_address(const struct server *server)
{
    char address[300];

    snprintf(address, sizeof address, "unix:path=%s", socket_of(server));
    setenv("P11_KIT_SERVER_ADDRESS", address, 1);
}
