# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# logins: what tests of logins have in common, which have sourced load.sh: an emulator, a key, and configurations of it.
LOGIN_THREADS=16
start_emulator vault
unset IDENTITY_ENDPOINT IDENTITY_HEADER IDENTITY_SERVER_THUMBPRINT IMDS_ENDPOINT MSI_ENDPOINT MSI_SECRET
# whatever a machine has: no test asks another
export AZURE_POD_IDENTITY_AUTHORITY_HOST="$IDENTITY"

# configure FILE [ATTRIBUTE...]: with $login, and a deadline of its own
configure() {
    file=$1
    shift
    descriptors=$(signs RSA rsa SHA256withRSA)
    keys=$(vault_key rsa certificate="'file:$tmp/rsa.pem'" deadline="'$DEADLINE'" "$@")${more_keys-}
    write_config "$tmp/$file"
}
healthy_within() { # MILLISECONDS
    before=$(date +%s%3N)
    while tell run sign RSA 1 1 && [ "${seen_ok-0}" = 0 ] && [ $(($(date +%s%3N) - before)) -lt $(($1 * slow)) ]; do
        cases=$((cases - 1))
        sleep 0.1
    done
    tell run sign RSA "$LOGIN_THREADS" 2
    saw_only ok
}

# at_login FAULT STATUS [MILLISECONDS]: an engine that has no token, and when it is well again
at_login() {
    setup emulator stats reset
    # shellcheck disable=SC2086 # words
    setup emulator fault $1
    tell open "$tmp/engine.xml"
    tell run sign RSA "$LOGIN_THREADS" 1
    saw_only "$2"
    saw_most longest $((DEADLINE * 1000 + 1000 * slow))
    setup emulator clear
    tell retry
    healthy_within "${3-1500}"
}

login=$(by_secret)
DEADLINE=60
configure engine.xml
setup signengine -c engine.xml key generate rsa --type rsa:2048
DEADLINE=3
configure engine.xml
