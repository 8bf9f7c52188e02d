#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What only vaults have: key recover, purge, backup, restore, rotate, roles and store, against a Key Vault and a Managed HSM of our own.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "${top_srcdir:?}/tests/azure/azure.sh"
needs jq openssl

# configure STORE: two keys in key mode; `lost` has another alias that is not there; `file` is in no vault
configure() {
    store=$1
    printf %s "$SECRET" >secret
    chmod 600 secret
    write_config
}

write_config() { # [DESCRIPTORS [KEYS]]: more of them
    cat >engineSignEncrypt.xml <<EOF
<engineSignEncrypt>
  <descriptors>
    <descriptor name="FileSigner"><type algorithm="sha256WithRSA" key="k1"/></descriptor>
    ${1-}
  </descriptors>
  <login name="emulated" credential="secret" tenant="$TENANT" client="$CLIENT" authority="$AUTHORITY" caFile="file:$emulated/ca.pem" pin.source="file:$tmp/secret"/>
  <keys>
    <key name="k1"><type name="$store" locationValue="$VAULT" resource="$RESOURCE" login="emulated" alias="k1" certificate="file:$tmp/k1.pem"/></key>
    <key name="lost"><type name="$store" locationValue="$VAULT" resource="$RESOURCE" login="emulated" alias="lost" certificate="file:$tmp/k1.pem"/></key>
    <key name="spare"><type name="$store" locationValue="$VAULT" resource="$RESOURCE" login="emulated" alias="spare" certificate="file:$tmp/spare.pem"/></key>
    <key name="file"><type name="pem" locationValue="file:$tmp/file.pem"/></key>
    ${2-}
  </keys>
</engineSignEncrypt>
EOF
}

key() {
    command=$1
    shift
    # shellcheck disable=SC2086 # "roles list" are two words
    signengine -c engineSignEncrypt.xml key $command "$@" </dev/null
}

signs() { # DESCRIPTOR CERTIFICATE: what it signs is of this certificate
    printf data >data
    accepts signengine -c engineSignEncrypt.xml sign -d "$1" -o data.p7s data
    accepts openssl cms -verify -binary -inform DER -in data.p7s -content data -certfile "$2" -nointern -noverify -out /dev/null
}

other_stores() {
    for command in recover purge 'rotate -o never'; do
        # shellcheck disable=SC2086 # words of a command
        refuses 64 key_words $command
        says 'for keys in AzureKeyVault and AzureManagedHSM'
        says "'pem'"
    done
    printf 'signengine vault backup 1\n' >vault.backup
    refuses 64 key_words restore vault.backup
    says "'vault.backup' is a backup that a vault has made, and only a vault restores it"
}

# a backup for recovery certificates is put into a vault, too
recovers_from_file() {
    setup openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout safe.key -out safe.pem -subj /CN=safe -days 100
    cat safe.key safe.pem >safe.bundle
    rm -f file.backup spare.pem file.pem
    accepts key generate --type rsa:2048 file
    accepts key_words backup -o file.backup --to safe.pem
    refuses 64 key backup k1 -o never --to safe.pem
    says 'the vault encrypts the backup itself'
    accepts key restore spare file.backup --recovery safe.bundle
    accepts key list spare
    says "key 'spare'"
    accepts key restore --dry-run spare file.backup --recovery safe.bundle
    says 'which is the key that is there'
    accepts key delete --force spare
    accepts key purge --yes spare
    rm file.pem
}

key_words() { # COMMAND [ARGUMENT...]: with the key that is in a file
    command=$1
    shift
    case $command in
    restore) signengine -c engineSignEncrypt.xml key restore file "$@" </dev/null ;;
    *) signengine -c engineSignEncrypt.xml key "$command" file "$@" </dev/null ;;
    esac
}

