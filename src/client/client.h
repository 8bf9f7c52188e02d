/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The jobs of the libraries, done by a signengined (doc/openapi.yaml) that is asked over its Unix
 * socket or over TLS.  Functions take what those of signengine.h of the same name take, with a
 * client instead of an engine, and return the same statuses.
 *
 * A client is for one thread, and keeps its connection.  What the service puts off (429, 503) is
 * asked again when it says, and what got no answer once more, within the time limit and as long as
 * the input is at hand: up to 1 MiB of it is, and the rest goes through in pieces.
 *
 * SE_ERR_UNAVAILABLE: the service can't be reached, or has put it off for longer than that.
 * SE_ERR_ACCESS: no row of its configuration allows it.  SE_ERR_USAGE: it does not serve that, or
 * the input is larger than it takes.  Errors end with the id by which its audit knows the request.
 */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include <signengine-history.h>
#include <signengine-mail.h>

#include "base/auto.h"

struct client;

struct client_settings {
    const char *address;     /* PATH, unix:PATH or https://HOST[:PORT] */
    const char *certificate; /* of the client, in PEM; of https */
    const char *key;         /* likewise; NULL: it is in the file with the certificate */
    const char *ca;      /* PEM file with those that vouch for the service; NULL: the system's */
    const char *key_pin; /* what decrypts the key; NULL: nothing has to. */
    unsigned timeout_s;  /* 0: half a minute */
    const char *tag;     /* what the service's audit repeats; NULL: nothing */

    void (*note)(void *arg, const char *text); /* why something is asked again; may be NULL */
    void *note_arg;
};

/* Nothing is asked yet.  SE_ERR_USAGE: the settings make no sense; SE_ERR_STORE: libcurl can't be
 * loaded. */
SE_MUST_CHECK se_status client_open(struct client **out, const struct client_settings *settings,
                                    se_error *err);
void client_close(struct client **client); /* accepts a pointer to NULL */
AUTO_KIND(client, struct client *, client_close(p))

/* ---- signatures ---- */

/* What is not sent because a digest will do: content above 1 MiB, of signatures that do not have it
 * inside. */
SE_MUST_CHECK se_status client_sign(const se_sink *out, struct client *client,
                                    const char *descriptor, const se_source *in,
                                    const se_sign_params *params, se_error *err);
SE_MUST_CHECK se_status client_verify(se_signer *out, struct client *client, const char *descriptor,
                                      const se_source *in, const se_verify_params *params,
                                      se_error *err);

/* JOSE.  SE_ERR_USAGE: params->headers, several audiences and params->time are not served. */
SE_MUST_CHECK se_status client_jws_sign(se_buf *out, struct client *client, const char *descriptor,
                                        se_bytes payload, const se_jws_sign_params *params,
                                        se_error *err);
SE_MUST_CHECK se_status client_jws_verify(se_buf *payload, struct client *client,
                                          const char *descriptor, se_bytes jws,
                                          const se_jws_verify_params *params, se_error *err);
SE_MUST_CHECK se_status client_jwt_sign(se_buf *out, struct client *client, const char *descriptor,
                                        se_bytes claims, const se_jwt_sign_params *params,
                                        se_error *err);
SE_MUST_CHECK se_status client_jwt_verify(se_buf *claims, struct client *client,
                                          const char *descriptor, se_bytes token,
                                          const se_jwt_verify_params *params, se_error *err);

/* The certificates of the descriptor's versions, or of one, in PEM. */
SE_MUST_CHECK se_status client_certificates(se_buf *out, struct client *client,
                                            const char *descriptor, unsigned version,
                                            se_error *err);

/* ---- encrypted fields; many are asked for 1,000, or 1 MiB, at a time ---- */

SE_MUST_CHECK se_status client_encrypt(se_buf *out, struct client *client, const char *descriptor,
                                       se_bytes in, const se_field_params *params, se_error *err);
SE_MUST_CHECK se_status client_decrypt(se_buf *out, struct client *client, const char *descriptor,
                                       se_bytes in, const se_field_params *params, se_error *err);
SE_MUST_CHECK se_status client_encrypt_many(se_field *fields, size_t count, struct client *client,
                                            const char *descriptor, const se_field_params *params,
                                            se_error *err);
SE_MUST_CHECK se_status client_decrypt_many(se_field *fields, size_t count, struct client *client,
                                            const char *descriptor, const se_field_params *params,
                                            se_error *err);
SE_MUST_CHECK se_status client_rekey_many(se_field *fields, size_t count, struct client *client,
                                          const char *descriptor, const se_field_params *params,
                                          se_error *err);

/* ---- zips, containers, mail ---- */

SE_MUST_CHECK se_status client_zip_sign(const char *out, struct client *client,
                                        const char *descriptor, const char *in,
                                        const se_zip_sign_params *params, se_error *err);
SE_MUST_CHECK se_status client_zip_verify(struct client *client, const char *descriptor,
                                          const char *path, const se_zip_verify_params *params,
                                          se_error *err);
SE_MUST_CHECK se_status client_container_encrypt(const se_sink *out, struct client *client,
                                                 const char *descriptor, const se_source *in,
                                                 const se_container_params *params, se_error *err);
SE_MUST_CHECK se_status client_container_decrypt(const se_sink *out, struct client *client,
                                                 const char *descriptor, const se_source *in,
                                                 const se_container_params *params, se_error *err);

/* `done` says whether the message went through as it was; of the signer nothing is known. */
SE_MUST_CHECK se_status client_mail_sign(const se_sink *out, se_mail *done, struct client *client,
                                         const char *descriptor, const se_source *in,
                                         const se_mail_sign_params *params, se_error *err);
/* params->content and params->header get nothing.  SE_ERR_USAGE: there is a signature inside the
 * signature. */
SE_MUST_CHECK se_status client_mail_verify(se_mail *out, struct client *client,
                                           const char *descriptor, const se_source *in,
                                           const se_mail_verify_params *params, se_error *err);

/* ---- histories, by the name that the service's settings give them ---- */

/* Only with params->idempotency_key. */
SE_MUST_CHECK se_status client_history_append(se_history_appended *out, struct client *client,
                                              const char *history, const se_record *records,
                                              size_t count, const se_history_append_params *params,
                                              se_error *err);
SE_MUST_CHECK se_status client_history_head(se_buf *out, struct client *client, const char *history,
                                            se_error *err);
SE_MUST_CHECK se_status client_history_prove(se_buf *out, struct client *client,
                                             const char *history, uint64_t seq, se_error *err);
/* Entry after entry, from range->first to range->last, which are given, and nothing else is.  Each
 * is verified by its path to the last seal. */
SE_MUST_CHECK se_status client_history_read(struct client *client, const char *history,
                                            const se_history_range *range, se_history_entry_fn fn,
                                            void *arg, se_error *err);
/* A key that nobody else will have; the caller wipes it or not. */
enum { CLIENT_KEY_ROOM = 33 };
SE_MUST_CHECK se_status client_make_key(char out[CLIENT_KEY_ROOM], se_error *err);

/* ---- the keys ---- */

/* SE_ERR_USAGE: options->days is below 0. */
SE_MUST_CHECK se_status client_check(struct client *client, se_check_fn fn, void *arg,
                                     const se_check_options *options, se_error *err);

#endif
