/* SPDX-License-Identifier: Apache-2.0 */
#include "milter/session.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/clock.h"
#include "milter/message.h"
#include "milter/report.h"
#include "milter/sender.h"
#include "milter/socket.h"

/* One connection of the MTA: one client of it. */
struct session {
    char client[64];
    struct in6_addr address;
    bool submitted; /* by a program on this machine, without SMTP or by a local socket */
    struct message *message;
    bool allowed; /* the message is from a client that we sign for */
};

static struct session *session_get(SMFICTX *ctx)
{
    return smfi_getpriv(ctx);
}

static const char *mta_macro(SMFICTX *ctx, const char *name)
{
    char writable[32];

    (void)snprintf(writable, sizeof writable, "%s", name);
    return smfi_getsymval(ctx, writable);
}

static sfsistat milter_negotiate(SMFICTX *ctx, unsigned long actions, unsigned long protocol,
                                 unsigned long unused1, unsigned long unused2,
                                 unsigned long *actions_out, unsigned long *protocol_out,
                                 unsigned long *unused1_out, unsigned long *unused2_out)
{
    const unsigned long need = SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_CHGBODY;

    (void)ctx;
    (void)unused1;
    (void)unused2;
    *unused1_out = *unused2_out = 0;
    *actions_out = need;
    /* SMFIP_HDR_LEADSPC: values as they are, with the blank behind the colon */
    *protocol_out = protocol & (SMFIP_NOHELO | SMFIP_NORCPT | SMFIP_NOUNKNOWN | SMFIP_NOEOH |
                                SMFIP_HDR_LEADSPC);
    return (actions & need) == need && (protocol & SMFIP_HDR_LEADSPC) && socket_is_guarded()
               ? SMFIS_CONTINUE
               : SMFIS_REJECT;
}

