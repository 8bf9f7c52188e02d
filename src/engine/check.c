#include <stdarg.h>
#include <stdio.h>

#include "base/arguments.h"
#include "base/text.h"
#include "config/files.h"
#include "crypto/certificate.h"
#include "engine/engine.h"
#include "engine/probe.h"
#include "engine/sharing.h"

enum { DAY = 24 * 60 * 60, CAUSES_MOST = 16 };

/* One row, and what its strings point to. */
struct finding {
    const struct descriptor *descriptor;
    char store[256], key_type[32], subject[256];
    se_check_row row;
    se_error error;
    char warning[sizeof((se_error *)0)->text];
    char apart[sizeof((se_error *)0)->text +
               CAUSES_MOST]; /* the warnings one by one, each with its NUL */
    size_t apart_size;
    const char *causes[CAUSES_MOST];
    char mechanism[160];
};

static void list_stores(struct finding *f)
{
    const struct key_entry *entry = f->descriptor->key;
    size_t used = 0;

    for (size_t i = 0; i < entry->count && used < sizeof f->store; i++)
        used += (size_t)snprintf(f->store + used, sizeof f->store - used, "%s%s", i ? "+" : "",
                                 entry->replicas[i].store);
}

static void start(struct finding *f, const struct descriptor *descriptor)
{
    *f = (struct finding){ .descriptor = descriptor, .error = SE_ERROR_INIT };
    list_stores(f);
    f->row = (se_check_row){
        .descriptor = descriptor->name,
        .version = descriptor->version,
        .key = descriptor->key->name,
        .store = f->store,
        .algorithm = descriptor->algorithm.name,
        .key_type = f->key_type,
        .subject = f->subject,
        .mechanism = f->mechanism,
        .text = "",
        .causes = f->causes,
    };
}

static int days_until(int64_t then)
{
    int64_t left = then - now();

    return (int)((left - (left < 0 ? DAY - 1 : 0)) / DAY);
}

static void look_at_certificate(struct finding *f, const struct key *key)
{
    key_type_name(f->key_type, X509_get0_pubkey(key->certificate));
    certificate_subject(f->subject, sizeof f->subject, key->certificate);
    f->row.not_after = certificate_not_after(key->certificate);
    f->row.days_left = days_until(f->row.not_after);
}

static bool signs(const struct descriptor *descriptor)
{
    return descriptor->algorithm.kind == ALGORITHM_SIGNATURE ||
           descriptor->algorithm.kind == ALGORITHM_DIGEST;
}

static enum key_part part_of(const struct descriptor *descriptor)
{
    const struct use *use = descriptor->use;
    enum algorithm_kind kind = descriptor->algorithm.kind;

    if (use->public_only)
        return PART_CERTIFICATE;
    return kind == ALGORITHM_CIPHER || kind == ALGORITHM_WRAP ? PART_DECRYPT : PART_SIGN;
}

static void add_cause(struct finding *f, const char *text)
{
    size_t size = strlen(text) + 1;

    if (f->row.cause_count == CAUSES_MOST || size > sizeof f->apart - f->apart_size)
        return;
    f->causes[f->row.cause_count++] = memcpy(f->apart + f->apart_size, text, size);
    f->apart_size += size;
}

