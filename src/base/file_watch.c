/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file_watch.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/auto.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/thread.h"

AUTO_KIND(text, char *, free(*p))

/* ---- the ways that the paths take ---- */

/* A name in a folder. */
struct watched_name {
    int folder; /* inotify's number */
    char *name;
};

struct watched_paths {
    int inotify; /* -1: there is none */
    struct watched_name *list;
    size_t count, room;
};

static void watched_paths_free(struct watched_paths *paths)
{
    for (size_t i = 0; i < paths->count; i++)
        free(paths->list[i].name);
    free(paths->list);
    if (paths->inotify >= 0)
        (void)close(paths->inotify);
}
AUTO_KIND(watched_paths, struct watched_paths, watched_paths_free(p))

static bool is_watched(const struct watched_paths *paths, int folder, const char *name)
{
    for (size_t i = 0; i < paths->count; i++)
        if (paths->list[i].folder == folder && strcmp(paths->list[i].name, name) == 0)
            return true;
    return false;
}

/* What can't be watched is left to the looks at intervals.  IN_ATTRIB: permissions may have been
 * what was wrong. */
static void watch_name(struct watched_paths *paths, const char *folder, const char *name)
{
    const int number =
        inotify_add_watch(paths->inotify, folder,
                          IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE |
                              IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR);
    char *copy;

    if (number < 0 || is_watched(paths, number, name) ||
        !array_grow(&paths->list, &paths->room, paths->count) || !(copy = strdup(name)))
        return;
    paths->list[paths->count++] = (struct watched_name){ number, copy };
}

/* A way through the file system, as the kernel takes it. */
struct walk {
    char *folder; /* come to so far */
    char *rest;   /* still to go */
    unsigned links;
};

static void walk_free(struct walk *walk)
{
    free(walk->folder);
    free(walk->rest);
}
AUTO_KIND(walk, struct walk, walk_free(p))

static bool walk_begin(struct walk *walk, const char *path)
{
    if (*path == '/' || !walk->folder) {
        free(walk->folder);
        walk->folder = strdup(*path == '/' ? "/" : ".");
    }
    free(walk->rest);
    walk->rest = strdup(path);
    return walk->folder && walk->rest;
}

/* The next name of the way, which is taken off it; NULL: the end. */
static char *walk_take_name(struct walk *walk)
{
    char *start = walk->rest + strspn(walk->rest, "/");
    const size_t size = strcspn(start, "/");
    char *name = size ? strndup(start, size) : NULL;

    memmove(walk->rest, start + size, strlen(start + size) + 1);
    return name;
}

/* False: there is no way on. */
static bool walk_follow_link(struct walk *walk, const char *link)
{
    AUTO(text) target = calloc(1, PATH_MAX + 1);
    AUTO(text) way = NULL;
    const ssize_t size = target ? readlink(link, target, PATH_MAX) : -1;

    return size > 0 && ++walk->links <= 40 &&
           (way = file_join(target, walk->rest + strspn(walk->rest, "/"))) && walk_begin(walk, way);
}

/* False: it is there that the way ends, for now. */
static bool walk_step(struct walk *walk, struct watched_paths *paths, const char *name)
{
    AUTO(text) next = file_join(walk->folder, name);
    struct stat info;

    if (!next)
        return false;
    if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
        watch_name(paths, walk->folder, name);
    if (lstat(next, &info))
        return false;
    if (S_ISLNK(info.st_mode))
        return walk_follow_link(walk, next);
    free(walk->folder);
    walk->folder = MOVE(next);
    return true;
}

void watched_paths_add(struct watched_paths *paths, const char *path)
{
    AUTO(walk) walk = { .folder = NULL };
    bool goes_on = paths->inotify >= 0 && walk_begin(&walk, path);

    while (goes_on) {
        AUTO(text) name = walk_take_name(&walk);

        goes_on = name && walk_step(&walk, paths, name);
    }
}

/* ---- waiting ---- */

