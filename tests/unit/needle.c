/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/needle.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/unit.h"

enum { MASK = 0x5A, PIECE = 8 };

/* "Nadel!im*Heuhaufen#42%ok" */
static const unsigned char masked[NEEDLE] = { 0x14, 0x3B, 0x3E, 0x3F, 0x36, 0x7B, 0x33, 0x37,
                                              0x70, 0x12, 0x3F, 0x2F, 0x32, 0x3B, 0x2F, 0x3C,
                                              0x3F, 0x34, 0x79, 0x6E, 0x68, 0x7F, 0x35, 0x31 };

void in_child(void (*work)(const char *pin))
{
    pid_t child = fork();
    int status = -1;

    assert_true(child >= 0);
    if (!child) {
        char pin[NEEDLE + 1] = "";

        for (size_t i = 0; i < NEEDLE; i++)
            pin[i] = (char)(masked[i] ^ MASK);
        work(pin);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static size_t pieces_at(const unsigned char *data)
{
    size_t found = 0;

    for (size_t start = 0; start + PIECE <= NEEDLE; start++) {
        size_t n = 0;

        while (n < PIECE && (data[n] ^ MASK) == masked[start + n])
            n++;
        found += n == PIECE;
    }
    return found;
}

/* How many pieces of the needle there are in a piece of memory. */
static size_t count_in(const unsigned char *data, size_t size)
{
    bool begins[256] = { false };
    size_t found = 0;

    for (size_t start = 0; start + PIECE <= NEEDLE; start++)
        begins[masked[start] ^ MASK] = true;
    for (size_t i = 0; i + PIECE <= size; i++)
        if (begins[data[i]])
            found += pieces_at(data + i);
    return found;
}

/* In steps that overlap, so that nothing is missed between two. */
static size_t count_in_range(int mem, unsigned long from, unsigned long to)
{
    static unsigned char block[65536];
    size_t found = 0;

    while (from + PIECE <= to) {
        size_t want = to - from < sizeof block ? to - from : sizeof block;
        ssize_t n = pread(mem, block, want, (off_t)from);

        if (n < PIECE)
            break;
        found += count_in(block, (size_t)n);
        from += (unsigned long)n - PIECE + 1;
    }
    memset(block, 0, sizeof block);
    return found;
}

/* A sanitizer's shadow is terabytes of nothing. */
static bool searched(const char *mode, unsigned long size)
{
    return mode[0] == 'r' && mode[1] == 'w' && size < 256UL << 20;
}

size_t pieces_in_memory(void)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    int mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    size_t found = 0, regions = 0;
    unsigned long from, to;
    char line[512], mode[8];

    assert_non_null(maps);
    assert_true(mem >= 0);
    while (fgets(line, sizeof line, maps))
        if (sscanf(line, "%lx-%lx %7s", &from, &to, mode) == 3 && searched(mode, to - from)) {
            found += count_in_range(mem, from, to);
            regions++;
        }
    close(mem);
    (void)fclose(maps);
    assert_true(regions > 5);
    return found;
}
