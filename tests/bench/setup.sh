# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# What the parts of the bench share; they run in a folder of their own.
#
#   setup CMD...                  must succeed, quietly
#   configure MODULE TOKEN [DEADLINE]   engine.xml: the descriptor Bench, whose key has the label `bench`
#   softhsm_token                 a SoftHSM with the token `softhsm` and that key, RSA-2048, made by the engine; sets $module
#   deadlines MODULE TOKEN SETTING THREADS...   rows of the public functions beside a bare loop, also in the file `rows`: as the engine is,
#                                               and without a deadline
#   jce MODULE SLOT SETTING       rows of SunPKCS11 with 1, 2, 12 and 32 threads beside the engine's in the file `rows`

set -eu
top=${top_builddir:?}

setup() {
    "$@" >setup.log 2>&1 || { cat setup.log >&2 && exit 1; }
}

configure() {
    cat >engine.xml <<XML
<engineSignEncrypt>
  <descriptors><descriptor name="Bench"><type algorithm="SHA256withRSA" key="bench"/></descriptor></descriptors>
  <keys><key name="bench">
    <type name="HSM" locationValue="$1" tokenLabel="$2" alias="bench" pin.source="file:$PWD/pin" deadline="${3-}"/>
  </key></keys>
</engineSignEncrypt>
XML
    (umask 077 && printf 1234 >pin && printf 12345678 >so.pin)
    export SIGNENGINE_CONFIG="$PWD/engine.xml"
}

softhsm_token() {
    module=$(sh "${here:?}/../lib/find-library.sh" libsofthsm2.so)
    [ "$module" ] || { echo "bench: SoftHSM is not installed" >&2 && exit 77; }
    mkdir tokens
    printf 'directories.tokendir = %s/tokens\nobjectstore.backend = file\nlog.level = ERROR\n' "$PWD" >softhsm2.conf
    export SOFTHSM2_CONF="$PWD/softhsm2.conf"
    configure "$module" softhsm
    setup "$top/signengine" key init bench --so-pin-source file:so.pin
    setup "$top/signengine" key generate bench --type rsa:2048
}

deadlines() {
    module=$1 token=$2 setting=$3
    shift 3
    configure "$module" "$token"
    "$top/tests/bench/sign" engine.xml 'bare C_Sign loop' "$module" "$token" pin "$setting" 0 "$@" | tee rows
    configure "$module" "$token" none
    "$top/tests/bench/sign" engine.xml 'bare C_Sign loop' "$module" "$token" pin "$setting, deadline=none" 0 "$@" | tee -a rows
}

jce() {
    command -v java >/dev/null || { echo "bench: no java: SunPKCS11 is left out" >&2 && return; }
    setup_jce=$(java "${here:?}/Jce.java" "$1" "$2" 1234 bench "$3" 1 2 12 32)
    echo "$setup_jce" | awk -F '\t' 'NR == FNR { ours[$2, $3] = $4; next }
        { printf "signatures/s\t%s\t%d\t%d\tSunPKCS11\t%d\t%.2f\n", $1, $2, ours[$1, $2], $3, ours[$1, $2] / $3 }' rows -
}