backups() {
    refuses 64 key backup k1
    says '-o FILE'
    refuses 64 key backup -o b1
    refuses 78 key backup lost -o b1
    says 'no such key'
    refuses_file b1
    accepts key backup k1 -o b1
    [ "$(stat -c %a b1)" = 600 ] || fail "the backup has mode $(stat -c %a b1)"
    [ "$(head -n 1 b1)" = 'signengine vault backup 1' ] || fail "it begins with $(head -n 1 b1)"
    grep -qx "vault: $VAULT" b1 || fail 'it does not name the vault'
    grep -qx 'name: k1' b1 || fail 'it does not name the key'
    [ "$(sed -n 's/^sha256: //p' b1)" = "$(tail -n 1 b1 | tr -d '\n' | sha256sum | cut -d' ' -f1)" ] || fail 'the SHA-256 is another'
    cp b1 b1.first
    refuses 73 key backup k1 -o b1
    says 'not overwritten'
    same b1 b1.first
    ln -s nowhere link
    refuses 73 key backup k1 -o link
    accepts sh -c '"$1" -c engineSignEncrypt.xml key backup k1 -o - >b2' sh "${top_builddir:?}/signengine"
    [ "$(head -n 1 b2)" = 'signengine vault backup 1' ] || fail 'standard output has something else'
    rm -f b3
    accepts key backup k1 -o b3 --json
    [ "$(jq -r .output "$out")" = b3 ] || fail 'no output in JSON'
    emulator fault 403-rbac 1 >/dev/null
    refuses 77 key backup k1 -o b4
    refuses_file b4
}

refuses_file() {
    [ ! -e "$1" ] || fail "$1 is there"
}

damage() { # FILE SED: a copy that says something else, and has the SHA-256 of its blob
    sed "$2" <b1 >"$1"
    digest=$(tail -n 1 "$1" | tr -d '\n' | sha256sum | cut -d' ' -f1)
    sed -i "s/^sha256: .*/sha256: $digest/" "$1"
}

restores_refuse() {
    refuses 64 key restore k1
    refuses 66 key restore k1 nowhere
    refuses 73 key restore k1 b1
    says 'there is one already'
    echo 'something else' >bad
    refuses 65 key restore k1 bad
    says 'signengine vault backup 1'
    : >bad
    refuses 65 key restore k1 bad
    sed '$s/A/B/' b1 >bad
    sed -i '$s/^./_/' bad
    refuses 65 key restore k1 bad
    says 'SHA-256'
    head -c 300 b1 >bad
    refuses 65 key restore k1 bad
    sed 's/^kind: /kin: /' b1 >bad
    refuses 65 key restore k1 bad
    says 'line 4'
    (cat b1 && echo more) >bad
    refuses 65 key restore k1 bad
    sed '$s/$/*/' b1 >bad
    refuses 65 key restore k1 bad
    damage bad 's/^name: .*/name: k2/'
    refuses 64 key restore k1 bad
    says "not of 'k1'"
    damage bad 's/^kind: .*/kind: certificate/'
    refuses 64 key restore k1 bad
    damage bad 's/^store: .*/store: Elsewhere/'
    refuses 64 key restore k1 bad
    says 'a backup of Elsewhere'
}

purges() {
    refuses 64 key purge
    refuses 78 key purge k1
    says 'is not deleted'
    refuses 78 key recover k1
    says 'is not deleted'
    refuses 78 key purge lost
    says 'there is no deleted key'
    refuses 78 key recover lost
    accepts key delete k1 --force
    refuses 73 key restore k1 b1
    says 'a deleted key has the name until 20'
    accepts key purge k1 --dry-run
    says "key $VAULT/keys/k1"
    says 'goes by itself on 20'
    accepts key purge k1 --dry-run --json
    [ "$(jq -r .kind "$out")" = key ] || fail 'no kind in JSON'
    jq -er .scheduledPurge "$out" >/dev/null || fail 'no day in JSON'
    refuses 64 key purge k1
    says '--yes says that it is meant'
    emulator set purge-protection on >/dev/null
    refuses 78 key purge k1 --yes
    says 'purge protection'
    says 'goes by itself on 20'
    refuses 78 key purge k1 --dry-run
    emulator set purge-protection off >/dev/null
    emulator fault 403-rbac 1 >/dev/null
    refuses 77 key recover k1
    accepts key recover k1 --progress always
    accepts key list k1
    signs FileSigner k1.pem
    accepts key delete k1 --force
    accepts key recover k1 --json
    [ "$(jq -r .done "$out")" = recovered ] || fail 'no JSON'
    accepts key delete k1 --force
    accepts key purge k1 --yes
    ask GET /deletedkeys/k1 >/dev/null || :
    status_is 404
    ask GET /keys/k1 >/dev/null || :
    status_is 404
}

