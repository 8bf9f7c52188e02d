/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a fuzz target without libFuzzer: every file of its corpus, then mutations of them, the same
 * ones in every run.
 *
 *   fuzz_NAME [FILE...]   the files, or else tests/fuzz/corpus/NAME
 *   FUZZ_RUNS             mutations in all (default 3000)
 *   FUZZ_CORPUS           another corpus folder
 *
 * The target runs in a child; when that dies, the input that it died of is written to
 * crash-fuzz_NAME.
 */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    LARGEST = 1 << 16,
    SEEDS = 4096,
    SECONDS = 10 /* for one input, sanitizers included */,
    CHANGES = 8
};

/* Shared with the child: what it is working on. */
static struct input {
    size_t size;
    unsigned runs;
    char seed[256];
    unsigned char data[LARGEST];
} * current;

static se_buf seeds[SEEDS];
static char *names[SEEDS];
static size_t seed_count;

static uint64_t state;

/* xorshift64*; a number from 0 to limit - 1 */
static size_t below(size_t limit)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (size_t)((state * 0x2545F4914F6CDD1DULL) >> 33) % limit;
}

static void add_seed(const char *path)
{
    se_error err = SE_ERROR_INIT;

    if (seed_count == SEEDS || !(names[seed_count] = strdup(path)) ||
        file_read(&seeds[seed_count], path, LARGEST, &err)) {
        fprintf(stderr, "%s: %s\n", path, seed_count == SEEDS ? "too many files" : err.text);
        exit(99);
    }
    seed_count++;
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void add_folder(const char *folder)
{
    struct dirent **entries;
    int n = scandir(folder, &entries, visible, alphasort);

    for (int i = 0; i < n; i++) {
        char *path = file_join(folder, entries[i]->d_name);

        if (path)
            add_seed(path);
        free(path);
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
}

static void add_corpus(const char *name)
{
    const char *folder = getenv("FUZZ_CORPUS"), *top = getenv("top_srcdir");
    char path[4096];

    (void)snprintf(path, sizeof path, "%s/tests/fuzz/corpus/%s", top ? top : ".",
                   text_starts(name, "fuzz_") ? name + 5 : name);
    add_folder(folder ? folder : path);
}

static void cut(size_t at, size_t size)
{
    memmove(current->data + at, current->data + at + size, current->size - at - size);
    current->size -= size;
}

static void insert(size_t at, const unsigned char *data, size_t size)
{
    if (size > LARGEST - current->size)
        size = LARGEST - current->size;
    memmove(current->data + at + size, current->data + at, current->size - at);
    memcpy(current->data + at, data, size);
    current->size += size;
}

static void insert_part_of(const se_buf *from)
{
    unsigned char part[256];
    size_t start = below(from->size), size = 1 + below(from->size - start);

    size = size < sizeof part ? size : sizeof part;
    memcpy(part, from->data + start, size);
    insert(below(current->size + 1), part, size);
}

static void insert_noise(void)
{
    static const unsigned char edges[] = { 0,   1,   0x7f, 0x80, 0xfe, 0xff, '<',
                                           '>', '"', '&',  '%',  '/',  '\n' };
    unsigned char noise[64];
    size_t size = 1 + below(sizeof noise);

    for (size_t i = 0; i < size; i++)
        noise[i] = below(2) ? (unsigned char)below(256) : edges[below(sizeof edges)];
    insert(below(current->size + 1), noise, size);
}

static void change_once(void)
{
    size_t at = below(current->size + 1), left = current->size - at;

    switch (below(6)) {
    case 0:
        if (left)
            current->data[at] ^= (unsigned char)(1u << below(8));
        break;
    case 1:
        if (left)
            current->data[at] = (unsigned char)below(256);
        break;
    case 2:
        cut(at, left ? 1 + below(left) : 0);
        break;
    case 3:
        insert_noise();
        break;
    default:
        if (seeds[at % seed_count].size)
            insert_part_of(&seeds[below(2) ? at % seed_count : below(seed_count)]);
    }
}

static void load(size_t seed)
{
    current->size = seeds[seed].size;
    memcpy(current->data, seeds[seed].data, current->size);
    (void)snprintf(current->seed, sizeof current->seed, "%s", names[seed]);
}

/* In memory of its own that ends where the input ends, so that valgrind and ASan see a read behind
 * it. */
static void run_target(void)
{
    unsigned char *copy = malloc(current->size + !current->size);

    if (!copy)
        exit(99);
    memcpy(copy, current->data, current->size);
    alarm(SECONDS);
    (void)LLVMFuzzerTestOneInput(copy, current->size);
    alarm(0);
    current->runs++;
    free(copy);
}

static void run_all(unsigned mutations)
{
    for (size_t i = 0; i < seed_count; i++) {
        load(i);
        run_target();
    }
    for (unsigned run = 0; run < mutations; run++) {
        state = 0x9E3779B97F4A7C15ULL * (run + 1);
        load(run % seed_count);
        for (size_t n = 1 + below(CHANGES); n; n--)
            change_once();
        run_target();
    }
}

static int died(const char *name, int status)
{
    struct output out;
    char path[300];

    (void)snprintf(path, sizeof path, "crash-%s", name);
    fprintf(stderr, "%s %s %d on a mutation of %s after %u runs; the input is in %s\n", name,
            WIFSIGNALED(status) ? "died of signal" : "ended with status",
            WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), current->seed,
            current->runs, path);
    if (output_open(&out, path, 0600, NULL) ||
        output_write(&out, (se_bytes){ current->data, current->size }, NULL) ||
        output_commit(&out, NULL))
        fprintf(stderr, "cannot write %s\n", path);
    return 1;
}

int main(int argc, char **argv)
{
    const char *runs = getenv("FUZZ_RUNS"), *slash = strrchr(argv[0], '/'),
               *name = slash ? slash + 1 : argv[0];
    unsigned mutations = argc > 1 ? 0 : runs ? (unsigned)atoi(runs) : 3000;
    int status;
    pid_t child;

    for (int i = 1; i < argc; i++)
        add_seed(argv[i]);
    if (argc == 1)
        add_corpus(name);
    if (!seed_count) {
        fprintf(stderr, "%s: nothing to begin with\n", name);
        return 99;
    }
    current =
        mmap(NULL, sizeof *current, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (current == MAP_FAILED || (child = fork()) < 0)
        return 99;
    if (!child) {
        run_all(mutations);
        return 0;
    }
    if (waitpid(child, &status, 0) != child)
        return 99;
    if (status)
        return died(name, status);
    printf("%s: %zu files, %u runs\n", name, seed_count, current->runs);
    return 0;
}
