/* SPDX-License-Identifier: Apache-2.0 */
#include "config/files.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "config/pin_source.h"
#include "config/pins.h"

AUTO_KIND(text, char *, free(*p))

/* ---- certificates ---- */

se_status files_hash_text(unsigned char out[FILES_HASH], se_bytes text, se_error *err)
{
    size_t size = FILES_HASH;

    return EVP_Q_digest(NULL, "SHA2-256", NULL, text.data, text.size, out, &size)
               ? SE_OK
               : error_set(err, SE_ERR_CRYPTO, "SHA-256 failed");
}

se_status certificate_file_read(se_buf *out, const struct keyref *ref, se_error *err)
{
    if (ref->certificate_text.size)
        return buf_copy(out, buf_bytes(&ref->certificate_text), err);
    return file_read(out, ref->certificate, CERTIFICATE_FILE_LIMIT, err);
}

se_status certificate_file_hash(char out[FILE_HASH_TEXT], const struct keyref *ref, se_error *err)
{
    AUTO(se_buf) text = SE_BUF_INIT;
    unsigned char hash[FILES_HASH];
    se_status st;

    *out = '\0';
    if (!*ref->certificate)
        return SE_OK;
    if ((st = certificate_file_read(&text, ref, NULL)))
        return st == SE_ERR_MEMORY ? error_memory(err) : SE_OK;
    TRY(files_hash_text(hash, buf_bytes(&text), err));
    for (size_t i = 0; i < sizeof hash; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", hash[i]);
    return SE_OK;
}

static se_status read_certificate_file(struct keyref *ref, const char *key, se_error *err)
{
    AUTO(se_buf) text = SE_BUF_INIT;

    if (!*ref->certificate || ref->certificate_text.size)
        return SE_OK;
    TRY_PREFIX(file_read(&text, ref->certificate, CERTIFICATE_FILE_LIMIT, err), err,
               "key '%s': certificate: ", key);
    if (!text.size)
        return error_set(err, SE_ERR_FORMAT, "key '%s': certificate: '%s' is empty", key,
                         ref->certificate);
    ref->certificate_text = buf_move(&text);
    return SE_OK;
}

se_status config_files_read(struct config *config, se_error *err)
{
    for (size_t i = 0; i < config->key_count; i++)
        for (size_t j = 0; j < config->keys[i].count; j++)
            TRY(read_certificate_file(&config->keys[i].replicas[j], config->keys[i].name, err));
    return SE_OK;
}

/* ---- where PINs are ---- */

static se_status read_pin_variable(se_buf *out, const char *name, se_error *err)
{
    const char *value = getenv(name);

    if (!value || !*value)
        return error_set(err, SE_ERR_ACCESS, "the environment variable '%s' is %s", name,
                         value ? "empty" : "not set");
    return buf_copy(out, text_bytes(value), err);
}

/* Editors and `echo` add a line end, which is not part of the PIN: LF, CR LF or CR. */
static bool drop_line_end(se_buf *text)
{
    size_t size = text->size;

    if (size && text->data[size - 1] == '\n')
        size--;
    if (size && text->data[size - 1] == '\r')
        size--;
    if (size == text->size)
        return false;
    text->data[text->size = size] = '\0';
    return true;
}

static bool is_space_or_tab(unsigned char c)
{
    return c == ' ' || c == '\t';
}

/*
 * A token counts wrong PINs, so a suspicious file is refused before its PIN is tried.  Blanks at
 * the ends may be part of the PIN: they are taken as they are where the file has no line end,
 * because no editor has written it then.
 */
static se_status check_pin_text(const se_buf *text, bool had_line_end, const char *path,
                                se_error *err)
{
    const char *mark = text_mark(text->data, text->size);

    if (mark)
        return error_set(
            err, SE_ERR_ACCESS,
            "'%s' begins with the byte order mark of %s: save it without one, as UTF-8", path,
            mark);
    if (!text->size)
        return error_set(err, SE_ERR_ACCESS, "'%s' is empty", path);
    if (memchr(text->data, 0, text->size))
        return error_set(err, SE_ERR_ACCESS, "'%s' holds a NUL byte", path);
    if (memchr(text->data, '\n', text->size) || memchr(text->data, '\r', text->size))
        return error_set(err, SE_ERR_ACCESS,
                         "'%s' has more than one line: the PIN must be the only one", path);
    if (had_line_end &&
        (is_space_or_tab(text->data[0]) || is_space_or_tab(text->data[text->size - 1])))
        return error_set(err, SE_ERR_ACCESS,
                         "the line in '%s' %s with a blank: take it away, or if it is part of the "
                         "PIN, the line end behind it",
                         path, is_space_or_tab(text->data[0]) ? "begins" : "ends");
    return SE_OK;
}

static se_status read_pin_file(se_buf *out, const char *path, se_error *err)
{
    AUTO(se_buf) text = SE_BUF_INIT;
    bool had_line_end;

    TRY(secret_file_read(&text, path, S_IWOTH, err));
    had_line_end = drop_line_end(&text);
    TRY(check_pin_text(&text, had_line_end, path, err));
    *out = buf_move(&text);
    return SE_OK;
}

/* systemd.exec(5), LoadCredential= */
static const char *find_credential_folder(void)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");

    return folder && *folder ? folder : NULL;
}