restores() {
    damage bad '$s/^\(.\{80\}\)[^_]/\1_/; t; $s/^\(.\{80\}\)_/\1A/'
    refuses 69 key restore k1 bad
    says 'does not take this backup'
    sed "s#^vault: .*#vault: https://elsewhere.$(echo "$RESOURCE" | sed 's#https://##')#" b1 >other
    accepts key restore k1 other
    says 'of another vault'
    signs FileSigner k1.pem
    refuses 73 key restore k1 b1
    accepts key delete k1 --force
    accepts key purge k1 --yes
    accepts key restore k1 b1 --json
    jq -er '.id | test("/keys/k1/[0-9a-f]{32}$")' "$out" >/dev/null || fail 'no id in JSON'
    says_not 'of another vault'
    signs FileSigner k1.pem
}

versions() {
    signengine -c engineSignEncrypt.xml key list k1 --versions --json | wc -l
}

public_key() {
    openssl x509 -in "$1" -noout -pubkey
}

rotates() {
    refuses 64 key rotate k1
    refuses 64 key rotate k1 -o new.pem --days 0
    refuses 78 key rotate lost -o new.pem
    refuses_file new.pem
    touch there
    refuses 73 key rotate k1 -o there
    [ "$(versions)" = 1 ] || fail 'a refused rotation has made a version'
    accepts key rotate k1 -o new.pem
    [ "$(versions)" = 2 ] || fail 'there is no second version'
    cp "$out" snippet
    newest=$(ask GET /keys/k1 | jq -r '.key.kid' | sed 's#.*/##')
    grep -q "keyVersion=\"$newest\"" snippet || fail 'the snippet has another version'
    grep -q 'name="FileSigner" version="2"' snippet || fail 'the snippet has no next version of the descriptor'
    says_not "$SECRET"
    [ "$(openssl x509 -in new.pem -noout -subject)" = "$(openssl x509 -in k1.pem -noout -subject)" ] || fail 'the subject is another'
    [ "$(public_key new.pem)" != "$(public_key k1.pem)" ] || fail 'the key is the old one'
    accepts openssl verify -CAfile new.pem new.pem
    # pasted, it works; the old version goes on with the old key
    write_config "$(sed -n '/<descriptor /,/<\/descriptor>/p' snippet)" "$(sed -n '/<key /,/<\/key>/p' snippet)"
    signs FileSigner:1 k1.pem
    signs FileSigner:2 new.pem
    write_config
    signs FileSigner k1.pem
    accepts key rotate k1 -o request.csr --request --subject /CN=asked/O=Example --san DNS:a.example --json
    [ "$(jq -r .request "$out")" = true ] || fail 'no JSON'
    accepts openssl req -in request.csr -verify -noout -text
    says 'CN = asked'
    says 'DNS:a.example'
    # one that is there already: no further version
    accepts key rotate k1 -o again.pem --key-version "$newest"
    [ "$(public_key again.pem)" = "$(public_key new.pem)" ] || fail 'the certificate is of another version'
    [ "$(versions)" = 3 ] || fail 'a version too many'
    says_not 'rotation policy'
    ask PUT /keys/k1/rotationpolicy '{"lifetimeActions":[{"trigger":{"timeAfterCreate":"P60D"},"action":{"type":"Rotate"}}],"attributes":{"expiryTime":"P90D"}}' >/dev/null
    accepts key rotate k1 -o policy.pem
    says 'behind our back'
    # what is made stays, and is named
    emulator fault 403-rbac 1 only=sign >/dev/null
    refuses 77 key rotate k1 -o failed.pem
    says '--key-version'
    refuses_file failed.pem
    emulator clear >/dev/null
}

