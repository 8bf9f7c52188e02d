/* SPDX-License-Identifier: Apache-2.0 */
/*
 * $SHIM_FILE is read when the module is loaded, and again when it has changed: put a new one in its
 * place with mv.  All calls are counted from 1 again then, and what hangs returns.  Lines of words;
 * "#" begins a comment:
 *
 * - module PATH: the module that the shim stands in front of, else $SHIM_MODULE; of the first
 *   reading only
 * - replay: what was signed or decrypted before is answered from memory (replay.h)
 * - sessions N: C_OpenSession answers CKR_SESSION_COUNT while N are open
 * - CKM_NAME refuse CKR_NAME: that mechanism is not taken
 * - CALL [WHEN] WHAT...: a fault at a call (calls.c has the list), as C_Sign
 *
 * WHEN; all calls without one:
 *
 * - at N [times M]: the call number N, or M calls from there
 * - after N: all calls after N of them
 *
 * WHAT:
 *
 * - latency MS: it takes so much longer, and not a moment more: 3.5
 * - answer CKR_NAME: it fails; C_Sign, C_Decrypt and what closes have their effect all the same
 * - hang: it does not return
 * - die: the process is killed before the call
 * - lose sessions, login, handles or module: before the call, all sessions with the token are gone,
 *   nobody is logged in any more, objects have other handles, or the module is not initialised
 *
 * Of the lines that fit, the latencies are added up, and of the rest the first counts.  Numbers may
 * stand for names: 0x30.
 */
#include "tests/lib/shim/script.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tests/lib/shim/fault.h"
#include "tests/lib/shim/names.h"
#include "tests/lib/shim/replay.h"
#include "tests/lib/shim/shim.h"

enum { POLL_MS = 10 };

extern struct faults faults;
extern struct shim shim;

/* What a file says. */
struct script {
    char module[PATH_MAX];
    bool replay;
    unsigned long sessions;
    struct fault list[FAULTS_AT_ONCE];
    size_t count;
    struct {
        CK_MECHANISM_TYPE mechanism;
        CK_RV rv;
    } refused[REFUSED_AT_ONCE];
    size_t refusals;
};

/* A line that is being read. */
struct line {
    const char *file;
    unsigned number;
    char *rest;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of what follows */
static struct stat known;
static char module[PATH_MAX];

static long polled; /* atomic */
static unsigned version;

unsigned script_version(void)
{
    return __atomic_load_n(&version, __ATOMIC_ACQUIRE);
}

/* A test that is wrong must not look like one that has found something. */
static void __attribute__((noreturn, format(printf, 2, 3)))
refuse(const struct line *line, const char *format, ...)
{
    char text[1000];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    dprintf(STDERR_FILENO, "%s:%u: %s\n", line->file, line->number, text);
    syscall(SYS_exit_group, 99); /* at once: a sanitizer's _exit() waits for other threads */
    _exit(99);
}

/* ---- words ---- */

/* NULL: no more. */
static char *next(struct line *line)
{
    char *word = strtok_r(NULL, " \t\r\n", &line->rest);

    if (!word || *word != '#')
        return word;
    *line->rest = '\0';
    return NULL;
}

static const char *need(struct line *line, const char *what)
{
    const char *word = next(line);

    if (!word)
        refuse(line, "%s is missing", what);
    return word;
}

static unsigned number(struct line *line)
{
    const char *word = need(line, "a number");
    char *end;
    unsigned long n = strtoul(word, &end, 10);

    if (*end || !n || n > UINT_MAX)
        refuse(line, "'%s' is not a number", word);
    return (unsigned)n;
}

static double milliseconds(struct line *line)
{
    const char *word = need(line, "a time in milliseconds");
    char *end;
    double ms = strtod(word, &end);

    if (*end || !(ms >= 0) || ms > 1e6)
        refuse(line, "'%s' is not a time in milliseconds", word);
    return ms;
}

static CK_RV answer(struct line *line)
{
    const char *word = need(line, "an answer");
    CK_RV rv;

    if (!name_answer(&rv, word) || rv == CKR_OK)
        refuse(line, "'%s' is not an answer that is known", word);
    return rv;
}

static enum fault_harm harm(struct line *line)
{
    static const char *const names[] = { [HARM_SESSIONS] = "sessions",
                                         [HARM_LOGOUT] = "login",
                                         [HARM_HANDLES] = "handles",
                                         [HARM_FINALIZE] = "module" };
    const char *word = need(line, "what to lose");

