/* SPDX-License-Identifier: Apache-2.0 */
/* decrypt CONFIG DESCRIPTOR CONTEXT-FILE [container] <VALUE >PLAINTEXT: exit status 1: refused, 2:
 * anything else */
#include <stdio.h>

#include "base/file.h"
#include "base/stream.h"

enum { LIMIT = 1 << 20 };

static se_status decrypt_field(se_buf *plain, se_engine *engine, const char *descriptor,
                               se_bytes in, se_bytes context, se_error *err)
{
    se_field_params params = SE_FIELD_PARAMS_INIT;

    params.context = context;
    return se_decrypt(plain, engine, descriptor, in, &params, err);
}

static se_status decrypt_container(se_buf *plain, se_engine *engine, const char *descriptor,
                                   se_bytes in, se_bytes context, se_error *err)
{
    se_container_params params = SE_CONTAINER_PARAMS_INIT;
    AUTO(writer) w = { 0 };
    const se_sink sink = sink_writer(&w);
    const se_source source = source_memory(&in);
    se_status st;

    params.context = context;
    st = se_container_decrypt_stream(&sink, engine, descriptor, &source, &params, err);
    return st ? st : writer_finish(plain, &w, err);
}

static se_status decrypt(se_buf *plain, char **argv, se_error *err)
{
    AUTO(se_buf) context = SE_BUF_INIT;
    AUTO(se_buf) value = SE_BUF_INIT;
    se_engine *engine = NULL;
    se_status st;

    if ((st = file_read(&context, argv[3], LIMIT, err)) ||
        (st = file_read(&value, "/dev/stdin", LIMIT, err)) ||
        (st = se_open(&engine, argv[1], NULL, err)))
        return st;
    st = (argv[4] ? decrypt_container : decrypt_field)(plain, engine, argv[2], buf_bytes(&value),
                                                       buf_bytes(&context), err);
    se_close(&engine);
    return st;
}

int main(int argc, char **argv)
{
    AUTO(se_buf) plain = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;
    se_status st = argc == 4 || argc == 5 ? decrypt(&plain, argv, &err) : SE_ERR_USAGE;

    if (st)
        fprintf(stderr, "%s\n", err.text);
    else
        fwrite(plain.data, 1, plain.size, stdout);
    return st == SE_ERR_REJECTED ? 1 : st ? 2 : 0;
}