certificates() { # certificate mode
    more="<key name=\"c1\"><type name=\"$store\" locationValue=\"$VAULT\" resource=\"$RESOURCE\" login=\"emulated\" alias=\"c1\" mode=\"certificate\"/></key>"
    write_config '<descriptor name="CertSigner"><type algorithm="sha256WithRSA" key="c1"/></descriptor>' "$more"
    accepts key generate c1 --type rsa:2048
    ask GET /certificates/c1 | jq -r .cer | openssl base64 -d -A | openssl x509 -inform DER -out c1.pem
    signs CertSigner c1.pem
    accepts key backup c1 -o c1.backup
    grep -qx 'kind: certificate' c1.backup || fail 'its kind is another'
    refuses 64 key restore k1 c1.backup
    accepts key rotate c1 -o c2.pem
    says 'names no version'
    [ "$(public_key c1.pem)" != "$(public_key c2.pem)" ] || fail 'the key is the old one'
    signs CertSigner c2.pem
    accepts key rotate c1 -o c3.csr --request
    accepts openssl req -in c3.csr -verify -noout
    refuses 64 key rotate c1 -o c4.pem --key-version 0123456789abcdef0123456789abcdef
    accepts key delete c1 --force
    accepts key purge c1 --dry-run
    says 'certificate https://'
    accepts key recover c1
    signs CertSigner c2.pem
    accepts key delete c1 --force
    accepts key purge c1 --yes
    ask GET /deletedcertificates/c1 >/dev/null || :
    status_is 404
    accepts key restore c1 c1.backup
    signs CertSigner c1.pem
    write_config
}

no_hsm() {
    for command in 'roles list' 'roles grant --role x --principal 33333333-3333-4333-8333-333333333333' \
        'roles revoke --principal 33333333-3333-4333-8333-333333333333' 'store backup --container https://a/b' \
        'store restore --container https://a/b --folder f' 'store status'; do
        # shellcheck disable=SC2086 # words of a command
        set -- $command
        case $command in
        'store status') refuses 64 signengine -c engineSignEncrypt.xml key store status k1 0123 ;;
        *) refuses 64 signengine -c engineSignEncrypt.xml key "$@" k1 ;;
        esac
        says 'for keys in AzureManagedHSM'
    done
}

somebody=66666666-6666-4666-8666-666666666666

roles() {
    accepts key 'roles list' k1
    says "$PRINCIPAL: Managed HSM Crypto User at /"
    accepts key 'roles list' k1 --json --principal "$somebody"
    [ ! -s "$out" ] || fail 'somebody has a role'
    refuses 64 key 'roles grant' k1 --role 'Crypto User'
    refuses 64 key 'roles grant' k1 --role 'Crypto User' --principal me
    says 'no object id'
    refuses 64 key 'roles grant' k1 --role King --principal "$somebody"
    says 'Managed HSM Crypto Auditor'
    refuses 64 key 'roles grant' k1 --role 'Crypto User' --principal "$somebody" --scope keys
    accepts key 'roles grant' k1 --role 'Crypto User' --principal "$somebody" --dry-run
    says "$somebody: Managed HSM Crypto User at /keys/k1"
    accepts key 'roles list' k1 --principal "$somebody"
    [ ! -s "$out" ] || fail 'a dry run has granted'
    accepts key 'roles grant' k1 --role 'crypto user' --principal "$somebody" --json
    [ "$(jq -r .roleId "$out")" = 21dbd100-6940-42c2-9190-5d6cb909625b ] || fail 'it is another role'
    accepts key 'roles grant' k1 --role 21dbd100-6940-42c2-9190-5d6cb909625b --principal "$somebody" -v
    says 'nothing is changed'
    accepts key 'roles list' k1 --principal "$somebody" --json
    [ "$(jq -rs length "$out")" = 1 ] || fail "there is not one assignment"
    [ "$(jq -r .scope "$out")" = /keys/k1 ] || fail 'the scope is another'
    # elsewhere it does not hold
    accepts key 'roles list' k1 --principal "$somebody" --scope /keys/other
    [ ! -s "$out" ] || fail 'it holds for another key'
    accepts key 'roles revoke' k1 --role 'Crypto User' --principal "$somebody" --dry-run
    says 'role assignment'
    refuses 64 key 'roles revoke' k1 --role 'Crypto User' --principal "$somebody"
    says '--yes'
    refuses 64 key 'roles revoke' k1 --yes
    refuses 78 key 'roles revoke' k1 --role 'Crypto Auditor' --principal "$somebody" --yes
    says 'no such role is given'
    # what comes from above is not taken away here
    refuses 78 key 'roles revoke' k1 --role 'Crypto User' --principal "$PRINCIPAL" --yes
    accepts key 'roles revoke' k1 --role 'Crypto User' --principal "$somebody" --yes
    accepts key 'roles list' k1 --principal "$somebody"
    [ ! -s "$out" ] || fail 'it still has the role'
    emulator fault 403-rbac 2 >/dev/null
    refuses 77 key 'roles list' k1
}

