#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# check --strict, --metrics and --notify, by a clock that is moved: 30 days, 7, 1, and over.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl faketime jq promtool pkcs11-tool
instrumented && skip "the clock is moved by a library that has to be loaded before that of a sanitizer"

signengine=$top_builddir/signengine
# at TIME CMD...
at() {
    moment=$1
    shift
    moved "@$moment" "$@"
}

# ---- a certificate, its CA, a certificate that does not matter, a client secret, versions ----
make_ca ca
make_cert files ec:P-256 keyUsage=critical,digitalSignature until=20270601120000Z
make_cert history ec:P-256 issuer=self keyUsage=critical,digitalSignature until=20210101000000Z
make_cert later ec:P-256 keyUsage=critical,digitalSignature
for name in files history later; do cat "$name.key" "$name.pem" ca.pem >"$name.bundle"; done
cp history.bundle plain.bundle
chmod 600 ./*.bundle
cat >engine.xml <<'XML'
<engineSignEncrypt>
  <descriptors>
    <descriptor name="Files"><type algorithm="SHA-256" key="files"/></descriptor>
    <descriptor name="Ending" until="2027-07-01T12:00:00Z"><type algorithm="SHA-256" key="later"/></descriptor>
    <descriptor name="Waits"><type algorithm="SHA-256" key="next"/></descriptor>
    <descriptor name="Waits" version="2" from="2030-01-01T00:00:00Z"><type algorithm="SHA-256" key="next2"/></descriptor>
    <descriptor name="ObjectHistorySigner"><type algorithm="SHA-256" key="history"/></descriptor>
  </descriptors>
  <keys>
    <key name="files"><type name="pem" locationValue="files.bundle"/></key>
    <key name="later"><type name="pem" locationValue="later.bundle"/></key>
    <key name="next"><type name="pem" locationValue="next.bundle"/></key>
    <key name="next2"><type name="pem" locationValue="next2.bundle"/></key>
    <key name="history"><type name="pem" locationValue="history.bundle"/></key>
  </keys>
</engineSignEncrypt>
XML
for name in next next2; do
    make_cert $name ec:P-256 keyUsage=critical,digitalSignature
    cat $name.key $name.pem ca.pem >$name.bundle
    chmod 600 $name.bundle
done
chmod 600 engine.xml
export SIGNENGINE_CONFIG="$tmp/engine.xml"

# ---- metrics ----
metric() { # TEXT: belongs to the case before
    grep -qxF -- "$1" check.prom || fail "no '$1' in: $(cat check.prom)"
}
no_metric() {
    grep -qF -- "$1" check.prom && fail "'$1' is in: $(cat check.prom)"
    :
}
ends() { date -u -d "$1" +%s; }
files="signengine_check_end_timestamp_seconds{kind=\"certificate\",subject=\"descriptor Files:1\"} $(ends 2027-06-01T12:00:00Z)"

well='2027-05-01 12:00:00' month='2027-05-03 12:00:00' week='2027-05-26 12:00:00' day='2027-06-01 06:00:00' over='2027-06-02 12:00:00'
accepts at "$well" "$signengine" check --strict --metrics check.prom
time=$(sed -n 's/^signengine_check_timestamp_seconds //p' check.prom)
{ [ "$time" -ge "$(ends "$well")" ] && [ "$time" -lt "$(ends "$week")" ]; } || fail "the time of the check is $time"
metric 'signengine_check_exit_status 0'
metric 'signengine_check_descriptors{verdict="ok"} 5'
metric 'signengine_check_descriptors{verdict="failed"} 0'
metric "$files"
metric "signengine_check_end_timestamp_seconds{kind=\"version\",subject=\"descriptor Ending:1\"} $(ends 2027-07-01T12:00:00Z)"
metric 'signengine_check_finding{kind="waits",subject="descriptor Waits:2",level="note"} 1'
metric 'signengine_check_finding{kind="certificate",subject="descriptor ObjectHistorySigner:1",level="note"} 1'
grep -q '^signengine_check_end_timestamp_seconds{kind="issuer",subject="CA CN=Test CA ca"} ' check.prom || fail 'no CA'
no_metric 'level="warning"'
no_metric 'kind="certificate",subject="descriptor ObjectHistorySigner:1"} '
says 'expired on 2021-01-01, which does not matter for this use'
accepts promtool check metrics <check.prom
[ "$(stat -c %a check.prom)" = 644 ] || fail 'the exporter may not read it'

refuses 1 at "$month" "$signengine" -q check --strict --metrics check.prom
metric 'signengine_check_exit_status 1'
metric 'signengine_check_descriptors{verdict="warning"} 1'
metric 'signengine_check_finding{kind="certificate",subject="descriptor Files:1",level="warning"} 1'
metric "$files"
accepts at "$month" "$signengine" -q check --metrics check.prom
metric 'signengine_check_exit_status 0'
refuses 78 at "$over" "$signengine" -q check --strict --metrics check.prom
metric 'signengine_check_exit_status 78'
metric "$files"
metric 'signengine_check_finding{kind="certificate",subject="descriptor Files:1",level="failure"} 1'
metric 'signengine_check_finding{kind="version",subject="descriptor Ending:1",level="warning"} 1'
accepts promtool check metrics <check.prom

# ---- the same as JSON ----
at "$week" "$signengine" --json check >rows
jq -r '.descriptor as $d | .version as $v | .findings[] | "\($d):\($v) \(.level) \(.kind) \(.date)"' rows | grep -v issuer | sort >lines
cat >wanted <<'TEXT'
Ending:1 date certificate 2120-01-01T00:00:00Z
Ending:1 date version 2027-07-01T12:00:00Z
Files:1 warning certificate 2027-06-01T12:00:00Z
ObjectHistorySigner:1 note certificate null
Waits:1 date certificate 2120-01-01T00:00:00Z
Waits:2 date certificate 2120-01-01T00:00:00Z
Waits:2 note waits 2030-01-01T00:00:00Z
TEXT
same lines wanted

# what is not there, or can't be read, is in a file that is written all the same
cp engine.xml good.xml
sed 's/algorithm="SHA-256" key="files"/algorithm="SHA-521" key="files"/' good.xml >engine.xml
refuses 78 "$signengine" check --metrics check.prom
metric 'signengine_check_finding{kind="unusable",subject="configuration",level="failure"} 1'
metric 'signengine_check_exit_status 78'
accepts promtool check metrics <check.prom
cp good.xml engine.xml
refuses 73 "$signengine" -q check --metrics no-such-folder/check.prom
says '--metrics: '
refuses 69 "$signengine" --socket "$tmp/no.socket" check --metrics check.prom
metric 'signengine_check_finding{kind="unusable",subject="service",level="failure"} 1'

# ---- notices ----
cat >tell <<'SH'
#!/bin/sh
[ ! -e fails ] || { cat >>refused; exit 3; }
cat >>told
SH
chmod 755 tell
notify() { # TIME
    : >told
    at "$1" "$signengine" -q check --notify ./tell --state state.json
}
told() { # LINES, each "KIND SUBJECT LEVEL WITHIN": belongs to the case before
    printf '%s' "$1" >wanted
    jq -r '[.kind, .subject, .level, .within // "-"] | map(tostring) | join(" ")' told >lines || fail "no JSON: $(cat told)"
    same lines wanted
}
accepts notify "$well"
told ''
accepts notify "$month"
told 'certificate descriptor Files:1 warning 30
'
grep -q '"date":"2027-06-01T12:00:00Z","text":"the certificate expires in 29 days"' told || fail "$(cat told)"
accepts notify "$month"
told ''
# a program that fails is asked again, and its status is not hidden
: >fails
refuses 69 notify "$week"
says "--notify: './tell' ended with status 3 for descriptor Files:1"
told ''
[ "$(wc -l <refused)" = 1 ] || fail 'not once'
rm fails
accepts notify "$week"
told 'certificate descriptor Files:1 warning 7
'
accepts notify "$week"
told ''
accepts notify "$day"
told 'certificate descriptor Files:1 warning 1
'
refuses 78 notify "$over"
told 'certificate descriptor Files:1 failure 0
version descriptor Ending:1 warning 30
'
refuses 78 notify "$over"
told ''
# a configuration that can't be loaded is told, and what was told before is not told again
echo '<engineSignEncrypt>' >engine.xml
refuses 78 notify "$over"
told 'unusable configuration failure -
'
cp good.xml engine.xml
refuses 78 notify "$over"
told ''
# renewed: from the beginning
make_cert files ec:P-256 keyUsage=critical,digitalSignature until=20270630000000Z
cat files.key files.pem ca.pem >files.bundle
accepts notify "$over"
told 'certificate descriptor Files:1 warning 30
'
# what ends is not new because its key was away
mv files.bundle away
refuses 69 notify "$over"
told 'unusable descriptor Files:1 failure -
'
mv away files.bundle
accepts notify "$over"
told ''
# a warning without a date, once; then over, then there again
chmod 666 files.bundle
accepts notify "$over"
told 'exposure descriptor Files:1 warning -
'
accepts notify "$over"
told ''
chmod 600 files.bundle
accepts notify "$over"
chmod 666 files.bundle
accepts notify "$over"
says_not 'exposure'
[ -s told ] || fail 'not told again'
chmod 600 files.bundle
[ "$(stat -c %a state.json)" = 600 ] || fail 'others may read the state'
# what is no state, or can't be written; a program that is not there; no words for a shell
echo '{}' >state.json
accepts "$signengine" -q check --notify ./tell --state state.json
accepts "$signengine" check --notify ./tell --state state.json
says_not 'is no such file'
refuses 73 "$signengine" -q check --notify ./tell --state no-such-folder/state
refuses 69 at "$over" "$signengine" -q check --notify './tell; touch shell' --state other.json
[ ! -e shell ] || fail 'a shell saw it'
refuses 64 "$signengine" check --notify ./tell
says '--notify needs --state'
refuses 64 "$signengine" check --state state.json

# ---- the clock ----
try at '2019-01-01 00:00:00' "$signengine" check
says 'is the clock right?'

# ---- a token to which somebody presented a wrong PIN ----
make_token lab
setup openssl pkcs8 -topk8 -nocrypt -in later.key -outform DER -out later.der
setup pkcs11-tool --module "$softhsm_module" --token-label lab --login --pin 1234 --write-object later.der --type privkey --label k --id 01
cat >engine.xml <<XML
<engineSignEncrypt>
  <descriptors><descriptor name="Files"><type algorithm="SHA-256" key="k"/></descriptor></descriptors>
  <keys><key name="k"><type name="HSM" locationValue="$softhsm_module" tokenLabel="lab" alias="k" pin.source="env:PIN" certificate="file:later.pem"/></key></keys>
</engineSignEncrypt>
XML
export PIN=1234
accepts "$signengine" check --strict
others_refuse pkcs11-tool --module "$softhsm_module" --token-label lab --login --pin 9999 --list-objects
refuses 1 "$signengine" -q check --strict --metrics check.prom
says 'a wrong PIN was presented to the token before this login'
metric 'signengine_check_finding{kind="pin",subject="descriptor Files:1",level="warning"} 1'
accepts "$signengine" check --strict

# ---- the alerts, day by day ----
cp "$top_srcdir/conf/signengine.rules.yml" "$top_srcdir/tests/cli/rules_test.yml" .
accepts promtool test rules rules_test.yml
