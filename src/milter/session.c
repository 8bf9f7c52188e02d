#include "milter/session.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#include "milter/letter.h"
#include "milter/sender.h"
#include "milter/socket.h"

/* One connection of the MTA: one client of it. */
struct session {
    char client[64];
    struct in6_addr address;
    bool submitted; /* by a program on this machine, without SMTP or by a local socket */
    struct letter *letter;
    bool allowed; /* the message is from a client that we sign for */
};

static struct session *session_of(SMFICTX *ctx)
{
    return smfi_getpriv(ctx);
}

static const char *symbol(SMFICTX *ctx, const char *name)
{
    char writable[32];

    (void)snprintf(writable, sizeof writable, "%s", name);
    return smfi_getsymval(ctx, writable);
}

static sfsistat negotiate(SMFICTX *ctx, unsigned long actions, unsigned long protocol,
                          unsigned long unused1, unsigned long unused2, unsigned long *actions_out,
                          unsigned long *protocol_out, unsigned long *unused1_out,
                          unsigned long *unused2_out)
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

static sfsistat connected(SMFICTX *ctx, char *host, _SOCK_ADDR *address)
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

static void end_message(struct session *s)
{
    if (!s || !s->letter)
        return;
    letter_free(s->letter);
    s->letter = NULL;
    __atomic_sub_fetch(&service.busy, 1, __ATOMIC_RELAXED);
}

/* What is between the brackets of MAIL FROM; changes `argument`. */
static char *bare_address(char *argument)
{
    char *to = argument;

    for (const char *p = argument; *p; p++)
        if (*p != '<' && *p != '>')
            *to++ = *p;
    *to = '\0';
    return sender_settle(argument);
}

static sfsistat mail_from(SMFICTX *ctx, char **arguments)
{
    struct session *s = session_of(ctx);
    struct letter *m = s ? calloc(1, sizeof *m) : NULL;
    const char *login = symbol(ctx, "{auth_authen}");

    end_message(s);
    if (!m || __atomic_load_n(&service.stopping, __ATOMIC_RELAXED)) {
        free(m);
        return SMFIS_TEMPFAIL;
    }
    *m = (struct letter){ .setup = service_enter(),
                          .envelope = bare_address(arguments[0]),
                          .body = SPOOL_INIT,
                          .out = SPOOL_INIT };
    s->letter = m;
    s->allowed = s->submitted || (login && *login) || conf_is_local(m->setup->conf, &s->address);
    __atomic_add_fetch(&service.busy, 1, __ATOMIC_RELAXED);
    return SMFIS_CONTINUE;
}

/*
 * An answer, for its own sake: Postfix sends the macros of RCPT and DATA, which has none, and the
 * message behind them; with nothing to send back the kernel would acknowledge them 40 ms late, for
 * which Nagle's algorithm waits at the other end.
 */
static sfsistat data_begins(SMFICTX *ctx)
{
    (void)ctx;
    return SMFIS_CONTINUE;
}

static sfsistat header(SMFICTX *ctx, char *name, char *value)
{
    struct session *s = session_of(ctx);

    if (s && s->letter && s->allowed)
        letter_field(s->letter, name, value);
    return SMFIS_CONTINUE;
}

static sfsistat body(SMFICTX *ctx, unsigned char *data, size_t size)
{
    struct session *s = session_of(ctx);

    if (s && s->letter && s->allowed)
        letter_body(s->letter, data, size);
    return SMFIS_CONTINUE;
}

/* ---- the end of a message ---- */

