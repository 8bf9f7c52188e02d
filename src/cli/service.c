/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/service.h"

#include <limits.h>

#include "base/base64.h"
#include "base/text.h"
#include "cli/secret.h"

AUTO_KIND(verifier, se_verifier *, se_verifier_close(p))

/* ---- open and close ---- */

static void note_pause(void *arg, const char *text)
{
    const struct cli *cli = arg;

    if (cli->verbose)
        cli_message(cli, "%s", text);
}

static se_status open_client(struct client **out, struct cli *cli, se_error *err)
{
    AUTO(se_buf) pin = SE_BUF_INIT;
    struct client_settings settings = {
        .address = cli->address,
        .certificate = cli->client_certificate,
        .key = cli->client_key,
        .ca = cli->ca,
        .timeout_s = cli->timeout,
        .tag = cli->tag,
        .note = note_pause,
        .note_arg = cli,
    };

    if (cli->client_key_pin) {
        TRY(secret_read(&pin, cli->client_key_pin, "--client-key-pin", "PIN of the client's key",
                        err));
        settings.key_pin = (const char *)pin.data;
    }
    return client_open(out, &settings, err);
}

int service_open(struct service *out, struct cli *cli, se_error *err)
{
    if (!cli->address)
        return cli_open(&out->engine, cli, err);
    return open_client(&out->client, cli, err) ? cli_fail(cli, err) : EXIT_DONE;
}

void service_close(struct service *service)
{
    se_close(&service->engine);
    client_close(&service->client);
}

/* ---- signatures ---- */

se_status service_sign(const se_sink *out, const struct service *s, const char *descriptor,
                       const se_source *in, const se_sign_params *params, se_error *err)
{
    return s->client ? client_sign(out, s->client, descriptor, in, params, err)
                     : se_sign_stream(out, s->engine, descriptor, in, params, err);
}

se_status service_find_signer(se_signer *out, const struct service *s, const char *descriptor,
                              const se_sign_params *params, se_error *err)
{
    return s->client ? error_set(err, SE_ERR_USAGE, "the service does not say who would sign")
                     : se_find_signer(out, s->engine, descriptor, params, err);
}

se_status service_verify(se_signer *out, const struct service *s, const char *descriptor,
                         const se_source *in, const se_verify_params *params, se_error *err)
{
    return s->client ? client_verify(out, s->client, descriptor, in, params, err)
                     : se_verify_stream(out, s->engine, descriptor, in, params, err);
}

/* ---- JOSE ---- */

se_status service_jws_sign(se_buf *out, const struct service *s, const char *descriptor,
                           se_bytes payload, const se_jws_sign_params *params, se_error *err)
{
    return s->client ? client_jws_sign(out, s->client, descriptor, payload, params, err)
                     : se_jws_sign(out, s->engine, descriptor, payload, params, err);
}

se_status service_jws_verify(se_buf *payload, const struct service *s, const char *descriptor,
                             se_bytes jws, const se_jws_verify_params *params, se_error *err)
{
    return s->client ? client_jws_verify(payload, s->client, descriptor, jws, params, err)
                     : se_jws_verify(payload, s->engine, descriptor, jws, params, err);
}

se_status service_jwt_sign(se_buf *out, const struct service *s, const char *descriptor,
                           se_bytes claims, const se_jwt_sign_params *params, se_error *err)
{
    return s->client ? client_jwt_sign(out, s->client, descriptor, claims, params, err)
                     : se_jwt_sign(out, s->engine, descriptor, claims, params, err);
}

se_status service_jwt_verify(se_buf *claims, const struct service *s, const char *descriptor,
                             se_bytes token, const se_jwt_verify_params *params, se_error *err)
{
    return s->client ? client_jwt_verify(claims, s->client, descriptor, token, params, err)
                     : se_jwt_verify(claims, s->engine, descriptor, token, params, err);
}

/* ---- versions ---- */

/* `item` is what se_describe() calls it, "descriptor NAME:VERSION", once for each of its
 * properties. 0: it is another. */
static unsigned item_version(const char *item, const char *descriptor)
{
    const char *name = text_starts(item, "descriptor ") ? strchr(item, ' ') + 1 : "";
    const size_t size = strlen(descriptor);
    unsigned long version;

    if (!text_starts(name, descriptor) || name[size] != ':' ||
        !text_number(&version, name + size + 1, UINT_MAX))
        return 0;
    return (unsigned)version;
}

struct search {
    const char *descriptor;
    unsigned version;
    bool found;
};

static void note_version(void *arg, const char *item, const char *property, const char *value)
{
    struct search *search = arg;
    const unsigned version = item_version(item, search->descriptor);

    (void)property;
    (void)value;
    search->found |= version && (!search->version || version == search->version);
}

/* Whoever may only ask for values learns from a value that is none. */
bool service_has_descriptor(const struct service *s, const char *descriptor, unsigned version)
{
    struct search search = { descriptor, version, false };
    se_field_params params = SE_FIELD_PARAMS_INIT;
    AUTO(se_buf) none = SE_BUF_INIT;

    params.version = version;
    if (s->client)
        return client_decrypt(&none, s->client, descriptor, (se_bytes){ "?", 1 }, &params, NULL) !=
               SE_ERR_NO_DESCRIPTOR;
    return !se_describe(s->engine, note_version, &search, NULL) && search.found;
}

