/* SPDX-License-Identifier: Apache-2.0 */
#include "milter/conf.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"

enum { CONF_LIMIT = 16 << 20, WORDS = 64 };

struct conf_reader {
    struct conf *conf;
    const char *path;
    unsigned line;
    char *words[WORDS];
    size_t count;
};

void conf_free(struct conf **conf)
{
    struct conf *c = *conf;

    if (!c)
        return;
    rules_free(&c->rules);
    free(c->path);
    free(c->networks);
    free(c->engine);
    free(c->socket);
    free(c->user);
    audit_sinks_free(&c->audit);
    free(c->metrics);
    free(c->trust_config);
    free(c->trust_signers);
    free(c->socket_group);
    free(c);
    *conf = NULL;
}

#define BAD(r, ...)                                                                                \
    (error_set(err, SE_ERR_CONFIG, __VA_ARGS__),                                                   \
     error_prefix(err, SE_ERR_CONFIG, "%s:%u: ", (r)->path, (r)->line))

/* ---- settings: name = value ---- */

static se_status set_text(char **to, const struct conf_reader *r, se_error *err)
{
    if (r->count != 3)
        return BAD(r, "%s takes one value", r->words[0]);
    free(*to);
    return (*to = strdup(r->words[2])) ? SE_OK : error_memory(err);
}

static se_status set_choice(bool *to, const struct conf_reader *r, const char *no, const char *yes,
                            se_error *err)
{
    if (r->count != 3 || (strcmp(r->words[2], no) != 0 && strcmp(r->words[2], yes) != 0))
        return BAD(r, "%s is %s or %s", r->words[0], no, yes);
    *to = strcmp(r->words[2], yes) == 0;
    return SE_OK;
}

static se_status set_networks(struct conf_reader *r, se_error *err)
{
    struct conf *c = r->conf;

    free(c->networks);
    c->network_count = 0;
    if (!(c->networks = calloc(WORDS, sizeof *c->networks)))
        return error_memory(err);
    for (size_t i = 2; i < r->count; i++)
        if (!network_read(&c->networks[c->network_count++], r->words[i]))
            return BAD(r, "'%s' is no network, as 192.0.2.0/24", r->words[i]);
    return SE_OK;
}

static se_status set_peers(struct conf_reader *r, se_error *err)
{
    se_status st = SE_OK;

    r->conf->peers = (struct peers){ .count = 0 };
    for (size_t i = 2; !st && i < r->count; i++)
        if ((st = peers_add(&r->conf->peers, r->words[i], err)))
            st = error_prefix(err, st, "%s:%u: ", r->path, r->line);
    return st;
}

/* As chmod takes it. */
static se_status set_mode(unsigned *to, const struct conf_reader *r, se_error *err)
{
    const char *word = r->count == 3 ? r->words[2] : "";
    char *end;
    unsigned long mode = strtoul(word, &end, 8);

    if (!*word || *end || strspn(word, "01234567") != strlen(word) || mode > 0777)
        return BAD(r, "%s is an octal number, as 0660", r->words[0]);
    *to = (unsigned)mode;
    return SE_OK;
}

static se_status set_encrypted(enum encrypted *to, const struct conf_reader *r, se_error *err)
{
    static const char *const words[] = {
        [ENCRYPTED_REFUSE] = "refuse", [ENCRYPTED_SIGN] = "sign", [ENCRYPTED_PASS] = "pass"
    };

    for (size_t i = 0; r->count == 3 && i < sizeof words / sizeof *words; i++)
        if (strcmp(r->words[2], words[i]) == 0) {
            *to = (enum encrypted)i;
            return SE_OK;
        }
    return BAD(r, "%s is refuse, sign or pass", r->words[0]);
}

/* One for each line. */
static se_status add_sink(struct conf_reader *r, se_error *err)
{
    AUTO(writer) text = { 0 };
    se_status st;

    for (size_t i = 2; i < r->count; i++)
        writer_format(&text, "%s%s", i > 2 ? " " : "", r->words[i]);
    st = text.failed ? error_memory(err)
                     : audit_sinks_add(&r->conf->audit, writer_string(&text), err);
    return st ? error_prefix(err, st, "%s:%u: ", r->path, r->line) : SE_OK;
}

/* Takes a setting that is neither a text nor a choice between two. */
static se_status set_special(struct conf_reader *r, bool *known, se_error *err)
{
    const char *name = r->words[0];

    *known = true;
    if (strcmp(name, "local") == 0)
        return set_networks(r, err);
    if (strcmp(name, "audit") == 0)
        return add_sink(r, err);
    if (strcmp(name, "peers") == 0)
        return set_peers(r, err);
    if (strcmp(name, "socket-mode") == 0)
        return set_mode(&r->conf->socket_mode, r, err);
    if (strcmp(name, "encrypted") == 0)
        return set_encrypted(&r->conf->encrypted, r, err);
    *known = false;
    return SE_OK;
}

