/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread that notices when a path leads to something else: when its file is written, replaced or
 * removed, a symbolic link on the way points elsewhere, or a folder is exchanged.
 *
 * A watch of the file itself sees the first rename and then nothing more.  So each folder on the
 * way is watched for the one name that the path goes on with.  After every change the way is looked
 * for anew.  Where the system watches nothing (a network's file system, no inotify instance left,
 * a folder that may not be read), what is due at intervals finds the change.
 */
#ifndef BASE_FILE_WATCH_H
#define BASE_FILE_WATCH_H

#include <stdbool.h>

/* The paths that are watched for now. */
struct watched_paths;
void watched_paths_add(struct watched_paths *paths, const char *path);

/* Called on the thread, one after the other. */
struct file_watch_calls {
    /* Adds all paths. */
    void (*name_paths)(void *arg, struct watched_paths *paths);
    /* Looks whether something has changed: once at the start, after each event, and at intervals.
     * True: the paths may be others now. */
    bool (*look_at_files)(void *arg);
    void *arg;
    unsigned interval_ms; /* at the latest */
};

/* A writer is given time to come to its end: for that long nothing has to happen, but not for
 * longer than the second. */
enum { FILE_WATCH_QUIET_MS = 200, FILE_WATCH_MOST_MS = 2000 };

/* NULL: no thread, or out of memory or descriptors. */
struct file_watch;
struct file_watch *file_watch_start(const struct file_watch_calls *calls);

/* Looks soon, and names the paths anew. */
void file_watch_wake(struct file_watch *watch);

/* Waits for the thread's end; accepts NULL.  In the child of a fork, which has no such thread, it
 * only releases. */
void file_watch_stop(struct file_watch *watch);

#endif
