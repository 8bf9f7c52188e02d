# SPDX-License-Identifier: Apache-2.0
# `rotate`: the next version of a descriptor in every store, with a certificate of its own or a CA's; given again, it goes on.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl softhsm2-util pkcs11-tool
printf 1234 >pin
chmod 600 pin
echo data >data
in_seconds() { date -u -d "$1 seconds" +%Y-%m-%dT%H:%M:%SZ; }

# place ATTRIBUTES: engine.xml with three descriptors on a key; its comments and layout are the operator's
conf() { # KEY-NAME ATTRIBUTES
    cat >engine.xml <<-XML
	<?xml version="1.0"?>
	<!-- who signs what -->
	<engineSignEncrypt>
	   <descriptors>
	      <!-- files -->
	      <descriptor  version='1' name='Files'>
	         <type algorithm="SHA-256"   key='$1'/> <!-- since 2024 -->
	      </descriptor>
	      <descriptor name="Fields"><type algorithm="AES/GCM/NoPadding" size="256" key="$1" asymCipher="RSA/ECB/OAEPWithSHA-1AndMGF1Padding"/></descriptor>
	   </descriptors>
	   <keys>
	      <key name="$1">
	         <!-- here -->
	         <type $2/>
	      </key>
	   </keys>
	</engineSignEncrypt>
	XML
    cp engine.xml before.xml
}
export SIGNENGINE_CONFIG="$tmp/engine.xml"
no_next() { [ -z "$(find . -name '*.next')" ] || fail "a file is left: $(find . -name '*.next')"; }
grows() { # nothing of what was there has changed
    diff before.xml engine.xml >changes || :
    grep -q '^<' changes && fail "the old text was changed: $(cat changes)"
    no_next
}
version_of() { # VERSION: that one signs now
    accepts signengine -q sign -d Files -o data.p7s data
    accepts signengine --json verify -d Files -s data.p7s data
    says "\"version\":$1"
}

make_token lab
make_ca ca
for store in token pkcs12 shared pem; do
    case $store in
    token) conf one "name='HSM' locationValue='$softhsm_module' tokenLabel='lab' alias='one' pin.source='file:pin'" ;;
    pkcs12) conf keyV1 "name='pkcs12' locationValue='file:keyV1.p12' pin.source='file:pin'" ;;
    shared) conf one "name='pkcs12' locationValue='shared.p12' alias='one' pin.source='file:pin'" ;;
    pem) conf one "name='pem' locationValue='one.pem'" ;;
    esac
    name=$(sed -n 's/.*<key name="\([^"]*\)".*/\1/p' engine.xml)
    accepts signengine key generate "$name" --subject "/CN=signer of $store/O=Example" --san email:a@example.org --type rsa:2048 --key-usage both
    accepts signengine sign -d Files -o old.p7s data
    accepts signengine encrypt -d Fields -o value data

    # first only shown
    accepts signengine rotate --dry-run Files
    says 'descriptor Files:2: '
    accepts cmp before.xml engine.xml
    no_next

    accepts signengine rotate Files
    says 'Files:2 takes over at'
    grows
    version_of 1
    accepts signengine check --probe
    # it is like the last
    next=$([ "$name" = keyV1 ] && echo keyV2 || echo one-v2)
    accepts signengine key list "$next"
    says 'RSA-2048'
    says "CN=signer of $store"
    accepts signengine --json certificates -d Files:2
    cp "$out" two.json

    # an encrypting one, at once
    cp engine.xml before.xml
    accepts signengine rotate --now Fields
    grows
    accepts signengine encrypt -d Fields -o value2 data
    accepts signengine decrypt -d Fields value2
    says data
    accepts signengine decrypt -d Fields value
    says data
    accepts signengine verify -d Files -s old.p7s data
    accepts signengine check --probe

    # it takes over when its time comes
    cp engine.xml before.xml
    accepts signengine rotate --from "$(in_seconds 3)" Files
    grows
    for _ in $(seq 100); do
        signengine -q sign -d Files -o data.p7s data
        signengine --json verify -d Files -s data.p7s data | grep -q '"version":3' && break
        sleep 0.2
    done
    version_of 3
    accepts signengine verify -d Files -s old.p7s data
done

# ---- whether it may leave its token is up to who made the first one ----
for leaves in yes no; do
    conf "leaves-$leaves" "name='HSM' locationValue='$softhsm_module' tokenLabel='lab' alias='leaves-$leaves' pin.source='file:pin'"
    option=
    [ $leaves = no ] || option=--exportable
    accepts signengine key generate "leaves-$leaves" ${option:+"$option"} --type rsa:2048 --key-usage both
    accepts signengine rotate --now Files
    accepts signengine key list "leaves-$leaves-v2"
    says "may leave: $leaves"
done

# ---- away from a token that is lost, to a key that is there ----
make_cert kept rsa:2048 issuer=self keyUsage=critical,digitalSignature
cat >engine.xml <<-XML
	<engineSignEncrypt>
	  <descriptors><descriptor name="Files"><type algorithm="SHA-256" key="lost"/></descriptor></descriptors>
	  <keys>
	    <key name="lost"><type name="HSM" locationValue="$tmp/lost.so" tokenLabel="lab" alias="lost" pin.source="file:pin" certificate="file:kept.pem"/></key>
	    <key name="next"><type name="pem" locationValue="next.pem"/></key>
	  </keys>
	</engineSignEncrypt>
