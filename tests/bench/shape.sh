#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# How much a reader meets on the way from main() to C_Sign: the frames of ours on the stack, and the .c files that `sign` runs through.
#   top_builddir=BUILD sh tests/bench/shape.sh
# A build with -g; gdb and valgrind.  Ends with status 1 above 18 frames, with a name twice, or above 50 files.
here=$(cd "$(dirname "$0")" && pwd)
top_builddir=$(cd "${top_builddir:-.}" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 99
. "$here/setup.sh"

for tool in gdb valgrind; do
    command -v "$tool" >/dev/null || { echo "SKIPPED: $tool is not installed" && exit 77; }
done
softhsm_token
echo content >file
program="$top/signengine"
[ -x "$top/.libs/signengine" ] && program="$top/.libs/signengine"
export LD_LIBRARY_PATH="$top/.libs"

# the worker that calls the module has a stack of its own: both are ours
gdb -q -batch -ex 'set breakpoint pending on' -ex 'set debuginfod enabled off' -ex 'break C_Sign' -ex run \
    -ex 'thread apply all backtrace' --args "$program" sign -d Bench --raw file -o out >trace 2>&1
# frames with a line of our sources, from the worker's to main()
sed -n 's/^#[0-9]* .*[ ]\([a-z_0-9]*\) (.*) at .*src\/\([a-z0-9_\/]*\.c\):.*/\1 \2/p' trace >frames
cat frames
frames=$(wc -l <frames)
twice=$(awk '{ print $1 }' frames | sort | uniq -d | tr '\n' ' ')

setup valgrind --tool=callgrind --callgrind-out-file=calls --dump-line=no "$program" sign -d Bench --raw file -o out2
sed -n "s/^c*f[lie]=([0-9]*) .*src\/\([a-z0-9_\/]*\.c\)\$/\1/p" calls | sort -u >files
files=$(wc -l <files)

echo "$frames frames of ours from main() to C_Sign; twice: ${twice:-none}; $files .c files"
[ "$frames" -gt 0 ] && [ "$frames" -le 18 ] && [ -z "$twice" ] && [ "$files" -gt 0 ] && [ "$files" -le 50 ]
