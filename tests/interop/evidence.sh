#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Evidence records before Bouncy Castle, which shares no code with us, and its records before us: made, renewed by time stamps and by hash
# trees, by either, turn by turn.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl javac java jq python3 faketime
instrumented && skip "the clock is moved by a library that has to be loaded before that of a sanitizer"

jars=
for jar in bcprov bcpkix bcutil; do
    [ -e /usr/share/java/$jar.jar ] || skip "Bouncy Castle ($jar) is not installed"
    jars=$jars${jars:+:}/usr/share/java/$jar.jar
done
bouncy() { java -cp "$jars:$tmp" Evidence; }

make_ca ca
for row in first:2031 second:2036 third:2044; do
    make_cert ${row%:*} ec:P-256 keyUsage=critical,digitalSignature extendedKeyUsage=critical,timeStamping \
        from=20200101000000Z until=${row#*:}0101000000Z
done
make_tsa
serve authority
for n in 1 2 3 4 5; do echo file $n >$n; done
setup javac -cp "$jars" -d "$tmp" "$top_srcdir/tests/interop/Evidence.java"

# at DATE WHAT...: `signengine evidence WHAT` on that day
at() {
    day=$1
    shift
    moved "@$day 12:00:00" "$top_builddir/signengine" evidence "$@"
}
# by AUTHORITY DATE: its URL
by() { echo "$tsa_url/made?by=$1&ahead=$(($(date -d "$2 12:00:00" +%s) - $(date +%s)))"; }
# at noon, when that has been
yesterday=$(date -d yesterday +%Y-%m-%d)
make() { signengine evidence make --tsa "$tsa_url/made?by=first" "$@"; }
renew() { # DATE AUTHORITY OPTION...
    day=$1 who=$2
    shift 2
    at "$day" renew --trust-tsa ca.pem --tsa "$(by "$who" "$day")" "$@"
}
looks() { at 2036-06-01 verify --trust-tsa ca.pem "$@"; }

# ---- ours ----
mkdir each
for n in 1 2 3 4 5; do cp $n each/$n; done
accepts make -o one.ers 1
accepts signengine evidence make --tsa "$tsa_url/" -o openssl.ers 1 2
accepts make -o group.ers 1 2 3
accepts make --digest SHA-512 -o group512.ers 1 2 3
accepts make --each each/1 each/2 each/3 each/4 each/5
for record in one group each/1; do cp $record.ers $record.0.ers; done
for record in one group; do
    files=1
    [ $record = one ] || files='1 2 3'
    # shellcheck disable=SC2086 # several files
    for step in '1 2030-06-01 second' '2 2030-06-02 second' '3 2035-06-01 third --digest SHA-384' '4 2035-06-02 third' '5 2035-06-03 third --digest SHA-512'; do
        accepts renew ${step#* } -r $record.ers $files
        cp $record.ers $record.${step%% *}.ers
    done
done
accepts renew 2030-06-01 second --each each/1 each/2 each/3 each/4 each/5
accepts renew 2035-06-01 third --each --digest SHA-384 each/1 each/2 each/3 each/4 each/5
accepts renew 2035-06-02 third --each each/1 each/2 each/3 each/4 each/5
accepts bouncy <<LINES
validate openssl.ers 1 2
validate group512.ers 1 2 3
$(for step in 0 1 2 3 4 5; do printf 'validate one.%s.ers 1\nvalidate group.%s.ers 3 1 2\nstrange one.%s.ers 2\nstrange group.%s.ers 4\n' $step $step $step $step; done)
$(for n in 1 2 3 4 5; do printf 'validate each/%s.ers %s\n' $n $n; done)
validate each/1.0.ers 1
strange each/1.ers 2
LINES

# ---- theirs, renewed by them and by us ----
mkdir theirs
accepts bouncy <<LINES
make $(by first "$yesterday") SHA-256 one.theirs 1
make $(by first "$yesterday") SHA-384 group.theirs 1 2 3
each $(by first "$yesterday") SHA-256 theirs 1 2 3 4 5
LINES
accepts signengine evidence verify --trust-tsa ca.pem -r one.theirs 1
accepts signengine evidence verify --trust-tsa ca.pem -r group.theirs 3 2 1
refuses 1 signengine evidence verify --trust-tsa ca.pem -r group.theirs 1 2
for n in 1 2 3 4 5; do accepts signengine evidence verify --trust-tsa ca.pem -r theirs/$n.ers $n; done
accepts bouncy <<LINES
renew $(by second 2030-06-01) one.theirs
renew $(by second 2030-06-01) group.theirs
renew $(by second 2030-06-01) theirs/3.ers
LINES
accepts at 2030-07-01 verify --trust-tsa ca.pem -r group.theirs 3 2 1
accepts renew 2030-08-01 second -r group.theirs 1 2 3
accepts bouncy <<LINES
renew $(by second 2030-09-01) group.theirs
rehash $(by third 2035-06-01) SHA-384 one.theirs 1
rehash $(by third 2035-06-01) SHA-512 group.theirs 1 2 3
rehash $(by third 2035-06-01) SHA-384 theirs/3.ers 3
renew $(by third 2035-06-02) one.theirs
LINES
accepts looks -r one.theirs 1
accepts looks -r group.theirs 1 2 3
[ "$(grep -c stamped "$out")" = 5 ] || fail 'not five stamps'
accepts looks -r theirs/3.ers 3
accepts renew 2035-07-01 third --digest SHA-512 -r one.theirs 1
accepts bouncy <<LINES
validate one.theirs 1
LINES

# ---- what is signed for decades: a file, a zip, a history by its head ----
make_cert signer ec:P-256 keyUsage=critical,digitalSignature until=20300101000000Z
cat signer.key signer.pem ca.pem >signer.bundle
chmod 600 signer.bundle
cat >engine.xml <<XML
<engineSignEncrypt>
  <descriptors>
    <descriptor name='Files'><type algorithm='SHA-256' key='signer'/></descriptor>
    <descriptor name='ConfigZipSigner'><type algorithm='SHA-256' key='signer'/></descriptor>
    <descriptor name='ObjectHistorySigner'><type algorithm='SHA-256' key='signer'/></descriptor>
  </descriptors>
  <keys><key name='signer'><type name='pem' locationValue='signer.bundle'/></key></keys>
</engineSignEncrypt>
XML
export SIGNENGINE_CONFIG="$tmp/engine.xml"
store=sqlite:$tmp/history.db
setup python3 -c "import zipfile; zipfile.ZipFile('plain.zip', 'w').writestr('a', 'content')"
accepts signengine sign -d Files 1 -o 1.p7s
accepts signengine zip sign plain.zip -o signed.zip
accepts signengine history create --store "$store"
accepts signengine history append --store "$store" 1
signengine history head --store "$store" >chain.head
accepts signengine history append --store "$store" 2
accepts make -o file.ers 1 1.p7s
accepts make -o zip.ers signed.zip
accepts make -o head.ers chain.head
accepts renew 2030-06-01 second -r file.ers 1 1.p7s
accepts renew 2030-06-01 second -r zip.ers signed.zip
accepts renew 2030-06-01 second -r head.ers chain.head
accepts bouncy <<LINES
validate file.ers 1 1.p7s
validate zip.ers signed.zip
validate head.ers chain.head
LINES
at_last() { moved '@2033-06-01 12:00:00' "$top_builddir/signengine" "$@"; }
since() { # RECORD FILE...: when the files have been there, by their record
    record=$1
    shift
    at_last --json evidence verify --trust-tsa ca.pem -r "$record" "$@" >since.json || fail "$record is not good"
    jq -r .since since.json
}
refuses 1 at_last verify -d Files -s 1.p7s 1
says expired
accepts at_last verify -d Files -s 1.p7s --time "$(since file.ers 1 1.p7s)" 1
refuses 1 at_last zip verify signed.zip
accepts at_last zip verify --time "$(since zip.ers signed.zip)" signed.zip
since head.ers chain.head >when
accepts at_last history verify --store "$store" --head chain.head