XML
accepts signengine key generate next --type rsa:2048
accepts signengine rotate --now --to next Files
version_of 2

# ---- a CA ----
conf one "name='HSM' locationValue='$softhsm_module' tokenLabel='lab' alias='certified' pin.source='file:pin'"
accepts signengine key generate one --type rsa:2048 --subject /CN=certified
accepts signengine key request one -o one.csr
answer() { # REQUEST
    setup openssl x509 -req -in "$1" -CA ca.pem -CAkey ca.key -days 100 -out answer.pem
    cat ca.pem >>answer.pem
}
answer one.csr
accepts signengine key certificate one answer.pem
accepts signengine rotate --now Files
says "signengine rotate Files --continue"
accepts cmp before.xml engine.xml
version_of 1
# given again, the same
cp one-v2.csr first.csr
accepts signengine rotate Files
says "signengine rotate Files --continue"
accepts openssl req -in one-v2.csr -noout -subject
says 'CN = certified'
[ "$(openssl req -in first.csr -noout -pubkey)" = "$(openssl req -in one-v2.csr -noout -pubkey)" ] || fail 'another key'
refuses 65 signengine rotate Files --continue data
answer one-v2.csr
accepts signengine rotate Files --now --continue answer.pem
grows
version_of 2
accepts openssl cms -verify -binary -inform DER -in data.p7s -content data -CAfile ca.pem -purpose any -out /dev/null
refuses 64 signengine rotate Files --continue answer.pem
says 'no rotation waits'

# ---- given up ----
cp engine.xml before.xml
accepts signengine rotate Files
says --continue
# nothing is planned anew by looking
cp ./*.next planned
accepts signengine rotate Files --dry-run --from 2099-01-01
accepts cmp planned ./*.next
refuses 64 signengine rotate Files --abort </dev/null
accepts signengine rotate Files --abort --dry-run
accepts signengine rotate Files --abort --yes
accepts cmp before.xml engine.xml
no_next
accepts pkcs11-tool --module "$softhsm_module" --token-label lab --list-objects
says_not 'certified-v3'
refuses 64 signengine rotate Files --abort --yes

# ---- the time that was planned passes while the CA takes its own ----
soon=$(($(date +%s) + 5))
accepts signengine rotate Files --from "$(date -u -d "@$soon" +%Y-%m-%dT%H:%M:%SZ)"
says --continue
answer one-v3.csr
until [ "$(date +%s)" -gt "$soon" ]; do sleep 0.2; done
accepts signengine rotate Files --continue answer.pem
says "the time for which the switch was planned has passed: now it is $(date -u -d tomorrow +%Y-)"
grows
version_of 2

# ---- changed meanwhile ----
accepts signengine rotate Files
says --continue
sed -i 's/<!-- files -->/<!-- files of all kinds -->/' engine.xml
cp engine.xml before.xml
accepts signengine rotate Files --self-signed
grows
accepts grep -q 'files of all kinds' engine.xml

# ---- somebody else's key has the name ----
conf one "name='HSM' locationValue='$softhsm_module' tokenLabel='lab' alias='taken' pin.source='file:pin'"
accepts signengine key generate one --type rsa:2048 --key-usage both
theirs="--module $softhsm_module --token-label lab --pin-source file:pin --alias taken-v2"
# shellcheck disable=SC2086 # words
accepts signengine key generate $theirs --type ec:P-256 --subject /CN=theirs
for _ in 1 2; do
    refuses 73 signengine rotate --now Files
    says "'taken-v2'"
    no_next
    accepts cmp before.xml engine.xml
done
# shellcheck disable=SC2086 # words
accepts signengine key list $theirs
says CN=theirs

# ---- a signed configuration ----
sed -i '/name="Fields"/d' engine.xml
accepts signengine key request one -o one.csr
answer one.csr
accepts signengine key certificate one answer.pem
accepts signengine config sign -d Files
refuses 64 signengine --trust-config ca.pem rotate --now --self-signed Files
says 'say with --sign'
no_next
# shellcheck disable=SC2086 # words
accepts signengine key delete $theirs --yes
accepts signengine --trust-config ca.pem rotate --now --self-signed Files --sign Files
no_next
accepts signengine --trust-config ca.pem check --probe
accepts signengine config verify --trust-config ca.pem

# ---- what is refused ----
cp before.xml engine.xml
refuses 78 signengine rotate None
refuses 64 signengine rotate
refuses 64 signengine rotate Files:1
refuses 64 signengine rotate Files --from 2020-01-01
says 'in the past'
refuses 78 signengine rotate Files --to nowhere
flock engine.xml sh -c ': >held && exec sleep 30' &
holder=$!
until [ -e held ]; do sleep 0.05; done
refuses 69 signengine rotate Files
says 'another `rotate` or `retire` is at work'
kill "$holder"
