#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# signengined beside other ways for several processes to use the same token, and beside the library in one of them.  SERVICE_MS: how long a
# turn is, SERVICE_TURNS: how many there are.
. "${here:?}/setup.sh"
[ -x "$top/signengined" ] || { echo "bench: service: signengined was not built: libmicrohttpd-dev is missing" >&2 && exit 77; }
ms=${SERVICE_MS-500} turns=${SERVICE_TURNS-31}
service() { "$top/tests/bench/service" "$@"; }

softhsm_token
real=$module
cp "$top/tests/lib/.libs/shim.so" . # the daemon's user may not see the build folder
processes=''
trap 'kill $processes 2>/dev/null' EXIT

# configuration FILE MODULE PIN: the descriptors Bench and Batch, and who may use them.  Each user has to have a file with the PIN of his own.
configuration() {
    place="tokenLabel=\"softhsm\" pin.source=\"file:$PWD/$3\""
    cat >"$1" <<XML
<engineSignEncrypt>
  <descriptors>
    <descriptor name="Bench"><type algorithm="SHA256withRSA" key="bench"/></descriptor>
    <descriptor name="Batch"><type algorithm="AES/CBC/PKCS7Padding" asymCipher="RSA/ECB/OAEPWithSHA-1AndMGF1Padding" key="fields"/></descriptor>
  </descriptors>
  <keys>
    <key name="bench"><type name="HSM" locationValue="$2" $place alias="bench"/></key>
    <key name="fields"><type name="HSM" locationValue="$2" $place alias="fields"/></key>
  </keys>
  <access>
    <allow name="bench" operations="sign decrypt"><user name="$(id -un)"/> <descriptor name="Bench"/> <descriptor name="Batch"/></allow>
  </access>
</engineSignEncrypt>
XML
}

# start NAME CONFIG AUDIT...: a daemon at the socket NAME/socket
start() {
    name=$1
    mkdir -p "$name"
    printf 'config = %s\nlisten = unix:%s/socket\nmode = 0666\nuser = nobody\n' "$PWD/$2" "$PWD/$name" >"$name/conf"
    shift 2
    for sink; do echo "audit = $sink"; done >>"$name/conf"
    if [ "$(id -u)" = 0 ]; then chown -R nobody "$name"; else sed -i '/^user/d' "$name/conf"; fi
    "$top/signengined" --settings "$PWD/$name/conf" >"$name/log" 2>&1 &
    processes="$processes $!"
    waited=0
    until [ -S "$name/socket" ]; do
        waited=$((waited + 1))
        if ! kill -0 $! 2>/dev/null || [ $waited -gt 300 ]; then cat "$name/log" >&2 && exit 1; fi
        sleep 0.1
    done
}

configuration all.xml "$real" pin
export SIGNENGINE_CONFIG="$PWD/all.xml"
setup "$top/signengine" key generate fields --type rsa:2048 --key-usage both
configuration slow.xml "$PWD/shim.so" pin
cp -p pin pin.daemon
configuration daemon.xml "$real" pin.daemon
configuration slow-daemon.xml "$PWD/shim.so" pin.daemon
printf 'module %s\nreplay\nC_Sign latency 24\n' "$real" >shim
export SHIM_FILE="$PWD/shim"
# the sealed history of an audit; its key is in a file
setup openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=auditor -addext keyUsage=critical,digitalSignature \
    -keyout auditor.key -out auditor.crt
cat auditor.key auditor.crt >auditor.pem
cat >audit.xml <<XML
<engineSignEncrypt>
  <descriptors><descriptor name="AuditSigner"><type algorithm="SHA-256" key="auditor"/></descriptor></descriptors>
  <keys><key name="auditor"><type name="pem" locationValue="classpath:auditor.pem"/></key></keys>
</engineSignEncrypt>
XML
mkdir beside alone
for chain in beside alone; do
    setup "$top/signengine" -c audit.xml history create --store "sqlite:$PWD/$chain/audit.db" --chain audit -d AuditSigner
done
if [ "$(id -u)" = 0 ]; then
    chmod 711 .. . # the daemon's user comes as far as its files
    chown -R nobody tokens softhsm2.conf pin.daemon daemon.xml slow-daemon.xml audit.xml auditor.pem shim
fi
history="config=$PWD/audit.xml"
start daemon daemon.xml "file:$PWD/daemon/audit.log"
start slow slow-daemon.xml "file:$PWD/slow/audit.log"
start required daemon.xml "file:$PWD/required/audit.log required"
start beside daemon.xml "file:$PWD/beside/audit.log" "history:sqlite:$PWD/beside/audit.db $history"
start alone daemon.xml "history:sqlite:$PWD/alone/audit.db $history required"

# ---- the same token behind p11-kit's server ----
client=$(sh "$here/../lib/find-library.sh" p11-kit-client.so)
if command -v p11-kit >/dev/null && [ "$client" ]; then
    p11-kit server --foreground --name "$PWD/p11-kit" --provider "$real" 'pkcs11:token=softhsm' >p11-kit.log 2>&1 &
    processes="$processes $!"
    until [ -S p11-kit ]; do
        kill -0 $! || { cat p11-kit.log >&2 && exit 1; }
        sleep 0.1
    done
    export P11_KIT_SERVER_ADDRESS="unix:path=$PWD/p11-kit"
    service sign 'by a socket, SoftHSM' 'p11-kit server' "daemon:$PWD/daemon/socket" "token:$client" "$ms" "$turns" 1 12 64
    service sign 'by a socket, SoftHSM' 'p11-kit server, a process for each' "daemon:$PWD/daemon/socket" "tokens:$client" "$ms" "$turns" 1 12 64
else
    echo 'bench: service: no p11-kit-client.so: its server is left out' >&2
fi

# ---- a token that takes its time ----
service sign 'by a socket, 24 ms for a signature' 'in one process' "daemon:$PWD/slow/socket" engine:slow.xml $((ms * 4)) $((turns / 4 + 1)) 12

# ---- batches ----
VALUES_CONFIG=all.xml service decrypt 'by a socket, in batches of 1,000' 'in one process' "daemon:$PWD/daemon/socket" engine:all.xml "$ms" "$turns" 1

# ---- what it costs that nothing is done without a record on the disk, and to seal the audit ----
for audit in 'required/in a required file' 'beside/in a file and a sealed history' 'alone/in a required sealed history'; do
    service sign "by a socket, audit ${audit#*/}" 'audit in a file' "daemon:$PWD/${audit%%/*}/socket" "daemon:$PWD/daemon/socket" "$ms" "$turns" 1 12 64
done
