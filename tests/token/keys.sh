# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# After the harness: the keys that tests/token/mechanisms and fields use, and their runs.
#
#   put_keys MODULE OPTION...   makes the keys, and has pkcs11-tool write them into a token; the options lead to the token and its login
#   use_keys LABEL [VAR=VALUE...]   a case: all operations with the keys of that token; the module is in SHIM_MODULE
#   use_fields LABEL [VAR=VALUE...]   a case: encrypted fields with the key `rsa` of that token, and of a file
#   wait_for SOCKET LOG         until a daemon is up

wait_for() {
    tries=0
    until [ -S "$1" ]; do
        tries=$((tries + 1))
        [ $tries -lt 100 ] || { cat "$2" && exit 99; }
        sleep 0.1
    done
}

make_keys() {
    needs openssl
    make_cert rsa rsa:2048 issuer=self
    make_cert p256 ec:P-256 issuer=self
    make_cert p384 ec:P-384 issuer=self
    make_cert p521 ec:P-521 issuer=self
}

put_keys() {
    module=$1
    shift
    needs pkcs11-tool
    make_keys
    id=10
    for key in rsa p256 p384 p521; do
        id=$((id + 1))
        setup openssl pkcs8 -topk8 -nocrypt -in $key.key -outform DER -out .object
        setup pkcs11-tool --module "$module" "$@" --write-object .object --type privkey --label $key --id $id --usage-sign --usage-decrypt
        setup openssl x509 -in $key.pem -outform DER -out .object
        setup pkcs11-tool --module "$module" "$@" --write-object .object --type cert --label $key --id $id
    done
}

# shellcheck disable=SC2086 # MEMCHECK is a command with options
use() { # PROGRAM LABEL [VAR=VALUE...]
    program=$1 label=$2
    shift 2
    accepts env TOKEN_FOLDER="${tmp:?}" TOKEN_LABEL="$label" "$@" \
        ${MEMCHECK:+$MEMCHECK --log-file="$tmp/.valgrind.%p"} "${top_builddir:?}/tests/token/$program"
}

use_keys() {
    use mechanisms "$@"
    says '8 test(s) run'
}

use_fields() {
    use fields "$@" ${MEMCHECK:+FIELDS_LARGEST=100000}
    says '7 test(s) run'
}