static se_status read_pin_credential(se_buf *out, const char *name, se_error *err)
{
    const char *folder = find_credential_folder();
    AUTO(text) path = NULL;

    if (!folder)
        return error_set(err, SE_ERR_ACCESS,
                         "no credential '%s': $CREDENTIALS_DIRECTORY is not set", name);
    if (!(path = file_join(folder, name)))
        return error_memory(err);
    return read_pin_file(out, path, err);
}

static const struct {
    const char *prefix;
    se_status (*read)(se_buf *out, const char *value, se_error *err);
} sources[] = { { "env:", read_pin_variable },
                { "file:", read_pin_file },
                { "credential:", read_pin_credential } };

se_status pin_source_read(se_buf *out, const char *source, se_error *err)
{
    *out = (se_buf)SE_BUF_INIT;
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        if (!text_starts(source, sources[i].prefix))
            continue;
        TRY_PREFIX(sources[i].read(out, source + strlen(sources[i].prefix), err), err,
                   "pin.source: ");
        return SE_OK;
    }
    return error_set(err, SE_ERR_CONFIG,
                     "pin.source must be env:NAME, file:PATH or credential:NAME");
}

char *keyref_pin_file(const struct keyref *ref)
{
    if (text_starts(ref->pin_source, "file:"))
        return strdup(ref->pin_source + strlen("file:"));
    if (text_starts(ref->pin_source, "credential:") && find_credential_folder())
        return file_join(find_credential_folder(), ref->pin_source + strlen("credential:"));
    return *ref->pin_scrambled ? strdup(ref->pin_key) : NULL;
}

bool keyref_has_pin(const struct keyref *ref)
{
    return ref->pin.size || *ref->pin_scrambled || *ref->pin_source;
}

se_status keyref_pin(se_buf *out, const struct keyref *ref, se_error *err)
{
    *out = (se_buf)SE_BUF_INIT;
    if (*ref->pin_source)
        return pin_source_read(out, ref->pin_source, err);
    if (*ref->pin_scrambled)
        return pins_reveal(out, ref->pin_scrambled, ref->pin_key, err);
    return buf_copy(out, buf_bytes(&ref->pin), err);
}

/* ---- all of them ---- */

enum { TEXT_LIMIT = 16 << 20 };

static bool is_key_file(const struct keyref *ref)
{
    return !strcmp(ref->store, "pem") || !strcmp(ref->store, "pkcs12");
}

static void list_key_files(const struct keyref *ref, config_file_fn fn, void *arg)
{
    AUTO(text) pin = keyref_pin_file(ref);

    if (is_key_file(ref))
        fn(arg, ref->location, true);
    if (*ref->certificate)
        fn(arg, ref->certificate, false);
    if (*ref->ca_file)
        fn(arg, ref->ca_file, false);
    if (pin)
        fn(arg, pin, true);
}

void config_files_list(const struct config *config, config_file_fn fn, void *arg)
{
    for (size_t i = 0; i < config->key_count; i++)
        for (size_t j = 0; j < config->keys[i].count; j++)
            list_key_files(&config->keys[i].replicas[j], fn, arg);
}

struct files_hash {
    EVP_MD_CTX *md;
    bool failed;
};

static void files_hash_free(struct files_hash *files)
{
    EVP_MD_CTX_free(files->md);
}
AUTO_KIND(files_hash, struct files_hash, files_hash_free(p))

static void hash_data(struct files_hash *files, const void *data, size_t size)
{
    files->failed = files->failed || !EVP_DigestUpdate(files->md, data, size);
}

static void hash_text_file(struct files_hash *files, const char *path)
{
    AUTO(se_buf) text = SE_BUF_INIT;
    const se_status st = file_read(&text, path, TEXT_LIMIT, NULL);

    hash_data(files, &st, sizeof st);
    hash_data(files, &text.size, sizeof text.size);
    hash_data(files, text.data, text.size);
}

