#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An application that was built against yesterday's header, whose structs lack what was added last, runs with today's library; one that
# sets what this library does not know is refused.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl

make_signer Files ec:P-256
chmod 600 one.bundle
echo content >file

# header FOLDER SED...: today's header, changed
header() {
    mkdir "$1"
    folder=$1
    shift
    sed "$@" "$top_srcdir/src/signengine.h" >"$folder/signengine.h"
}
header today -n p
header yesterday -e '/^    const char \*trust_config;$/d' -e '/^typedef struct se_verify_params/,/^}/{/progress/d}'
header tomorrow -e 's/^} se_options;/    const char *colour;\n&/'
cat >program.c <<'PROGRAM'
#include <signengine.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    se_error error = SE_ERROR_INIT;
    se_options options = { sizeof(se_options) };
    se_verify_params params = { sizeof(se_verify_params) };
    se_engine *engine = NULL;
    se_buf signature = SE_BUF_INIT;
    se_bytes text = { "content\n", 8 };

#ifdef TOMORROW
    options.colour = argc > 2 ? argv[2] : NULL;
#endif
    printf("%zu %zu bytes\n", sizeof options, sizeof params);
    if (se_open(&engine, argv[1], &options, &error) || se_sign(&signature, engine, "Files", text, NULL, &error))
        return printf("%s: %s\n", se_status_name(error.status), error.text), 1;
    params.signature = (se_bytes){ signature.data, signature.size };
    if (se_verify(NULL, engine, "Files", text, &params, &error))
        return printf("%s: %s\n", se_status_name(error.status), error.text), 1;
    puts("good");
    se_buf_free(&signature);
    se_close(&engine);
    return argc < 2;
}
PROGRAM
build() { # FOLDER [OPTION]
    # shellcheck disable=SC2086 # flags are words
    ${CC:-cc} ${sanitize-} ${2-} -I"$1" -o "$1/program" program.c -L"${top_builddir:?}/.libs" -lsignengine
}
export LD_LIBRARY_PATH="$top_builddir/.libs"
setup build today
setup build yesterday
setup build tomorrow -DTOMORROW
for folder in today yesterday tomorrow; do
    accepts $folder/program engine.xml
    says good
    head -n 1 "$out" >$folder/sizes
done
[ "$(sort -u ./*/sizes | wc -l)" = 3 ] || fail "the structs are of one size"
others_refuse tomorrow/program engine.xml red
says 'usage: se_options of '
says 'something is set that this library'
