/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/http_request.h"

#include <openssl/err.h>
#include <openssl/http.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "crypto/crypto.h"

AUTO_KIND(bio, BIO *, BIO_free(*p))

void http_place_free(struct http_place *place)
{
    OPENSSL_free(place->host);
    OPENSSL_free(place->port);
    OPENSSL_free(place->path);
}

bool http_place_read(struct http_place *out, const char *url)
{
    AUTO(http_place) place = { NULL };
    const bool read = text_is_visible(url, strlen(url)) && text_starts(url, OSSL_HTTP_PREFIX) &&
                      OSSL_HTTP_parse_url(url, NULL, NULL, &place.host, &place.port, NULL,
                                          &place.path, NULL, NULL);

    ERR_clear_error();
    *out = read ? MOVE(place) : (struct http_place){ NULL };
    return read;
}

/* OpenSSL's HTTP client would try again until its time is over, also where nobody listens. */
static se_status connect_to(BIO **out, const struct http_place *place, int timeout_s, se_error *err)
{
    AUTO(bio) bio = BIO_new_connect(place->host);
    const time_t until = clock_seconds() + timeout_s;
    int connected;

    if (!bio || BIO_set_conn_port(bio, place->port) <= 0 || BIO_set_nbio(bio, 1) <= 0)
        return error_memory(err);
    while ((connected = BIO_do_connect(bio)) <= 0 && BIO_should_retry(bio) &&
           BIO_wait(bio, until, 0) > 0)
        ;
    if (connected <= 0)
        return crypto_error(err, SE_ERR_UNAVAILABLE, "no connection");
    *out = MOVE(bio);
    return SE_OK;
}

/* Over a connection that is there: so the environment is not asked for a proxy. */
se_status http_ask(BIO **out, const struct http_place *place, const struct http_request *request,
                   se_error *err)
{
    AUTO(bio) connection = NULL;

    *out = NULL;
    TRY(connect_to(&connection, place, request->timeout_s, err));
    *out = OSSL_HTTP_transfer(NULL, place->host, place->port, place->path, 0, NULL, NULL,
                              connection, NULL, NULL, NULL, 0, NULL, request->type, request->body,
                              request->answer_type, 1, request->limit, request->timeout_s, 0);
    return *out ? SE_OK : crypto_error(err, SE_ERR_UNAVAILABLE, "no answer");
}
