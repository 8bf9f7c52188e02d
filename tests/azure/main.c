/* SPDX-License-Identifier: Apache-2.0 */
/*
 * emulator --folder FOLDER [--mode vault|hsm] [--domain NAME]   writes FOLDER/ca.pem, control, and
 * last urls; serves until it is ended emulator --control SOCKET COMMAND...
 */
#include "tests/azure/store.h"

#include <getopt.h>
#include <openssl/provider.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

struct settings settings = {
    .tenant = "11111111-1111-4111-8111-111111111111",
    .client = "22222222-2222-4222-8222-222222222222",
    .secret = "emulated~Secret.1",
    .principal = "33333333-3333-4333-8333-333333333333",
    .identity_client = "44444444-4444-4444-8444-444444444444",
    .identity_principal = "55555555-5555-4555-8555-555555555555",
    .identity_header = "emulated-identity-header",
    .domain = "signengine",
    .delay = 200,
    .recoverable_days = 90,
    .token_lifetime = 3599,
};

/* For a shell to read.  VAULT is a name whose end is RESOURCE, as clients demand; localhost works
 * too. */
static bool write_urls(void)
{
    const char *suffix = settings.hsm ? "managedhsm" : "vault";
    struct buffer out = { 0 };
    buffer_format(&out, "VAULT=https://test.%s.localhost:%d\n", suffix, settings.ports[PORT_VAULT]);
    buffer_format(&out, "RESOURCE=https://%s.localhost\n", suffix);
    buffer_format(&out, "AUTHORITY=https://localhost:%d\n", settings.ports[PORT_AUTHORITY]);
    buffer_format(&out, "ATTACKER=https://localhost:%d\n", settings.ports[PORT_ATTACKER]);
    buffer_format(&out, "IDENTITY=http://127.0.0.1:%d\n", settings.ports[PORT_IDENTITY]);
    buffer_format(&out, "PROXY=http://127.0.0.1:%d\n", settings.ports[PORT_PROXY]);
    buffer_format(&out, "TENANT=%s\nCLIENT=%s\nSECRET=%s\nPRINCIPAL=%s\n", settings.tenant,
                  settings.client, settings.secret, settings.principal);
    buffer_format(&out, "IDENTITY_CLIENT=%s\nIDENTITY_PRINCIPAL=%s\nIDENTITY_SECRET=%s\n",
                  settings.identity_client, settings.identity_principal, settings.identity_header);
    char *path = text_format("%s/urls", settings.folder);
    bool written = file_write(path, out.data, out.size);
    free(path);
    free(out.data);
    return written;
}

static int fail_start(const char *what)
{
    fprintf(stderr, "emulator: cannot start: %s\n", what);
    return 69;
}

static int serve_all(void)
{
    sigset_t signals;
    int caught;
    pid_t parent = getppid();
    /* the test that started it may be killed */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        return 0;
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    /* a PFX may be one of old times */
    OSSL_PROVIDER_load(NULL, "default");
    OSSL_PROVIDER_load(NULL, "legacy");
    if (!tls_start())
        return fail_start("certificates");
    roles_start();
    client_set_secret(settings.client, settings.secret, settings.principal);
    client_set_secret(settings.identity_client, "", settings.identity_principal);
    for (int i = 0; i < PORTS; i++)
        if (!server_start((enum port)i))
            return fail_start("a port");
    if (!control_start() || !write_urls())
        return fail_start("a file in the folder");
    sigwait(&signals, &caught);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct option options[] = { { "folder", required_argument, NULL, 'f' },
                                             { "mode", required_argument, NULL, 'm' },
                                             { "domain", required_argument, NULL, 'd' },
                                             { "control", required_argument, NULL, 'c' },
                                             { NULL, 0, NULL, 0 } };
    const char *control = NULL;
    int option;
    while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
        switch (option) {
        case 'f':
            settings.folder = optarg;
            break;
        case 'm':
            settings.hsm = strcmp(optarg, "hsm") == 0;
            break;
        case 'd':
            settings.domain = optarg;
            break;
        case 'c':
            control = optarg;
            break;
        default:
            return 64;
        }
    }
    if (control)
        return control_ask(control, argc - optind, argv + optind);
    if (!settings.folder) {
        fputs("usage: emulator --folder FOLDER [--mode vault|hsm] [--domain NAME]\n", stderr);
        return 64;
    }
    return serve_all();
}
