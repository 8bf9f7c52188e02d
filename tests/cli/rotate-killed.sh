# SPDX-License-Identifier: Apache-2.0
# `rotate` is killed at each border of its steps: at each call of PKCS #11 that changes or opens something, and before each change of a
# file.  The configuration in place works, nothing is lost, and the same command ends well.  Each time with a token of its own, for SoftHSM
# loses one whose login is cut short by itself.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl softhsm2-util strace
printf 1234 >pin
chmod 600 pin
echo data >data
cp "$top_builddir/tests/lib/.libs/shim.so" .
export SHIM_FILE="$tmp/faults" SHIM_MODULE="$softhsm_module" SIGNENGINE_CONFIG="$tmp/engine.xml"
: >faults
make_token lab
conf() { # ATTRIBUTES
    cat >engine.xml <<-XML
	<engineSignEncrypt>
	  <descriptors><descriptor name="Files"><type algorithm="SHA-256" key="one"/></descriptor></descriptors>
	  <keys><key name="one"><type $*/></key></keys>
	</engineSignEncrypt>
	XML
    chmod 640 engine.xml
    [ "$(id -u)" != 0 ] || chown nobody engine.xml
    stat -c '%U %a' engine.xml >owner
}
verifies_old() { accepts signengine verify -d Files -s old.p7s data; }
begin() { # ATTRIBUTES: with a key, and what it has signed; kept in the folder `kept`
    conf "$*"
    accepts signengine key generate one --type ec:P-256
    accepts signengine sign -d Files -o old.p7s data
    rm -rf kept
    mkdir kept
    cp -a engine.xml old.p7s owner .tokens kept
    cp ./*.pem ./*.p12 kept 2>/dev/null || :
}
reset() {
    rm -rf .tokens ./*.pem ./*.p12 ./*.next
    cp -a kept/. .
}
ends_well() { # what a kill has left
    : >faults
    verifies_old
    accepts signengine sign -d Files -o data.p7s data
    accepts signengine rotate --now Files
    [ -z "$(find . -maxdepth 1 -name '*.next')" ] || fail 'the plan is still there'
    [ "$(grep -c '<descriptor ' engine.xml)" = 2 ] || fail 'not two versions'
    [ "$(stat -c '%U %a' engine.xml)" = "$(cat owner)" ] || fail 'the configuration has another owner or mode'
    accepts signengine check --probe
    accepts signengine --json sign -d Files -o data.p7s data
    accepts signengine --json verify -d Files -s data.p7s data
    says '"version":2'
    verifies_old
    accepts signengine key list one-v2
    [ "$(grep -c one-v2 "$out")" = 1 ] || fail "there are remains: $(cat "$out")"
}
points=0
killed() { # CMD...: it was, or else it came to its end
    status=0
    "$@" >"$out" 2>"$err" || status=$?
    [ "$status" != 137 ] || points=$((points + 1))
    [ "$status" = 0 ] || [ "$status" = 137 ] || fail "status $status: $*"
    [ "$status" = 137 ]
}

# ---- a token ----
begin "name='HSM' locationValue='$tmp/shim.so' tokenLabel='lab' alias='one' pin.source='file:pin'"
for call in C_Initialize C_Login C_GenerateKeyPair C_CreateObject C_DestroyObject C_SetAttributeValue C_SignInit C_CloseSession C_Finalize; do
    for n in 1 2 3 4 5 6 7 8; do
        reset
        echo "$call at $n die" >.faults
        mv .faults faults
        killed signengine rotate --now Files || break
        ends_well
    done
done

# ---- files ----
for place in "name='pem' locationValue='one.pem'" "name='pkcs12' locationValue='one.p12' alias='one' pin.source='file:pin'"; do
    begin "$place"
    for call in openat linkat rename unlink fsync; do
        for n in 1 2 3 4 5 6 7 8; do
            case $call in openat) at=$((n * 40)) ;; *) at=$n ;; esac
            reset
            # shellcheck disable=SC2154 # of the harness
            killed strace -f -qq -o trace -e "trace=$call" -e "inject=$call:signal=KILL:when=$at" "$top_builddir/signengine" rotate --now Files || break
            ends_well
        done
    done
done
echo "# killed at $points points"
cases=$((cases + 1)) bad=''
[ "$points" -ge 30 ] || fail "only $points points"
