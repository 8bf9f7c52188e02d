/* SPDX-License-Identifier: Apache-2.0 */
/* Files in, files out: zips, containers and mail. */
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "client/call.h"

/* What passes through: a stream's bytes to the service, and those of its answer. */
static se_status run_stream(struct call *call, struct client *client, const se_source *in,
                            se_progress_fn progress, void *progress_arg, se_error *err)
{
    struct stream stream = { in, progress, progress_arg, 0 };
    AUTO(body) body = { .rest = NULL };
    AUTO(answer) answer = { .retry_after = -1 };

    TRY(body_read(&body, &stream, err));
    call->body = &body;
    return call_run(&answer, client, call, err);
}

static se_status run_stream_json(json_t **out, struct call *call, struct client *client,
                                 struct stream *stream, se_error *err)
{
    AUTO(body) body = { .rest = NULL };

    *out = NULL;
    TRY(body_read(&body, stream, err));
    call->body = &body;
    return call_run_json(out, client, call, err);
}

/* ---- containers ---- */

static se_status run_container(const se_sink *out, struct client *client, struct call *call,
                               const se_source *in, const se_container_params *params,
                               se_error *err)
{
    call->type = call->accept = TYPE_OCTETS;
    call->out = out;
    TRY(call_context(call, params->context, err));
    return run_stream(call, client, in, params->progress, params->progress_arg, err);
}

se_status client_container_encrypt(const se_sink *out, struct client *client,
                                   const char *descriptor, const se_source *in,
                                   const se_container_params *params, se_error *err)
{
    AUTO(call) call = { .body = NULL };

    call_descriptor(&call, client, descriptor, "zip/encrypt", params->version);
    return run_container(out, client, &call, in, params, err);
}

se_status client_container_decrypt(const se_sink *out, struct client *client,
                                   const char *descriptor, const se_source *in,
                                   const se_container_params *params, se_error *err)
{
    AUTO(call) call = { .body = NULL };

    call_descriptor(&call, client, descriptor, "zip/decrypt", params->version);
    return run_container(out, client, &call, in, params, err);
}

/* ---- zips ---- */

static se_status sign_zip(const se_sink *out, struct client *client, const char *descriptor,
                          const se_source *in, const se_zip_sign_params *params, se_error *err)
{
    AUTO(call) call = { .type = TYPE_OCTETS, .accept = TYPE_OCTETS, .out = out };

    call_descriptor(&call, client, descriptor, "zip/sign", params->version);
    call_flag(&call, "keep", params->keep);
    call_text(&call, "signatureName", params->signature_name);
    return run_stream(&call, client, in, params->progress, params->progress_arg, err);
}

/* The zip that was signed gets no name: it is wiped when it has been encrypted. */
static void file_forget(int *fd)
{
    if (*fd < 0)
        return;
    file_wipe(*fd);
    (void)close(*fd);
    *fd = -1;
}
AUTO_KIND(forgotten_file, int, file_forget(p))

static se_status sign_and_encrypt_zip(const se_sink *out, struct client *client,
                                      const char *descriptor, const char *folder,
                                      const se_source *in, const se_zip_sign_params *params,
                                      se_error *err)
{
    AUTO(forgotten_file) held = file_unnamed(folder);
    const se_sink to_held = sink_fd(held);
    se_container_params encrypt = SE_CONTAINER_PARAMS_INIT;
    se_source signed_zip;

    if (held < 0)
        return error_set(err, SE_ERR_IO, "cannot write in '%s': %s", folder, strerror(errno));
    TRY(sign_zip(&to_held, client, descriptor, in, params, err));
    if (lseek(held, 0, SEEK_SET))
        return error_set(err, SE_ERR_IO, "cannot read what was signed: %s", strerror(errno));
    signed_zip = source_fd(held);
    encrypt.version = params->encrypt_version;
    encrypt.context = params->context;
    return client_container_encrypt(out, client, params->encrypt, &signed_zip, &encrypt, err);
}

static int output_piece(void *arg, const void *data, size_t size)
{
    return output_write(arg, (se_bytes){ data, size }, NULL) ? -1 : 0;
}

AUTO_KIND(folder, char *, free(*p))

static se_status sign_zip_to(struct output *to, struct client *client, const char *descriptor,
                             const se_source *in, const se_zip_sign_params *params, se_error *err)
{
    const se_sink sink = { output_piece, to };
    AUTO(folder) folder = file_folder(to->path);

    if (!folder)
        return error_memory(err);
    return params->encrypt
               ? sign_and_encrypt_zip(&sink, client, descriptor, folder, in, params, err)
               : sign_zip(&sink, client, descriptor, in, params, err);
}

se_status client_zip_sign(const char *out, struct client *client, const char *descriptor,
                          const char *in, const se_zip_sign_params *params, se_error *err)
{
    AUTO(file) fd = -1;
    AUTO(output) to = OUTPUT_INIT;
    se_source source;

    TRY(file_open_stream(&fd, in, err));
    source = source_fd(fd);
    TRY(output_open(&to, out ? out : in, 0666, err));
    TRY(sign_zip_to(&to, client, descriptor, &source, params, err));
    return output_commit(&to, err);
}

static se_zip_state state_of_text(const char *text)
{
    for (int state = SE_ZIP_SIGNED; state <= SE_ZIP_EMPTY_FOLDER; state++)
        if (strcmp(se_zip_state_text((se_zip_state)state), text) == 0)
            return (se_zip_state)state;
    return SE_ZIP_SIGNED;
}

