/*
 * Signs a file and verifies the signature through the library.
 *
 *   sign-file CONFIG DESCRIPTOR FILE      writes FILE.p7s
 */
#include <errno.h>
#include <signengine.h>
#include <stdio.h>
#include <string.h>

static ptrdiff_t read_file(void *file, void *data, size_t size)
{
    size_t n = fread(data, 1, size, file);

    return n || !ferror((FILE *)file) ? (ptrdiff_t)n : -1;
}

static int complain(const se_error *error)
{
    fprintf(stderr, "sign-file: %s (%s)\n", error->text, se_status_name(error->status));
    return 1;
}

/* What is wrong with the configuration, line by line. */
static void report(void *arg, const se_report *finding)
{
    (void)arg;
    fprintf(stderr, "%s:%d: %s%s\n", finding->file, finding->line, finding->error ? "" : "warning: ", finding->text);
}

static int write_signature(const char *path, const se_buf *signature)
{
    char name[4096];
    FILE *out;

    snprintf(name, sizeof name, "%s.p7s", path);
    out = fopen(name, "wb");
    if (!out || fwrite(signature->data, 1, signature->size, out) != signature->size || fclose(out)) {
        fprintf(stderr, "sign-file: %s: %s\n", name, strerror(errno));
        return 1;
    }
    printf("%s: %zu bytes\n", name, signature->size);
    return 0;
}

static int collect(void *signature, const void *data, size_t size)
{
    se_buf *buf = signature;
    static unsigned char room[65536];

    if (buf->size + size > sizeof room) {
        errno = EFBIG;
        return -1;
    }
    memcpy(room + buf->size, data, size);
    buf->data = room;
    buf->size += size;
    return 0;
}

static int sign_and_verify(se_engine *engine, const char *descriptor, const char *path, FILE *file)
{
    se_error error = SE_ERROR_INIT;
    se_params params = SE_PARAMS_INIT;
    se_buf signature = SE_BUF_INIT; /* the engine does not own this one: collect() fills it */
    const se_sink sink = { collect, &signature };
    const se_source source = { read_file, file, 0 };
    se_signer signer;

    if (se_sign_stream(&sink, engine, descriptor, &source, NULL, &error))
        return complain(&error);

    rewind(file);
    params.signature = (se_bytes){ signature.data, signature.size };
    if (se_verify_stream(&signer, engine, descriptor, &source, &params, &error))
        return complain(&error);
    printf("signed by %s, version %u, %s\n", signer.subject, signer.version, signer.algorithm);
    return write_signature(path, &signature);
}

int main(int argc, char **argv)
{
    se_options options = SE_OPTIONS_INIT;
    se_error error = SE_ERROR_INIT;
    se_engine *engine = NULL;
    FILE *file;
    int status;

    if (argc != 4) {
        fprintf(stderr, "usage: sign-file CONFIG DESCRIPTOR FILE\n");
        return 64;
    }
    options.report = report;
    if (se_open(&engine, argv[1], &options, &error))
        return complain(&error);
    file = fopen(argv[3], "rb");
    if (!file) {
        fprintf(stderr, "sign-file: %s: %s\n", argv[3], strerror(errno));
        se_close(&engine);
        return 66;
    }
    status = sign_and_verify(engine, argv[2], argv[3], file);
    fclose(file);
    se_close(&engine);
    return status;
}
