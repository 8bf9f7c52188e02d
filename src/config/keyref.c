#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"
#include "config/config.h"
#include "config/pin_key.h"
#include "config/pins.h"

AUTO_KIND(text, char *, free(*p))

static se_status from_environment(se_buf *out, const char *name, se_error *err)
{
    const char *value = getenv(name);

    if (!value || !*value)
        return error_set(err, SE_ERR_ACCESS, "the environment variable '%s' is %s", name,
                         value ? "empty" : "not set");
    return buf_copy(out, text_bytes(value), err);
}

/* Editors and `echo` end a file with a line end that nobody means: LF, CR LF or CR. */
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

static bool is_blank(unsigned char c)
{
    return c == ' ' || c == '\t';
}

/*
 * What an editor adds is not part of a PIN, and a token counts wrong ones: it is told before one is
 * presented.  Blanks at the ends may be meant: they are taken as they are where there is no line
 * end, for then no editor has written the file.
 */
static se_status check_text(const se_buf *text, bool had_line_end, const char *path, se_error *err)
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
    if (had_line_end && (is_blank(text->data[0]) || is_blank(text->data[text->size - 1])))
        return error_set(err, SE_ERR_ACCESS,
                         "the line in '%s' %s with a blank: take it away, or if it is part of the "
                         "PIN, the line end behind it",
                         path, is_blank(text->data[0]) ? "begins" : "ends");
    return SE_OK;
}

static se_status from_file(se_buf *out, const char *path, se_error *err)
{
    AUTO(se_buf) text = SE_BUF_INIT;
    bool had_line_end;

    TRY(secret_file_read(&text, path, S_IWOTH, err));
    had_line_end = drop_line_end(&text);
    TRY(check_text(&text, had_line_end, path, err));
    *out = buf_move(&text);
    return SE_OK;
}

/* systemd.exec(5), LoadCredential= */
static const char *credential_folder(void)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");

    return folder && *folder ? folder : NULL;
}

static se_status from_credential(se_buf *out, const char *name, se_error *err)
{
    const char *folder = credential_folder();
    AUTO(text) path = NULL;

    if (!folder)
        return error_set(err, SE_ERR_ACCESS,
                         "no credential '%s': $CREDENTIALS_DIRECTORY is not set", name);
    if (!(path = file_join(folder, name)))
        return error_memory(err);
    return from_file(out, path, err);
}

static const struct {
    const char *prefix;
    se_status (*read)(se_buf *out, const char *value, se_error *err);
} sources[] = { { "env:", from_environment },
                { "file:", from_file },
                { "credential:", from_credential } };

static se_status from_source(se_buf *out, const char *source, se_error *err)
{
    se_status st;

    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        if (!text_starts(source, sources[i].prefix))
            continue;
        if ((st = sources[i].read(out, source + strlen(sources[i].prefix), err)))
            (void)error_prefix(err, "pin.source: ");
        return st;
    }
    return error_set(err, SE_ERR_CONFIG,
                     "pin.source must be env:NAME, file:PATH or credential:NAME");
}

char *keyref_pin_file(const struct keyref *ref)
{
    if (text_starts(ref->pin_source, "file:"))
        return strdup(ref->pin_source + strlen("file:"));
    if (text_starts(ref->pin_source, "credential:") && credential_folder())
        return file_join(credential_folder(), ref->pin_source + strlen("credential:"));
    return *ref->pin_scrambled ? strdup(ref->pin_key) : NULL;
}

se_status keyref_pin(se_buf *out, const struct keyref *ref, se_error *err)
{
    *out = (se_buf)SE_BUF_INIT;
    if (*ref->pin_source)
        return from_source(out, ref->pin_source, err);
    if (*ref->pin_scrambled)
        return pins_reveal(out, ref->pin_scrambled, ref->pin_key, err);
    return buf_copy(out, buf_bytes(&ref->pin), err);
}
