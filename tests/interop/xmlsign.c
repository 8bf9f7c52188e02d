/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xmlsign CONFIG DESCRIPTOR <JOBS: many XML signatures in one process.  A job is a line of words,
 * and its answer too: the status, and why. sign FORM ID|- IN OUT     FORM: document, enveloping;
 * with "-inclusive" behind it for Canonical XML 1.0 verify ID|- IN
 */
#include <stdio.h>

#include "base/file.h"
#include "base/stream.h"

enum { LIMIT = 8 << 20, WORDS = 5 };

static const char *id_of(const char *word)
{
    return strcmp(word, "-") ? word : NULL;
}

static se_status write_file(const char *path, const se_buf *text, se_error *err)
{
    FILE *f = fopen(path, "w");
    size_t done = f ? fwrite(text->data, 1, text->size, f) : 0;

    if (!f || fclose(f) || done != text->size)
        return error_set(err, SE_ERR_IO, "cannot write '%s'", path);
    return SE_OK;
}

static se_status sign(se_engine *engine, const char *descriptor, char **words, se_error *err)
{
    AUTO(se_buf) in = SE_BUF_INIT;
    AUTO(se_buf) out = SE_BUF_INIT;
    se_sign_params params = SE_SIGN_PARAMS_INIT;
    se_status st = file_read(&in, words[3], LIMIT, err);

    params.form = strncmp(words[1], "enveloping", strlen("enveloping")) ? SE_FORM_XML
                                                                        : SE_FORM_XML_ENVELOPING;
    params.xml_inclusive = strstr(words[1], "-inclusive");
    params.xml_id = id_of(words[2]);
    if (st || (st = se_sign(&out, engine, descriptor, buf_bytes(&in), &params, err)))
        return st;
    return write_file(words[4], &out, err);
}

static se_status verify(se_engine *engine, const char *descriptor, char **words, se_error *err)
{
    AUTO(se_buf) in = SE_BUF_INIT;
    se_verify_params params = SE_VERIFY_PARAMS_INIT;
    se_status st = file_read(&in, words[2], LIMIT, err);

    params.form = SE_FORM_XML;
    params.xml_id = id_of(words[1]);
    return st ? st : se_verify(NULL, engine, descriptor, buf_bytes(&in), &params, err);
}

static void do_job(se_engine *engine, const char *descriptor, char *line)
{
    char *words[WORDS] = { NULL }, *rest = NULL;
    se_error err = SE_ERROR_INIT;
    se_status st = SE_ERR_USAGE;
    size_t count = 0;

    for (char *at = strtok_r(line, " \n", &rest); at && count < WORDS;
         at = strtok_r(NULL, " \n", &rest))
        words[count++] = at;
    if (count == 5 && !strcmp(words[0], "sign"))
        st = sign(engine, descriptor, words, &err);
    else if (count == 3 && !strcmp(words[0], "verify"))
        st = verify(engine, descriptor, words, &err);
    printf("%d %s\n", st, st ? err.text : "");
}

int main(int argc, char **argv)
{
    se_engine *engine = NULL;
    se_error err = SE_ERROR_INIT;
    char line[4096];

    if (argc != 3 || se_open(&engine, argv[1], NULL, &err)) {
        fprintf(stderr, "xmlsign: %s\n", argc == 3 ? err.text : "CONFIG DESCRIPTOR");
        return 1;
    }
    while (fgets(line, sizeof line, stdin))
        do_job(engine, argv[2], line);
    se_close(&engine);
    return 0;
}
