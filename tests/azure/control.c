/* SPDX-License-Identifier: Apache-2.0 */
/* A Unix socket: a command a line, an answer a line, "ok ..." or "error ...". */
#include "tests/azure/store.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MOST_WORDS 16

/* ---- commands: an error text, or NULL; *out is what follows "ok" ---- */

static char *wrong_use(const char *use)
{
    return text_format("usage: %s", use);
}

static char *run_fault(json_t **out, int count, char **words)
{
    (void)out;
    return fault_set(count, words);
}

static char *run_clear(json_t **out, int count, char **words)
{
    (void)out;
    fault_clear(count ? words[0] : NULL);
    return NULL;
}

static char *run_faults(json_t **out, int count, char **words)
{
    (void)count;
    (void)words;
    *out = fault_list();
    return NULL;
}

static char *run_stats(json_t **out, int count, char **words)
{
    if (count && strcmp(words[0], "reset") == 0)
        stats_reset();
    *out = stats_json();
    return NULL;
}

static char *run_log(json_t **out, int count, char **words)
{
    const char *which = count ? words[0] : "vault";
    if (strcmp(which, "reset") == 0)
        log_reset();
    *out = log_json(strcmp(which, "authority") == 0  ? PORT_AUTHORITY
                    : strcmp(which, "identity") == 0 ? PORT_IDENTITY
                                                     : PORT_VAULT);
    return NULL;
}

static char *run_attacker_log(json_t **out, int count, char **words)
{
    (void)count;
    (void)words;
    *out = log_notes(PORT_ATTACKER);
    return NULL;
}

static char *run_proxy_log(json_t **out, int count, char **words)
{
    (void)count;
    (void)words;
    *out = log_notes(PORT_PROXY);
    return NULL;
}

static char *run_latency(json_t **out, int count, char **words)
{
    (void)out;
    if (count != 2)
        return wrong_use("latency LOW HIGH");
    latency_set(atof(words[0]), atof(words[1]));
    return NULL;
}

static char *run_capacity(json_t **out, int count, char **words)
{
    (void)out;
    return throttle_set(count, words);
}

static bool named_port(enum port *port, const char *name)
{
    static const char *const names[PORTS] = { "vault", "authority", "attacker", "identity",
                                              "proxy" };
    for (int i = 0; i < PORTS; i++) {
        if (strcmp(names[i], name) == 0) {
            *port = (enum port)i;
            return true;
        }
    }
    return false;
}

static char *run_tls(json_t **out, int count, char **words)
{
    enum port port = PORT_VAULT;
    (void)out;
    if (count < 1 || (count > 1 && !named_port(&port, words[1])) || !tls_select(port, words[0]))
        return wrong_use("tls normal|expired|wrong-host|unknown-ca|old|tls12|tls13|close [PORT]");
    server_reset(port);
    return NULL;
}

struct outage {
    enum port port;
    int ms;
};

static void *pause_port(void *argument)
{
    struct outage *outage = argument;
    server_pause(outage->port, outage->ms);
    free(outage);
    return NULL;
}

/* Answers at once: the outage has begun, and ends by itself. */
static char *run_pause(json_t **out, int count, char **words)
{
    enum port port = PORT_VAULT;
    pthread_t thread;
    (void)out;
    if (count < 1 || (count > 1 && !named_port(&port, words[1])))
        return wrong_use("pause MS [PORT]");
    struct outage *outage = allocate(sizeof *outage);
    outage->port = port;
    outage->ms = atoi(words[0]);
    if (pthread_create(&thread, NULL, pause_port, outage))
        return text_copy("no thread");
    pthread_detach(thread);
    return NULL;
}

static char *run_reset(json_t **out, int count, char **words)
{
    enum port port = PORT_VAULT;
    (void)out;
    if (count > 0 && !named_port(&port, words[0]))
        return wrong_use("reset [PORT]");
    server_reset(port);
    return NULL;
}