    for (size_t i = HARM_SESSIONS; i < sizeof names / sizeof *names; i++)
        if (!strcmp(names[i], word))
            return (enum fault_harm)i;
    refuse(line, "'%s' can't be lost: sessions, login, handles or module", word);
}

/* ---- lines ---- */

/* The first word that is not about when. */
static const char *read_when(struct fault *f, struct line *line)
{
    const char *word = need(line, "what happens");

    f->first = 1;
    f->times = UINT_MAX;
    if (!strcmp(word, "after")) {
        f->first = number(line) + 1;
        return need(line, "what happens");
    }
    if (strcmp(word, "at") != 0)
        return word;
    f->first = number(line);
    f->times = 1;
    word = need(line, "what happens");
    if (strcmp(word, "times") != 0)
        return word;
    f->times = number(line);
    return need(line, "what happens");
}

static void read_what(struct fault *f, struct line *line, const char *word)
{
    for (; word; word = next(line))
        if (!strcmp(word, "latency"))
            f->sleep_ms = milliseconds(line);
        else if (!strcmp(word, "answer"))
            f->rv = answer(line);
        else if (!strcmp(word, "hang"))
            f->hang = true;
        else if (!strcmp(word, "die"))
            f->die = true;
        else if (!strcmp(word, "lose"))
            f->harm = harm(line);
        else
            refuse(line, "'%s' is not something that happens: latency, answer, hang, die or lose",
                   word);
}

static bool read_fault(struct script *s, struct line *line, const char *call)
{
    struct fault f = { .call = AT_INITIALIZE };

    while (f.call < FAULT_CALLS && strcmp(fault_names[f.call], call) != 0)
        f.call++;
    if (f.call == FAULT_CALLS)
        return false;
    if (s->count == FAULTS_AT_ONCE)
        refuse(line, "more than %d faults", FAULTS_AT_ONCE);
    read_what(&f, line, read_when(&f, line));
    s->list[s->count++] = f;
    return true;
}

static bool read_refusal(struct script *s, struct line *line, const char *name)
{
    CK_MECHANISM_TYPE mechanism;

    if (!name_mechanism(&mechanism, name))
        return false;
    if (s->refusals == REFUSED_AT_ONCE)
        refuse(line, "more than %d mechanisms", REFUSED_AT_ONCE);
    if (strcmp(need(line, "'refuse'"), "refuse") != 0)
        refuse(line, "a mechanism can only be refused");
    s->refused[s->refusals].mechanism = mechanism;
    s->refused[s->refusals++].rv = answer(line);
    return true;
}

static void read_line(struct script *s, struct line *line)
{
    const char *word = next(line);

    if (!word)
        return;
    if (!strcmp(word, "module"))
        (void)snprintf(s->module, sizeof s->module, "%s", need(line, "a path"));
    else if (!strcmp(word, "replay"))
        s->replay = true;
    else if (!strcmp(word, "sessions"))
        s->sessions = number(line);
    else if (!read_fault(s, line, word) && !read_refusal(s, line, word))
        refuse(line, "'%s' is neither a call nor a mechanism nor anything else that is known",
               word);
    if ((word = next(line)))
        refuse(line, "'%s' is too much", word);
}

static void read_script(struct script *s, FILE *f, const char *path)
{
    struct line line = { .file = path };
    char text[PATH_MAX + 100];

    while (fgets(text, sizeof text, f)) {
        line.rest = text;
        line.number++;
        read_line(s, &line);
    }
}

/* ---- */

static void follow(const struct script *s)
{
    pthread_mutex_lock(&faults.lock);
    memcpy(faults.list, s->list, sizeof faults.list);
    for (size_t i = 0; i < REFUSED_AT_ONCE; i++) {
        faults.refused[i].mechanism = s->refused[i].mechanism;
        faults.refused[i].rv = s->refused[i].rv;
    }
    memset(faults.seen, 0, sizeof faults.seen);
    memset(faults.done, 0, sizeof faults.done);
    pthread_mutex_unlock(&faults.lock);
    pthread_mutex_lock(&shim.lock);
    shim.given_sessions = s->sessions;
    pthread_mutex_unlock(&shim.lock);
    replay_set(s->replay);
    __atomic_add_fetch(&version, 1, __ATOMIC_RELEASE);
}

/* With the lock held. */
static void load(const char *path)
{
    struct script s = { .replay = false };
    FILE *f = fopen(path, "re");

    if (!f)
        refuse(&(struct line){ path, 0, NULL }, "%s", strerror(errno));
    (void)fstat(fileno(f), &known);
    read_script(&s, f, path);
    fclose(f);
    follow(&s);
    if (!*module)
        memcpy(module, s.module, sizeof module);
}

static bool has_changed(const char *path)
{
    struct stat now;

    return !stat(path, &now) && (now.st_ino != known.st_ino || now.st_size != known.st_size ||
                                 now.st_mtim.tv_sec != known.st_mtim.tv_sec ||
                                 now.st_mtim.tv_nsec != known.st_mtim.tv_nsec);
}

static const char *path(void)
{
    const char *name = getenv("SHIM_FILE");

    return name && *name ? name : NULL;
}

void script_load(void)
{
    if (!path())
        return;
    pthread_mutex_lock(&lock);
    load(path());
    pthread_mutex_unlock(&lock);
}

void script_poll(void)
{
    struct timespec t;
    long now, then = __atomic_load_n(&polled, __ATOMIC_RELAXED);

    if (!script_version())
        return;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    now = t.tv_sec * 1000 + t.tv_nsec / 1000000;
    if (now - then < POLL_MS || !__atomic_compare_exchange_n(&polled, &then, now, false,
                                                             __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        return;
    pthread_mutex_lock(&lock);
    if (has_changed(path()))
        load(path());
    pthread_mutex_unlock(&lock);
}

const char *script_module(void)
{
    return *module ? module : NULL;
}