/* One more thing that a person should know of a key that is usable. */
static void warn(struct finding *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void warn(struct finding *f, const char *format, ...)
{
    char text[sizeof f->warning];
    size_t used = strlen(f->warning);
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    text_clean(text);
    add_cause(f, text);
    (void)snprintf(f->warning + used, sizeof f->warning - used, "%s%s", used ? "; " : "", text);
    text_clean(f->warning);
}

static bool is_listed(const char *list, const char *item)
{
    size_t size = strlen(item);

    for (const char *at = list; (at = strstr(at, item)); at += size)
        if ((at == list || (at - list >= 2 && at[-1] == ' ' && at[-2] == ',')) &&
            (!at[size] || at[size] == ','))
            return true;
    return false;
}

/* Replicas that do it alike are not told twice. */
static void add_mechanism(struct finding *f, const char *mechanism)
{
    size_t used = strlen(f->mechanism);

    if (*mechanism && !is_listed(f->mechanism, mechanism))
        (void)snprintf(f->mechanism + used, sizeof f->mechanism - used, "%s%s", used ? ", " : "",
                       mechanism);
}

static se_status probe(struct finding *f, struct key *key, const se_check_options *options,
                       se_error *err)
{
    const char *mechanism;
    se_status st;

    if (!options->probe)
        return SE_OK;
    if (!(st = probe_key(&mechanism, key, f->descriptor, err)))
        add_mechanism(f, mechanism);
    return st;
}

static void look_at_namesakes(struct finding *f, const struct key *key, const struct keyref *ref)
{
    if (key->namesakes)
        warn(f,
             "the token has %u more private key%s with the label '%s': commands that change one "
             "refuse",
             key->namesakes, key->namesakes > 1 ? "s" : "", ref->alias);
}

/* What opens, and yet is of no use to the commands that are made for descriptors of this name. */
static void look_at_commands(struct finding *f)
{
    const struct descriptor *d = f->descriptor;
    se_error why = SE_ERROR_INIT;

    if (d->algorithm.kind == ALGORITHM_JWS)
        warn(f,
             "the key is good, but no command, nor the library, makes JWS: other programs have to");
    else if (d->use->container && container_form(d, &why))
        warn(f, "`zip encrypt` can't use it: %s", why.text);
}

/* By itself, whatever the engine has made of it. */
static se_status look_at_replica(struct finding *f, size_t index, const struct key *whole,
                                 const se_check_options *options, se_error *err)
{
    const struct keyref *ref = &f->descriptor->key->replicas[index];
    AUTO(key) key = NULL;
    se_status st = store_open(&key, ref, part_of(f->descriptor), NULL, err);

    if (!st &&
        EVP_PKEY_eq(X509_get0_pubkey(key->certificate), X509_get0_pubkey(whole->certificate)) != 1)
        st = error_set(err, SE_ERR_KEY, "it holds another key than the other replicas");
    if (!st) {
        look_at_namesakes(f, key, ref);
        st = probe(f, key, options, err);
    }
    return st ? error_prefix(err, "replica %zu (line %d): ", index + 1, ref->line) : SE_OK;
}

static se_status look_at_replicas(struct finding *f, const struct key *whole,
                                  const se_check_options *options)
{
    size_t count = f->descriptor->key->count, failed = 0;

    for (size_t i = 0; i < count; i++) {
        se_error failure = SE_ERROR_INIT;

        if (!look_at_replica(f, i, whole, options, &failure))
            continue;
        warn(f, "%s", failure.text);
        if (!failed++)
            f->error = failure;
    }
    return failed < count ? SE_OK : f->error.status;
}

static void warn_exposure(void *arg, const char *text)
{
    warn(arg, "%s", text);
}

static void look_at_exposure(struct finding *f)
{
    const struct key_entry *entry = f->descriptor->key;

    for (size_t i = 0; i < entry->count; i++)
        keyref_exposure(&entry->replicas[i], warn_exposure, f);
}

/* Of the name's purpose: what a mail command or a zip command does with another name is not known
 * here. */
static se_status look_at_purpose(struct finding *f, X509 *certificate)
{
    enum purpose purpose = f->descriptor->use->purpose;
    se_error others = SE_ERROR_INIT;
    se_status st = certificate_purpose(purpose, certificate, true, SE_ERR_POLICY, &f->error);

    if (!st && certificate_purpose(purpose, certificate, false, SE_ERR_POLICY, &others))
        warn(f, "%s: who trusts its CA, and does not have this descriptor, refuses what it signs",
             others.text);
    return st;
}

static se_status inspect(struct finding *f, se_engine *engine, const se_check_options *options)
{
    AUTO(key) key = NULL;
    const struct algorithm *algorithm;
    const struct descriptor *d = f->descriptor;
    enum key_part part = part_of(d);
    se_status st = SE_OK;

    TRY(slot_open(&key, engine, d->key, part, &f->error));
    look_at_certificate(f, key);
    look_at_exposure(f);
    TRY(certificate_check(d, key->certificate, now(), SE_ERR_POLICY, &f->error));
    if (signs(d) &&
        ((st = signing_algorithm(&algorithm, d, X509_get0_pubkey(key->certificate), &f->error)) ||
         (st = look_at_purpose(f, key->certificate))))
        return st;
    if ((st = sharing_check(engine, d, key, SE_ERR_POLICY, &f->error)) || part == PART_CERTIFICATE)
        return st;
    look_at_namesakes(f, key, d->key->replicas);
    look_at_commands(f);
    return d->key->count > 1 ? look_at_replicas(f, key, options)
                             : probe(f, key, options, &f->error);
}

/* Whether a newer version signs: what is left for this one is to verify. */
static bool is_superseded(const struct config *config, const struct descriptor *descriptor)
{
    bool newer = false;

    for (size_t i = 0; i < config->descriptor_count; i++)
        newer |= config->descriptors[i].version > descriptor->version &&
                 !strcmp(config->descriptors[i].name, descriptor->name);
    return newer && part_of(descriptor) == PART_SIGN;
}

/* With the certificate alone, of what was signed while it was valid. */
static bool can_verify(struct finding *f, se_engine *engine)
{
    const struct descriptor *d = f->descriptor;
    const struct algorithm *algorithm;
    AUTO(key) key = NULL;

    if (slot_open(&key, engine, d->key, PART_CERTIFICATE, NULL))
        return false;
    look_at_certificate(f, key);
    return !certificate_check(d, key->certificate, f->row.not_after, SE_ERR_POLICY, NULL) &&
           (!signs(d) ||
            (!signing_algorithm(&algorithm, d, X509_get0_pubkey(key->certificate), NULL) &&
             !certificate_purpose(d->use->purpose, key->certificate, true, SE_ERR_POLICY, NULL)));
}

static se_status judge(struct finding *f, se_engine *engine, const se_check_options *options)
{
    se_status st = inspect(f, engine, options);

    if (!st || !is_superseded(engine->config, f->descriptor) || !can_verify(f, engine))
        return st;
    warn(f, "this version can only verify: %s", f->error.text);
    f->error = (se_error)SE_ERROR_INIT;
    return SE_OK;
}

static void conclude(struct finding *f, const se_check_options *options)
{
    if (f->row.status) {
        f->row.text = f->error.text;
        f->causes[0] = f->error.text;
        f->row.cause_count = 1;
        return;
    }
    if (f->descriptor->use->validity && f->row.days_left < options->days && f->row.days_left >= 0)
        warn(f, "the certificate expires in %d days", f->row.days_left);
    f->row.warning = *f->warning;
    f->row.text = f->warning;
}

static se_status options_read(se_check_options *out, const se_check_options *options, se_error *err)
{
    se_status st = arguments_options(out, options, se_check_options, err);

    if (!st && !out->days)
        out->days = 30;
    return st;
}

se_status se_check(se_engine *engine, se_check_fn fn, void *arg, const se_check_options *options,
                   se_error *error)
{
    se_check_options read;
    se_status st, first = SE_OK;

    if (!(st = arguments_check(error, engine, fn)))
        st = options_read(&read, options, error);
    for (size_t i = 0; !st && i < engine->config->descriptor_count; i++) {
        struct finding f;

        start(&f, &engine->config->descriptors[i]);
        f.row.status = judge(&f, engine, &read);
        conclude(&f, &read);
        fn(arg, &f.row);
        if (!f.row.status || first)
            continue;
        first = error_set_at(error, f.row.status, f.error.file, f.error.line, "%s", f.error.text);
        (void)blame(error, f.descriptor);
    }
    return st ? st : first;
}
