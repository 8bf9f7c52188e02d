#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# soak-campaign.sh REQUESTS [CLIENTS]: in a build folder, as root. So many requests of all kinds, while the configuration is loaded again, the
# token goes away and comes back, and the audit's file is rotated. What the daemon has of memory, threads and descriptors must not grow:
# the last quarter is compared with the second. No call may fail, but for those told to ask again; each has its record; each append is
# there once.
: "${top_builddir:=$PWD}" "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
export top_builddir top_srcdir
requests=${1:?how many requests} clients=${2-8}
. "$top_srcdir/tests/lib/harness.sh"
. "$top_srcdir/tests/daemon/daemon-lib.sh"
needs pkcs11-tool sqlite3

# ---- a daemon: a key in a file, one in a token, a history, two sinks ----
daemon_configuration
make_token lab
cp "$top_builddir/tests/lib/.libs/shim.so" . # other users may not see the build folder
make_cert k rsa:2048 keyUsage=critical,digitalSignature
make_cert fields rsa:2048 keyUsage=critical,keyEncipherment
cat fields.key fields.pem ca.pem >fields.bundle
setup openssl pkcs8 -topk8 -nocrypt -in k.key -outform DER -out k.der
setup pkcs11-tool --module "$softhsm_module" --token-label lab --login --pin 1234 --write-object k.der --type privkey --label k --id 01
setup openssl x509 -in k.pem -outform DER -out k.der
setup pkcs11-tool --module "$softhsm_module" --token-label lab --login --pin 1234 --write-object k.der --type cert --label k --id 01
faults() { # LINE...: what is wrong with the token from now on
    printf '%s\n' "module $softhsm_module" "$@" >.faults
    mv .faults faults
}
faults '# nothing'
export SHIM_FILE="$tmp/faults"
sed -i -e "s|</descriptors>|<descriptor name='Token'><type algorithm='SHA-256' key='token'/></descriptor><descriptor name='Fields'><type algorithm='AES/GCM/NoPadding' size='256' key='fields' asymCipher='RSA/ECB/OAEPWithSHA-256AndMGF1Padding'/></descriptor></descriptors>|" \
    -e "s|</keys>|<key name='token'><type name='HSM' locationValue='$tmp/shim.so' tokenLabel='lab' alias='k' pin='1234'/></key><key name='fields'><type name='pem' locationValue='fields.bundle'/></key></keys>|" \
    -e "s|<access>|<access><allow name='soak' operations='sign verify encrypt decrypt monitor'><user name='daemon'/><descriptor name='FileSigner'/><descriptor name='Token'/><descriptor name='Fields'/></allow><allow name='entries' operations='history-append'><user name='daemon'/><history name='default'/></allow>|" engine.xml
chmod 600 engine.xml
setup signengine -c engine.xml history create --store "sqlite:$tmp/run/history.db" -d Other
chown -R nobody .tokens .softhsm2.conf engine.xml fields.bundle run
daemon_settings "history default = sqlite:$tmp/run/history.db default Other"
start_daemon "$top_builddir/signengined"

# ---- the load ----
as daemon python3 soak.py "$tmp/run/socket" "$requests" "$clients" "$tmp/asked/count" sign=4 token=4 verify=4 forged=1 encrypt=4 decrypt=4 batch=1 \
    append=1 forbidden=1 metrics=1 >soak.got 2>&1 &
load=$! others=$!
until_true test -s asked/count
done_so_far() { cat asked/count; }

# ---- what happens meanwhile; a line of figures now and then ----
: >figures
note_figures() {
    awk -v count="$(done_so_far)" -v files="$(find "/proc/$daemon/fd" -mindepth 1 | wc -l)" \
        '/^VmRSS:/ { rss = $2 } /^Threads:/ { threads = $2 } END { print count, rss, threads, files }' "/proc/$daemon/status" >>figures
}
rotations=0 reloads=0 restarts=0
# count_records FILE: adds it to `counted`, and removes it, for a long soak would fill the disk
count_records() {
    awk 'function value(name,   at) {
            at = index($0, "\"" name "\":") + length(name) + 3
            return substr($0, at, match(substr($0, at), "[,}]") - 1)
        }
        { n = value("n"); sum += n; if (n > most) most = n; count[value("operation") " " value("result")]++ }
        END {
            for (name in count)
                print name, count[name]
            printf "numbers %d %.0f %d\n", NR, sum, most
        }' "$1" | tr -d '"' >>counted
    rm "$1"
}
rotate_audit() {
    [ "$rotations" = 0 ] || count_records "run/audit.log.$rotations"
    rotations=$((rotations + 1))
    mv run/audit.log "run/audit.log.$rotations"
}
reload() {
    reloads=$((reloads + 1))
    kill -HUP "$daemon"
}
restart_token() {
    restarts=$((restarts + 1))
    faults 'C_SignInit answer CKR_DEVICE_REMOVED' 'C_OpenSession answer CKR_DEVICE_REMOVED' 'C_GetTokenInfo answer CKR_TOKEN_NOT_PRESENT'
    sleep 0.3
    faults '# mended'
}
# 200 turns, whatever they are of, so that a long soak has no more of them than it has figures
step=$((requests / 200 > 0 ? requests / 200 : 1)) next=0 turn=0
while kill -0 "$load" 2>/dev/null; do
    if [ "$(done_so_far)" -lt "$next" ]; then
        sleep 0.1
        continue
    fi
    note_figures
    turn=$((turn + 1)) next=$((next + step))
    case $((turn % 10)) in
    2 | 7) reload ;;
    4) restart_token ;;
    9) rotate_audit ;;
    esac
done

# ---- what came of it ----
cases=$((cases + 1)) bad=''
wait "$load" || fail 'calls failed'
others=''
cat soak.got
note_figures
echo "$reloads reloads, $restarts restarts of the token, $rotations rotations of the audit's file"
steady() { # COLUMN NAME SLACK: the greatest of the last quarter, but for SLACK, is no more than that of the second
    awk -v column="$1" -v slack="$3" -v total="$requests" '
        $1 > total / 4 && $1 <= total / 2 && $column > second { second = $column }
        $1 > total * 3 / 4 && $column > last { last = $column }
        END { print second, last; exit !(second && last <= second + slack) }' figures
}
check_steady() {
    cases=$((cases + 1)) bad=''
    figure=$(steady "$@") || fail "$2: $figure"
    echo "$2, most in the second and in the last quarter: $figure"
}
cp soak.got "$out"
check_steady 2 'kB of memory' 4096
check_steady 3 threads 2
check_steady 4 descriptors 8

stop_daemon
# each answer has a record, and none is missing; those of refused ones come late, but before the end
for file in run/audit.log*; do count_records "$file"; done
accepts awk -v requests="$requests" '
    $1 == "numbers" { records += $2; sum += $3; if ($4 > most) most = $4; next }
    { number = $NF; sub(/ [0-9]+$/, ""); count[$0] += number }
    END {
        for (name in count)
            printf "%10d  %s\n", count[name], name
        print records " records, the last is number " most
        exit records != most || sum != most * (most + 1) / 2 || records < requests
    }' counted
cat "$out"
accepts signengine -c engine.xml history verify --store "sqlite:$tmp/run/history.db" -d Other
appended=$(sed -n 's/^ *\([0-9]*\)  append 201$/\1/p' soak.got)
cases=$((cases + 1)) bad=''
there=$(sqlite3 run/history.db 'SELECT count(*), count(DISTINCT object) FROM entry')
[ "$there" = "$appended|$appended" ] || fail "$appended appended, in the store: $there"
