/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/config_change.h"

#include <errno.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

enum { CONFIG_LIMIT = 4 << 20 };

void config_change_free(struct config_change *c)
{
    if (c->lock >= 0)
        (void)close(c->lock);
    se_buf_free(&c->text);
    se_buf_free(&c->next);
}

/* ---- one at a time ---- */

/* What was locked may have been replaced meanwhile, by the one who had the lock. */
static bool is_still(int fd, const char *path)
{
    struct stat open_file, named;

    return !fstat(fd, &open_file) && !stat(path, &named) && open_file.st_ino == named.st_ino &&
           open_file.st_dev == named.st_dev;
}

static se_status lock_config(struct config_change *c, se_error *err)
{
    if ((c->lock = file_open(c->path)) < 0)
        return error_set(err, errno == EACCES ? SE_ERR_ACCESS : SE_ERR_IO, "cannot read '%s': %s",
                         c->path, strerror(errno));
    if (flock(c->lock, LOCK_EX | LOCK_NB) || !is_still(c->lock, c->path))
        return error_set(err, SE_ERR_UNAVAILABLE, "another `rotate` or `retire` is at work on '%s'",
                         c->path);
    return SE_OK;
}

se_status config_change_begin(struct config_change *c, se_error *err)
{
    c->path = cli_config(c->cli);
    TRY(lock_config(c, err));
    return file_read(&c->text, c->path, CONFIG_LIMIT, err);
}

/* ---- who signs ---- */

static bool is_signed(const se_buf *text)
{
    static const char xmldsig[] = "http://www.w3.org/2000/09/xmldsig#";

    return memmem(text->data, text->size, xmldsig, strlen(xmldsig));
}

se_status config_change_check_signer(const struct config_change *c, se_error *err)
{
    if (!is_signed(&c->text) || c->sign)
        return SE_OK;
    return error_set(err, SE_ERR_USAGE, "'%s' is a signed one: say with --sign who signs it again",
                     c->path);
}

static se_status sign_next(struct config_change *c, se_error *err)
{
    se_options options = cli_options(c->cli);
    AUTO(engine) engine = NULL;
    AUTO(se_buf) signed_text = SE_BUF_INIT;
    struct descriptor_option signer;

    if (descriptor_read(&signer, c->cli, c->sign))
        return error_set(err, SE_ERR_USAGE, "--sign does not name a descriptor");
    TRY(se_open(&engine, c->path, &options, err));
    TRY(se_config_sign(&signed_text, engine, signer.name, signer.version, buf_bytes(&c->next),
                       c->path, err));
    se_buf_free(&c->next);
    c->next = buf_move(&signed_text);
    return SE_OK;
}

/* ---- writing ---- */

se_status config_text_write(const char *path, const se_buf *text, se_error *err)
{
    AUTO(output) output = OUTPUT_INIT;

    TRY(output_open_secret(&output, path, 0600, err));
    TRY(output_write(&output, buf_bytes(text), err));
    return output_commit(&output, err);
}

se_status config_change_commit(struct config_change *c, se_error *err)
{
    if (is_signed(&c->text))
        TRY(sign_next(c, err));
    return config_text_write(c->path, &c->next, err);
}

void config_change_print(void *arg, const char *item, const char *property, const char *before,
                         const char *after)
{
    const struct config_difference *difference = arg;

    if (difference->json)
        (void)json_line(json_pack("{s:o, s:o, s:o, s:o}", "item", json_text(item), "property",
                                  json_text(property), "before", json_text(before), "after",
                                  json_text(after)));
    if (difference->out && before)
        (void)fprintf(difference->out, "- %s: %s %s\n", item, property, before);
    if (difference->out && after)
        (void)fprintf(difference->out, "+ %s: %s %s\n", item, property, after);
}
