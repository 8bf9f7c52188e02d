/* SPDX-License-Identifier: Apache-2.0 */
#include "keystore/azure/vault.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/breaker.h"
#include "base/clock.h"
#include "base/fork_lock.h"
#include "base/text.h"
#include "crypto/provider_keymgmt.h"
#include "keystore/azure/challenge.h"
#include "keystore/azure/guid.h"
#include "keystore/azure/login.h"
#include "keystore/azure/throttle.h"

enum {
    CONNECTIONS = 32, /* about as many reach what a Managed HSM can do */
    KEEP_ALIVE_S = 60,
    DEADLINE_S = 20,
    NO_DEADLINE_S = 3600, /* "none": a request has to end some day */
    REPEATS_MOST = 2,
    REPEAT_LEAST_MS = 50, /* less is not enough to ask again in */
    URGENT_MS = 1000, /* a vault that refuses for longer is as good as away, for who has another */
};

struct vault {
    unsigned refs;
    struct vault *next;
    struct vault_place place;
    struct login *login;
    struct http_pool *pool;

    /* under fork_lock_take() */
    struct breaker breaker;
    unsigned generation; /* of the breaker's probe: in the child of a fork nobody ends it */
    int64_t healed;      /* clock_monotonic_us(): when it was last found to be back */
    struct throttle throttle;
    se_error failure; /* the last one */
};

static const char api_version_used[] = "7.4";

/* ---- the vaults of this process ---- */

static struct vault *vaults;

static void vault_free(struct vault *vault)
{
    http_pool_close(vault->pool);
    login_close(vault->login);
    place_free(&vault->place);
    free(vault);
}

void vault_close(struct vault *vault)
{
    struct vault **at = &vaults;

    if (!vault)
        return;
    fork_lock_take();
    if (--vault->refs) {
        fork_lock_give();
        return;
    }
    while (*at != vault)
        at = &(*at)->next;
    *at = vault->next;
    fork_lock_give();
    vault_free(vault);
}

struct vault *vault_ref(struct vault *vault)
{
    fork_lock_take();
    vault->refs++;
    fork_lock_give();
    return vault;
}

/* Logins are shared: the same settings have the same struct. */
static struct vault *find_shared(const struct vault *like)
{
    struct vault *at = vaults;

    while (at && (at->login != like->login || strcmp(at->place.base, like->place.base)))
        at = at->next;
    if (at)
        at->refs++;
    return at;
}

static struct vault *share_vault(struct vault *made)
{
    struct vault *shared;

    fork_lock_take();
    if (!(shared = find_shared(made))) {
        made->next = vaults;
        vaults = shared = made;
    }
    fork_lock_give();
    if (shared != made)
        vault_free(made);
    return shared;
}

static se_status vault_make(struct vault *vault, const struct keyref *ref, se_error *err)
{
    const struct http_settings settings = {
        .ca_file = ref->ca_file,
        .proxy = ref->proxy,
        .connections = ref->max_sessions ? ref->max_sessions : CONNECTIONS,
        .keep_alive = ref->keep_alive ? ref->keep_alive : KEEP_ALIVE_S,
    };

    TRY(place_find(&vault->place, ref, err));
    TRY(login_open(&vault->login, ref, &vault->place, err));
    return http_pool_open(&vault->pool, &settings, err);
}

se_status vault_open(struct vault **out, const struct keyref *ref, se_error *err)
{
    struct vault *vault = calloc(1, sizeof *vault);
    se_status st;

    *out = NULL;
    if (!vault)
        return error_memory(err);
    vault->refs = 1;
    vault->failure = (se_error)SE_ERROR_INIT;
    if ((st = vault_make(vault, ref, err))) {
        vault_free(vault);
        return st;
    }
    *out = share_vault(vault);
    return SE_OK;
}

const struct vault_place *vault_place(const struct vault *vault)
{
    return &vault->place;
}

se_status vault_context(const struct vault *vault, se_status st, se_error *err)
{
    return error_prefix(err, st, "vault '%s': ", vault->place.host);
}

struct login *vault_login(const struct vault *vault)
{
    return vault->login;
}

int64_t vault_deadline(const struct keyref *ref)
{
    unsigned seconds = ref->no_deadline ? NO_DEADLINE_S
                       : ref->deadline  ? ref->deadline
                                        : DEADLINE_S;

    return clock_monotonic_ms() + (int64_t)seconds * 1000;
}

/* ---- whether it answers ---- */

/* *since: when that was so, clock_monotonic_us(). */
static enum breaker_leave ask_breaker(struct vault *vault, int64_t *since, se_error *failure)
{
    enum breaker_leave leave;

    fork_lock_take();
    if (vault->breaker.probing && vault->generation != fork_generation())
        vault->breaker.probing = false;
    leave = breaker_ask(&vault->breaker, clock_monotonic_ms());
    if (leave == BREAKER_PROBE)
        vault->generation = fork_generation();
    *since = clock_monotonic_us();
    *failure = vault->failure;
    fork_lock_give();
    return leave;
}

