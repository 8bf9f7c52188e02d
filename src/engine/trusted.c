/* Configurations that are signed. */
#include "engine/trusted.h"
#include "base/arguments.h"

#include <openssl/x509v3.h>

#include "config/canonical.h"
#include "config/diff.h"
#include "crypto/cert_path.h"
#include "crypto/certificate.h"
#include "engine/engine.h"
#include "engine/roots.h"
#include "xmldsig/config.h"

AUTO_KIND(x509_store, X509_STORE *, X509_STORE_free(*p))

enum { SHOWN = 5 };

struct changes {
    struct writer text;
    size_t count;
};

static void note(void *arg, const char *item, const char *property, const char *before,
                 const char *after)
{
    struct changes *c = arg;

    if (c->count++ >= SHOWN)
        return;
    writer_format(&c->text, "%s%.80s: %s ", c->count > 1 ? "; " : "", item, property);
    if (!before)
        writer_format(&c->text, "'%.60s' was added", after);
    else if (!after)
        writer_format(&c->text, "'%.60s' was removed", before);
    else
        writer_format(&c->text, "was '%.60s', is '%.60s'", before, after);
}

const char *config_path(const char *path)
{
    return path ? path : "configuration";
}

/* What is to be verified. */
struct verification {
    se_bytes text;
    const char *path;
    X509_STORE *roots;
    int64_t time;
};

/* What the text means today; SE_ERR_CONFIG: nothing. */
static se_status parse_now(struct config **out, const struct verification *v, se_error *err)
{
    AUTO(se_buf) copy = SE_BUF_INIT;
    se_status st = buf_copy(&copy, v->text, err);

    *out = NULL;
    return st ? st : config_parse(out, &copy, config_path(v->path), NULL, err);
}

static se_status canonical_now(se_buf *out, const struct verification *v, se_error *err)
{
    AUTO(config) config = NULL;
    se_status st = parse_now(&config, v, err);

    return st ? st : config_canonical(out, config, err);
}

static se_status tell_changes(se_bytes signed_then, const struct verification *v,
                              const struct verdict *verdict, se_error *err)
{
    struct changes changes = { .count = 0 };
    AUTO(se_buf) now_canonical = SE_BUF_INIT;
    char subject[200];
    se_status st;

    certificate_subject(subject, sizeof subject, verdict->certificate);
    if (canonical_now(&now_canonical, v, NULL))
        return error_set(err, SE_ERR_REJECTED,
                         "it was changed since '%s' signed it, and is no configuration any more",
                         subject);
    st = canonical_diff(signed_then, buf_bytes(&now_canonical), note, &changes, err);
    if (!st && !changes.count)
        st = error_set(err, SE_ERR_REJECTED,
                       "it was changed since '%s' signed it, in a PIN or in its layout", subject);
    else if (!st)
        st = error_set(err, SE_ERR_REJECTED, "it was changed since '%s' signed it: %s%s", subject,
                       writer_string(&changes.text), changes.count > SHOWN ? "; and more" : "");
    writer_free(&changes.text);
    return st;
}

static se_status check_signer(const struct verdict *signer, X509_STORE *roots, se_error *err)
{
    bool own = trust_is_own(signer, roots);

    if (!(X509_get_key_usage(signer->certificate) &
          (X509v3_KU_DIGITAL_SIGNATURE | X509v3_KU_NON_REPUDIATION)))
        return error_set(err, SE_ERR_REJECTED,
                         "the keyUsage of the signer's certificate does not hold digitalSignature");
    return certificate_purpose(PURPOSE_CONFIG, signer->certificate, own, SE_ERR_REJECTED, err);
}

static se_status verify(struct verdict *out, se_buf *canonical, const struct verification *v,
                        se_error *err)
{
    const struct verify_job job = { .roots = v->roots, .purpose = PURPOSE_CONFIG, .time = v->time };
    se_error why = SE_ERROR_INIT;
    se_status st = xmldsig_config_verify(out, canonical, &job, v->text, &why);

    if (!st)
        return check_signer(out, v->roots, err);
    if (st == SE_ERR_REJECTED && canonical->size)
        return tell_changes(buf_bytes(canonical), v, out, err);
    return error_set(err, st, "%s", why.text);
}

/* A text that means nothing to this version names no files that it would use. */
static se_status verify_files(se_bytes canonical, const struct verification *v, se_error *err)
{
    AUTO(config) config = NULL;
    se_status st = parse_now(&config, v, NULL);

    if (st == SE_ERR_MEMORY)
        return error_memory(err);
    return config ? config_files_check(config, canonical, err) : SE_OK;
}

static se_status verify_trusting(struct verdict *out, se_buf *canonical, struct verification *v,
                                 const char *trust, se_error *err)
{
    AUTO(x509_store) roots = X509_STORE_new();
    se_status st;

    if (!roots)
        return error_memory(err);
    /* the certificate itself may be named, when no CA is to vouch for others */
    X509_STORE_set_flags(roots, X509_V_FLAG_PARTIAL_CHAIN);
    v->roots = roots;
    return (st = roots_load(roots, trust, err)) ? st : verify(out, canonical, v, err);
}

se_status config_vouch(void *arg, se_bytes text, se_error *err)
{
    struct vouching *vouching = arg;
    AUTO(verdict) verdict = { .certificate = NULL };
    struct verification v = { .text = text, .path = vouching->path, .time = now() };
    se_status st = verify_trusting(&verdict, &vouching->canonical, &v, vouching->trust, err);

    return st == SE_ERR_REJECTED || st == SE_ERR_FORMAT ? error_restate(err, SE_ERR_CONFIG) : st;
}

se_status config_vouch_files(struct config *config, const struct vouching *vouching, se_error *err)
{
    se_status st = config_files_check(config, buf_bytes(&vouching->canonical), err);

    if (!st)
        return SE_OK;
    (void)error_prefix(err, "'%s': ", vouching->path);
    return st == SE_ERR_MEMORY || st == SE_ERR_ACCESS ? st : error_restate(err, SE_ERR_CONFIG);
}

se_status se_config_verify(se_signer *out, se_bytes config, const char *path, const char *trust,
                           int64_t time, se_error *error)
{
    AUTO(se_buf) canonical = SE_BUF_INIT;
    AUTO(verdict) verdict = { .certificate = NULL };
    struct verification v = { .text = config, .path = path, .time = time ? time : now() };

    if (out)
        *out = (se_signer){ .version = 0 };
    TRY(arguments_check(error, given_bytes(config), trust));
    if (time < 0)
        return error_set(error, SE_ERR_USAGE, "%jd is no time", (intmax_t)time);
    TRY(verify_trusting(&verdict, &canonical, &v, trust, error));
    TRY(verify_files(buf_bytes(&canonical), &v, error));
    if (out)
        signer_tell(out, &verdict);
    return SE_OK;
}

se_status se_config_diff(se_engine *before, se_engine *after, se_difference_fn fn, void *arg,
                         se_error *error)
{
    TRY(arguments_check(error, before, after, fn));
    return config_diff(before->config, after->config, fn, arg, error);
}
