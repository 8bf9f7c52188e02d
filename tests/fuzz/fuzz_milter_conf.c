/* SPDX-License-Identifier: Apache-2.0 */
/* milter.conf: what is taken has what signing needs, what is not is told with its line, and rules
 * are matched in bounded time. */
#include <stdlib.h>

#include "milter/conf.h"
#include "milter/sender.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(const struct conf *conf)
{
    static const char address[] =
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab@example.org";
    const struct in6_addr any = { .s6_addr = { 0 } };
    const struct rule *rule = rules_find(&conf->rules, address);

    if (!conf->engine || !conf->socket ||
        (rule && (!rule->pattern || !rule->descriptor || rule->policy == POLICY_NONE)))
        abort();
    if (networks_hold(conf->networks, conf->network_count, &any) && !conf->network_count)
        abort();
}

static void use_sender(void *unused, const char *address)
{
    (void)unused;
    if (!strchr(address, '@'))
        abort();
}

/* The same bytes as the value of a From field. */
static void find_senders(const char *text)
{
    char *settled = sender_settle(text);

    free(settled);
    (void)!senders_read(text, use_sender, NULL, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(conf) conf = NULL;
    AUTO(se_buf) text = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;
    se_status st;

    if (buf_copy(&text, (se_bytes){ data, size }, NULL))
        return 0;
    find_senders((const char *)text.data);
    st = conf_parse(&conf, &text, "milter.conf", &err);
    if (!st)
        use(conf);
    else if (conf || st != SE_ERR_CONFIG || strncmp(err.text, "milter.conf:", 12) != 0)
        abort();
    return 0;
}
