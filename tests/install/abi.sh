#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a program was compiled with still means the same: the headers of the last release (the newest tag vN) before today's, judged by
# abidiff.  What is exported is what they declare (check-exports.sh), so a library of their functions without bodies shows all of it.
# And that the judge sees what may not change, and only that.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs abidw abidiff

# a struct that begins with its size may grow at its end
sized() { # FOLDER
    cat "$1"/*.h | awk '/^typedef struct/ { name = $3; first = 1; next } /^    size_t size;/ && first { print name } /;/ { first = 0 }'
}

# headers FOLDER: today's
headers() {
    mkdir "$1"
    cp "$top_srcdir"/src/signengine*.h "$1"
}

# describe FOLDER: FOLDER/abi, of a library with the functions of FOLDER's headers
describe() {
    for header in "$1"/signengine*.h; do
        echo "#include \"${header##*/}\""
    done >"$1/all.c"
    {
        cat "$1/all.c"
        ${CC:-cc} -E -I"$1" "$1/all.c" | awk -v folder="\"$1/" '
            /^#/ { ours = index($0, folder "signengine"); next }
            !ours && !/^_Bool/ { next }
            /^_Bool *$/ { text = "_Bool" } # a macro: it has a line of its own
            /[ *]se_[a-z0-9_]*\(/ { declaring = 1 }
            declaring { text = text " " $0 }
            declaring && /;/ {
                gsub(/__attribute__ *\(\([a-z_]*(\([0-9, ]*\))?\)\)/, "", text)
                sub(/\)[^)]*;/, ") { __builtin_trap(); }", text)
                print text
                text = ""
                declaring = 0
            }'
    } >"$1/stubs.c"
    # shellcheck disable=SC2086 # a compiler and its options
    setup ${CC:-cc} -w -g -shared -fPIC -I"$1" -o "$1/lib.so" "$1/stubs.c"
    setup abidw --headers-dir "$1" --drop-private-types --out-file "$1/abi" "$1/lib.so"
}

headers today
setup describe today
declared=$(grep -c '__builtin_trap' today/stubs.c)
exported=$(cat "$top_srcdir"/debian/lib*.symbols | grep -c ' se_')
[ "$declared" = "$exported" ] || fail "$declared functions were seen, and $exported are exported"
{
    echo '[suppress_type]'
    # without it, the other two are not looked at
    echo 'type_kind = struct'
    echo "name_regexp = ^($(sized today | paste -s -d '|'))\$"
    echo 'has_data_member_inserted_at = end'
} >suppressions
compare() { abidiff --no-added-syms --suppressions suppressions --headers-dir1 "$1" --headers-dir2 "$2" "$1/abi" "$2/abi"; }

# ---- the judge ----
changed() { # FOLDER SED...: in signengine.h
    headers "$1"
    folder=$1
    shift
    setup sed -i "$@" "$folder/signengine.h"
    ! cmp -s "$folder/signengine.h" today/signengine.h || fail "$folder: nothing was changed"
    setup describe "$folder"
}
accepts compare today today

changed grown -e 's/^} se_options;/    const char *colour;\n&/'
accepts compare today grown
changed added -e 's/^SE_API void se_close/SE_API int se_colour(void);\n&/; s/^void se_close/int se_colour(void);\n&/'
accepts compare today added

changed middle -e 's/^    const char \*trust_config;/    const char *colour;\n&/'
others_refuse compare today middle
changed shrunk -e '/^    const char \*trust_config;/d'
others_refuse compare today shrunk
changed unsized -e 's/^} se_bytes;/    int colour;\n&/'
others_refuse compare today unsized
changed number -e '/^typedef enum se_status {/,/^}/s/^\( *\)SE_ERR_USAGE/\1SE_ERR_COLOUR,\n&/'
others_refuse compare today number
changed parameter -e 's/^\(.*se_status_name(\)se_status/\1long/'
others_refuse compare today parameter
changed removed -e '/se_status_name(/d'
others_refuse compare today removed

# ---- the last release ----
release=$(git -C "$top_srcdir" describe --tags --abbrev=0 --match 'v[0-9]*' HEAD^ 2>/dev/null) || release=
if [ "$release" ]; then
    mkdir released
    for header in "$top_srcdir"/src/signengine*.h; do
        git -C "$top_srcdir" show "$release:src/${header##*/}" >"released/${header##*/}" || exit 99
    done
    setup describe released
    accepts compare released today
else
    echo 'no release yet: there is no tag'
fi
