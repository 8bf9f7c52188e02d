/* SPDX-License-Identifier: Apache-2.0 */
/* An engine that is loaded again because its files change, however they are written. */
#include <sys/resource.h>

#include "base/clock.h"
#include "base/file_watch.h"
#include "tests/unit/reload.h"

/* ---- watched: the ways in which files are replaced ---- */

static void write_over(const char *path, const char *text)
{
    make_text(path, text, 0600);
}

static void write_in_two_pieces(const char *path, const char *text)
{
    const size_t half = strlen(text) / 2;
    int fd = open(path, O_WRONLY | O_TRUNC);

    assert_int_equal(write_all(fd, text, half), 0);
    usleep(300000);
    assert_int_equal(write_all(fd, text + half, strlen(text) - half), 0);
    assert_int_equal(close(fd), 0);
}

static void rename_over(const char *path, const char *text)
{
    make_text("draft", text, 0600);
    assert_int_equal(rename("draft", path), 0);
}

static void remove_and_make(const char *path, const char *text)
{
    assert_int_equal(unlink(path), 0);
    make_text(path, text, 0600);
}

static void commit_output(const char *path, const char *text)
{
    AUTO(output) output = OUTPUT_INIT;
    se_error err = SE_ERROR_INIT;

    assert_status(SE_OK, output_open(&output, path, 0600, &err), &err);
    assert_status(SE_OK, output_write(&output, text_bytes(text), &err), &err);
    assert_status(SE_OK, output_commit(&output, &err), &err);
}

/* The whole folder, with a moment without one. */
static void exchange_folder(const char *path, const char *text)
{
    assert_string_equal(path, "folder/engine.xml");
    assert_int_equal(mkdir("new", 0700), 0);
    make_text("new/engine.xml", text, 0600);
    assert_int_equal(rename("folder", "old"), 0);
    assert_int_equal(rename("new", "folder"), 0);
    assert_int_equal(unlink("old/engine.xml"), 0);
    assert_int_equal(rmdir("old"), 0);
}

/* As Kubernetes does: engine.xml -> ..data/engine.xml, ..data -> ..N. */
static void swap_data_link(const char *path, const char *text)
{
    static unsigned number;
    char name[40], file[60], old[40] = "";

    (void)path;
    snprintf(name, sizeof name, "..%u", ++number);
    snprintf(file, sizeof file, "folder/%s", name);
    assert_int_equal(mkdir(file, 0700), 0);
    snprintf(file, sizeof file, "folder/%s/engine.xml", name);
    make_text(file, text, 0600);
    (void)!readlink("folder/..data", old, sizeof old - 1);
    assert_int_equal(symlink(name, "folder/..data_tmp"), 0);
    assert_int_equal(rename("folder/..data_tmp", "folder/..data"), 0);
    if (!*old)
        return;
    snprintf(file, sizeof file, "folder/%s/engine.xml", old);
    assert_int_equal(unlink(file), 0);
    snprintf(file, sizeof file, "folder/%s", old);
    assert_int_equal(rmdir(file), 0);
}

/* What is blind finds a change half a minute later, at the next look.  The pause lets the look that
 * follows a reload pass, which would find the next change without being told. */
static void change_each_time(const char *path, void (*change)(const char *path, const char *text))
{
    enum { TIMES = 3, MOST_MS = 15000, PAUSE_US = 250000 };
    se_engine *engine = open_path(path, true);

    for (unsigned i = 1; i <= TIMES; i++) {
        int64_t start;

        usleep(PAUSE_US);
        start = clock_monotonic_ms();
        change(path, i % 2 ? second : first);
        await(&heard.reloaded, i);
        assert_true(clock_monotonic_ms() - start < MOST_MS);
    }
    se_close(&engine);
}

static const char apart[] = ROOT(DESCRIPTOR("1", "one"), KEY("one"));

static void each_way_of_writing_is_noticed(void **state)
{
    static void (*const ways[])(const char *path,
                                const char *text) = { write_over, write_in_two_pieces, rename_over,
                                                      remove_and_make, commit_output };

    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        make_text("engine.xml", apart, 0600);
        change_each_time("engine.xml", ways[i]);
    }
}

static void a_folder_that_is_exchanged_is_noticed(void **state)
{
    (void)state;
    assert_int_equal(mkdir("folder", 0700), 0);
    make("folder/engine.xml", apart, 0600);
    change_each_time("folder/engine.xml", exchange_folder);
    assert_int_equal(unlink("folder/engine.xml"), 0);
    assert_int_equal(rmdir("folder"), 0);
}

static void links_of_kubernetes_are_followed(void **state)
{
    char name[40] = "", path[60];

    (void)state;
    assert_int_equal(mkdir("folder", 0700), 0);
    swap_data_link("", apart);
    assert_int_equal(symlink("..data/engine.xml", "folder/engine.xml"), 0);
    change_each_time("folder/engine.xml", swap_data_link);
    assert_true(readlink("folder/..data", name, sizeof name - 1) > 0);
    snprintf(path, sizeof path, "folder/%s/engine.xml", name);
    assert_int_equal(unlink(path), 0);
    snprintf(path, sizeof path, "folder/%s", name);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(unlink("folder/..data"), 0);
    assert_int_equal(unlink("folder/engine.xml"), 0);
    assert_int_equal(rmdir("folder"), 0);
}

