/* Signing and verifying files by their names. */
#include "base/arguments.h"
#include "base/file.h"
#include "base/stream.h"

enum { SIGNATURE_LIMIT = 64 << 20 };

se_source se_source_fd(int fd)
{
    return source_fd(fd);
}

se_sink se_sink_fd(int fd)
{
    return sink_fd(fd);
}

se_status se_sign_file(const char *out, se_engine *engine, const char *descriptor, const char *in,
                       const se_sign_params *params, se_error *error)
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
    TRY(se_sign_stream(&sink, engine, descriptor, &source, params, error));
    return output_commit(&output, error);
}

se_status se_verify_file(se_signer *out, se_engine *engine, const char *descriptor, const char *in,
                         const char *signature, const se_verify_params *params, se_error *error)
{
    AUTO(file) file = -1;
    AUTO(se_buf) read = SE_BUF_INIT;
    se_verify_params job;
    se_source source;
    se_status st = SE_OK;

    if (out)
        *out = (se_signer){ .version = 0 };
    TRY(arguments_check(error, engine, descriptor, in));
    TRY(arguments_options(&job, params, se_verify_params, error));
    if ((signature && (st = file_read(&read, signature, SIGNATURE_LIMIT, error))) ||
        (st = file_open_stream(&file, in, error)))
        return st;
    if (signature && !read.size)
        return error_set(error, SE_ERR_FORMAT, "'%s' is empty: there is no signature in it",
                         signature);
    if (signature)
        job.signature = buf_bytes(&read);
    source = source_fd(file);
    return se_verify_stream(out, engine, descriptor, &source, &job, error);
}