static int64_t microseconds(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* What can never be signed is refused; all else may be mended, and waits in the queue. */
static enum outcome outcome_of_failure(const struct letter *m, se_status status)
{
    if (!m->required)
        return OUTCOME_UNSIGNED;
    return status == SE_ERR_FORMAT || status == SE_ERR_REJECTED ? OUTCOME_REFUSED
                                                                : OUTCOME_DEFERRED;
}

/* Of several From addresses one may be the envelope's sender, and another one the certificate's. */
static enum outcome compare_senders(struct audit *audit, const struct letter *m)
{
    if (!*m->from) {
        audit->reason = m->from_fields == 1 ? "the From field has no address, or several"
                                            : "there is no From field, or several";
        return outcome_of_failure(m, SE_ERR_FORMAT);
    }
    if (strcmp(m->envelope, m->from) == 0)
        return OUTCOME_SIGNED;
    audit->reason = "the envelope's sender is not the From field's";
    return outcome_of_failure(m, SE_ERR_POLICY);
}

/* What a rule requires, whatever else is said: no sender may be shown whom the signature does not
 * name. */
static enum outcome judge_required(struct audit *audit, const struct letter *m)
{
    const struct conf *conf = m->setup->conf;

    if (*m->from && (!m->rule || m->rule->policy == POLICY_SKIP)) {
        audit->reason = "it shows a sender who has to sign, and is from another who does not";
        return OUTCOME_REFUSED;
    }
    if (!*m->envelope && !conf->sign_bounces) {
        audit->reason = "a bounce, in which the envelope does not say whose it is";
        return OUTCOME_REFUSED;
    }
    return *m->from && (conf->any_envelope || !*m->envelope || m->error.status)
               ? OUTCOME_SIGNED
               : compare_senders(audit, m);
}

/* What the rules say, before anything is signed; OUTCOME_SIGNED: try it. */
static enum outcome judge(const struct rule **rule, struct audit *audit, const struct session *s)
{
    struct letter *m = s->letter;
    const struct conf *conf = m->setup->conf;

    if (!s->allowed)
        return OUTCOME_FOREIGN;
    if (!(*rule = letter_rule(m)))
        return OUTCOME_UNKNOWN;
    audit->descriptor = (*rule)->policy == POLICY_SKIP ? NULL : (*rule)->descriptor;
    if (m->required)
        return judge_required(audit, m);
    if ((*rule)->policy == POLICY_SKIP)
        return OUTCOME_SKIPPED;
    if (!*m->envelope && !conf->sign_bounces) {
        audit->reason = "a bounce";
        return OUTCOME_SKIPPED;
    }
    if (m->list && !conf->sign_lists) {
        audit->reason = "from a mailing list";
        return OUTCOME_SKIPPED;
    }
    return conf->any_envelope || !*m->envelope || m->error.status ? OUTCOME_SIGNED
                                                                  : compare_senders(audit, m);
}

/* Whether it may leave as it is: where a signature is required, what it says about itself is no
 * reason. */
static enum outcome judge_passed(struct audit *audit, struct letter *m, const struct rule *rule,
                                 const se_mail *told)
{
    se_status st;

    if (!m->required)
        return OUTCOME_ALREADY;
    if (told->encrypted && m->setup->conf->encrypted == ENCRYPTED_PASS)
        return OUTCOME_ALREADY;
    if (told->encrypted) {
        audit->reason = "it is encrypted, so that nobody can tell whether it is signed";
        return OUTCOME_REFUSED;
    }
    st = letter_verify(m, rule);
    audit->reason = m->error.text;
    audit->status = m->error.status;
    return st ? outcome_of_failure(m, st) : OUTCOME_ALREADY;
}

/* What could be signed and does not verify is something that readers may read differently, and so
 * may the rules have done. */
static se_status sign_letter(se_mail *told, struct letter *m, const struct rule *rule)
{
    se_status st = letter_sign(told, m, rule, false);

    if (!st && told->encrypted && m->required && m->setup->conf->encrypted == ENCRYPTED_SIGN)
        st = letter_sign(told, m, rule, true);
    return st || told->passed || !m->required ? st : letter_verify(m, rule);
}

static enum outcome try_signing(struct audit *audit, struct session *s, const struct rule *rule,
                                SMFICTX *ctx)
{
    struct letter *m = s->letter;
    se_mail told = { .passed = false };
    se_status st = sign_letter(&told, m, rule);

    audit->version = told.signer.version;
    audit->reason = m->error.text;
    audit->status = m->error.status;
    if (st)
        return outcome_of_failure(m, st);
    if (told.passed)
        return judge_passed(audit, m, rule, &told);
    if (letter_replace(m, ctx))
        return OUTCOME_SIGNED;
    /* the MTA may have half of the changes: it must not go on with them */
    audit->reason = "the MTA did not take the signed message";
    audit->status = SE_OK;
    return OUTCOME_DEFERRED;
}

static sfsistat answer(SMFICTX *ctx, const struct audit *audit)
{
    char code[] = "451", extended[] = "4.7.1",
         text[] = "this message must be signed and can't be now";
    char never_code[] = "550", never_extended[] = "5.6.0",
         never_text[] = "this message must be signed and can't be";

    if (audit->outcome == OUTCOME_DEFERRED) {
        (void)smfi_setreply(ctx, code, extended, text);
        return SMFIS_TEMPFAIL;
    }
    if (audit->outcome == OUTCOME_REFUSED) {
        (void)smfi_setreply(ctx, never_code, never_extended, never_text);
        return SMFIS_REJECT;
    }
    return SMFIS_CONTINUE;
}

static sfsistat end_of_message(SMFICTX *ctx)
{
    struct session *s = session_of(ctx);
    const char *queue_id = symbol(ctx, "i");
    const struct rule *rule = NULL;
    struct audit audit = { .queue_id = queue_id };
    int64_t began = microseconds();
    sfsistat reply;

    if (!s || !s->letter)
        return SMFIS_TEMPFAIL;
    audit.client = s->client;
    audit.outcome = judge(&rule, &audit, s);
    if (audit.outcome == OUTCOME_SIGNED)
        audit.outcome = try_signing(&audit, s, rule, ctx);
    audit.sender = *s->letter->from ? s->letter->from : s->letter->envelope;
    audit.microseconds = microseconds() - began;
    service_audit(s->letter->setup, &audit);
    reply = answer(ctx, &audit);
    end_message(s);
    return reply;
}

static sfsistat aborted(SMFICTX *ctx)
{
    end_message(session_of(ctx));
    return SMFIS_CONTINUE;
}

static sfsistat closed(SMFICTX *ctx)
{
    struct session *s = session_of(ctx);

    end_message(s);
    (void)smfi_setpriv(ctx, NULL);
    free(s);
    return SMFIS_CONTINUE;
}

static char own_name[] = "signengine";

struct smfiDesc session_callbacks = {
    .xxfi_name = own_name,
    .xxfi_version = SMFI_VERSION,
    .xxfi_flags = SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_CHGBODY,
    .xxfi_connect = connected,
    .xxfi_envfrom = mail_from,
    .xxfi_data = data_begins,
    .xxfi_header = header,
    .xxfi_body = body,
    .xxfi_eom = end_of_message,
    .xxfi_abort = aborted,
    .xxfi_close = closed,
    .xxfi_negotiate = negotiate,
};
