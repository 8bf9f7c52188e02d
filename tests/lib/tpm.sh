# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# A software TPM 2.0 with its resource manager, and tpm2-pkcs11 before it, for tests with a TPM as a token:
#
#   . "${top_srcdir:?}/tests/lib/tpm.sh"
#   tpm_alone "$0"                       before the harness: the test runs again, with a message bus of its own
#   . "$top_srcdir/tests/lib/harness.sh"
#   tpm_token LABEL PIN                  starts all of it and makes a token; the module's path is in $module
#   tpm_restart                          kills the resource manager, which is started again; returns when it serves
#   tpm_wait                             returns when it serves
#
# The manager is what a real machine has in its kernel (/dev/tpmrm0): a TPM has room for three keys at a time.

tpm_alone() {
    [ "${TPM_ALONE-}" ] && return
    if command -v dbus-run-session swtpm tpm2-abrmd tpm2_getcap pkcs11-tool >/dev/null &&
        sh "${top_srcdir:?}/tests/lib/find-library.sh" libtpm2_pkcs11.so | grep -q .; then
        exec env TPM_ALONE=yes dbus-run-session -- "${SHELL:-sh}" "$1"
    fi
    echo "SKIPPED: swtpm, tpm2-abrmd, tpm2-tools, tpm2-pkcs11, opensc or dbus is not installed"
    exit 77
}

tpm_stop() {
    : >"${tmp:?}/.tpm/over"
    for process in manager tpm; do
        [ -s "$tmp/.tpm/$process.pid" ] && kill -9 "$(cat "$tmp/.tpm/$process.pid")" 2>/dev/null
    done
    true
}

tpm_serves() { tpm2_getcap properties-fixed >/dev/null 2>&1; }

# It dies by itself now and then, and is started again as a service manager would; the dead one's name is free a moment later.
tpm_keep_manager() {
    until [ -e "$tmp/.tpm/over" ]; do
        # what was in the TPM when the manager was killed would fill it
        tpm2-abrmd --allow-root --session --flush-all --tcti="swtpm:host=127.0.0.1,port=$(cat "$tmp/.tpm/port")" &
        echo $! >"$tmp/.tpm/manager.pid"
        wait $! || echo "the manager ended with status $?"
        sleep 0.1
    done >>"$tmp/.tpm/manager.log" 2>&1
}

tpm_wait() {
    tries=0
    until tpm_serves; do
        tries=$((tries + 1))
        [ $tries -lt 600 ] || { cat "$tmp/.tpm/manager.log" && return 1; }
        sleep 0.02
    done
}

tpm_restart() {
    kill -9 "$(cat "$tmp/.tpm/manager.pid")"
    tpm_wait
}

# On whichever port is free, and the next one.
tpm_start() {
    mkdir "$tmp/.tpm" "$tmp/.tpm/state" "$tmp/.tpm/store"
    port=$((20000 + $$ % 5000 * 2))
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        port=$((port + 2))
        swtpm socket --tpm2 --tpmstate "dir=$tmp/.tpm/state" --server "type=tcp,port=$port,bindaddr=127.0.0.1" \
            --ctrl "type=tcp,port=$((port + 1)),bindaddr=127.0.0.1" --flags not-need-init,startup-clear --daemon \
            --pid "file=$tmp/.tpm/tpm.pid" >"$tmp/.tpm/tpm.log" 2>&1 || continue
        echo "$port" >"$tmp/.tpm/port"
        return
    done
    cat "$tmp/.tpm/tpm.log" && exit 99
}

tpm_token() {
    trap 'tpm_stop; finish' EXIT
    export TPM2TOOLS_TCTI=tabrmd:bus_type=session TPM2_PKCS11_TCTI=tabrmd:bus_type=session TSS2_LOG=all+NONE
    export TPM2_PKCS11_STORE="$tmp/.tpm/store"
    module=$(find_library libtpm2_pkcs11.so)
    tpm_start
    tpm_keep_manager &
    setup tpm_wait
    setup pkcs11-tool --module "$module" --init-token --slot-index 0 --label "$1" --so-pin 87654321
    setup pkcs11-tool --module "$module" --init-pin --token-label "$1" --so-pin 87654321 --new-pin "$2" --login --login-type so
}