struct file_watch {
    struct file_watch_calls calls;
    int wake;    /* eventfd */
    bool ending; /* atomic */
    pthread_t thread;
    pid_t process;
};

enum notice { NOTICE_NONE, NOTICE_CHANGE, NOTICE_WAKE };

/* Of a folder that went, whatever it was called. */
static bool is_about_us(const struct watched_paths *paths, const struct inotify_event *event)
{
    return event->mask &
               (IN_Q_OVERFLOW | IN_IGNORED | IN_UNMOUNT | IN_DELETE_SELF | IN_MOVE_SELF) ||
           (event->len && is_watched(paths, event->wd, event->name));
}

/* Reads all that there is.  True: something of it is about the paths. */
static bool read_events(const struct watched_paths *paths)
{
    char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
    bool changed = false;
    ssize_t size;

    while ((size = read(paths->inotify, buffer, sizeof buffer)) > 0)
        for (const char *at = buffer; at < buffer + size;) {
            const struct inotify_event *event = (const void *)at;

            changed |= is_about_us(paths, event);
            at += sizeof *event + event->len;
        }
    return changed;
}

/* Until one or the other, or until `until` of clock_monotonic_ms(). */
static enum notice wait_for_notice(struct file_watch *watch, const struct watched_paths *paths,
                                   int64_t until)
{
    for (;;) {
        struct pollfd fds[] = { { .fd = watch->wake, .events = POLLIN },
                                { .fd = paths->inotify, .events = POLLIN } };
        const int64_t left = until - clock_monotonic_ms();
        uint64_t count;

        if (left <= 0)
            return NOTICE_NONE;
        if (poll(fds, 2, (int)left) <= 0)
            continue;
        if (fds[0].revents && read(watch->wake, &count, sizeof count) > 0)
            return NOTICE_WAKE;
        if (fds[1].revents && read_events(paths))
            return NOTICE_CHANGE;
    }
}

static void wait_for_change(struct file_watch *watch, const struct watched_paths *paths)
{
    const int64_t start = clock_monotonic_ms();
    enum notice notice = wait_for_notice(watch, paths, start + watch->calls.interval_ms);
    const int64_t noticed = clock_monotonic_ms();
    int64_t now = noticed;

    while (notice == NOTICE_CHANGE && now - noticed < FILE_WATCH_MOST_MS) {
        notice = wait_for_notice(watch, paths, now + FILE_WATCH_QUIET_MS);
        now = clock_monotonic_ms();
    }
}

/* What happens before the paths are watched is found by the look after that. */
static bool watch_once(struct file_watch *watch)
{
    AUTO(watched_paths) paths = { .inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK) };

    watch->calls.name_paths(watch->calls.arg, &paths);
    if (!watch->calls.look_at_files(watch->calls.arg))
        wait_for_change(watch, &paths);
    return !__atomic_load_n(&watch->ending, __ATOMIC_ACQUIRE);
}

static void *run_watch(void *arg)
{
    while (watch_once(arg))
        ;
    return NULL;
}

static void file_watch_free(struct file_watch *watch)
{
    if (watch->wake >= 0)
        (void)close(watch->wake);
    free(watch);
}

struct file_watch *file_watch_start(const struct file_watch_calls *calls)
{
    struct file_watch *watch = calloc(1, sizeof *watch);

    if (!watch)
        return NULL;
    watch->calls = *calls;
    watch->process = getpid();
    watch->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (watch->wake >= 0 && thread_start(&watch->thread, run_watch, watch))
        return watch;
    file_watch_free(watch);
    return NULL;
}

void file_watch_wake(struct file_watch *watch)
{
    const uint64_t one = 1;

    if (watch->process == getpid())
        (void)!write(watch->wake, &one, sizeof one);
}

void file_watch_stop(struct file_watch *watch)
{
    if (!watch)
        return;
    if (watch->process == getpid()) {
        __atomic_store_n(&watch->ending, true, __ATOMIC_RELEASE);
        file_watch_wake(watch);
        (void)pthread_join(watch->thread, NULL);
    }
    file_watch_free(watch);
}
