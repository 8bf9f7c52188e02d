#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Calls that have no place here; check-calls.allow names the exceptions, with reasons.
set -eu
cd "${top_srcdir:?}"

find src -name '*.[ch]' | sort | xargs awk '
function forbid(folders, calls, why,   i, n, list) {
    n = split(calls, list)
    for (i = 1; i <= n; i++) {
        reason[list[i]] = why
        where[list[i]] = folders
    }
}

BEGIN {
    forbid("", "realloc reallocarray strcpy strcat stpcpy sprintf vsprintf gets alloca strtok", "is unsafe, or leaves copies of secrets behind")
    forbid("", "system popen", "runs a shell")
    forbid("", "memcmp bcmp", "takes a time that tells secrets: CRYPTO_memcmp")
    forbid("", "goto", "AUTO() cleans up")
    forbid("base config crypto libcurl keystore cms xmldsig fields engine zip history mail provision client", "getenv secure_getenv", "reads the environment")
    forbid("base config crypto libcurl keystore cms xmldsig fields engine zip history mail provision client",
        "printf vprintf fprintf vfprintf puts fputs fputc putc putchar perror syslog exit _exit _Exit abort quick_exit",
        "prints or exits, which the library does not")
}

FILENAME == "tests/check-calls.allow" {
    if ($0 !~ /^#/ && NF >= 3)
        excuse[$1, $2] = FNR
    next
}

FNR == 1 {
    comment = 0
    folder = FILENAME
    sub("^src/", "", folder)
    sub("/.*", "", folder)
}

# what is left of a line without strings, characters and comments
function code(line,   at) {
    gsub(/\\./, "", line)
    gsub(/\047[^\047]\047/, "0", line)
    gsub(/"[^"]*"/, "\"\"", line)
    while (1) {
        if (comment) {
            if (!(at = index(line, "*/")))
                return ""
            line = substr(line, at + 2)
            comment = 0
        }
        if (!(at = index(line, "/*")))
            return line
        if (index(substr(line, at), "*/"))
            line = substr(line, 1, at - 1) " " substr(line, at + index(substr(line, at), "*/") + 1)
        else {
            comment = 1
            return substr(line, 1, at - 1)
        }
    }
}

{
    line = code($0)
    gsub(/[^a-zA-Z0-9_(]+/, " ", line)
    gsub(/\(/, "( ", line)
    n = split(line, words, " ")
    for (i = 1; i <= n; i++) {
        call = words[i]
        if (call != "goto" && !sub(/\($/, "", call))
            continue
        if (!(call in reason) || (where[call] != "" && !index(" " where[call] " ", " " folder " ")))
            continue
        if ((FILENAME, call) in excuse)
            used[FILENAME, call] = 1
        else {
            print FILENAME ":" FNR ": " call ": " reason[call]
            failed = 1
        }
    }
    lines++
}

END {
    for (row in excuse)
        if (!(row in used)) {
            split(row, part, SUBSEP)
            print "tests/check-calls.allow:" excuse[row] ": " part[1] " does not call " part[2]
            failed = 1
        }
    print lines " lines"
    exit failed || !lines
}' tests/check-calls.allow
