/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One process that plays Azure Key Vault or Managed HSM, Entra's token endpoint, an attacker's
 * authority, managed identity, and a proxy, each on a port of its own.  What is written here about
 * the services is from recorded exchanges where there are any.
 */
#ifndef TESTS_AZURE_EMULATOR_H
#define TESTS_AZURE_EMULATOR_H

#include <jansson.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum port { PORT_VAULT, PORT_AUTHORITY, PORT_ATTACKER, PORT_IDENTITY, PORT_PROXY, PORTS };

/* what does not change after the start, and what a control command sets at once */
struct settings {
    bool hsm;
    const char *folder;
    const char *tenant, *client, *secret, *principal;
    const char *identity_client, *identity_principal, *identity_header;
    const char *domain; /* emulators of one domain restore each other's backups */
    int ports[PORTS];
    atomic_int delay;            /* ms that a deletion, a recovery, a certificate, a job takes */
    atomic_int recoverable_days; /* 7 to 90 */
    atomic_bool purge_protection;
    atomic_bool pending_newest; /* a certificate that is not there yet hides the last one */
    atomic_int token_lifetime, token_refresh; /* seconds; 0: no refresh_in */
    atomic_bool roles;                        /* enforce role assignments */
    atomic_int role_delay;                    /* ms until an assignment works */
    atomic_int idle; /* ms after which an idle connection is closed; 0: never */
};
extern struct settings settings;

/* ---- text.c ---- */

