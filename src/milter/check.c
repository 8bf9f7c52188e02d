#include "milter/check.h"

#include <stdio.h>
#include <time.h>

#include "base/file.h"
#include "base/stream.h"
#include "milter/socket.h"
#include "signengine-mail.h"

struct checking {
    const struct setup *setup;
    check_tell_fn tell;
    se_status first;
};

static void note(struct checking *c, se_status st, const char *text)
{
    c->tell(text, !st);
    if (!c->first)
        c->first = st;
}

/* It is replaced by a file beside it, so that the folder counts. */
static se_status check_metrics(const struct conf *conf, se_error *err)
{
    AUTO(output) out = OUTPUT_INIT;

    return conf->metrics && output_open(&out, conf->metrics, 0644, err)
               ? error_prefix(err, "metrics: ")
               : SE_OK;
}

static void check_place(struct checking *c,
                        se_status (*check)(const struct conf *conf, se_error *err))
{
    se_error err = SE_ERROR_INIT;
    se_status st = check(c->setup->conf, &err);

    if (st)
        note(c, st, err.text);
}

static void note_rule(struct checking *c, const struct rule *rule, se_status st, se_error *err)
{
    (void)error_prefix(err, "%s:%u: rule for '%s': ", c->setup->conf->path, rule->line,
                       rule->pattern);
    note(c, st, err->text);
}

/* A key store that is away may be back when mail comes. */
static void check_identity(struct checking *c, const struct rule *rule)
{
    se_identity identity;
    se_error err = SE_ERROR_INIT;
    se_status st = se_identify(&identity, c->setup->engine, rule->descriptor, rule->version, &err);

    if (!st && identity.not_after < (int64_t)time(NULL))
        st =
            error_set(&err, SE_ERR_POLICY, "the certificate of key '%s' has expired", identity.key);
    if (st)
        note_rule(c, rule, st == SE_ERR_UNAVAILABLE ? SE_OK : st, &err);
}

static int forget(void *arg, const void *data, size_t size)
{
    (void)arg;
    (void)data;
    (void)size;
    return 0;
}

/* Signs a message of who the rule is for; a pattern of many tells none, and then the key signs
 * something. */
static se_status sign_something(const struct setup *setup, const struct rule *rule, se_error *err)
{
    const se_sink nowhere = { forget, NULL };
    se_mail_sign_params mail = SE_MAIL_SIGN_PARAMS_INIT;
    se_sign_params params = SE_SIGN_PARAMS_INIT;
    AUTO(writer) message = { 0 };
    se_bytes text;
    se_source source;

    mail.version = params.version = rule->version;
    params.purpose = SE_PURPOSE_MAIL;
    writer_format(&message, "From: <%s>\r\nSubject: probe\r\n\r\nprobe\r\n", rule->pattern);
    text = buf_bytes(&message.buf);
    source = source_memory(&text);
    if (message.failed)
        return error_memory(err);
    if (strchr(rule->pattern, '*'))
        return se_sign_stream(&nowhere, setup->engine, rule->descriptor, &source, &params, err);
    return se_mail_sign(&nowhere, NULL, setup->engine, rule->descriptor, &source, &mail, err);
}

static void check_rule(struct checking *c, const struct rule *rule, bool probe)
{
    se_error err = SE_ERROR_INIT;
    se_status st;

    if (rule->policy == POLICY_SKIP)
        return;
    if (!probe)
        check_identity(c, rule);
    else if ((st = sign_something(c->setup, rule, &err)))
        note_rule(c, rule, st, &err);
}

se_status check_setup(const struct setup *setup, bool probe, check_tell_fn tell)
{
    struct checking c = { .setup = setup, .tell = tell };
    char risk[256];

    socket_risk(risk, setup->conf);
    if (*risk)
        note(&c, SE_OK, risk);
    check_place(&c, socket_check);
    check_place(&c, check_metrics);
    for (size_t i = 0; i < setup->conf->rules.count; i++)
        check_rule(&c, &setup->conf->rules.list[i], probe);
    return c.first;
}
