/*
 * Signs a message that an application has made and hands it to sendmail.
 *
 *   sign-mail CONFIG [SENDMAIL] <message      SENDMAIL: a command, "sendmail -i -t" if not given
 *
 * A message that can't be signed does not leave: sendmail is started once the signature is there.
 */
#include <errno.h>
#include <signengine.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

static ptrdiff_t read_file(void *file, void *data, size_t size)
{
    size_t n = fread(data, 1, size, file);

    return n || !ferror((FILE *)file) ? (ptrdiff_t)n : -1;
}

static int write_file(void *file, const void *data, size_t size)
{
    return fwrite(data, 1, size, file) == size ? 0 : -1;
}

static int complain(const char *what, const char *why)
{
    fprintf(stderr, "sign-mail: %s: %s\n", what, why);
    return 1;
}

/* Into a file without a name: half a message must not be sent. */
static int sign(FILE *out, se_engine *engine)
{
    const se_source source = { read_file, stdin, 0 };
    const se_sink sink = { write_file, out };
    se_mail_params params = SE_MAIL_PARAMS_INIT;
    se_error error = SE_ERROR_INIT;
    se_mail done;

    params.result = &done;
    if (se_mail_sign(&sink, engine, "SignEmailDescriptor", &source, &params, &error))
        return complain(se_status_name(error.status), error.text);
    if (done.passed)
        fprintf(stderr, "sign-mail: it was signed or encrypted already\n");
    else
        fprintf(stderr, "sign-mail: signed for %s by %s\n", done.signer.address, done.signer.subject);
    return 0;
}

static int send_it(FILE *message, const char *command)
{
    char piece[65536];
    size_t n;
    FILE *pipe = popen(command, "w");
    int status;

    if (!pipe)
        return complain(command, strerror(errno));
    rewind(message);
    while ((n = fread(piece, 1, sizeof piece, message)) > 0)
        if (fwrite(piece, 1, n, pipe) != n)
            break;
    status = pclose(pipe);
    if (n || ferror(message) || !WIFEXITED(status) || WEXITSTATUS(status))
        return complain(command, "it did not take the message");
    return 0;
}

int main(int argc, char **argv)
{
    se_error error = SE_ERROR_INIT;
    se_engine *engine = NULL;
    FILE *message;
    int status;

    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: sign-mail CONFIG [SENDMAIL] <message\n");
        return 64;
    }
    if (se_open(&engine, argv[1], NULL, &error))
        return complain(argv[1], error.text);
    message = tmpfile();
    if (!message) {
        se_close(&engine);
        return complain("a temporary file", strerror(errno));
    }
    status = sign(message, engine);
    if (!status)
        status = send_it(message, argc == 3 ? argv[2] : "sendmail -i -t");
    fclose(message);
    se_close(&engine);
    return status;
}