/* False: it has come back since the request began, and what failed with it is no news. */
static bool note_away(struct vault *vault, enum breaker_leave leave, int64_t since,
                      const se_error *failure)
{
    bool is_news;

    fork_lock_take();
    is_news = leave == BREAKER_PROBE || since > vault->healed;
    if (is_news) {
        vault->failure = *failure;
        (void)breaker_failed(&vault->breaker, leave, clock_monotonic_ms());
    }
    fork_lock_give();
    return is_news;
}

static void note_there(struct vault *vault, enum breaker_leave leave)
{
    if (leave != BREAKER_PROBE)
        return;
    fork_lock_take();
    (void)breaker_healed(&vault->breaker);
    vault->healed = clock_monotonic_us();
    fork_lock_give();
}

/* ---- how fast it may be asked ---- */

unsigned vault_speed(unsigned bits, bool is_hsm)
{
    static const struct {
        unsigned bits, software, hsm;
    } rows[] = { { 4096, 50, 25 }, { 3072, 100, 50 }, { 0, 400, 200 } };
    size_t i = 0;

    while (bits < rows[i].bits)
        i++;
    return is_hsm ? rows[i].hsm : rows[i].software;
}

static void sleep_until(int64_t then)
{
    const struct timespec t = { then / 1000, (long)(then % 1000) * 1000000 };

    (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static se_status refuse_turn(struct vault_trace *trace, int64_t wait_ms, bool is_urgent,
                             se_error *err)
{
    trace->is_throttled = true;
    return error_set(err, SE_ERR_UNAVAILABLE,
                     "throttled: it takes no more requests for %lld ms, which is %s",
                     (long long)wait_ms,
                     is_urgent ? "too long while there are other replicas" : "beyond the deadline");
}

/* Until it is the caller's turn. */
static se_status wait_turn(struct vault *vault, const struct vault_request *request,
                           struct vault_trace *trace, se_error *err)
{
    int64_t now = clock_monotonic_ms(), until = request->until, then;
    const bool is_urgent = request->is_urgent && until > now + URGENT_MS;
    uint64_t turn = 0;

    if (is_urgent)
        until = now + URGENT_MS;
    for (;; now = clock_monotonic_ms()) {
        fork_lock_take();
        then = throttle_ask(&vault->throttle, &turn, until, now);
        fork_lock_give();
        if (then <= now)
            return SE_OK;
        if (then > until)
            return refuse_turn(trace, then - now, is_urgent, err);
        sleep_until(then);
    }
}

static void note_refused(struct vault *vault, const struct http_answer *answer,
                         struct vault_trace *trace)
{
    fork_lock_take();
    trace->is_slowed |=
        throttle_refused(&vault->throttle, answer->retry_after, clock_monotonic_ms());
    trace->rate = vault->throttle.rate;
    fork_lock_give();
}

static void note_passed(struct vault *vault)
{
    fork_lock_take();
    throttle_passed(&vault->throttle, clock_monotonic_ms());
    fork_lock_give();
}

/* ---- one request ---- */

/* What stays the same from try to try. */
struct exchange {
    struct vault *vault;
    const struct vault_request *request;
    struct vault_trace *trace;
    struct writer url;
    char id_header[80];
    bool has_new_token; /* the one that was refused was renewed */
    unsigned repeats;
};

static void exchange_free(struct exchange *x)
{
    writer_free(&x->url);
}
AUTO_KIND(exchange, struct exchange, exchange_free(p))

/* A list's next page and a job's state are at whole URLs, which the vault names. */
static se_status exchange_set_url(struct exchange *x, se_error *err)
{
    const struct vault_request *r = x->request;
    const char *base = x->vault->place.base, *version = r->api_version;

    if (*r->path == '/') {
        writer_format(&x->url, "%s%s?api-version=%s", base, r->path,
                      version && *version ? version : api_version_used);
        if (r->query)
            writer_format(&x->url, "&%s", r->query);
    } else if (text_starts(r->path, base) && r->path[strlen(base)] == '/') {
        writer_text(&x->url, r->path);
    } else {
        return error_set(err, SE_ERR_STORE, "the vault names an address of another host");
    }
    return x->url.failed ? error_memory(err) : SE_OK;
}

static se_status exchange_begin(struct exchange *x, se_error *err)
{
    TRY(exchange_set_url(x, err));
    TRY(guid_draw(x->trace->client_request_id, err)); /* correlationId of the service's log */
    (void)snprintf(x->id_header, sizeof x->id_header, "x-ms-client-request-id: %s",
                   x->trace->client_request_id);
    return SE_OK;
}

static bool is_accepted(const struct vault_request *request, long status)
{
    bool accepted = status >= 200 && status <= 204;

    for (size_t i = 0; i < sizeof request->accepted / sizeof *request->accepted; i++)
        accepted |= request->accepted[i] == status;
    return accepted;
}

/* Trouble on its side, or before it, that may pass. */
static bool is_passing(long status)
{
    return status == 408 || (status >= 500 && status <= 504);
}

/* How a try ended. */
enum attempt {
    ATTEMPT_DONE,  /* well or not: there is nothing to try again */
    ATTEMPT_AGAIN, /* at once */
    ATTEMPT_AWAY,  /* the vault did not answer, or not as one that works */
};

/* Takes the next token, once. */
static enum attempt renew_token(struct exchange *x, const se_buf *header,
                                const struct http_answer *answer, se_status *st, se_error *err)
{
    struct challenge challenge;

    if (x->has_new_token) {
        *st = answer_failure(answer, x->request->what, err);
        return ATTEMPT_DONE;
    }
    x->has_new_token = true;
    if ((*st = challenge_parse(&challenge, answer->authenticate, err)) ||
        (*st = login_refused(x->vault->login, header, &challenge, err)))
        return ATTEMPT_DONE;
    return ATTEMPT_AGAIN;
}

static enum attempt judge_answer(struct exchange *x, const se_buf *header,
                                 const struct http_answer *answer, se_status *st, se_error *err)
{
    *st = SE_OK;
    memcpy(x->trace->request_id, answer->request_id, sizeof x->trace->request_id);
    if (answer->status == 429) {
        note_refused(x->vault, answer, x->trace);
        return ATTEMPT_AGAIN; /* when it is its turn */
    }
    note_passed(x->vault);
    if (answer->status == 401)
        return renew_token(x, header, answer, st, err);
    if (is_accepted(x->request, answer->status))
        return ATTEMPT_DONE;
    *st = answer_failure(answer, x->request->what, err);
    return is_passing(answer->status) ? ATTEMPT_AWAY : ATTEMPT_DONE;
}

static enum attempt exchange_send(struct http_answer *out, struct exchange *x, const se_buf *header,
                                  se_status *st, se_error *err)
{
    const struct vault_request *r = x->request;
    const struct http_request request = {
        .method = r->method,
        .url = writer_string(&x->url),
        .headers = { (const char *)header->data, x->id_header, "Accept: application/json",
                     r->body.data ? "Content-Type: application/json" : NULL },
        .body = r->body,
        .until = r->until,
        .is_once = !r->is_repeatable,
    };

    *st = http_send(out, x->vault->pool, &request, err);
    remote_trace_request(x->trace->client_request_id, out->request_id);
    if (!*st)
        return judge_answer(x, header, out, st, err);
    note_passed(x->vault);
    if (*st != SE_ERR_UNAVAILABLE)
        return ATTEMPT_DONE;
    http_pool_drop(x->vault->pool); /* its name may lead elsewhere by now */
    return ATTEMPT_AWAY;
}

static bool may_repeat(struct exchange *x, enum breaker_leave leave)
{
    return x->request->is_repeatable && leave == BREAKER_GO && x->repeats++ < REPEATS_MOST &&
           clock_monotonic_ms() + REPEAT_LEAST_MS < x->request->until;
}

/* With a turn of its own. */
static enum attempt exchange_try(struct http_answer *out, struct exchange *x, se_status *st,
                                 se_error *err)
{
    AUTO(se_buf) header = SE_BUF_INIT;
    se_error failure = SE_ERROR_INIT;
    enum breaker_leave leave;
    enum attempt end;

    if ((*st = login_header(&header, x->vault->login, x->request->until, err))) {
        x->trace->seen = clock_monotonic_us();
        return ATTEMPT_DONE;
    }
    if ((leave = ask_breaker(x->vault, &x->trace->since, &failure)) == BREAKER_WAIT) {
        x->trace->seen = x->trace->since;
        *st = error_copy(err, SE_ERR_UNAVAILABLE, &failure);
        return ATTEMPT_DONE;
    }
    if ((*st = wait_turn(x->vault, x->request, x->trace, err))) {
        note_there(x->vault, leave); /* it refuses, hence it answers */
        return ATTEMPT_DONE;
    }
    end = exchange_send(out, x, &header, st, &failure);
    if (end == ATTEMPT_AWAY && may_repeat(x, leave))
        return ATTEMPT_AGAIN;
    if (end != ATTEMPT_AWAY)
        note_there(x->vault, leave);
    x->trace->seen = clock_monotonic_us();
    if (end == ATTEMPT_AWAY && !note_away(x->vault, leave, x->trace->since, &failure))
        x->trace->seen = x->trace->since;
    if (*st)
        (void)error_copy(err, *st, &failure);
    return end == ATTEMPT_AGAIN ? end : ATTEMPT_DONE;
}

se_status vault_send(struct http_answer *out, struct vault *vault,
                     const struct vault_request *request, struct vault_trace *trace, se_error *err)
{
    struct vault_trace unheard;
    AUTO(exchange) x = { .vault = vault, .request = request, .trace = trace ? trace : &unheard };
    AUTO(http_answer) answer = { .status = 0 };
    se_status st;

    *out = (struct http_answer){ .status = 0 };
    *x.trace = (struct vault_trace){ .is_slowed = false };
    TRY(exchange_begin(&x, err));
    while (exchange_try(&answer, &x, &st, err) == ATTEMPT_AGAIN) {
        http_answer_free(&answer);
        answer = (struct http_answer){ .status = 0 };
    }
    if (!st)
        *out = MOVE(answer);
    return vault_context(vault, st, err);
}
