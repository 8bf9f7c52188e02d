/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signs a message that an application has made and hands it to sendmail.
 *
 *   sign-mail CONFIG [SENDMAIL] <message      SENDMAIL: a command, "sendmail -i -t" if not given
 *
 * A message that can't be signed does not leave: sendmail is started once the signature is there.
 */
#include <errno.h>
#include <signengine-mail.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

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
    se_error error = SE_ERROR_INIT;
    se_mail done;

    if (se_mail_sign(&sink, &done, engine, "SignEmailDescriptor", &source, NULL, &error))
        return complain(se_status_name(error.status), error.text);
    if (done.passed)
        fprintf(stderr, "sign-mail: it was signed or encrypted already\n");
    else
        fprintf(stderr, "sign-mail: signed for %s by %s\n", done.signer.address,
                done.signer.subject);
    return 0;
}

/* The command reads the file itself: through a pipe, one that ends without reading would end this
 * program by SIGPIPE. */
static int send_it(FILE *message, const char *command)
{
    int status;

    if (fflush(message) || lseek(fileno(message), 0, SEEK_SET) ||
        dup2(fileno(message), STDIN_FILENO) < 0)
        return complain("the signed message", strerror(errno));
    status = system(command);
    if (!WIFEXITED(status) || WEXITSTATUS(status))
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
