/* SPDX-License-Identifier: Apache-2.0 */
/* A client, and one request that is asked once: for connection.c and call.c. */
#ifndef CLIENT_CONNECTION_H
#define CLIENT_CONNECTION_H

#include "client/call.h"
#include "libcurl/curl_calls.h"

enum { CLIENT_TIMEOUT_MOST_S = 86400 };

struct client {
    const struct curl_calls *curl;
    CURL *handle;
    char *address; /* as it was given, for messages */
    char *socket;  /* NULL: it is a host */
    char *origin;  /* that URLs begin with */
    char *certificate, *key, *ca;
    se_buf key_pin;
    char *tag; /* NULL: none */
    unsigned timeout_s;
    void (*note)(void *arg, const char *text); /* may be NULL */
    void *note_arg;
};

/* What may be done about a failure. */
enum retry {
    RETRY_NEVER,
    RETRY_LATER,  /* the service puts it off */
    RETRY_BROKEN, /* the connection ended without an answer */
    RETRY_ABSENT, /* there was none */
};

/* Of HTTP. */
static inline bool answer_is_good(unsigned status)
{
    return status / 100 == 2;
}

/* The answer is there, good or not.  *retry says of one that is not, and of a failure, whether it
 * may be asked again: what is sent and what was handed out are as before. */
SE_MUST_CHECK se_status connection_ask(struct answer *out, enum retry *retry, struct client *client,
                                       const struct call *call, se_error *err);

#endif
