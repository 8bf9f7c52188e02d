#include "milter/conf.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"

enum { CONF_LIMIT = 16 << 20, WORDS = 64 };

struct reading {
    struct conf *conf;
    const char *path;
    unsigned line;
    char *words[WORDS];
    size_t count;
    size_t rule_room, network_room;
};

void conf_free(struct conf **conf)
{
    struct conf *c = *conf;

    if (!c)
        return;
    for (size_t i = 0; i < c->rule_count; i++) {
        free(c->rules[i].pattern);
        free(c->rules[i].descriptor);
    }
    free(c->rules);
    free(c->networks);
    free(c->engine);
    free(c->socket);
    free(c->user);
    free(c->audit);
    free(c->metrics);
    free(c->trust_config);
    free(c);
    *conf = NULL;
}

#define BAD(r, ...) (error_set(err, SE_ERR_CONFIG, __VA_ARGS__), error_prefix(err, "%s:%u: ", (r)->path, (r)->line))

/* ---- settings: name = value ---- */

static se_status set_text(char **to, const struct reading *r, se_error *err)
{
    if (r->count != 3)
        return BAD(r, "%s takes one value", r->words[0]);
    free(*to);
    return (*to = strdup(r->words[2])) ? SE_OK : error_memory(err);
}

static se_status set_choice(bool *to, const struct reading *r, const char *no, const char *yes, se_error *err)
{
    if (r->count != 3 || (strcmp(r->words[2], no) != 0 && strcmp(r->words[2], yes) != 0))
        return BAD(r, "%s is %s or %s", r->words[0], no, yes);
    *to = strcmp(r->words[2], yes) == 0;
    return SE_OK;
}

static bool read_network(struct network *out, const char *text)
{
    char address[64] = "";
    const char *slash = strchr(text, '/');
    size_t size = slash ? (size_t)(slash - text) : strlen(text);
    unsigned long bits = 128;
    struct in_addr v4;

    if (size >= sizeof address)
        return false;
    memcpy(address, text, size);
    if (inet_pton(AF_INET, address, &v4) == 1) {
        memset(&out->address, 0, sizeof out->address);
        out->address.s6_addr[10] = out->address.s6_addr[11] = 0xff;
        memcpy(out->address.s6_addr + 12, &v4, sizeof v4);
        bits = 32;
        if (slash && !text_number(&bits, slash + 1, 32))
            return false;
        bits += 96;
    } else if (inet_pton(AF_INET6, address, &out->address) != 1 || (slash && !text_number(&bits, slash + 1, 128)))
        return false;
    out->bits = (unsigned)bits;
    return true;
}

static se_status set_networks(struct reading *r, se_error *err)
{
    struct conf *c = r->conf;

    free(c->networks);
    c->network_count = 0;
    if (!(c->networks = calloc(WORDS, sizeof *c->networks)))
        return error_memory(err);
    for (size_t i = 2; i < r->count; i++)
        if (!read_network(&c->networks[c->network_count++], r->words[i]))
            return BAD(r, "'%s' is no network, as 192.0.2.0/24", r->words[i]);
    return SE_OK;
}

