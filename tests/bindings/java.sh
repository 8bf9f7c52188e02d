#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The jar of java/, as an application has it beside jna.jar: it declares what the headers declare, does both ways what the command and
# others do, refuses what they refuse, and lives with threads and forgotten objects.  CALLS=10000000 looks longer at its memory.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl python3 javac jar
jna=/usr/share/java/jna.jar
[ -e "$jna" ] || skip "$jna is missing: libjna-java"
! instrumented || skip "Java can't load a library that a sanitizer or valgrind watches"
umask 077
export LD_LIBRARY_PATH="${top_builddir:?}/.libs" PYTHONDONTWRITEBYTECODE=1

# ---- built ----
accepts "$top_srcdir/java/build.sh" signengine.jar
accepts env LC_ALL=C.UTF-8 TZ=Asia/Tokyo "$top_srcdir/java/build.sh" again.jar
same signengine.jar again.jar
setup javac --release 17 -encoding UTF-8 -Xlint:all -Werror -cp "signengine.jar:$jna" -d classes "$top_srcdir"/tests/bindings/java/*.java \
    "$top_srcdir/tests/bindings/java/org/signengine/Layout.java"

. "${top_srcdir:?}/tests/bindings/engines.sh"
export CALLS="${CALLS-20000}"
# what grows is not the heap: that is there from the beginning
java() { command java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xms64m -Xmx64m -XX:+AlwaysPreTouch -cp "signengine.jar:classes:$jna" "$@"; }

# counted NAME: the case before has run the tests of NAME
counted() {
    ran=$(sed -n 's/^Ran \([0-9]*\) test.*/\1/p' "$err")
    cases=$((cases + ${ran:-1} - 1))
    sed -n '/^memory/p' "$out"
    [ "${ran:-0}" -gt 0 ] || fail "$1: nothing was run"
}

# ---- what it declares ----
accepts java org.signengine.Layout
cp "$out" layout.txt
PYTHONPATH="$top_srcdir/tests/bindings" accepts python3 -m unittest -b java_layout
counted layout

# ---- the tests of each class; every method is a case ----
for class in Vectors Jobs Tokens Archives Histories Engines Refusals Life; do
    accepts java Case "$class"
    counted "$class"
done

# ---- the README's example does what it says there ----
sed -n '/^```java/,/^```/p' "$top_srcdir/java/README.md" | sed '/^```/d' >Example.java
echo content >report.pdf
accepts java Example.java
accepts openssl cms -verify -binary -inform DER -in report.pdf.p7s -content report.pdf -CAfile ca.pem -purpose any -out verified
same verified report.pdf
