/* decrypt CONFIG DESCRIPTOR CONTEXT-FILE <VALUE >PLAINTEXT: exit status 1: refused, 2: anything else */
#include <stdio.h>

#include "base/file.h"

enum { LIMIT = 1 << 20 };

static se_status decrypt(se_buf *plain, char **argv, se_error *err)
{
    AUTO(se_buf) context = SE_BUF_INIT;
    AUTO(se_buf) value = SE_BUF_INIT;
    se_field_params params = SE_FIELD_PARAMS_INIT;
    se_engine *engine = NULL;
    se_status st;

    if ((st = file_read(&context, argv[3], LIMIT, err)) || (st = file_read(&value, "/dev/stdin", LIMIT, err)) ||
        (st = se_open(&engine, argv[1], NULL, err)))
        return st;
    params.context = buf_bytes(&context);
    st = se_decrypt(plain, engine, argv[2], buf_bytes(&value), &params, err);
    se_close(&engine);
    return st;
}

int main(int argc, char **argv)
{
    AUTO(se_buf) plain = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;
    se_status st = argc == 4 ? decrypt(&plain, argv, &err) : SE_ERR_USAGE;

    if (st)
        fprintf(stderr, "%s\n", err.text);
    else
        fwrite(plain.data, 1, plain.size, stdout);
    return st == SE_ERR_REJECTED ? 1 : st ? 2 : 0;
}