static se_status setting(struct reading *r, se_error *err)
{
    static const char *const names[] = { "engine", "socket",   "user",    "audit", "metrics", "trust-config",
                                         "local",  "envelope", "bounces", "lists", "form",    "headers" };
    struct conf *c = r->conf;
    char **const texts[] = { &c->engine, &c->socket, &c->user, &c->audit, &c->metrics, &c->trust_config };
    const char *name = r->words[0], *near;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strcmp(name, names[i]) == 0)
            return set_text(texts[i], r, err);
    if (strcmp(name, "local") == 0)
        return set_networks(r, err);
    if (strcmp(name, "envelope") == 0)
        return set_choice(&c->any_envelope, r, "same", "any", err);
    if (strcmp(name, "bounces") == 0)
        return set_choice(&c->sign_bounces, r, "skip", "sign", err);
    if (strcmp(name, "lists") == 0)
        return set_choice(&c->sign_lists, r, "skip", "sign", err);
    if (strcmp(name, "form") == 0)
        return set_choice(&c->opaque, r, "detached", "opaque", err);
    if (strcmp(name, "headers") == 0)
        return set_choice(&c->protect, r, "plain", "protected", err);
    near = text_nearest(name, names, sizeof names / sizeof *names);
    return BAD(r, "no setting '%s'%s%s%s", name, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* ---- rules: policy pattern [descriptor] ---- */

static enum policy policy_of(const char *word)
{
    return strcmp(word, "sign") == 0      ? POLICY_SIGN
           : strcmp(word, "require") == 0 ? POLICY_REQUIRE
           : strcmp(word, "skip") == 0    ? POLICY_SKIP
                                          : POLICY_NONE;
}

static bool is_ascii(const char *text)
{
    while (*text > 0)
        text++;
    return !*text;
}

char *conf_address(const char *text)
{
    AUTO(se_buf) read = SE_BUF_INIT;
    char *out = strdup(is_ascii(text) || se_mail_address(&read, text, NULL) ? text : (char *)read.data);

    for (char *p = out; p && *p; p++)
        *p = (char)tolower((unsigned char)*p);
    return out;
}

/* "@example.org" and "example.org" stand for the domain. */
static char *pattern_of(const char *word)
{
    const char *at = strchr(word, '@');
    AUTO(writer) w = { 0 };

    writer_format(&w, "%s%s", !at ? "*@" : at == word ? "*" : "", word);
    return w.failed ? NULL : strdup(writer_string(&w));
}

static se_status split_version(struct rule *rule, const struct reading *r, se_error *err)
{
    char *colon = strrchr(rule->descriptor, ':');
    unsigned long version;

    if (!colon)
        return SE_OK;
    if (!text_number(&version, colon + 1, 1000000000) || !version)
        return BAD(r, "'%s' is no NAME:VERSION", rule->descriptor);
    rule->version = (unsigned)version;
    *colon = '\0';
    return SE_OK;
}

static se_status rule_room(struct reading *r, se_error *err)
{
    struct conf *c = r->conf;
    size_t room = r->rule_room * 2 + 16;
    struct rule *more;

    if (c->rule_count < r->rule_room)
        return SE_OK;
    if (!(more = calloc(room, sizeof *more)))
        return error_memory(err);
    if (c->rule_count)
        memcpy(more, c->rules, c->rule_count * sizeof *more);
    free(c->rules);
    c->rules = more;
    r->rule_room = room;
    return SE_OK;
}

static se_status add_rule(struct reading *r, enum policy policy, se_error *err)
{
    struct rule *rule;
    se_status st = rule_room(r, err);

    if (st)
        return st;
    if (r->count < 2 || r->count > 3 || (policy == POLICY_SKIP && r->count == 3))
        return BAD(r, "a rule is: sign|require ADDRESS [DESCRIPTOR[:VERSION]], or skip ADDRESS");
    rule = &r->conf->rules[r->conf->rule_count++];
    rule->policy = policy;
    rule->pattern = pattern_of(r->words[1]);
    rule->descriptor = strdup(r->count == 3 ? r->words[2] : "SignEmailDescriptor");
    return rule->pattern && rule->descriptor ? split_version(rule, r, err) : error_memory(err);
}

/* ---- the file ---- */

static void split(struct reading *r, char *line)
{
    char *rest = line, *word;

    line[strcspn(line, "#\r")] = '\0';
    r->count = 0;
    while (r->count < WORDS && (word = strsep(&rest, " \t")))
        if (*word)
            r->words[r->count++] = word;
}

static se_status take_line(struct reading *r, char *line, se_error *err)
{
    enum policy policy;

    r->line++;
    split(r, line);
    if (!r->count)
        return SE_OK;
    if ((policy = policy_of(r->words[0])))
        return add_rule(r, policy, err);
    if (r->count < 3 || strcmp(r->words[1], "=") != 0)
        return BAD(r, "neither 'NAME = VALUE' nor a rule: '%s'", r->words[0]);
    return setting(r, err);
}

static se_status check(const struct conf *c, const char *path, se_error *err)
{
    if (!c->engine)
        return error_set(err, SE_ERR_CONFIG, "%s: 'engine' is missing: the engineSignEncrypt.xml", path);
    if (!c->socket)
        return error_set(err, SE_ERR_CONFIG, "%s: 'socket' is missing: inet:PORT@HOST or unix:PATH", path);
    return SE_OK;
}

static se_status allow_this_machine(struct conf *c, se_error *err)
{
    c->networks = calloc(2, sizeof *c->networks);
    c->network_count = 2;
    if (!c->networks || !read_network(&c->networks[0], "127.0.0.0/8") || !read_network(&c->networks[1], "::1"))
        return error_memory(err);
    return SE_OK;
}

se_status conf_parse(struct conf **out, se_buf *text, const char *path, se_error *err)
{
    AUTO(conf) conf = calloc(1, sizeof *conf);
    struct reading r = { .conf = conf, .path = path };
    char *rest = (char *)text->data, *line;
    se_status st;

    *out = NULL;
    if (!conf)
        return error_memory(err);
    if (text->size && memchr(text->data, '\0', text->size))
        return error_set(err, SE_ERR_CONFIG, "%s: it is no text", path);
    st = allow_this_machine(conf, err);
    while (!st && (line = strsep(&rest, "\n")))
        st = take_line(&r, line, err);
    if (st || (st = check(conf, path, err)))
        return st;
    *out = conf;
    conf = NULL;
    return SE_OK;
}

se_status conf_load(struct conf **out, const char *path, se_error *err)
{
    AUTO(se_buf) text = SE_BUF_INIT;
    se_status st;

    *out = NULL;
    if ((st = file_read(&text, path, CONF_LIMIT, err)))
        return st;
    return conf_parse(out, &text, path, err);
}

se_status conf_settle(struct conf *conf, se_error *err)
{
    for (size_t i = 0; i < conf->rule_count; i++) {
        char **pattern = &conf->rules[i].pattern, *settled = conf_address(*pattern);

        if (!settled)
            return error_memory(err);
        free(*pattern);
        *pattern = settled;
    }
    return SE_OK;
}

static bool matches(const char *pattern, const char *text)
{
    const char *star = NULL, *retry = text;

    while (*text) {
        if (*pattern == '*') {
            star = pattern++;
            retry = text;
        } else if (*pattern == tolower((unsigned char)*text)) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++retry;
        } else
            return false;
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

const struct rule *conf_rule(const struct conf *conf, const char *address)
{
    for (size_t i = 0; i < conf->rule_count; i++)
        if (matches(conf->rules[i].pattern, address))
            return &conf->rules[i];
    return NULL;
}

static bool within(const struct network *network, const struct in6_addr *address)
{
    for (unsigned bit = 0; bit < network->bits; bit++) {
        unsigned char mask = (unsigned char)(0x80 >> bit % 8);

        if ((network->address.s6_addr[bit / 8] ^ address->s6_addr[bit / 8]) & mask)
            return false;
    }
    return true;
}

bool conf_is_local(const struct conf *conf, const struct in6_addr *address)
{
    for (size_t i = 0; i < conf->network_count; i++)
        if (within(&conf->networks[i], address))
            return true;
    return false;
}
