#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# How a signature is found in a vault's log: --verbose, --json and the milter's audit lines call requests what the log calls them.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "$top_srcdir/tests/azure/azure.sh"
. "$top_srcdir/tests/mail/mail-lib.sh"
. "$top_srcdir/tests/mail/postfix-lib.sh"
needs jq openssl python3

make_ca ca
mail_cert bob rsa:2048 subjectAltName=email:bob@example.org
start_emulator vault
export VAULT_SECRET="$SECRET"
cat >engine.xml <<XML
<engineSignEncrypt>
  <login name="app" credential="secret" tenant="$TENANT" client="$CLIENT" pin.source="env:VAULT_SECRET" authority="$AUTHORITY" caFile="$emulated/ca.pem"/>
  <descriptors>
    <descriptor name="Vault"><type algorithm="SHA256withRSA" key="vault"/></descriptor>
    <descriptor name="File"><type algorithm="SHA256withRSA" key="file"/></descriptor>
  </descriptors>
  <keys>
    <key name="vault"><type name="AzureKeyVault" locationValue="$VAULT" resource="$RESOURCE" login="app" alias="signer" certificate="file:signer.pem"/></key>
    <key name="file"><type name="pem" locationValue="bob.bundle"/></key>
  </keys>
</engineSignEncrypt>
XML
chmod 600 engine.xml bob.bundle
export SIGNENGINE_CONFIG="$tmp/engine.xml"
setup signengine key generate vault --type rsa:2048
setup signengine key request vault -o signer.csr
printf 'keyUsage=critical,digitalSignature\nextendedKeyUsage=emailProtection\nsubjectAltName=email:alice@example.org\n' >extensions
setup openssl x509 -req -in signer.csr -CA ca.pem -CAkey ca.key -days 90 -extfile extensions -out signer.crt
setup signengine key certificate vault signer.crt
echo content >file

# logged FILTER: of the last signature in the vault's log
logged() { emulator log vault | jq -r "map(select(.path | test(\"/sign\"))) | last | $1"; }
guid='[0-9a-f]\{8\}-[0-9a-f]\{4\}-[0-9a-f]\{4\}-[0-9a-f]\{4\}-[0-9a-f]\{12\}'

# ---- the command ----

accepts signengine --verbose sign -d Vault file
says "key 'vault': sign: request $(logged .id), answered as "
grep -q "sign: request $guid, answered as $guid\$" "$err" || fail 'no two ids'
accepts signengine sign -d Vault file
says_not "$(logged .id)"
accepts signengine --verbose sign -d File file -o other.p7s
says_not 'request'
accepts signengine --verbose verify -d Vault file --signature file.p7s
says_not 'request'

# events FILTER: of the JSON lines on stderr
events() { grep '^{' "$err" | jq -rs "$1"; }
accepts signengine --verbose --json sign -d Vault file -o file.p7s
[ "$(events '.[0].requestSent')" = "$(logged .id)" ] || fail 'another request'
[ "$(events '.[0] | [.event, .key, .operation, .descriptor, .status] | join(" ")')" = 'operation vault sign Vault ok' ] || fail 'another event'
events '.[0].requestAnswered' | grep -q "^$guid\$" || fail 'no id of the answer'

# a refusal has them, too, and so has a vault that is throttled
emulator fault 403-rbac 1 only=sign >/dev/null
refuses 77 signengine --verbose sign -d Vault file
says "sign: request $(logged .id), answered as "
emulator fault 429 1 only=sign >/dev/null
accepts signengine --verbose sign -d Vault file
says "key 'vault' replica 1: slowed: "
emulator fault 429 1 only=sign >/dev/null
accepts signengine --verbose --json sign -d Vault file
[ "$(events 'map(select(.event == "slowed")) | length')" = 1 ] || fail 'no event in JSON'
[ "$(events 'map(select(.event == "slowed"))[0] | has("requestSent")')" = false ] || fail 'a request of no operation'

# ---- the milter ----

[ -x "${top_builddir:?}/signengine-milter" ] || skip "signengine-milter was not built: libmilter-dev is missing"
process=''
stop_milter() {
    ended=$?
    [ -z "$process" ] || kill "$process" 2>/dev/null || :
    (exit "$ended")
    finish
}
trap stop_milter EXIT
port=$(free_ports 1)
# root's tests run it as nobody
chmod 755 "$tmp"
mkdir run
[ "$(id -u)" != 0 ] || chown nobody run engine.xml bob.bundle
printf 'engine = %s\nsocket = inet:%s@127.0.0.1\nuser = nobody\naudit = file:%s required\nrequire alice@example.org Vault\nsign bob@example.org File\n' \
    "$tmp/engine.xml" "$port" "$tmp/run/audit.log" >milter.conf
"$top_builddir/signengine-milter" -c milter.conf >milter.log 2>&1 &
process=$!
eventually listens "$port"
send() { # FROM
    printf 'From: %s@example.org\nTo: x@elsewhere.test\nSubject: x\n\nHello\n' "$1" >message.eml
    accepts python3 "$top_srcdir/tests/mail/milter.py" "$port" message.eml
}
audited() { tail -n 1 run/audit.log | jq -r "$1"; }
send alice
[ "$(audited .result)" = signed ] || fail "$(tail -n 1 run/audit.log)"
[ "$(audited .requestSent)" = "$(logged .id)" ] || fail "another request: $(tail -n 1 run/audit.log)"
audited .requestAnswered | grep -q "^$guid\$" || fail 'no id of the answer'
send bob
[ "$(audited .result)" = signed ] || fail "$(tail -n 1 run/audit.log)"
[ "$(audited .requestSent)" = '' ] || fail 'the request of another message'
emulator fault 403-rbac 1 only=sign >/dev/null
send alice
[ "$(audited .result)" = deferred ] || fail "$(tail -n 1 run/audit.log)"
[ "$(audited .requestSent)" = "$(logged .id)" ] || fail "another request: $(tail -n 1 run/audit.log)"
