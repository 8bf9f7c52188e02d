#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The pages as HTML: every link leads somewhere, nothing is wider than a window of 400, 800 or 1,400 pixels, what has to be read stands out,
# and what guides tell people to type is a command.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs cmark-gfm mandoc dot tred python3 chromium
pages="$top_srcdir/tests/install/pages.py"

accepts "$top_srcdir/doc/pages/build.sh" html
[ ! -s "$err" ] || fail "it has something to say: $(cat "$err")"
accepts python3 "$pages" links html
says ' pages, '
accepts python3 "$pages" contrast "$top_srcdir/doc/pages/page.css"
accepts grep -c '<li><a href=' html/index.html
accepts grep -q 'aria-label="the folders of src' html/architecture.html

# ---- the judges see what is wrong ----
cp -r html wrong
echo '<a href="nowhere.html">x</a>' >>wrong/README.html
echo '<a href="#nowhere">x</a>' >>wrong/SECURITY.html
echo '<p>alone</p>' >wrong/alone.html
others_refuse python3 "$pages" links wrong
says 'README.html: nowhere.html is not there'
says 'SECURITY.html: #nowhere has no such place'
says "alone.html can't be reached"
sed 's/--soft: #57606a/--soft: #9aa0a6/' "$top_srcdir/doc/pages/page.css" >pale.css
others_refuse python3 "$pages" contrast pale.css

# ---- in a browser, which lays out nothing below 500 pixels: in frames ----
layout() { # FOLDER: what is too wide
    python3 "$pages" frames "$1" frames.html
    chromium --headless --no-sandbox --disable-gpu --user-data-dir="$tmp/profile" --allow-file-access-from-files --virtual-time-budget=120000 \
        --dump-dom "file://$tmp/frames.html" 2>chromium.log | grep -o '<p id="verdict">[^<]*'
}
accepts layout html
says '>0 too wide'
says "seen: $(find html -name '*.html' | wc -l)"
sed -i 's|<main>|<main><p style="width:600px">wide</p>|' wrong/index.html
accepts layout wrong
says 'index.html has '
says ' of 400'

# ---- what guides tell people to type ----
grep -ohE '(`|^    (sudo )?)signengine (-c [^ ]+ )?[a-z]+( [a-z]+)?' "$top_srcdir"/doc/guide-*.md | sed 's/.*signengine //; s/^-c [^ ]* //' | sort -u >typed
[ "$(wc -l <typed)" -gt 15 ] || fail "only $(wc -l <typed) commands were found"
while read -r command; do
    # shellcheck disable=SC2086 # words
    signengine help $command >/dev/null 2>&1 || fail "no such command: signengine $command"
done <typed