/* ---- certificates ---- */

/* Of one version of a descriptor after the other, as se_describe() names them. */
struct listing {
    se_engine *engine;
    const char *descriptor;
    unsigned last; /* version that was seen */
    struct writer pem;
    se_status status;
    se_error *err;
};

static void listing_free(struct listing *l)
{
    writer_free(&l->pem);
}
AUTO_KIND(listing, struct listing, listing_free(p))

static se_status list_certificate(struct listing *l, unsigned version)
{
    AUTO(verifier) verifier = NULL;

    TRY(se_verifier_open(&verifier, l->engine, l->descriptor, version, l->err));
    if (!se_verifier_certificate(verifier).size)
        return error_set(l->err, SE_ERR_KEY,
                         "descriptor '%s': version %u has a public key without a certificate",
                         l->descriptor, version);
    writer_pem(&l->pem, "CERTIFICATE", se_verifier_certificate(verifier));
    return SE_OK;
}

static void list_version(void *arg, const char *item, const char *property, const char *value)
{
    struct listing *l = arg;
    const unsigned version = item_version(item, l->descriptor);

    (void)property;
    (void)value;
    if (!version || version == l->last || l->status)
        return;
    l->last = version;
    l->status = list_certificate(l, version);
}

static se_status list_certificates(se_buf *out, struct listing *l, unsigned version, se_error *err)
{
    if (version)
        l->status = list_certificate(l, version);
    else
        TRY(se_describe(l->engine, list_version, l, NULL));
    TRY(l->status);
    if (!l->pem.buf.size)
        return error_set(err, SE_ERR_NO_DESCRIPTOR, "no descriptor '%s'", l->descriptor);
    return writer_finish(out, &l->pem, err);
}

se_status service_certificates(se_buf *out, const struct service *s, const char *descriptor,
                               unsigned version, se_error *err)
{
    AUTO(listing) listing = { .engine = s->engine, .descriptor = descriptor, .err = err };

    *out = (se_buf)SE_BUF_INIT;
    return s->client ? client_certificates(out, s->client, descriptor, version, err)
                     : list_certificates(out, &listing, version, err);
}

/* ---- encrypted fields ---- */

se_status service_encrypt(se_buf *out, const struct service *s, const char *descriptor, se_bytes in,
                          const se_field_params *params, se_error *err)
{
    return s->client ? client_encrypt(out, s->client, descriptor, in, params, err)
                     : se_encrypt(out, s->engine, descriptor, in, params, err);
}

se_status service_decrypt(se_buf *out, const struct service *s, const char *descriptor, se_bytes in,
                          const se_field_params *params, se_error *err)
{
    return s->client ? client_decrypt(out, s->client, descriptor, in, params, err)
                     : se_decrypt(out, s->engine, descriptor, in, params, err);
}

se_status service_encrypt_many(se_field *fields, size_t count, const struct service *s,
                               const char *descriptor, const se_field_params *params, se_error *err)
{
    return s->client ? client_encrypt_many(fields, count, s->client, descriptor, params, err)
                     : se_encrypt_many(fields, count, s->engine, descriptor, params, err);
}

se_status service_decrypt_many(se_field *fields, size_t count, const struct service *s,
                               const char *descriptor, const se_field_params *params, se_error *err)
{
    return s->client ? client_decrypt_many(fields, count, s->client, descriptor, params, err)
                     : se_decrypt_many(fields, count, s->engine, descriptor, params, err);
}

se_status service_rekey_many(se_field *fields, size_t count, const struct service *s,
                             const char *descriptor, const se_field_params *params, se_error *err)
{
    return s->client ? client_rekey_many(fields, count, s->client, descriptor, params, err)
                     : se_rekey_many(fields, count, s->engine, descriptor, params, err);
}

/* ---- zips and containers ---- */

se_status service_zip_sign(const char *out, const struct service *s, const char *descriptor,
                           const char *in, const se_zip_sign_params *params, se_error *err)
{
    return s->client ? client_zip_sign(out, s->client, descriptor, in, params, err)
                     : se_zip_sign(out, s->engine, descriptor, in, params, err);
}

se_status service_zip_verify(const struct service *s, const char *descriptor, const char *path,
                             const se_zip_verify_params *params, se_error *err)
{
    return s->client ? client_zip_verify(s->client, descriptor, path, params, err)
                     : se_zip_verify(s->engine, descriptor, path, params, err);
}

se_status service_container_encrypt(const se_sink *out, const struct service *s,
                                    const char *descriptor, const se_source *in,
                                    const se_container_params *params, se_error *err)
{
    return s->client ? client_container_encrypt(out, s->client, descriptor, in, params, err)
                     : se_container_encrypt_stream(out, s->engine, descriptor, in, params, err);
}

se_status service_container_decrypt(const se_sink *out, const struct service *s,
                                    const char *descriptor, const se_source *in,
                                    const se_container_params *params, se_error *err)
{
    return s->client ? client_container_decrypt(out, s->client, descriptor, in, params, err)
                     : se_container_decrypt_stream(out, s->engine, descriptor, in, params, err);
}

/* ---- the keys ---- */

se_status service_check(const struct service *s, se_check_fn fn, void *arg,
                        const se_check_options *options, se_error *err)
{
    return s->client ? client_check(s->client, fn, arg, options, err)
                     : se_check(s->engine, fn, arg, options, err);
}
