#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Keys with replicas, as the command shows them.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl

make_ca ca
make_cert one rsa:2048 keyUsage=critical,digitalSignature
make_cert other rsa:2048 keyUsage=critical,digitalSignature
make_p12 one 1234
make_p12 other 1234
echo content >file

# with TYPE...: a configuration whose only key has these replicas, from line 4 on
with() {
    {
        echo "<engineSignEncrypt><descriptors>"
        echo "<descriptor name='Files'><type algorithm='SHA-256' key='k'/></descriptor></descriptors>"
        echo "<keys><key name='k'>"
        printf '%s\n' "$@"
        echo "</key></keys></engineSignEncrypt>"
    } >engine.xml
    chmod 600 engine.xml
}
sign() { signengine -c engine.xml "$@" sign -d Files file; }
one="<type name='pkcs12' locationValue='one.p12' pin='1234'/>"
wrong="<type name='pkcs12' locationValue='one.p12' pin='4321'/>"
gone="<type name='pkcs12' locationValue='gone.p12' pin='1234'/>"
other="<type name='pkcs12' locationValue='other.p12' pin='1234'/>"

with "$one" "$one"
accepts sign -v
says_not 'replica'

# what is said of replicas that do not serve is for those who ask
with "$gone" "$wrong" "$one"
accepts sign
says_not 'replica'
accepts sign -v
says "signengine: sign: key 'k' replica 1: lost: "
says 'gone.p12'
says "signengine: sign: key 'k' replica 2: lost: "
says "signengine: sign: key 'k' replica 3: failed over"
says_not 4321
setup openssl cms -verify -binary -inform DER -in file.p7s -content file -CAfile ca.pem -out verified

with "$one" "$other"
refuses 78 sign
says 'replica 2 (line 5) holds another key than replica 1 (line 4)'
with "$gone" "$wrong"
refuses 69 sign
says 'none of 2 replicas serves; number 1 (line 4): '
with "$wrong" "$wrong"
refuses 77 sign
says 'none of 2 replicas serves; number 1 (line 4): '

# ---- check: each replica by itself ----
check() { signengine -c engine.xml "$@"; }
with "$gone" "$one" "$wrong"
accepts check check
says 'warning'
says 'replica 1 (line 4): '
says 'gone.p12'
says 'replica 3 (line 6): '
says_not 'replica 2'
accepts check --json check --probe
says '"store":"pkcs12+pkcs12+pkcs12"'
says '"mechanism":"software","verdict":"warning","status":"ok","text":"replica 1 (line 4): '
with "$one" "$one"
accepts check check --probe
says_not 'warning'
with "$one" "$other"
refuses 78 check check
says 'FAILED'
with "$gone" "$wrong"
refuses 69 check check
says 'none of 2 replicas serves'
