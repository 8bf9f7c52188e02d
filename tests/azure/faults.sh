#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A vault that does all that it should not, under many threads: each call ends in time with the right status, nothing secret is in any
# text, no wrong signature leaves, and all is well when it is over.  The emulator's list (faults.c) is the list of this test.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "$top_srcdir/tests/azure/azure.sh"
. "$top_srcdir/tests/azure/load.sh"

start_emulator vault
login=$(by_secret)
descriptors=$(
    signs RSA rsa SHA256withRSA
    signs EC ec SHA256withECDSA
    fields Fields rsa
)
# configure DEADLINE
configure() {
    DEADLINE=$1
    keys=$(
        vault_key rsa certificate="'file:$tmp/rsa.pem'" deadline="'$1'"
        vault_key ec certificate="'file:$tmp/ec.pem'" deadline="'$1'"
    )
    write_config engine.xml
}
configure 60
export SIGNENGINE_CONFIG="$tmp/engine.xml"
setup signengine key generate rsa --type rsa:2048
setup signengine key generate ec --type ec:P-256
configure 3

# ended_well STATUS...: the calls of the case before
ended_well() {
    saw_only "$@"
    saw_most longest $((DEADLINE * 1000 + 1000 * slow))
}

# A vault that is away is looked for each half second, by one caller.
is_healthy() {
    setup emulator clear
    case " $* " in
    *" unavailable "*)
        sleep 0.6
        tell run sign RSA 1 1
        saw ok 1
        ;;
    esac
    tell run sign RSA "$THREADS" 2
    saw_only ok
}

# under FAULT WORK DESCRIPTOR STATUS...
under() {
    fault=$1 work=$2
    shift 2
    # shellcheck disable=SC2086 # words
    setup emulator fault $fault
    # shellcheck disable=SC2086 # words
    tell run $work "$THREADS" 1
    ended_well "$@"
    # one that is known to be away is not asked
    case " $* " in
    *" unavailable "*) saw_least named 1 ;;
    *) saw named "$THREADS" ;;
    esac
    is_healthy "$@"
}

# the same for an engine that has not opened the key
cold_under() {
    # shellcheck disable=SC2086 # words
    setup emulator fault $1
    shift
    tell open "$tmp/engine.xml"
    tell run sign RSA "$THREADS" 1
    ended_well "$@"
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
no-challenge key_store
foreign-resource key_store
attacker-authority access
other-tenant key_store
403-access access
403-policy access
403-rbac access
403-firewall access
403-disabled policy
403-expired policy
400 key_store
404 key
408 unavailable
409 usage
500 unavailable
502 unavailable
503 unavailable
504 unavailable
empty-body key_store
html-body key_store
not-json key_store
cut-body unavailable
endless-body key_store
reset unavailable
reset-headers unavailable
redirect-http key_store
redirect-host key_store
slow-body unavailable
stall unavailable
ROWS

for kind in RSA EC; do
    under 'wrong-kid 99999' "sign $kind" key_store key
    under 'signature-short 99999' "sign $kind" key_store key
    under 'signature-long 99999' "sign $kind" key_store key
    under 'signature-twice 99999' "sign $kind" key_store key
    under 'signature-other 99999' "sign $kind" key
done
tell run decrypt Fields 1 1 # opens the key
under '400 99999 - only=decrypt' 'decrypt Fields' rejected undecryptable ok
under 'wrong-kid 99999 - only=decrypt' 'decrypt Fields' key_store key
under '403-rbac 99999' 'decrypt Fields' access
under 'stall 99999' 'decrypt Fields' unavailable

# nobody but the vault and the login service was asked
accepts emulator attacker-log
value length 0
stop_load