container=https://account.blob.core.windows.net/backups

stores() {
    export SAS='?sv=2023&se=2030-01-01&sig=Secret"Sas'
    refuses 64 key 'store backup' k1
    refuses 64 key 'store backup' k1 --container "$container?$SAS" --sas-source env:SAS
    says 'without its SAS token'
    refuses 77 key 'store backup' k1 --container "$container" --sas-source env:NO_SAS
    refuses 64 key 'store backup' k1 --container http://a/b
    NOT_SAS=malformed refuses 69 env NOT_SAS=malformed "${top_builddir:?}/signengine" -c engineSignEncrypt.xml key store backup k1 --container "$container" --sas-source env:NOT_SAS
    says 'SAS token is malformed'
    accepts key 'store backup' k1 --container "$container" --sas-source env:SAS --progress always
    says 'Succeeded'
    says "$container/mhsm-"
    says 'InProgress'
    says_not 'Secret"Sas'
    accepts key 'store backup' k1 --container "$container" --json # by the managed identity
    folder=$(jq -r .folder "$out") job=$(jq -r .job "$out")
    accepts key 'store status' k1 "$job"
    says 'Succeeded'
    refuses 78 key 'store status' k1 0123456789abcdef
    refuses 64 key 'store status' k1 ../keys
    refuses 64 key 'store status' k1
    refuses 64 key 'store restore' k1 --container "$container"
    says '--folder'
    accepts key 'store restore' k1 --container "$container" --folder "$folder" --dry-run
    says "Managed HSM $VAULT: all its roles and 1 key"
    refuses 64 key 'store restore' k1 --container "$container" --folder "$folder"
    says '--yes'
    refuses 64 key 'store restore' k1 --container "$container" --folder a/b --yes
    refuses 69 key 'store restore' k1 --container "$container" --folder nothing --sas-source env:SAS --yes
    says 'not found'
    accepts key delete k1 --force
    accepts key 'store restore' k1 --container "$container" --folder "$folder" --sas-source env:SAS --yes
    says 'Succeeded'
    signs FileSigner k1.pem
    accepts key 'store restore' k1 --container "$container" --folder "${folder##*/}" --yes --no-wait --json
    job=$(jq -r .job "$out")
    sleep 0.5
    accepts key 'store status' k1 --restore "$job"
    says 'Succeeded'
    refuses 78 key 'store status' k1 "$job"
}

openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=file -keyout file.key -out file.crt -days 30 2>/dev/null
cat file.key file.crt >file.pem
chmod 600 file.pem

for kind in vault hsm; do
    rm -rf ./k1.pem ./b? ./c? new.pem request.csr again.pem policy.pem link there bad other
    start_emulator "$kind" "$tmp/$kind"
    case $kind in
    vault) configure AzureKeyVault ;;
    hsm) configure AzureManagedHSM ;;
    esac
    accepts key generate k1 --type rsa:2048
    other_stores
    recovers_from_file
    backups
    restores_refuse
    purges
    restores
    case $kind in
    vault)
        rotates
        certificates
        no_hsm
        ;;
    hsm)
        stores
        roles
        rotates
        ;;
    esac
done
