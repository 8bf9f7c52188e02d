/* milter.conf: where to listen, and whose mail is signed with what. */
#ifndef MILTER_CONF_H
#define MILTER_CONF_H

#include <netinet/in.h>
#include <stdbool.h>

#include "base/buf.h"

enum policy {
    POLICY_NONE,    /* nobody we know */
    POLICY_SIGN,    /* signed if that is possible */
    POLICY_REQUIRE, /* signed, or not sent */
    POLICY_SKIP,
};

struct rule {
    enum policy policy;
    char *pattern; /* of addresses, as conf_address() has them; '*' stands for any characters */
    char *descriptor;
    unsigned version; /* 0: the highest */
};

struct network {
    struct in6_addr address; /* IPv4 as ::ffff:a.b.c.d */
    unsigned bits;
};

struct conf {
    char *engine, *socket, *user, *audit, *metrics;
    char *trust_config; /* CAs that must have signed the engine's configuration; NULL: it need not be signed */
    bool any_envelope;  /* the envelope's sender need not be the From field's */
    bool sign_bounces, sign_lists, opaque, protect;
    struct rule *rules;
    size_t rule_count;
    struct network *networks;
    size_t network_count;
};

/* SE_ERR_CONFIG: the first finding, as "FILE:LINE: text".  The caller releases *out with conf_free(). */
SE_MUST_CHECK se_status conf_load(struct conf **out, const char *path, se_error *err);
/* The same of a text, which is cut to pieces; `path` is for the findings. */
SE_MUST_CHECK se_status conf_parse(struct conf **out, se_buf *text, const char *path, se_error *err);
void conf_free(struct conf **conf);
AUTO_KIND(conf, struct conf *, conf_free(p))

/* Makes patterns what conf_rule() compares; needs what reads mail, as conf_load() does not. */
SE_MUST_CHECK se_status conf_settle(struct conf *conf, se_error *err);

/*
 * In small letters, a domain in other alphabets as the DNS has it: what a From field is compared as.  NULL: out of memory.  The
 * caller frees it.
 */
char *conf_address(const char *text);

/* The first rule for the address; NULL: none. */
const struct rule *conf_rule(const struct conf *conf, const char *address);

/* Whether an address belongs to the local networks. */
bool conf_is_local(const struct conf *conf, const struct in6_addr *address);

#endif