/* Equal octets are no change; a key's file is one of those that count. */
static void what_the_configuration_names_is_watched_too(void **state)
{
    se_engine *engine = opened(second, true);
    const struct certificate_wish wish = { .usage = "critical,digitalSignature",
                                           .subject = "renewed" };

    (void)state;
    assert_signs(engine, 2);
    rename_over("engine.xml", second);
    make_signer("renewed.pem", "P-256", &wish);
    assert_int_equal(rename("renewed.pem", "two.pem"), 0);
    await(&heard.reloaded, 1);
    assert_string_equal(heard.text, "no property of the configuration differs");
    assert_signs(engine, 2);
    rename_over("engine.xml", first);
    await(&heard.reloaded, 2);
    assert_signs(engine, 1);
    se_close(&engine);
}

static void a_refusal_is_told_once_and_ends(void **state)
{
    se_engine *engine = opened(first, true);
    const char *broken = ROOT(DESCRIPTOR("1", "none"), KEY("one"));
    unsigned findings;

    (void)state;
    assert_signs(engine, 1);
    rename_over("engine.xml", broken);
    await(&heard.refused, 1);
    assert_int_equal(heard.status, SE_ERR_CONFIG);
    findings = heard.findings;
    assert_true(findings > 0);
    assert_signs(engine, 1);
    rename_over("engine.xml", first);
    await(&heard.reloaded, 1);
    assert_int_equal(heard.refused, 1);
    rename_over("engine.xml", broken);
    await(&heard.refused, 2);
    rename_over("engine.xml", second);
    await(&heard.reloaded, 2);
    assert_signs(engine, 2);
    se_close(&engine);
}

/* ---- forks ---- */

static int work_as_child(se_engine *engine)
{
    unsigned version = 0;

    make_text("engine.xml", second, 0600);
    if (se_reload(engine, NULL) || sign_version(&version, engine, NULL) || version != 2)
        return 1;
    se_close(&engine);
    return engine != NULL;
}

static void the_child_of_a_fork_reloads_when_asked(void **state)
{
    se_engine *engine = opened(first, true);
    int status;
    pid_t child;

    (void)state;
    assert_signs(engine, 1);
    child = fork();
    assert_true(child >= 0);
    if (!child)
        _exit(work_as_child(engine));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    await(&heard.reloaded, 1);
    assert_signs(engine, 2);
    se_close(&engine);
}

/* ---- without inotify ---- */

static struct {
    unsigned looks, changes; /* atomic */
    off_t size;
} seen;

static void name_nothing(void *arg, struct watched_paths *paths)
{
    watched_paths_add(paths, arg);
}

static bool look_at_size(void *arg)
{
    struct stat info;
    const bool changed = !stat(arg, &info) && info.st_size != seen.size;

    __atomic_add_fetch(&seen.looks, 1, __ATOMIC_RELEASE);
    if (!changed)
        return false;
    seen.size = info.st_size;
    __atomic_add_fetch(&seen.changes, 1, __ATOMIC_RELEASE);
    return true;
}

static void await_number(const unsigned *number, unsigned expected)
{
    const int64_t until = clock_monotonic_ms() + 60000;

    while (__atomic_load_n(number, __ATOMIC_ACQUIRE) < expected && clock_monotonic_ms() < until)
        usleep(1000);
    assert_true(__atomic_load_n(number, __ATOMIC_ACQUIRE) >= expected);
}

static void without_inotify_there_are_looks_at_intervals(void **state)
{
    const struct file_watch_calls calls = { name_nothing, look_at_size, (char[]){ "file" }, 20 };
    struct rlimit limit, none;
    struct file_watch *watch;

    (void)state;
    make("file", "content", 0600);
    watch = file_watch_start(&calls);
    assert_non_null(watch);
    await_number(&seen.changes, 1);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = (struct rlimit){ 0, limit.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    file_watch_wake(watch);
    await_number(&seen.looks, __atomic_load_n(&seen.looks, __ATOMIC_ACQUIRE) + 3);
    assert_int_equal(truncate("file", 3), 0);
    await_number(&seen.changes, 2);
    file_watch_stop(watch);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(each_way_of_writing_is_noticed),
        IN_FOLDER(a_folder_that_is_exchanged_is_noticed),
        IN_FOLDER(links_of_kubernetes_are_followed),
        IN_FOLDER(what_the_configuration_names_is_watched_too),
        IN_FOLDER(a_refusal_is_told_once_and_ends),
        IN_FOLDER(the_child_of_a_fork_reloads_when_asked),
        IN_FOLDER(without_inotify_there_are_looks_at_intervals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
