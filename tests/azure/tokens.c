/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens that were given, and the clients that may ask for them. */
#include "tests/azure/emulator.h"

#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_TOKENS       4096
#define MOST_CLIENTS      32
#define MOST_CERTIFICATES 8
#define MOST_JTIS         4096

struct token {
    char *text;
    uint64_t hash;
    char *resource;
    struct principal who;
    int64_t until; /* ms */
};

struct client {
    struct principal who;
    char *secret;
    char *federated; /* the assertion that is good now */
    X509 *certificates[MOST_CERTIFICATES];
    size_t certificate_count;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct token tokens[MOST_TOKENS];
static size_t token_count;
static struct client clients[MOST_CLIENTS];
static size_t client_count;
static char *jtis[MOST_JTIS];
static size_t jti_count;

/* ---- tokens ---- */

static uint64_t hash_text(const char *text)
{
    uint64_t hash = 14695981039346656037u;
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 1099511628211u;
    return hash;
}

/* It looks like one of Entra: tools read oid and tid from it.  Its signature is noise; what counts
 * is that we gave it. */
static char *make_token(const char *client, const char *oid, const char *resource, int lifetime)
{
    unsigned char noise[256];
    char unique[33];
    int64_t now = clock_seconds();
    hex_random(unique, 16);
    RAND_bytes(noise, sizeof noise);
    char *issuer = text_format("https://sts.windows.net/%s/", settings.tenant);
    json_t *claims =
        json_pack("{ss ss sI sI sI ss ss ss ss ss}", "aud", resource, "iss", issuer, "iat",
                  (json_int_t)now, "nbf", (json_int_t)now, "exp", (json_int_t)(now + lifetime),
                  "appid", client, "oid", oid, "tid", settings.tenant, "ver", "1.0", "uti", unique);
    char *payload = json_dumps(claims, JSON_COMPACT);
    char *first =
        base64url_encode((const unsigned char *)"{\"typ\":\"JWT\",\"alg\":\"RS256\"}", 27);
    char *second = base64url_encode((const unsigned char *)payload, strlen(payload));
    char *third = base64url_encode(noise, sizeof noise);
    char *token = text_format("%s.%s.%s", first, second, third);
    json_decref(claims);
    free(issuer);
    free(payload);
    free(first);
    free(second);
    free(third);
    return token;
}

char *token_issue(const char *client, const char *oid, const char *resource, int lifetime)
{
    char *text = make_token(client, oid, resource, lifetime);
    pthread_mutex_lock(&lock);
    struct token *token = &tokens[token_count++ % MOST_TOKENS];
    free(token->text);
    free(token->resource);
    *token = (struct token){ .text = text_copy(text),
                             .hash = hash_text(text),
                             .resource = text_copy(resource) };
    snprintf(token->who.client, sizeof token->who.client, "%s", client);
    snprintf(token->who.oid, sizeof token->who.oid, "%s", oid);
    token->until = clock_ms() + (int64_t)lifetime * 1000;
    pthread_mutex_unlock(&lock);
    counters.tokens++;
    return text;
}

bool token_check(struct principal *out, const char *token, const char *resource)
{
    uint64_t hash = hash_text(token);
    bool good = false;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < MOST_TOKENS && tokens[i].text && !good; i++) {
        const struct token *known = &tokens[i];
        good = known->hash == hash && strcmp(known->text, token) == 0 &&
               clock_ms() < known->until && strcmp(known->resource, resource) == 0;
        if (good)
            *out = known->who;
    }
    pthread_mutex_unlock(&lock);
    return good;
}

void token_revoke_all(void)
{
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < MOST_TOKENS; i++)
        tokens[i].until = 0;
    pthread_mutex_unlock(&lock);
}

/* ---- clients ---- */

static struct client *find_client(const char *client)
{
    for (size_t i = 0; client && i < client_count; i++)
        if (strcasecmp(clients[i].who.client, client) == 0)
            return &clients[i];
    return NULL;
}

static struct client *need_client(const char *client, const char *oid)
{
    struct client *found = find_client(client);
    if (!found && client_count < MOST_CLIENTS) {
        found = &clients[client_count++];
        snprintf(found->who.client, sizeof found->who.client, "%s", client);
        guid_random(found->who.oid);
    }
    if (found && oid)
        snprintf(found->who.oid, sizeof found->who.oid, "%s", oid);
    return found;
}

bool client_find(struct principal *out, const char *client)
{
    pthread_mutex_lock(&lock);
    const struct client *found = find_client(client);
    if (found)
        *out = found->who;
    pthread_mutex_unlock(&lock);
    return found != NULL;
}

bool client_secret_valid(const char *client, const char *secret)
{
    pthread_mutex_lock(&lock);
    const struct client *found = find_client(client);
    bool valid = found && found->secret && strcmp(found->secret, secret) == 0;
    pthread_mutex_unlock(&lock);
    return valid;
}

char *client_set_secret(const char *client, const char *secret, const char *oid)
{
    pthread_mutex_lock(&lock);
    struct client *found = need_client(client, oid);
    if (found) {
        free(found->secret);
        found->secret = text_copy(secret);
    }
    pthread_mutex_unlock(&lock);
    return found ? NULL : text_copy("too many clients");
}

char *client_set_certificate(const char *client, const char *file)
{
    BIO *in = BIO_new_file(file, "r");
    X509 *certificate = in ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;
    BIO_free(in);
    if (!certificate)
        return text_format("no certificate in %s", file);
    pthread_mutex_lock(&lock);
    struct client *found = need_client(client, NULL);
    bool room = found && found->certificate_count < MOST_CERTIFICATES;
    if (room)
        found->certificates[found->certificate_count++] = certificate;
    pthread_mutex_unlock(&lock);
    return room ? NULL : text_copy("too many certificates");
}

char *client_set_federated(const char *client, const char *file)
{
    char *content = file_read(file, NULL);
    if (!content)
        return text_format("cannot read %s", file);
    content[strcspn(content, "\r\n")] = 0;
    pthread_mutex_lock(&lock);
    struct client *found = need_client(client, NULL);
    if (found) {
        free(found->federated);
        found->federated = content;
    }
    pthread_mutex_unlock(&lock);
    return found ? NULL : text_copy("too many clients");
}

bool client_federated_valid(const char *client, const char *assertion)
{
    pthread_mutex_lock(&lock);
    const struct client *found = find_client(client);
    bool valid = found && found->federated && strcmp(found->federated, assertion) == 0;
    pthread_mutex_unlock(&lock);
    return valid;
}

EVP_PKEY *client_key(const char *client, const char *thumbprint, bool sha256)
{
    EVP_PKEY *key = NULL;
    pthread_mutex_lock(&lock);
    const struct client *found = find_client(client);
    for (size_t i = 0; found && i < found->certificate_count && !key; i++) {
        unsigned char digest[32];
        unsigned size = sizeof digest;
        X509_digest(found->certificates[i], sha256 ? EVP_sha256() : EVP_sha1(), digest, &size);
        char *text = base64url_encode(digest, size);
        if (strcmp(text, thumbprint) == 0)
            key = X509_get_pubkey(found->certificates[i]);
        free(text);
    }
    pthread_mutex_unlock(&lock);
    return key;
}

bool jti_unused(const char *jti)
{
    bool unused = true;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < MOST_JTIS && jtis[i]; i++)
        unused = unused && strcmp(jtis[i], jti) != 0;
    if (unused) {
        char **place = &jtis[jti_count++ % MOST_JTIS];
        free(*place);
        *place = text_copy(jti);
    }
    pthread_mutex_unlock(&lock);
    return unused;
}
