/* Containers from file to file. */
#include <errno.h>
#include <unistd.h>

#include "base/arguments.h"
#include "base/stream.h"
#include "zip/container.h"

static se_status encrypt_to_file(const char *path, se_engine *engine, const char *descriptor,
                                 int in, const se_container_params *params, se_error *err)
{
    AUTO(output) output = OUTPUT_INIT;
    const se_source source = source_fd(in);
    se_sink sink;

    TRY(output_open(&output, path, 0644, err));
    sink = sink_fd(output.fd);
    TRY(se_container_encrypt_stream(&sink, engine, descriptor, &source, params, err));
    return output_commit(&output, err);
}

se_status container_make(const char *path, se_engine *engine, const char *descriptor, int plain,
                         const se_container_params *params, se_error *err)
{
    if (lseek(plain, 0, SEEK_SET))
        return error_set(err, SE_ERR_IO, "cannot read the signed archive: %s", strerror(errno));
    return encrypt_to_file(path, engine, descriptor, plain, params, err);
}

se_status se_container_encrypt_file(const char *out, se_engine *engine, const char *descriptor,
                                    const char *in, const se_container_params *params,
                                    se_error *error)
{
    AUTO(file) file = -1;

    TRY(arguments_check(error, out, engine, descriptor, in));
    TRY(file_open_stream(&file, in, error));
    return encrypt_to_file(out, engine, descriptor, file, params, error);
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