struct buffer {
    char *data;
    size_t size, room;
};
void buffer_add(struct buffer *b, const void *data, size_t size);
void buffer_format(struct buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void *allocate(size_t size); /* zeroed; never NULL */
char *text_copy(const char *text);
char *text_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
bool text_ends(const char *text, const char *end);
char *base64url_encode(const unsigned char *data, size_t size);
unsigned char *base64url_decode(size_t *size, const char *text);
char *base64_encode(const unsigned char *data, size_t size);
unsigned char *base64_decode(size_t *size, const char *text);
char *url_decode(const char *text, size_t size, bool plus);
char *form_value(const char *form, const char *name); /* of "a=b&c=d"; NULL if it is not there */
void hex_random(char *out, size_t bytes);
void guid_random(char out[37]);
bool guid_valid(const char *text);
char *file_read(const char *path, size_t *size);
bool file_write(const char *path, const void *data, size_t size);
int64_t clock_ms(void);
int64_t clock_seconds(void);
json_t *json_time(int64_t seconds);
void json_reorder(json_t *object, const char *names);

/* ---- http.c ---- */

struct header {
    char *name, *value;
};

struct request {
    enum port port;
    char method[16];
    char *path, *query; /* as sent; the query may be "" */
    const char *host;   /* as the client calls us, with the port */
    struct header headers[64];
    size_t header_count;
    char *body;
    size_t body_size;
};

enum delivery {
    DELIVER_WHOLE,
    DELIVER_RESET,         /* no answer */
    DELIVER_RESET_HEADERS, /* nothing after the headers */
    DELIVER_CUT,           /* half of the body, then the end of the connection */
    DELIVER_SLOW,          /* a byte each `argument` ms */
    DELIVER_ENDLESS,       /* 2 GB of it */
    DELIVER_STALL,         /* nothing for `argument` ms */
};

struct answer {
    int status;
    json_t *json; /* the body, or */
    char *text;
    size_t text_size;
    const char *type;
    struct buffer headers;
    char request_id[37];
    const char *operation;
    enum delivery delivery;
    long argument;
};

struct connection {
    enum port port;
    int fd;
    SSL *ssl; /* NULL: plain */
    char input[16384];
    size_t begin, end;
    struct connection *next, *previous;
};

enum read_result { READ_REQUEST, READ_END, READ_BAD };
enum read_result http_read(struct connection *c, struct request *request);
bool http_write(struct connection *c, struct answer *answer, bool head_only);
void request_free(struct request *request);
void answer_free(struct answer *answer);
const char *request_header(const struct request *request, const char *name);
char *request_parameter(const struct request *request, const char *name);
void answer_header(struct answer *answer, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void answer_json(struct answer *answer, int status, json_t *json);
void answer_text(struct answer *answer, int status, const char *type, const char *text);

/* ---- server.c ---- */

bool server_start(enum port port);
void server_pause(enum port port, int ms); /* resets all connections, and listens again after ms */
void server_reset(enum port port);         /* resets all connections */
bool server_wait(double ms);               /* false: the connections are being reset */
bool connection_ready(struct connection *c);
ssize_t connection_read(struct connection *c, void *data, size_t size);
bool connection_write(struct connection *c, const void *data, size_t size);

/* ---- tls.c ---- */

bool tls_start(void); /* makes the CA and the certificates; writes ca.pem */
bool tls_select(enum port port, const char *mode);
SSL *tls_accept(enum port port, int fd);

/* ---- stats.c ---- */

struct counters {
    atomic_long requests, connections, handshakes, resumed, unauthorized, throttled, tokens, claims,
        running, most_running;
};
extern struct counters counters;
void stats_operation(const char *operation);
json_t *stats_json(void);
void stats_reset(void);
void log_request(const struct request *request, const struct answer *answer);
json_t *log_json(enum port port);
void log_reset(void);
void log_note(enum port port, json_t *note); /* of the attacker and the proxy */
json_t *log_notes(enum port port);

/* ---- control.c ---- */

bool control_start(void);
int control_ask(const char *socket, int count, char **words);

/* ---- faults.c ---- */

enum place { AT_VAULT, AT_TOKEN, AT_IDENTITY };
struct fault;
struct active_fault {
    const struct fault *fault;
    const char *name;
    char argument[128];
};
char *fault_set(int count, char **words); /* an error text, or NULL */
void fault_clear(const char *name);       /* NULL: all */
json_t *fault_list(void);
/* authorized: the request has a valid token; without one only challenges can be wrong */
bool fault_take(struct active_fault *out, enum place place, const char *operation, bool authorized);
bool fault_replaces(const struct active_fault *fault, const struct request *request,
                    struct answer *answer);
void fault_changes(const struct active_fault *fault, const struct request *request,
                   struct answer *answer);

/* ---- throttle.c ---- */

char *throttle_set(int count, char **words);
bool throttle_allows(const char *operation, const char *kty, int bits, const char *crv);
void latency_set(double low, double high);
void latency_wait(void);

/* ---- tokens.c ---- */

struct principal {
    char client[64], oid[37];
};
char *token_issue(const char *client, const char *oid, const char *resource, int lifetime);
bool token_check(struct principal *out, const char *token, const char *resource);
void token_revoke_all(void);
bool client_find(struct principal *out, const char *client);
bool client_secret_valid(const char *client, const char *secret);
char *client_set_secret(const char *client, const char *secret, const char *oid);
char *client_set_certificate(const char *client, const char *file);
char *client_set_federated(const char *client, const char *file);
bool client_federated_valid(const char *client, const char *assertion);
/* of the registered certificate with that thumbprint, in base64url; SHA-256 or SHA-1; NULL: there
 * is none */
EVP_PKEY *client_key(const char *client, const char *thumbprint, bool sha256);
bool jti_unused(const char *jti);

/* ---- assertion.c ---- */

/* why not, or NULL; *code is the number of the AADSTS error */
const char *assertion_check(int *code, const char *client, const char *assertion,
                            const char *audience);

/* ---- login.c, identity.c, proxy.c ---- */

void login_handle(const struct request *request, struct answer *answer);
void attacker_handle(const struct request *request, struct answer *answer);
void identity_handle(const struct request *request, struct answer *answer);
void proxy_serve(struct connection *c);
void proxy_password_set(const char *user, const char *password);

/* ---- router.c ---- */

void vault_handle(const struct request *request, struct answer *answer);
void vault_challenge(const struct request *request, struct answer *answer, const char *authority,
                     const char *tenant, const char *resource, const char *more);
char *vault_resource(const struct request *request);
char *port_url(enum port port); /* https://localhost:NUMBER */

#endif
