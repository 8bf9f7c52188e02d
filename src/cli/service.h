/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who does what the commands ask for: the libraries in this process, or with --socket a
 * signengined. This is the one place that knows; each function is the one of signengine.h of that
 * name, or that of client/client.h.
 */
#ifndef CLI_SERVICE_H
#define CLI_SERVICE_H

#include "cli/cli.h"
#include "client/client.h"

struct service {
    se_engine *engine;     /* NULL: `client` does it */
    struct client *client; /* NULL: `engine` does it */
};
#define SERVICE_INIT                                                                               \
    {                                                                                              \
        NULL, NULL                                                                                 \
    }

/* Prints what fails.  An exit status; the caller closes *out. */
int service_open(struct service *out, struct cli *cli, se_error *err);
void service_close(struct service *service);
AUTO_KIND(service, struct service, service_close(p))

SE_MUST_CHECK se_status service_sign(const se_sink *out, const struct service *service,
                                     const char *descriptor, const se_source *in,
                                     const se_sign_params *params, se_error *err);
/* Of a signengined it is not known. */
SE_MUST_CHECK se_status service_find_signer(se_signer *out, const struct service *service,
                                            const char *descriptor, const se_sign_params *params,
                                            se_error *err);
SE_MUST_CHECK se_status service_verify(se_signer *out, const struct service *service,
                                       const char *descriptor, const se_source *in,
                                       const se_verify_params *params, se_error *err);

SE_MUST_CHECK se_status service_jws_sign(se_buf *out, const struct service *service,
                                         const char *descriptor, se_bytes payload,
                                         const se_jws_sign_params *params, se_error *err);
SE_MUST_CHECK se_status service_jws_verify(se_buf *payload, const struct service *service,
                                           const char *descriptor, se_bytes jws,
                                           const se_jws_verify_params *params, se_error *err);
SE_MUST_CHECK se_status service_jwt_sign(se_buf *out, const struct service *service,
                                         const char *descriptor, se_bytes claims,
                                         const se_jwt_sign_params *params, se_error *err);
SE_MUST_CHECK se_status service_jwt_verify(se_buf *claims, const struct service *service,
                                           const char *descriptor, se_bytes token,
                                           const se_jwt_verify_params *params, se_error *err);

/* In PEM, in the order of the file; `version` 0: of all. */
SE_MUST_CHECK se_status service_certificates(se_buf *out, const struct service *service,
                                             const char *descriptor, unsigned version,
                                             se_error *err);

typedef se_status service_one_fn(se_buf *out, const struct service *service, const char *descriptor,
                                 se_bytes in, const se_field_params *params, se_error *err);
typedef se_status service_many_fn(se_field *fields, size_t count, const struct service *service,
                                  const char *descriptor, const se_field_params *params,
                                  se_error *err);
SE_MUST_CHECK service_one_fn service_encrypt, service_decrypt;
SE_MUST_CHECK service_many_fn service_encrypt_many, service_decrypt_many, service_rekey_many;

/* In that version; 0: in any. */
bool service_has_descriptor(const struct service *service, const char *descriptor,
                            unsigned version);

SE_MUST_CHECK se_status service_zip_sign(const char *out, const struct service *service,
                                         const char *descriptor, const char *in,
                                         const se_zip_sign_params *params, se_error *err);
SE_MUST_CHECK se_status service_zip_verify(const struct service *service, const char *descriptor,
                                           const char *path, const se_zip_verify_params *params,
                                           se_error *err);
SE_MUST_CHECK se_status service_container_encrypt(const se_sink *out, const struct service *service,
                                                  const char *descriptor, const se_source *in,
                                                  const se_container_params *params, se_error *err);
SE_MUST_CHECK se_status service_container_decrypt(const se_sink *out, const struct service *service,
                                                  const char *descriptor, const se_source *in,
                                                  const se_container_params *params, se_error *err);

SE_MUST_CHECK se_status service_check(const struct service *service, se_check_fn fn, void *arg,
                                      const se_check_options *options, se_error *err);

#endif
