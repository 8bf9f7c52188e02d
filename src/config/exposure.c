#include "config/exposure.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

AUTO_KIND(text, char *, free(*p))

enum { PEM_LIMIT = 1 << 20 };

struct telling {
    exposure_fn fn;
    void *arg;
};

static void tell_mode(const struct telling *t, const char *what, const char *path,
                      const struct stat *info, const char *may)
{
    AUTO(writer) text = { 0 };

    writer_format(&text, "%s '%s' has mode %04o: others may %s it", what, path,
                  (unsigned)info->st_mode & 07777, may);
    if (!text.failed)
        t->fn(t->arg, writer_string(&text));
}

static void tell_owner(const struct telling *t, const char *what, const char *path,
                       const struct stat *info)
{
    AUTO(writer) text = { 0 };

    writer_format(&text, "%s '%s' belongs to user %u, who may change it", what, path,
                  (unsigned)info->st_uid);
    if (!text.failed)
        t->fn(t->arg, writer_string(&text));
}

static void look_at_change(const struct telling *t, const char *what, const char *path,
                           const struct stat *info)
{
    if (info->st_mode & (S_IWGRP | S_IWOTH))
        tell_mode(t, what, path, info, "change");
    else if (info->st_uid && info->st_uid != geteuid())
        tell_owner(t, what, path, info);
}

static bool is_file(struct stat *info, const char *path)
{
    return !stat(path, info) && S_ISREG(info->st_mode);
}

/* A wrong owner, and others who may write, are more than a warning there: it is not read at all. */
static void look_at_pin(const struct telling *t, const struct keyref *ref)
{
    AUTO(text) path = keyref_pin_file(ref);
    struct stat info;

    if (!path || !is_file(&info, path))
        return;
    if (info.st_mode & S_IROTH)
        tell_mode(t, "the file of the PIN", path, &info, "read");
    else
        look_at_change(t, "the file of the PIN", path, &info);
}

/* Certificates alone may be read by everybody. */
static bool holds_private_key(const char *path)
{
    static const char mark[] = "PRIVATE KEY-----";
    AUTO(se_buf) text = SE_BUF_INIT;

    return !file_read(&text, path, PEM_LIMIT, NULL) &&
           memmem(text.data, text.size, mark, sizeof mark - 1);
}

static void look_at_key(const struct telling *t, const struct keyref *ref)
{
    bool pem = !strcmp(ref->store, "pem");
    struct stat info;

    if ((!pem && strcmp(ref->store, "pkcs12") != 0) || !is_file(&info, ref->location))
        return;
    if (pem && info.st_mode & S_IROTH && holds_private_key(ref->location))
        tell_mode(t, "the key file", ref->location, &info, "read");
    else
        look_at_change(t, "the key file", ref->location, &info);
}

static void look_at_certificate(const struct telling *t, const struct keyref *ref)
{
    struct stat info;

    if (*ref->certificate && is_file(&info, ref->certificate))
        look_at_change(t, "the certificate", ref->certificate, &info);
}

void keyref_exposure(const struct keyref *ref, exposure_fn fn, void *arg)
{
    const struct telling t = { fn, arg };

    look_at_pin(&t, ref);
    look_at_key(&t, ref);
    look_at_certificate(&t, ref);
}