/* Whatever the service says is good: else it would have said that it is not. */
static void report_zip(const json_t *answer, const se_zip_verify_params *params)
{
    const json_t *item;
    size_t i;

    json_array_foreach(json_object_get(answer, "signatures"), i, item) {
        se_signer signer;

        json_member_signer(&signer, item);
        if (params->signature)
            params->signature(params->report_arg, json_member_text(item, "name"), &signer);
    }
    json_array_foreach(json_object_get(answer, "entries"), i, item) {
        const se_zip_entry entry = {
            .name = json_member_text(item, "name"),
            .size = (uint64_t)json_integer_value(json_object_get(item, "size")),
            .state = state_of_text(json_member_text(item, "state")),
            .good = true,
        };

        if (params->entry)
            params->entry(params->report_arg, &entry);
    }
}

se_status client_zip_verify(struct client *client, const char *descriptor, const char *path,
                            const se_zip_verify_params *params, se_error *err)
{
    AUTO(file) fd = -1;
    AUTO(call) call = { .type = TYPE_OCTETS, .accept = TYPE_JSON };
    AUTO(json) answer = NULL;
    struct stream stream = { .progress = params->progress, .progress_arg = params->progress_arg };
    se_source source;

    TRY(file_open_stream(&fd, path, err));
    source = source_fd(fd);
    stream.source = &source;
    call_descriptor(&call, client, descriptor, "zip/verify", 0);
    call_flag(&call, "issuers", params->issuers);
    TRY(run_stream_json(&answer, &call, client, &stream, err));
    report_zip(answer, params);
    return SE_OK;
}

/* ---- mail ---- */

/* A message that was signed or encrypted already comes back as it was, and nothing else says so. */
struct compared {
    const se_source *in;
    const se_sink *out;
    EVP_MD_CTX *sent, *received;
};

static void compared_free(struct compared *c)
{
    EVP_MD_CTX_free(c->sent);
    EVP_MD_CTX_free(c->received);
}
AUTO_KIND(compared, struct compared, compared_free(p))

static ptrdiff_t read_compared(void *arg, void *data, size_t size)
{
    const struct compared *c = arg;
    const ptrdiff_t n = c->in->read(c->in->arg, data, size);

    if (n > 0 && !EVP_DigestUpdate(c->sent, data, (size_t)n)) {
        errno = EIO;
        return -1;
    }
    return n;
}

static int write_compared(void *arg, const void *data, size_t size)
{
    const struct compared *c = arg;

    if (!EVP_DigestUpdate(c->received, data, size)) {
        errno = EIO;
        return -1;
    }
    return c->out->write(c->out->arg, data, size);
}

static se_status compared_open(struct compared *c, se_error *err)
{
    c->sent = EVP_MD_CTX_new();
    c->received = EVP_MD_CTX_new();
    if (!c->sent || !c->received || !EVP_DigestInit_ex(c->sent, EVP_sha256(), NULL) ||
        !EVP_DigestInit_ex(c->received, EVP_sha256(), NULL))
        return error_set(err, SE_ERR_CRYPTO, "OpenSSL can't make a digest");
    return SE_OK;
}

static bool compared_is_same(const struct compared *c)
{
    unsigned char one[EVP_MAX_MD_SIZE], other[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    return EVP_DigestFinal_ex(c->sent, one, &size) &&
           EVP_DigestFinal_ex(c->received, other, NULL) && CRYPTO_memcmp(one, other, size) == 0;
}

se_status client_mail_sign(const se_sink *out, se_mail *done, struct client *client,
                           const char *descriptor, const se_source *in,
                           const se_mail_sign_params *params, se_error *err)
{
    AUTO(compared) c = { .in = in, .out = out };
    const se_source source = { read_compared, &c, in->total };
    const se_sink sink = { write_compared, &c };
    AUTO(call) call = { .type = TYPE_MAIL, .accept = TYPE_MAIL, .out = &sink };

    *done = (se_mail){ .passed = false };
    TRY(compared_open(&c, err));
    call_descriptor(&call, client, descriptor, "mail/sign", params->version);
    call_text(&call, "sender", params->sender);
    call_flag(&call, "opaque", params->opaque);
    call_flag(&call, "protect", params->protect);
    call_flag(&call, "again", params->again);
    TRY(run_stream(&call, client, &source, params->progress, params->progress_arg, err));
    done->passed = compared_is_same(&c);
    return SE_OK;
}

static void take_mail(se_mail *out, const json_t *answer)
{
    const char *changed = json_member_text(answer, "changed");

    *out = (se_mail){ .opaque = json_is_true(json_object_get(answer, "opaque")) };
    out->nested = json_is_true(json_object_get(answer, "nested"));
    out->protect = json_is_true(json_object_get(answer, "protected"));
    json_member_signer(&out->signer, answer);
    (void)snprintf(out->changed, sizeof out->changed, "%s", changed);
}

se_status client_mail_verify(se_mail *out, struct client *client, const char *descriptor,
                             const se_source *in, const se_mail_verify_params *params,
                             se_error *err)
{
    AUTO(call) call = { .type = TYPE_MAIL, .accept = TYPE_JSON };
    AUTO(json) answer = NULL;
    struct stream stream = { in, params->progress, params->progress_arg, 0 };

    *out = (se_mail){ .passed = false };
    call_descriptor(&call, client, descriptor, "mail/verify", params->version);
    call_text(&call, "sender", params->sender);
    TRY(run_stream_json(&answer, &call, client, &stream, err));
    take_mail(out, answer);
    return out->nested
               ? error_set(err, SE_ERR_USAGE,
                           "there is a signature inside the signature, which is not verified over "
                           "a socket; run it where the configuration is")
               : SE_OK;
}
