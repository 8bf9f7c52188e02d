# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# crowd-lib.sh: a daemon with many connections, behind daemon-lib.sh.
#
#   crowd_configuration    as daemon_configuration; Token signs with a key in a token; the user daemon may use both, and see metrics
#   beside IDLE SLOW       a case: 12 busy clients hardly notice so many others
#   fill OPEN-FILES        a case: a daemon that may open so many files, and gets more connections than that, reaches its token
needs pkcs11-tool

crowd_configuration() {
    daemon_configuration
    make_token lab
    make_cert k rsa:2048 keyUsage=critical,digitalSignature
    setup openssl pkcs8 -topk8 -nocrypt -in k.key -outform DER -out k.der
    setup pkcs11-tool --module "$softhsm_module" --token-label lab --login --pin 1234 --write-object k.der --type privkey --label k --id 01
    setup openssl x509 -in k.pem -outform DER -out k.der
    setup pkcs11-tool --module "$softhsm_module" --token-label lab --login --pin 1234 --write-object k.der --type cert --label k --id 01
    sed -i -e "s|</descriptors>|<descriptor name='Token'><type algorithm='SHA-256' key='token'/></descriptor></descriptors>|" \
        -e "s|</keys>|<key name='token'><type name='HSM' locationValue='$softhsm_module' tokenLabel='lab' alias='k' pin='1234'/></key></keys>|" \
        -e "s|<access>|<access><allow name='crowd' operations='sign monitor'><user name='daemon'/><descriptor name='FileSigner'/><descriptor name='Token'/></allow>|" engine.xml
    chmod 600 engine.xml
    chown -R nobody .tokens .softhsm2.conf engine.xml
    daemon_settings 'per-user = 100000' 'connections = 100000' 'head-timeout = 3600' 'idle-timeout = 3600'
}

# as many open files as may be had
# shellcheck disable=SC3045 # dash has it
allow_files() { ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -H -n)"; }
crowd() {
    allow_files
    as daemon python3 crowd.py "$tmp/run/socket" "$@"
}
crowd_beside() { (crowd beside "$@"); }

beside() {
    start_daemon "${top_builddir:?}/signengined"
    accepts crowd_beside "$1" "$2" 8
    says 'within a fifth'
    cat "$out"
    stop_daemon
}

fill() {
    # shellcheck disable=SC2016 # for the inner shell
    start_daemon sh -c 'ulimit -n "$0" && exec "$@"' "$1" "$top_builddir/signengined"
    grep -q "$1 open files are allowed, so there are $(($1 - 1024)) connections at most" daemon.log || fail "$(cat daemon.log)"
    rm -f go
    crowd fill "$1" "$tmp/go" \
        '/v1/descriptors/Token/sign?form=raw' '/v1/descriptors/FileSigner/sign?form=raw' '/v1/descriptors/Token/sign' >filled 2>&1 &
    others=$!
    until_true grep -q held filled
    # the new engine opens its token, and the module its files, while the crowd is there
    kill -HUP "$daemon"
    until_true grep -q 'the configuration was loaded again' daemon.log
    : >go
    wait "$others" || :
    others=''
    cases=$((cases + 1)) bad=''
    cp filled "$out"
    says "$(($1 - 1024)) held $((1024 + 3)) refused"
    says '/v1/descriptors/Token/sign?form=raw 200'
    says '/v1/descriptors/FileSigner/sign?form=raw 200'
    says '/v1/descriptors/Token/sign 200'
    until_true is_live
    stop_daemon
}
