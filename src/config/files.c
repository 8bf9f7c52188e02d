#include "config/files.h"

#include <openssl/evp.h>
#include <stdio.h>

#include "base/file.h"
#include "config/describe.h"

se_status certificate_file_read(se_buf *out, const struct keyref *ref, se_error *err)
{
    if (ref->certificate_text.size)
        return buf_copy(out, buf_bytes(&ref->certificate_text), err);
    return file_read(out, ref->certificate, CERTIFICATE_FILE_LIMIT, err);
}

se_status certificate_file_hash(char out[FILE_HASH_TEXT], const struct keyref *ref, se_error *err)
{
    AUTO(se_buf) text = SE_BUF_INIT;
    unsigned char hash[32];
    size_t size = sizeof hash;
    se_status st;

    *out = '\0';
    if (!*ref->certificate)
        return SE_OK;
    if ((st = certificate_file_read(&text, ref, NULL)))
        return st == SE_ERR_MEMORY ? error_memory(err) : SE_OK;
    if (!EVP_Q_digest(NULL, "SHA2-256", NULL, text.data, text.size, hash, &size))
        return error_set(err, SE_ERR_CRYPTO, "SHA-256 failed");
    for (size_t i = 0; i < sizeof hash; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", hash[i]);
    return SE_OK;
}

static se_status read_file(struct keyref *ref, const char *key, se_error *err)
{
    AUTO(se_buf) text = SE_BUF_INIT;
    se_status st;

    if (!*ref->certificate || ref->certificate_text.size)
        return SE_OK;
    if (!(st = file_read(&text, ref->certificate, CERTIFICATE_FILE_LIMIT, err)) && !text.size)
        st = error_set(err, SE_ERR_FORMAT, "'%s' is empty", ref->certificate);
    if (st)
        return error_prefix(err, "key '%s': certificate: ", key);
    ref->certificate_text = buf_move(&text);
    return SE_OK;
}

se_status config_files_read(struct config *config, se_error *err)
{
    se_status st = SE_OK;

    for (size_t i = 0; i < config->key_count; i++)
        for (size_t j = 0; !st && j < config->keys[i].count; j++)
            st = read_file(&config->keys[i].replicas[j], config->keys[i].name, err);
    return st;
}

/* What the signed text says of the key that is looked at. */
struct comparison {
    se_bytes canonical;
    bool missing; /* this very line */
    char item[160];
};

static bool has_line(se_bytes text, const struct writer *line)
{
    return !line->failed && text.size &&
           memmem(text.data, text.size, line->buf.data, line->buf.size);
}

static void compare(void *arg, const char *item, const char *property, const char *value)
{
    struct comparison *c = arg;
    AUTO(writer) line = { 0 };

    if (strcmp(property, FILE_HASH_PROPERTY))
        return;
    writer_text(&line, "\n");
    canonical_line(&line, item, property, value);
    c->missing = !has_line(c->canonical, &line);
    (void)snprintf(c->item, sizeof c->item, "%s", item);
}

static bool is_covered(se_bytes canonical, const char *item)
{
    AUTO(writer) line = { 0 };

    writer_text(&line, "\n");
    canonical_line(&line, item, FILE_HASH_PROPERTY, "");
    if (!line.failed)
        line.buf.size--; /* without its end, it is what any such line begins with */
    return has_line(canonical, &line);
}

static se_status refuse(const struct comparison *c, const struct keyref *ref, se_error *err)
{
    if (is_covered(c->canonical, c->item))
        return error_set(err, SE_ERR_REJECTED,
                         "%s: certificate: '%s' was changed since the configuration was signed",
                         c->item, ref->certificate);
    return error_set(err, SE_ERR_REJECTED,
                     "%s: certificate: '%s' is not covered by the signature, which only says its "
                     "name: sign the configuration again",
                     c->item, ref->certificate);
}

static se_status check_replica(const struct key_entry *key, size_t index, se_bytes canonical,
                               se_error *err)
{
    struct comparison c = { .canonical = canonical };
    struct describe d = { .fn = compare, .arg = &c, .canonical = true };

    if (!*key->replicas[index].certificate)
        return SE_OK;
    describe_replica(&d, key, index);
    if (d.failed)
        return error_memory(err);
    return c.missing ? refuse(&c, &key->replicas[index], err) : SE_OK;
}

se_status config_files_check(struct config *config, se_bytes canonical, se_error *err)
{
    se_status st = config_files_read(config, err);

    for (size_t i = 0; i < config->key_count; i++)
        for (size_t j = 0; !st && j < config->keys[i].count; j++)
            st = check_replica(&config->keys[i], j, canonical, err);
    return st;
}