static char *run_certificate(json_t **out, int count, char **words)
{
    (void)out;
    return count == 2 ? client_set_certificate(words[0], words[1])
                      : wrong_use("register-certificate CLIENT FILE");
}

static char *run_federated(json_t **out, int count, char **words)
{
    (void)out;
    return count == 2 ? client_set_federated(words[0], words[1])
                      : wrong_use("federated CLIENT FILE");
}

static char *run_secret(json_t **out, int count, char **words)
{
    (void)out;
    if (count < 2)
        return wrong_use("secret CLIENT VALUE [PRINCIPAL]");
    return client_set_secret(words[0], words[1], count > 2 ? words[2] : NULL);
}

static char *run_revoke(json_t **out, int count, char **words)
{
    (void)out;
    (void)count;
    (void)words;
    token_revoke_all();
    return NULL;
}

static char *run_rotate(json_t **out, int count, char **words)
{
    (void)out;
    const char *wrong = count == 1 ? key_rotate_now(words[0]) : "usage: rotate NAME";
    return wrong ? text_copy(wrong) : NULL;
}

static char *run_grant(json_t **out, int count, char **words)
{
    (void)out;
    const char *wrong = count == 3 ? roles_grant(words[0], words[1], words[2])
                                   : "usage: grant PRINCIPAL ROLE-ID SCOPE";
    return wrong ? text_copy(wrong) : NULL;
}

static char *run_proxy_password(json_t **out, int count, char **words)
{
    (void)out;
    if (count != 2)
        return wrong_use("proxy-password USER PASSWORD");
    proxy_password_set(words[0], words[1]);
    return NULL;
}

static char *run_quit(json_t **out, int count, char **words)
{
    (void)out;
    (void)count;
    (void)words;
    exit(0);
}

/* "set NAME VALUE": numbers, and on or off */
static char *run_set(json_t **out, int count, char **words)
{
    static const struct {
        const char *name;
        atomic_int *number;
        atomic_bool *flag;
    } rows[] = {
        { "delay", &settings.delay, NULL },
        { "recoverable-days", &settings.recoverable_days, NULL },
        { "purge-protection", NULL, &settings.purge_protection },
        { "pending-newest", NULL, &settings.pending_newest },
        { "token-lifetime", &settings.token_lifetime, NULL },
        { "token-refresh", &settings.token_refresh, NULL },
        { "roles", NULL, &settings.roles },
        { "role-delay", &settings.role_delay, NULL },
        { "idle", &settings.idle, NULL },
    };
    (void)out;
    for (size_t i = 0; count == 2 && i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(rows[i].name, words[0]) != 0)
            continue;
        if (rows[i].number)
            *rows[i].number = atoi(words[1]);
        else
            *rows[i].flag = strcmp(words[1], "on") == 0;
        return NULL;
    }
    return wrong_use("set "
                     "delay|recoverable-days|purge-protection|pending-newest|token-lifetime|"
                     "token-refresh|roles|role-delay|idle VALUE");
}

static const struct command {
    const char *name;
    char *(*run)(json_t **out, int count, char **words);
} commands[] = {
    { "fault", run_fault },
    { "clear", run_clear },
    { "faults", run_faults },
    { "stats", run_stats },
    { "log", run_log },
    { "attacker-log", run_attacker_log },
    { "proxy-log", run_proxy_log },
    { "latency", run_latency },
    { "capacity", run_capacity },
    { "tls", run_tls },
    { "pause", run_pause },
    { "reset", run_reset },
    { "register-certificate", run_certificate },
    { "federated", run_federated },
    { "secret", run_secret },
    { "revoke", run_revoke },
    { "rotate", run_rotate },
    { "grant", run_grant },
    { "proxy-password", run_proxy_password },
    { "set", run_set },
    { "quit", run_quit },
};

/* ---- the socket ---- */