/* Secrets are read for jobs only, and the hash of a short PIN would give it away. */
static void hash_secret_file(struct files_hash *files, const char *path)
{
    struct stat info;
    int64_t looks[8] = { 0 };

    if (!stat(path, &info)) {
        looks[0] = (int64_t)info.st_dev;
        looks[1] = (int64_t)info.st_ino;
        looks[2] = (int64_t)info.st_size;
        looks[3] = (int64_t)info.st_mode;
        looks[4] = (int64_t)info.st_mtim.tv_sec;
        looks[5] = (int64_t)info.st_mtim.tv_nsec;
        looks[6] = (int64_t)info.st_ctim.tv_sec;
        looks[7] = (int64_t)info.st_ctim.tv_nsec;
    }
    hash_data(files, looks, sizeof looks);
}

static void hash_file(void *arg, const char *path, bool secret)
{
    hash_data(arg, path, strlen(path) + 1);
    if (secret)
        hash_secret_file(arg, path);
    else
        hash_text_file(arg, path);
}

se_status config_files_hash(unsigned char out[FILES_HASH], const struct config *config,
                            const unsigned char *text, const char *more, se_error *err)
{
    AUTO(files_hash) files = { .md = EVP_MD_CTX_new() };
    AUTO(se_buf) now = SE_BUF_INIT;
    unsigned char hash[FILES_HASH] = { 0 };

    if (!files.md)
        return error_memory(err);
    if (!text && !file_read(&now, config->path, TEXT_LIMIT, NULL))
        TRY(files_hash_text(hash, buf_bytes(&now), err));
    files.failed = !EVP_DigestInit_ex(files.md, EVP_sha256(), NULL);
    hash_data(&files, text ? text : hash, FILES_HASH);
    if (more)
        hash_file(&files, more, false);
    config_files_list(config, hash_file, &files);
    if (files.failed || !EVP_DigestFinal_ex(files.md, out, NULL))
        return error_set(err, SE_ERR_CRYPTO, "SHA-256 failed");
    return SE_OK;
}

/* ---- who else could read or change them ---- */

enum { PEM_LIMIT = 1 << 20 };

struct exposure_listener {
    exposure_fn fn;
    void *arg;
};

static void report_mode(const struct exposure_listener *t, const char *what, const char *path,
                        const struct stat *info, const char *may)
{
    AUTO(writer) text = { 0 };

    writer_format(&text, "%s '%s' has mode %04o: others may %s it", what, path,
                  (unsigned)info->st_mode & 07777, may);
    if (!text.failed)
        t->fn(t->arg, writer_string(&text));
}

static void report_owner(const struct exposure_listener *t, const char *what, const char *path,
                         const struct stat *info)
{
    AUTO(writer) text = { 0 };

    writer_format(&text, "%s '%s' belongs to user %u, who may change it", what, path,
                  (unsigned)info->st_uid);
    if (!text.failed)
        t->fn(t->arg, writer_string(&text));
}

static void check_change(const struct exposure_listener *t, const char *what, const char *path,
                         const struct stat *info)
{
    if (info->st_mode & (S_IWGRP | S_IWOTH))
        report_mode(t, what, path, info, "change");
    else if (info->st_uid && info->st_uid != geteuid())
        report_owner(t, what, path, info);
}

static bool is_file(struct stat *info, const char *path)
{
    return !stat(path, info) && S_ISREG(info->st_mode);
}

/* keyref_pin() refuses a file that others may write to or own; here that is a warning. */
static void check_pin_file(const struct exposure_listener *t, const struct keyref *ref)
{
    AUTO(text) path = keyref_pin_file(ref);
    struct stat info;

    if (!path || !is_file(&info, path))
        return;
    if (info.st_mode & S_IROTH)
        report_mode(t, "the file of the PIN", path, &info, "read");
    else
        check_change(t, "the file of the PIN", path, &info);
}

/* Certificates alone may be read by everybody. */
static bool holds_private_key(const char *path)
{
    static const char mark[] = "PRIVATE KEY-----";
    AUTO(se_buf) text = SE_BUF_INIT;

    return !file_read(&text, path, PEM_LIMIT, NULL) &&
           memmem(text.data, text.size, mark, sizeof mark - 1);
}

static void check_key_file(const struct exposure_listener *t, const struct keyref *ref)
{
    bool pem = !strcmp(ref->store, "pem");
    struct stat info;

    if (!is_key_file(ref) || !is_file(&info, ref->location))
        return;
    if (pem && info.st_mode & S_IROTH && holds_private_key(ref->location))
        report_mode(t, "the key file", ref->location, &info, "read");
    else
        check_change(t, "the key file", ref->location, &info);
}

static void check_certificate_file(const struct exposure_listener *t, const struct keyref *ref)
{
    struct stat info;

    if (*ref->certificate && is_file(&info, ref->certificate))
        check_change(t, "the certificate", ref->certificate, &info);
}

void keyref_exposure(const struct keyref *ref, exposure_fn fn, void *arg)
{
    const struct exposure_listener t = { fn, arg };

    check_pin_file(&t, ref);
    check_key_file(&t, ref);
    check_certificate_file(&t, ref);
}
