#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# check --html and history verify --html: a page that is whole, loads nothing, takes no text for HTML, fits every window, and says what the
# command says.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl sqlite3 python3 chromium

# text FILE: what a reader sees
text() {
    python3 -c 'import html.parser, sys
class Text(html.parser.HTMLParser):
    inside, open = 0, []
    def handle_starttag(self, tag, attributes):
        assert not {name for name, value in attributes} & {"src", "href", "onload", "onclick"}, attributes
        assert tag not in ("script", "img", "link", "b"), tag
        if tag not in ("meta",): self.open.append(tag)
    def handle_endtag(self, tag): assert self.open.pop() == tag, tag
    def handle_data(self, data):
        if data.strip() and self.open[-1] != "style": print(data.strip())
page = Text()
page.feed(open(sys.argv[1]).read())
page.close()
assert not page.open, page.open' "$1"
}

# ---- check ----
make_signer Files ec:P-256
chmod 600 one.bundle
cat >two.xml <<XML
<engineSignEncrypt>
  <descriptors>
    <descriptor name="Files&lt;b&gt;&amp;"><type algorithm="SHA256withECDSA" key="one"/></descriptor>
    <descriptor name="Gone"><type algorithm="SHA256withRSA" key="gone"/></descriptor>
  </descriptors>
  <keys>
    <key name="one"><type name="pem" locationValue="one.bundle"/></key>
    <key name="gone"><type name="pem" locationValue="gone.pem"/></key>
  </keys>
</engineSignEncrypt>
XML
refuses 69 signengine -c two.xml check --html page.html
accepts text page.html
says "1 of 2 can't be used."
says 'Files<b>&:1'
says 'Gone:1'
says "cannot read './gone.pem'"
says "$(signengine -c two.xml config fingerprint)"
says 'no key was used (--probe)'
says 'whether certificates were revoked'
accepts signengine check --probe --html good.html
accepts text good.html
says 'All can be used: 1, 0 of them with a warning.'
says 'each key has done its work once'
says 'There are none.'
# no configuration: that is a page, too
refuses 78 signengine -c /nonexistent.xml check --html none.html
accepts text none.html
says 'Nothing could be looked at.'
says '/nonexistent.xml'
refuses 73 signengine check --html nowhere/page.html
says "--html: "

# ---- history verify ----
sed -i "s/name='Files'/name='ObjectHistorySigner'/" engine.xml
echo payload >payload
history() { signengine history "$@" --store sqlite:h.db </dev/null; }
setup history create
for n in 1 2 3; do setup history append --object "card/$n" payload; done
accepts history verify --html history.html
accepts text history.html
says 'The chain is good: nothing was changed, removed, added or moved.'
says '3, from 1 on; 0 without their payload, which was erased'
says 'ObjectHistorySigner:1'
says '1 to 4'
says "$(date -u +%Y-%m-%d)"
says 'was not given: a chain that was put back as a whole would not show (--head)'
says "$(history head | head -n 1)"
refuses 73 history verify --html nowhere/page.html
setup sqlite3 h.db "UPDATE entry SET payload = x'00' WHERE (key & 0xffffff) = 2"
refuses 1 history verify --html changed.html
head -n 1 "$out" | sed 's/^[a-z ]*: //' >said
accepts text changed.html
says 'The chain is not good: 1 findings.'
says "$(cat said)"
says changed
refuses 1 history verify --html nowhere/page.html # the verdict comes first

# ---- in a browser ----
mkdir pages
cp page.html good.html none.html history.html changed.html pages
python3 "$top_srcdir/tests/install/pages.py" frames pages frames.html
verdict() {
    chromium --headless --no-sandbox --disable-gpu --user-data-dir="$tmp/profile" --allow-file-access-from-files --virtual-time-budget=60000 \
        --dump-dom "file://$tmp/frames.html" 2>chromium.log | grep -o '<p id="verdict">[^<]*'
}
accepts verdict
says '>0 too wide'
says 'seen: 5'
print() { chromium --headless --no-sandbox --disable-gpu --user-data-dir="$tmp/profile" --print-to-pdf="$tmp/page.pdf" "file://$tmp/history.html" 2>print.log; }
accepts print
[ "$(head -c 5 page.pdf)" = '%PDF-' ] || fail 'it does not print'