/* Words are between tabs or blanks; "emulator --control" sends tabs, so that its words may have
 * blanks. */
static char *run_line(char *line)
{
    char *words[MOST_WORDS], *word, *rest = line, *error = text_copy("no such command");
    const char *between = strchr(line, '\t') ? "\t" : " ";
    int count = 0;
    json_t *out = NULL;
    while (count < MOST_WORDS && (word = strsep(&rest, between)))
        if (*word)
            words[count++] = word;
    for (size_t i = 0; count && i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(commands[i].name, words[0]) == 0) {
            free(error);
            error = commands[i].run(&out, count - 1, words + 1);
            break;
        }
    }
    char *json = out ? json_dumps(out, JSON_COMPACT) : NULL;
    char *answer = error ? text_format("error %s\n", error)
                         : text_format("ok%s%s\n", json ? " " : "", json ? json : "");
    json_decref(out);
    free(json);
    free(error);
    return answer;
}

static void *serve_control(void *argument)
{
    FILE *stream = argument;
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, stream) > 0) {
        line[strcspn(line, "\r\n")] = 0;
        char *answer = run_line(line);
        fflush(stream);
        bool sent = send(fileno(stream), answer, strlen(answer), MSG_NOSIGNAL) > 0;
        free(answer);
        if (!sent)
            break;
    }
    free(line);
    fclose(stream);
    return NULL;
}

static void *accept_control(void *argument)
{
    int fd = *(int *)argument;
    for (;;) {
        int connection = accept(fd, NULL, NULL);
        FILE *stream = connection >= 0 ? fdopen(connection, "r") : NULL;
        pthread_t thread;
        if (stream && pthread_create(&thread, NULL, serve_control, stream) == 0)
            pthread_detach(thread);
    }
    return NULL;
}

/* Relative to the folder, because a socket's path is short. */
static bool socket_address(struct sockaddr_un *out, const char *path)
{
    *out = (struct sockaddr_un){ .sun_family = AF_UNIX };
    return (size_t)snprintf(out->sun_path, sizeof out->sun_path, "%s", path) < sizeof out->sun_path;
}

bool control_start(void)
{
    static int fd;
    struct sockaddr_un address;
    char *path = text_format("%s/control", settings.folder);
    pthread_t thread;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    unlink(path);
    bool listens = fd >= 0 && socket_address(&address, path) &&
                   bind(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
                   listen(fd, 16) == 0 && pthread_create(&thread, NULL, accept_control, &fd) == 0;
    free(path);
    return listens;
}

/* "emulator --control SOCKET WORD...": prints what follows "ok", or fails with what follows "error"
 */
int control_ask(const char *path, int count, char **words)
{
    struct sockaddr_un address;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || !socket_address(&address, path) ||
        connect(fd, (struct sockaddr *)&address, sizeof address)) {
        fprintf(stderr, "emulator: nobody listens at %s\n", path);
        return 69;
    }
    struct buffer line = { 0 };
    for (int i = 0; i < count; i++)
        buffer_format(&line, "%s\t", words[i]);
    buffer_add(&line, "\n", 1);
    bool sent = send(fd, line.data, line.size, MSG_NOSIGNAL) == (ssize_t)line.size;
    free(line.data);
    FILE *stream = fdopen(fd, "r");
    char *answer = NULL;
    size_t room = 0;
    ssize_t size = sent ? getline(&answer, &room, stream) : -1;
    bool good = size > 1 && strncmp(answer, "ok", 2) == 0;
    if (good && size > 3)
        fputs(answer + 3, stdout);
    else if (!good && size > 0)
        fprintf(stderr, "emulator: %s", strncmp(answer, "error ", 6) == 0 ? answer + 6 : answer);
    free(answer);
    fclose(stream);
    /* "quit" has no answer */
    return good || (size <= 0 && count && strcmp(words[0], "quit") == 0) ? 0 : 1;
}
