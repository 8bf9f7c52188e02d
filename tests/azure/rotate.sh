#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `rotate` of keys in a Key Vault, in both modes, and in a Managed HSM: the four well-known jobs go on over the switch, with keys of names of
# their own.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "$top_srcdir/tests/azure/azure.sh"
needs openssl jq
echo content >data
printf 'From: alice@example.org\nTo: bob@example.org\nSubject: s\nDate: Wed, 02 Dec 2026 01:00:00 +0000\nMIME-Version: 1.0\n\nHello\n' >plain.eml
python3 -c 'import zipfile; z = zipfile.ZipFile("plain.zip", "w"); z.writestr("a.txt", "a")'
export SIGNENGINE_CONFIG="$tmp/engine.xml"
jobs='EncryptedFields ConfigZipSigner ObjectHistorySigner SignEmailDescriptor'

setup openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=CA -days 30
answer() { # REQUEST
    setup openssl x509 -req -in "$1" -CA "$tmp/ca.pem" -CAkey "$tmp/ca.key" -CAcreateserial -days 20 -copy_extensions copyall -out answer.pem
    cat "$tmp/ca.pem" >>answer.pem
}

# place TYPE MODE: engine.xml with the four jobs on keys of their own
place() {
    {
        echo "<engineSignEncrypt>"
        echo "  <login name='app' credential='secret' tenant='$TENANT' client='$CLIENT' pin.source='env:SECRET' authority='$AUTHORITY' caFile='$emulated/ca.pem'/>"
        echo "  <descriptors>"
        echo "    <descriptor name='EncryptedFields'><type algorithm='AES/GCM/NoPadding' asymCipher='RSA/ECB/OAEPWithSHA-256AndMGF1Padding' key='fields'/></descriptor>"
        echo "    <descriptor name='ConfigZipSigner'><type algorithm='SHA-256' key='zips'/></descriptor>"
        echo "    <descriptor name='ObjectHistorySigner'><type algorithm='SHA-256' key='histories'/></descriptor>"
        echo "    <descriptor name='SignEmailDescriptor'><type algorithm='SHA256withRSA' key='mails'/></descriptor>"
        echo "  </descriptors>"
        echo "  <keys>"
        for key in fields zips histories mails; do
            certificate=
            [ "$2" = certificate ] || certificate="certificate='file:$key-$1.pem'"
            echo "    <key name='$key'><type name='$1' login='app' locationValue='$VAULT' resource='$RESOURCE' alias='$key-$2' mode='$2' $certificate/></key>"
        done
        echo "  </keys>"
        echo "</engineSignEncrypt>"
    } >engine.xml
    [ "$1" != AzureManagedHSM ] || sed -i "s/ mode='key'//" engine.xml
}
make_keys() {
    accepts signengine -q key generate fields --type rsa:2048 --key-usage encrypt --subject '/CN=fields'
    accepts signengine -q key generate histories --type rsa:2048 --subject '/CN=histories'
}
certified() { # KEY OPTION...: by a CA
    certified=$1
    shift
    [ "$store" = vault-certificate ] || accepts signengine -q key generate "$certified" --type rsa:2048
    type=''
    [ "$store" != vault-certificate ] || type='--type rsa:2048'
    # shellcheck disable=SC2086 # words
    accepts signengine key request "$certified" $type "$@" -o "$certified.csr"
    answer "$certified.csr"
    accepts signengine -q key certificate "$certified" answer.pem
}
do_jobs() { # FOLDER
    mkdir "$1"
    accepts signengine encrypt -o "$1/value" data
    accepts signengine zip sign -o "$1/signed.zip" plain.zip
    accepts signengine mail sign -o "$1/signed.eml" plain.eml
    accepts signengine history append -s "sqlite:$store.db" --object o data
}
undo_jobs() { # FOLDER
    accepts signengine decrypt "$1/value"
    same "$out" data
    accepts signengine zip verify "$1/signed.zip"
    accepts signengine mail verify "$1/signed.eml"
    accepts signengine history verify -s "sqlite:$store.db"
}

