#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A vault that does all that it should not, under many threads: each call ends in time with the right status, nothing secret is in any
# text, no wrong signature leaves, and all is well when it is over.  The emulator's list (faults.c) is the list of this test.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "$top_srcdir/tests/azure/azure.sh"
. "$top_srcdir/tests/azure/load.sh"

DEADLINE=3
start_emulator vault
login=$(by_secret)
descriptors=$(
    signs RSA rsa SHA256withRSA
    signs EC ec SHA256withECDSA
    fields Fields rsa
)
keys=$(
    vault_key rsa certificate="'file:$tmp/rsa.pem'" deadline="'$DEADLINE'"
    vault_key ec certificate="'file:$tmp/ec.pem'" deadline="'$DEADLINE'"
)
write_config engine.xml
export SIGNENGINE_CONFIG="$tmp/engine.xml"
setup signengine key generate rsa --type rsa:2048
setup signengine key generate ec --type ec:P-256

# ended_well STATUS...: the calls of the case before
ended_well() {
    saw_only "$@"
    saw ok 0
    saw_most longest $((DEADLINE * 1000 + 1000 * slow))
    saw named "$(count_of event-operation)"
}

is_healthy() {
    setup emulator clear
    # one that is away is looked for each half second
    case " $* " in *" unavailable "*) sleep 0.6 ;; esac
    tell run sign RSA "$THREADS" 2
    saw_only ok
    saw ok $((THREADS * 2))
}

# under FAULT [ARGUMENT] WORK DESCRIPTOR STATUS...
under() {
    fault=$1 work=$2
    shift 2
    # shellcheck disable=SC2086 # words
    setup emulator fault $fault
    tell run $work "$THREADS" 1
    ended_well "$@"
    is_healthy "$@"
}

# the same for an engine that has not opened the key
cold_under() {
    # shellcheck disable=SC2086 # words
    setup emulator fault $1
    shift
    tell open "$tmp/engine.xml"
    tell run sign RSA "$THREADS" 1
    saw_only "$@"
    saw ok 0
    saw_most longest $((DEADLINE * 1000 + 1000 * slow))
    is_healthy "$@"
}

start_load
tell open "$tmp/engine.xml"
is_healthy

while read -r row statuses; do
    # shellcheck disable=SC2086 # words
    {
        under "$row 99999" 'sign RSA' $statuses
        cold_under "$row 99999" $statuses
    }
done <<ROWS
expired-token access
claims access
no-challenge key-store
foreign-resource key-store
attacker-authority access
other-tenant key-store
403-access access
403-policy access
403-rbac access
403-firewall access
403-disabled policy
403-expired policy
400 key-store
404 key
408 unavailable
409 usage
500 unavailable
502 unavailable
503 unavailable
504 unavailable
empty-body key-store
html-body key-store
not-json key-store
cut-body unavailable
endless-body key-store
reset unavailable
reset-headers unavailable
redirect-http key-store
redirect-host key-store
slow-body unavailable
stall unavailable
ROWS

for kind in RSA EC; do
    under 'wrong-kid 99999' "sign $kind" key-store key
    under 'signature-short 99999' "sign $kind" key-store key
    under 'signature-long 99999' "sign $kind" key-store key
    under 'signature-twice 99999' "sign $kind" key-store key
    under 'signature-other 99999' "sign $kind" key
done
under '400 99999' 'decrypt Fields' rejected undecryptable
under 'wrong-kid 99999 - only=decrypt' 'decrypt Fields' key-store key
under '403-rbac 99999' 'decrypt Fields' access
under 'stall 99999' 'decrypt Fields' unavailable

# nobody but the vault and the login service was asked
accepts emulator attacker-log
value length 0
stop_load