static se_status conf_take_setting(struct conf_reader *r, se_error *err)
{
    static const char *const names[] = {
        "engine",       "socket",   "user",        "metrics",   "trust-config", "trust-signers",
        "socket-group", "envelope", "bounces",     "lists",     "form",         "headers",
        "local",        "peers",    "socket-mode", "encrypted", "audit"
    };
    struct conf *c = r->conf;
    char **const texts[] = { &c->engine,       &c->socket,        &c->user,        &c->metrics,
                             &c->trust_config, &c->trust_signers, &c->socket_group };
    const struct {
        const char *name;
        bool *to;
        const char *no, *yes;
    } choices[] = {
        { "envelope", &c->any_envelope, "same", "any" },
        { "bounces", &c->sign_bounces, "skip", "sign" },
        { "lists", &c->sign_lists, "skip", "sign" },
        { "form", &c->opaque, "detached", "opaque" },
        { "headers", &c->protect, "plain", "protected" },
    };
    const char *name = r->words[0], *near;
    bool known;
    se_status st;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strcmp(name, names[i]) == 0)
            return set_text(texts[i], r, err);
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++)
        if (strcmp(name, choices[i].name) == 0)
            return set_choice(choices[i].to, r, choices[i].no, choices[i].yes, err);
    st = set_special(r, &known, err);
    if (known)
        return st;
    near = text_nearest(name, names, sizeof names / sizeof *names);
    return BAD(r, "no setting '%s'%s%s%s", name, near ? "; did you mean '" : "", near ? near : "",
               near ? "'?" : "");
}

/* ---- the file ---- */

static void split_words(struct conf_reader *r, char *line)
{
    char *rest = line, *word;

    line[strcspn(line, "#\r")] = '\0';
    r->count = 0;
    while (r->count < WORDS && (word = strsep(&rest, " \t")))
        if (*word)
            r->words[r->count++] = word;
}

static se_status conf_take_rule(struct conf_reader *r, se_error *err)
{
    se_status st = rules_add(&r->conf->rules, r->words, r->count, r->line, err);

    return st == SE_ERR_CONFIG ? error_prefix(err, st, "%s:%u: ", r->path, r->line) : st;
}

static se_status conf_take_line(struct conf_reader *r, char *line, se_error *err)
{
    r->line++;
    split_words(r, line);
    if (!r->count)
        return SE_OK;
    if (policy_read(r->words[0]))
        return conf_take_rule(r, err);
    if (r->count < 3 || strcmp(r->words[1], "=") != 0)
        return BAD(r, "neither 'NAME = VALUE' nor a rule: '%s'", r->words[0]);
    return conf_take_setting(r, err);
}

static se_status check_complete(const struct conf *c, const char *path, se_error *err)
{
    if (!c->engine)
        return error_set(err, SE_ERR_CONFIG, "%s: 'engine' is missing: the engineSignEncrypt.xml",
                         path);
    if (!c->socket)
        return error_set(err, SE_ERR_CONFIG, "%s: 'socket' is missing: inet:PORT@HOST or unix:PATH",
                         path);
    return SE_OK;
}

static se_status allow_this_machine(struct conf *c, se_error *err)
{
    c->networks = calloc(2, sizeof *c->networks);
    c->network_count = 2;
    if (!c->networks || !network_read(&c->networks[0], "127.0.0.0/8") ||
        !network_read(&c->networks[1], "::1"))
        return error_memory(err);
    return SE_OK;
}

se_status conf_parse(struct conf **out, se_buf *text, const char *path, se_error *err)
{
    AUTO(conf) conf = calloc(1, sizeof *conf);
    struct conf_reader r = { .conf = conf, .path = path };
    char *rest = (char *)text->data, *line;
    se_status st;

    *out = NULL;
    if (!conf)
        return error_memory(err);
    if (text->size && memchr(text->data, '\0', text->size))
        return error_set(err, SE_ERR_CONFIG, "%s: it is no text", path);
    conf->socket_mode = 0660;
    peers_default(&conf->peers);
    st = (conf->path = strdup(path)) ? allow_this_machine(conf, err) : error_memory(err);
    while (!st && (line = strsep(&rest, "\n")))
        st = conf_take_line(&r, line, err);
    if (st || (st = check_complete(conf, path, err)))
        return st;
    *out = MOVE(conf);
    return SE_OK;
}

se_status conf_load(struct conf **out, const char *path, se_error *err)
{
    AUTO(se_buf) text = SE_BUF_INIT;

    *out = NULL;
    TRY(file_read(&text, path, CONF_LIMIT, err));
    return conf_parse(out, &text, path, err);
}
