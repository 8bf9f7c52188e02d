/* SPDX-License-Identifier: Apache-2.0 */
/* Files of any size, encrypted for a descriptor. */
#include "fields/container.h"
#include "base/arguments.h"
#include "base/file.h"
#include "engine/fields.h"

/* The application's own streams, and how many bytes have been read. */
struct container_job {
    const se_sink *out;
    struct stream in;
    se_container_params params;
};

static se_status container_job_begin(struct container_job *job, const se_sink *out,
                                     const se_source *in, const se_container_params *params,
                                     struct api_call *call)
{
    se_error *err = &call->error;

    *job = (struct container_job){ .out = out, .in = { .source = in } };
    TRY(arguments_options(&job->params, params, se_container_params, err));
    TRY(api_call_tag(call, job->params.tag));
    job->in.progress = job->params.progress;
    job->in.progress_arg = job->params.progress_arg;
    if (job->params.context.size > VALUE_MAX)
        return error_set(err, SE_ERR_USAGE, "a context of %zu bytes is too long",
                         job->params.context.size);
    return SE_OK;
}

/* ---- encrypting ---- */

se_status container_check_algorithm(const struct descriptor *d, se_error *err)
{
    const struct algorithm *a = &d->algorithm;

    if (a->kind == ALGORITHM_CIPHER && a->result == RESULT_NX02)
        return SE_OK;
    return error_set(err, SE_ERR_POLICY, "a container is NX02, its result is %s",
                     a->kind == ALGORITHM_WRAP ? "bare RSA-OAEP" : result_name(a->result));
}

static se_status encrypt_container(struct container_job *job, struct encryption *e, se_error *err)
{
    const struct seal_job seal = {
        .algorithm = &e->descriptor->algorithm,
        .recipient = &e->recipient,
        .key = &e->data_key,
        .context = job->params.context,
    };

    TRY(container_check_algorithm(e->descriptor, err));
    TRY(encryption_make_secret(&e->data_key, e, CONTAINER_SECRET, err));
    return container_seal(job->out, &seal, &job->in, err);
}

static se_status container_encrypt(struct container_job *job, struct engine *engine,
                                   struct api_call *call)
{
    AUTO(encryption) encryption = { .uses = 0 };
    const struct version_wish wish = { .version = job->params.version,
                                       .any_time = job->params.at_any_time };

    TRY(encryption_begin(&encryption, engine, call, &wish));
    return error_blame_key(&call->error, encrypt_container(job, &encryption, &call->error),
                           encryption.descriptor);
}

se_status se_container_encrypt_stream(const se_sink *out, se_engine *engine, const char *descriptor,
                                      const se_source *in, const se_container_params *params,
                                      se_error *error)
{
    struct api_call call;
    struct container_job job;
    se_status st;

    TRY(arguments_check(error, given_sink(out), engine, descriptor, given_source(in)));
    api_call_begin(&call, engine, "container encrypt", descriptor);
    if (!(st = container_job_begin(&job, out, in, params, &call)))
        st = container_encrypt(&job, call.engine, &call);
    call.event.bytes = job.in.done;
    return api_call_end(&call, st, error);
}

/* ---- decrypting ---- */

static se_status open_container(struct container_job *job, struct decryption *dec,
                                const struct envelope *envelope, se_error *err)
{
    AUTO(data_key) key = { .secret = SE_BUF_INIT };
    const struct open_job open = { envelope, &key, job->params.context };
    struct key_use use;
    se_status st = decryption_unwrap(&key.secret, &use, dec, envelope, err);

    api_call_use(dec->call, &use);
    return st ? st : container_open(job->out, &open, &job->in, err);
}

static se_status refuse_container(se_error *err)
{
    return error_set(err, SE_ERR_REJECTED,
                     "the container does not decrypt: it was changed or cut short, moved to "
                     "another context, or made for another key");
}

static se_status decrypt_container(struct container_job *job, struct decryption *dec, se_error *err)
{
    AUTO(envelope) envelope = { .format = NULL };
    se_error why = SE_ERROR_INIT;
    se_status st;

    if (!(st = container_read(&envelope, &job->in, &why)))
        st = open_container(job, dec, &envelope, &why);
    if (!st)
        return SE_OK;
    return st == SE_ERR_REJECTED ? refuse_container(err) : error_copy(err, st, &why);
}

static se_status container_decrypt(struct container_job *job, struct engine *engine,
                                   struct api_call *call)
{
    AUTO(decryption) decryption = { .count = 0 };

    TRY(decryption_begin(&decryption, engine, call, job->params.version));
    return error_prefix(&call->error, decrypt_container(job, &decryption, &call->error),
                        "descriptor '%s': ", decryption.name);
}

se_status se_container_decrypt_stream(const se_sink *out, se_engine *engine, const char *descriptor,
                                      const se_source *in, const se_container_params *params,
                                      se_error *error)
{
    struct api_call call;
    struct container_job job;
    se_status st;

    TRY(arguments_check(error, given_sink(out), engine, descriptor, given_source(in)));
    api_call_begin(&call, engine, "container decrypt", descriptor);
    if (!(st = container_job_begin(&job, out, in, params, &call)))
        st = container_decrypt(&job, call.engine, &call);
    call.event.bytes = job.in.done;
    return api_call_end(&call, st, error);
}

/* ---- from file to file ---- */

se_status se_container_encrypt_file(const char *out, se_engine *engine, const char *descriptor,
                                    const char *in, const se_container_params *params,
                                    se_error *error)
{
    AUTO(file) file = -1;
    AUTO(output) output = OUTPUT_INIT;
    se_source source;
    se_sink sink;

    TRY(arguments_check(error, out, engine, descriptor, in));
    TRY(file_open_stream(&file, in, error));
    TRY(output_open(&output, out, 0644, error));
    source = source_fd(file);
    sink = sink_fd(output.fd);
    TRY(se_container_encrypt_stream(&sink, engine, descriptor, &source, params, error));
    return output_commit(&output, error);
}

se_status se_container_decrypt_file(const char *out, se_engine *engine, const char *descriptor,
                                    const char *in, const se_container_params *params,
                                    se_error *error)
{
    AUTO(file) file = -1;
    AUTO(output) output = OUTPUT_INIT;
    se_source source;
    se_sink sink;

    TRY(arguments_check(error, out, engine, descriptor, in));
    TRY(file_open_stream(&file, in, error));
    TRY(output_open_secret(&output, out, 0600, error));
    source = source_fd(file);
    sink = sink_fd(output.fd);
    TRY(se_container_decrypt_stream(&sink, engine, descriptor, &source, params, error));
    return output_commit(&output, error);
}

bool se_is_container(se_bytes beginning)
{
    return given_bytes(beginning) && container_resembles(beginning);
}