static sfsistat milter_connect(SMFICTX *ctx, char *host, _SOCK_ADDR *address)
{
    struct session *s = calloc(1, sizeof *s);

    (void)host;
    if (!s || smfi_setpriv(ctx, s) != MI_SUCCESS) {
        free(s);
        return SMFIS_TEMPFAIL;
    }
    s->submitted = !address || address->sa_family == AF_UNIX;
    if (address && address->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *)address;

        s->address = network_map(&v4->sin_addr);
        (void)inet_ntop(AF_INET, &v4->sin_addr, s->client, sizeof s->client);
    } else if (address && address->sa_family == AF_INET6) {
        s->address = ((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
        (void)inet_ntop(AF_INET6, &s->address, s->client, sizeof s->client);
    } else
        (void)snprintf(s->client, sizeof s->client, "%s", "local");
    return SMFIS_CONTINUE;
}

static void session_end_message(struct session *s)
{
    if (!s || !s->message)
        return;
    message_free(s->message);
    s->message = NULL;
    __atomic_sub_fetch(&service.busy, 1, __ATOMIC_RELAXED);
}

/* The address between the brackets of MAIL FROM; changes `argument`. */
static char *settle_envelope(char *argument)
{
    char *to = argument;

    for (const char *p = argument; *p; p++)
        if (*p != '<' && *p != '>')
            *to++ = *p;
    *to = '\0';
    return sender_settle(argument);
}

static sfsistat milter_envelope(SMFICTX *ctx, char **arguments)
{
    struct session *s = session_get(ctx);
    const char *login = mta_macro(ctx, "{auth_authen}");
    char *envelope;
    struct message *m;

    session_end_message(s);
    if (!s || __atomic_load_n(&service.stopping, __ATOMIC_RELAXED) ||
        !(envelope = settle_envelope(arguments[0])))
        return SMFIS_TEMPFAIL;
    if (!(m = message_new(envelope))) {
        free(envelope);
        return SMFIS_TEMPFAIL;
    }
    s->message = m;
    s->allowed =
        s->submitted || (login && *login) ||
        networks_hold(m->setup->conf->networks, m->setup->conf->network_count, &s->address);
    __atomic_add_fetch(&service.busy, 1, __ATOMIC_RELAXED);
    return SMFIS_CONTINUE;
}

/*
 * An answer for its own sake: Postfix sends the macros of RCPT and DATA, and the message behind
 * them.  Without an answer the kernel would acknowledge the macros 40 ms late, and Nagle's
 * algorithm at the other end waits for that.
 */
static sfsistat milter_data(SMFICTX *ctx)
{
    (void)ctx;
    return SMFIS_CONTINUE;
}

static sfsistat milter_header(SMFICTX *ctx, char *name, char *value)
{
    struct session *s = session_get(ctx);

    if (s && s->message && s->allowed)
        message_take_field(s->message, name, value);
    return SMFIS_CONTINUE;
}

static sfsistat milter_body(SMFICTX *ctx, unsigned char *data, size_t size)
{
    struct session *s = session_get(ctx);

    if (s && s->message && s->allowed)
        message_take_body(s->message, data, size);
    return SMFIS_CONTINUE;
}

/* ---- the end of a message ---- */

/* A message that can never be signed is refused; other failures may be mended, and it waits in
 * the queue. */
static enum outcome outcome_of_failure(const struct message *m, se_status status)
{
    if (!m->required)
        return OUTCOME_UNSIGNED;
    return status == SE_ERR_FORMAT || status == SE_ERR_REJECTED ? OUTCOME_REFUSED
                                                                : OUTCOME_DEFERRED;
}

/* The envelope's sender could be another From address than the certificate's. */
static enum outcome compare_senders(struct report *report, const struct message *m)
{
    if (!*m->from) {
        report->reason = m->from_fields == 1 ? "the From field has no address, or several"
                                             : "there is no From field, or several";
        return outcome_of_failure(m, SE_ERR_FORMAT);
    }
    if (strcmp(m->envelope, m->from) == 0)
        return OUTCOME_SIGNED;
    report->reason = "the envelope's sender is not the From field's";
    return outcome_of_failure(m, SE_ERR_POLICY);
}

/* For a rule that requires a signature: no sender may be shown that the signature does not name. */
static enum outcome judge_required(struct report *report, const struct message *m)
{
    const struct conf *conf = m->setup->conf;

    if (*m->from && (!m->rule || m->rule->policy == POLICY_SKIP)) {
        report->reason = "it shows a sender who has to sign, and is from another who does not";
        return OUTCOME_REFUSED;
    }
    if (!*m->envelope && !conf->sign_bounces) {
        report->reason = "a bounce, in which the envelope does not say whose it is";
        return OUTCOME_REFUSED;
    }
    return *m->from && (conf->any_envelope || !*m->envelope || m->error.status)
               ? OUTCOME_SIGNED
               : compare_senders(report, m);
}

/* Applies the rules before anything is signed; OUTCOME_SIGNED: try it. */
static enum outcome judge_message(const struct rule **rule, struct report *report,
                                  const struct session *s)
{
    struct message *m = s->message;
    const struct conf *conf = m->setup->conf;

    if (!s->allowed)
        return OUTCOME_FOREIGN;
    if (!(*rule = message_find_rule(m)))
        return OUTCOME_UNKNOWN;
    report->descriptor = (*rule)->policy == POLICY_SKIP ? NULL : (*rule)->descriptor;
    if (m->required)
        return judge_required(report, m);
    if ((*rule)->policy == POLICY_SKIP)
        return OUTCOME_SKIPPED;
    if (!*m->envelope && !conf->sign_bounces) {
        report->reason = "a bounce";
        return OUTCOME_SKIPPED;
    }
    if (m->list && !conf->sign_lists) {
        report->reason = "from a mailing list";
        return OUTCOME_SKIPPED;
    }
    return conf->any_envelope || !*m->envelope || m->error.status ? OUTCOME_SIGNED
                                                                  : compare_senders(report, m);
}

/* Whether a message may leave as it is: where a signature is required, its own claim is not
 * enough. */
static enum outcome judge_passed(struct report *report, struct message *m, const struct rule *rule,
                                 const se_mail *result)
{
    se_status st;

    if (!m->required)
        return OUTCOME_ALREADY;
    if (result->encrypted && m->setup->conf->encrypted == ENCRYPTED_PASS)
        return OUTCOME_ALREADY;
    if (result->encrypted) {
        report->reason = "it is encrypted, so that nobody can tell whether it is signed";
        return OUTCOME_REFUSED;
    }
    st = message_verify(m, rule);
    report->reason = m->error.text;
    report->status = m->error.status;
    return st ? outcome_of_failure(m, st) : OUTCOME_ALREADY;
}

/* A signed message that does not verify is one that readers, and the rules, may have read
 * differently. */
static se_status sign_and_verify(se_mail *result, struct message *m, const struct rule *rule)
{
    se_status st = message_sign(result, m, rule, false);

    if (!st && result->encrypted && m->required && m->setup->conf->encrypted == ENCRYPTED_SIGN)
        st = message_sign(result, m, rule, true);
    return st || result->passed || !m->required ? st : message_verify(m, rule);
}

static enum outcome try_signing(struct report *report, struct session *s, const struct rule *rule,
                                SMFICTX *ctx)
{
    struct message *m = s->message;
    se_mail result = { .passed = false };
    se_status st = sign_and_verify(&result, m, rule);

    report->version = result.signer.version;
    report->reason = m->error.text;
    report->status = m->error.status;
    if (st)
        return outcome_of_failure(m, st);
    if (result.passed)
        return judge_passed(report, m, rule, &result);
    if (message_replace(m, ctx))
        return OUTCOME_SIGNED;
    /* the MTA may have taken half of the changes, and must not go on with them */
    report->reason = "the MTA did not take the signed message";
    report->status = SE_OK;
    return OUTCOME_DEFERRED;
}

static sfsistat reply_with(SMFICTX *ctx, const struct report *report)
{
    char code[] = "451", extended[] = "4.7.1",
         text[] = "this message must be signed and can't be now";
    char never_code[] = "550", never_extended[] = "5.6.0",
         never_text[] = "this message must be signed and can't be";

    if (report->outcome == OUTCOME_DEFERRED) {
        (void)smfi_setreply(ctx, code, extended, text);
        return SMFIS_TEMPFAIL;
    }
    if (report->outcome == OUTCOME_REFUSED) {
        (void)smfi_setreply(ctx, never_code, never_extended, never_text);
        return SMFIS_REJECT;
    }
    return SMFIS_CONTINUE;
}

/* Nothing is signed that can't be recorded. */
static enum outcome sign_recorded(struct report *report, struct session *s, const struct rule *rule,
                                  SMFICTX *ctx)
{
    struct message *m = s->message;

    report->status = audit_reserve(m->setup->audit, 1, &m->error);
    report->reserved = !report->status;
    report->reason = m->error.text;
    return report->reserved ? try_signing(report, s, rule, ctx) : OUTCOME_DEFERRED;
}

static sfsistat milter_end_of_message(SMFICTX *ctx)
{
    struct session *s = session_get(ctx);
    const struct rule *rule = NULL;
    struct report report = { .queue_id = mta_macro(ctx, "i") };
    se_error unrecorded = SE_ERROR_INIT;
    int64_t began = clock_monotonic_us();
    sfsistat reply;

    if (!s || !s->message)
        return SMFIS_TEMPFAIL;
    report.client = s->client;
    report.config = s->message->setup->config;
    report.outcome = judge_message(&rule, &report, s);
    if (report.outcome == OUTCOME_SIGNED)
        report.outcome = sign_recorded(&report, s, rule, ctx);
    report.sender = *s->message->from ? s->message->from : s->message->envelope;
    report.microseconds = clock_monotonic_us() - began;
    report_message(s->message->setup->audit, &report, &unrecorded);
    reply = reply_with(ctx, &report);
    session_end_message(s);
    return reply;
}

static sfsistat milter_abort(SMFICTX *ctx)
{
    session_end_message(session_get(ctx));
    return SMFIS_CONTINUE;
}

static sfsistat milter_close(SMFICTX *ctx)
{
    struct session *s = session_get(ctx);

    session_end_message(s);
    (void)smfi_setpriv(ctx, NULL);
    free(s);
    return SMFIS_CONTINUE;
}

static char own_name[] = "signengine";

struct smfiDesc session_callbacks = {
    .xxfi_name = own_name,
    .xxfi_version = SMFI_VERSION,
    .xxfi_flags = SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_CHGBODY,
    .xxfi_connect = milter_connect,
    .xxfi_envfrom = milter_envelope,
    .xxfi_data = milter_data,
    .xxfi_header = milter_header,
    .xxfi_body = milter_body,
    .xxfi_eom = milter_end_of_message,
    .xxfi_abort = milter_abort,
    .xxfi_close = milter_close,
    .xxfi_negotiate = milter_negotiate,
};
