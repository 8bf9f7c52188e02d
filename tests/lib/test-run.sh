#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tests/run.sh counts right: before a project of one Makefile that leaves what automake and tests leave.
. "${top_srcdir:?}/tests/lib/harness.sh"

mkdir -p tests/lib
setup cp "$top_srcdir/tests/run.sh" tests/run.sh
setup chmod +x tests/run.sh
touch packages.txt tests/packages.txt
printf '#!/bin/sh\n' >tests/lib/packages.sh
printf '#!/bin/sh\ntouch config.status; cp %s/Makefile .\n' "$tmp" >configure
chmod +x tests/lib/packages.sh configure

begin() {
    rm -rf build
    printf 'check check-big check-code memcheck: ; @sh %s/$@ && ! grep -q -E "FAIL|ERROR" *.trs\n' "$tmp" >Makefile
    for target in check check-big check-code memcheck; do
        echo : >$target
    done
}
ran() { # TARGET NAME VERDICT [LOG-LINE...]
    target=$1 name=$2 verdict=$3
    shift 3
    echo "echo ':test-result: $verdict' >$name.trs; : >$name.log" >>"$target"
    for line; do
        echo "echo '$line' >>$name.log" >>"$target"
    done
}
ends_with() {
    [ "$(tail -n 1 "$out")" = "$1" ] || fail "ends with '$(tail -n 1 "$out")', not '$1'"
}

begin
ran check a PASS
ran check b PASS '# 7 cases, 0 failed'
ran check c PASS '[       OK ] one' '[  PASSED  ] 3 test(s).' '[  SKIPPED ] 1 test(s), listed below:' '[  SKIPPED ] no_token'
accepts tests/run.sh
ends_with '11 passed, 0 failed, 1 skipped'
says 'skipped: plain: c: [  SKIPPED ] no_token'

ran check d SKIP 'SKIPPED: shellcheck is not installed'
accepts tests/run.sh
ends_with '11 passed, 0 failed, 2 skipped'
says 'skipped: plain: d: SKIPPED: shellcheck is not installed'

# a case counts once, and has failed if it failed in any stage
ran check-code b FAIL '# 7 cases, 2 failed'
ran check-code c PASS '[  PASSED  ] 3 test(s).'
ran memcheck b FAIL '# 7 cases, 1 failed'
ran check-big e PASS '# 5 cases, 0 failed'
others_refuse tests/run.sh --all
ends_with '14 passed, 2 failed, 2 skipped'
says '==== failed: sanitizers: b'
says '==== failed: valgrind: b'

# failures: counted, uncounted, a crash half-way
begin
ran check a FAIL 'why it failed'
ran check b FAIL '[  PASSED  ] 3 test(s).' '[  FAILED  ] 2 test(s), listed below:' '[  FAILED  ] one' '[  FAILED  ] two'
ran check c FAIL '[       OK ] one' '[       OK ] two' '[ RUN      ] three'
ran check d ERROR '# 4 cases, 0 failed'
others_refuse tests/run.sh
ends_with '9 passed, 5 failed, 0 skipped'
says 'why it failed'

# nothing ran, a build that breaks, a stage that breaks
begin
others_refuse tests/run.sh
ends_with '0 passed, 1 failed, 0 skipped'
begin
echo 'echo no rule; exit 1' >check
others_refuse tests/run.sh
ends_with '0 passed, 1 failed, 0 skipped'
says 'no rule'
begin
ran check a PASS
ran check-code a PASS
ran check-big e PASS
echo 'echo broken; exit 1' >memcheck
others_refuse tests/run.sh --all
ends_with '2 passed, 1 failed, 0 skipped'
says 'broken'

# only skips are no success
begin
ran check a SKIP 'SKIPPED: no reason'
others_refuse tests/run.sh
ends_with '0 passed, 0 failed, 1 skipped'

# it can't begin
printf '#!/bin/sh\nexit 1\n' >tests/lib/packages.sh
others_refuse tests/run.sh
ends_with '0 passed, 1 failed, 0 skipped'
others_refuse tests/run.sh --al
says 'tests/run.sh [--all]'