for store in vault-key vault-certificate hsm-key; do
    mkdir "in-$store"
    cd "in-$store"
    export SIGNENGINE_CONFIG="$PWD/engine.xml"
    cp ../data ../plain.* .
    start_emulator "${store%-*}" "$tmp/$store"
    export SECRET
    case $store in
    hsm-*) place AzureManagedHSM key ;;
    *) place AzureKeyVault "${store#*-}" ;;
    esac
    make_keys
    certified zips --subject /CN=zips
    certified mails --subject /CN=mails --san email:alice@example.org
    accepts signengine history create -s "sqlite:$store.db"
    do_jobs old
    for job in $jobs; do
        cp engine.xml before.xml
        accepts signengine rotate --dry-run "$job"
        same engine.xml before.xml
        accepts signengine rotate --now "$job"
        for request in *-v2.csr; do
            [ -e "$request" ] || continue
            answer "$request"
            rm "$request"
            accepts signengine rotate --now "$job" --continue answer.pem
        done
        says "$job:2 takes over at"
        diff before.xml engine.xml >changes || :
        if grep '^<' changes; then fail 'the old text was changed'; fi
        [ -z "$(find . -name '*.next')" ] || fail "a file is left: $(find . -name '*.next')"
    done
    accepts signengine check --probe
    # the next key has a name of its own, and is like the last
    accepts signengine key list zips-v2
    says "zips-${store#*-}-v2"
    says RSA-2048
    says CN=zips
    accepts signengine --json key list fields-v2
    [ "$(jq -rs '.[] | select(.used) | .maySign' <"$out")" = false ] || fail 'a key for encryption may sign'
    undo_jobs old
    do_jobs new
    undo_jobs new
    refuses 1 signengine retire ConfigZipSigner:1 old/signed.zip --yes
    accepts signengine retire ConfigZipSigner:1 new/signed.zip --dry-run
    # an old one is given up, and with its key what only it could do
    refuses 1 signengine retire EncryptedFields:1 old --yes
    accepts signengine rekey --lines -d EncryptedFields --rejects bad -o rekeyed old/value
    accepts signengine retire EncryptedFields:1 --lines rekeyed --yes
    accepts signengine key delete fields --yes
    accepts signengine check --probe
    accepts signengine decrypt rekeyed
    same "$out" data
    cd "$tmp"
done

# ---- a CA, and kills ----
needs strace
export SIGNENGINE_CONFIG="$tmp/engine.xml"
versions() { grep -c '<descriptor ' engine.xml; }
verifies_with_openssl() {
    accepts signengine -q sign -d Files -o data.p7s data
    accepts openssl cms -verify -binary -inform DER -in data.p7s -content data -CAfile ca.pem -purpose any -out /dev/null
}
points=0
# killed_at CALL N: `rotate` is killed there; then the same command ends well
killed_at() {
    status=0 before=$(versions)
    strace -f -qq -o trace -e "trace=$1" -e "inject=$1:signal=KILL:when=$2" "$top_builddir/signengine" rotate --now --self-signed Files >"$out" 2>"$err" || status=$?
    if [ "$status" = 137 ]; then
        points=$((points + 1))
        accepts signengine sign -d Files -o data.p7s data
        accepts signengine rotate --now --self-signed Files
    fi
    cases=$((cases + 1)) bad=''
    [ "$(versions)" = $((before + 1)) ] || fail "killed at $1 $2: $(versions) versions after $before"
    [ -z "$(find . -maxdepth 1 -name '*.next')" ] || fail "killed at $1 $2: a plan is left"
    accepts signengine check --probe
    [ "$status" = 137 ]
}
for store in vault-key vault-certificate; do
    use_emulator "$tmp/$store"
    export SECRET
    certificate=
    [ "$store" = vault-certificate ] || certificate="certificate='file:files.pem'"
    cat >engine.xml <<XML
<engineSignEncrypt>
  <login name='app' credential='secret' tenant='$TENANT' client='$CLIENT' pin.source='env:SECRET' authority='$AUTHORITY' caFile='$emulated/ca.pem'/>
  <descriptors>
    <descriptor name='Files'><type algorithm='SHA256withRSA' key='files'/></descriptor>
  </descriptors>
  <keys>
    <key name='files'><type name='AzureKeyVault' login='app' locationValue='$VAULT' resource='$RESOURCE' alias='files-of-$store' mode='${store#*-}' $certificate/></key>
  </keys>
</engineSignEncrypt>
XML
    [ "$store" = vault-certificate ] || accepts signengine -q key generate files --type rsa:2048
    type=''
    [ "$store" = vault-key ] || type='--type rsa:2048 --subject /CN=files'
    # shellcheck disable=SC2086 # words
    accepts signengine key request files $type -o files.csr
    answer files.csr
    accepts signengine key certificate files answer.pem
    verifies_with_openssl
    cp engine.xml before.xml
    accepts signengine rotate --now Files
    says "signengine rotate Files --continue"
    same engine.xml before.xml
    # given again, the same
    cp files-v2.csr first.csr
    accepts signengine rotate --now Files
    same first.csr files-v2.csr
    answer files-v2.csr
    accepts signengine rotate --now Files --continue answer.pem
    [ "$(versions)" = 2 ] || fail 'no second version'
    verifies_with_openssl
    accepts openssl x509 -in answer.pem -noout -subject
    says CN
    for call in linkat fsync unlink; do
        for n in 1 2 3 4 5 6; do
            killed_at "$call" "$n" || break
        done
    done
    rm -f ./files*.csr
done
echo "# killed at $points points"
cases=$((cases + 1)) bad=''
[ "$points" -ge 4 ] || fail "only $points points"
