#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What `check` says of keys in vaults: each warning appears when there is reason for it, and not else.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "${top_srcdir:?}/tests/azure/azure.sh"
needs jq openssl

somebody=66666666-6666-4666-8666-666666666666

# write_config KEY [ATTRIBUTE...]: signs with the key in key mode, unless `more` says otherwise
write_config() {
    name=$1
    shift
    printf %s "${login_secret-$SECRET}" >secret
    usual="<descriptor name=\"FileSigner\"><type algorithm=\"${algorithm-sha256WithRSA}\" key=\"k\"/></descriptor>"
    where="certificate=\"file:$tmp/$name.pem\""
    chmod 600 secret
    cat >engineSignEncrypt.xml <<EOF
<engineSignEncrypt>
  <descriptors>${descriptors-$usual}</descriptors>
  <login name="emulated" credential="secret" tenant="$TENANT" client="${login_client-$CLIENT}" authority="$AUTHORITY" caFile="file:$emulated/ca.pem" pin.source="file:$tmp/secret" ${login_until-}/>
  <keys>
    <key name="k"><type name="$store" locationValue="$VAULT" resource="$RESOURCE" login="emulated" alias="$name" ${*:-$where}/></key>
  </keys>
</engineSignEncrypt>
EOF
}

checks() {
    signengine -c engineSignEncrypt.xml check "$@" </dev/null
}

key() {
    command=$1
    shift
    signengine -c engineSignEncrypt.xml key "$command" k "$@" </dev/null
}

new_key() { # NAME TYPE [OPTION...]
    write_config "$1"
    type=$2
    shift 2
    setup key generate --type "$type" "$@"
}

update() { # NAME JSON: the newest version
    version=$(ask GET "/keys/$1" | jq -r .key.kid | sed 's#.*/##')
    ask PATCH "/keys/$1/$version" "$2" >/dev/null || fail "cannot update $1: $(cat "$tmp/.body")"
}

days_from_now() {
    echo $(($(date +%s) + $1 * 86400))
}

recovery() {
    new_key k1 rsa:2048
    accepts checks --metrics check.prom
    says 'no purge protection'
    grep -qxF 'signengine_check_finding{kind="purge-protection",subject="descriptor FileSigner:1",level="warning"} 1' check.prom || fail 'not in the metrics'
    says_not 'is kept for'
    refuses_strict
    emulator set purge-protection on >/dev/null
    accepts checks
    says_not 'purge protection'
    emulator set recoverable-days 7 >/dev/null
    accepts checks
    says 'is kept for 7 days only, not 90'
    emulator set recoverable-days 90 >/dev/null
    accepts checks
    says_not 'is kept for'
}

refuses_strict() {
    try checks --strict
    [ "$status" = 1 ] || fail "--strict: status $status, not 1"
}

ends() {
    accepts checks
    says_not 'the key itself expires'
    update k1 "{\"attributes\":{\"exp\":$(days_from_now 10)}}"
    accepts checks
    says 'the key itself expires on'
    says 'days, and then does not sign'
    update k1 "{\"attributes\":{\"exp\":$(days_from_now 60)}}"
    accepts checks
    says 'before its certificate'
    update k1 "{\"attributes\":{\"exp\":$(days_from_now 36000)}}"
    accepts checks
    says_not 'the key itself expires'
    expired=$(days_from_now -1)
    update k1 "{\"attributes\":{\"exp\":$expired}}"
    accepts checks --metrics check.prom
    says 'the key has expired on'
    grep -qxF "signengine_check_end_timestamp_seconds{kind=\"vault-key\",subject=\"descriptor FileSigner:1\"} $expired" check.prom || fail 'not in the metrics'
    refuses 78 checks --probe
    update k1 "{\"attributes\":{\"exp\":$(days_from_now 36000)}}"
}

operations() {
    update k1 '{"key_ops":["sign","verify"]}'
    accepts checks
    says_not 'key_ops'
    update k1 '{"key_ops":["sign","verify","decrypt"]}'
    accepts checks
    says 'no descriptor decrypts with the key'
    update k1 '{"key_ops":["verify"]}'
    refuses 78 checks
    says "may not sign"
    update k1 '{"key_ops":["verify","unwrapKey"]}'
    refuses 78 checks
    # two descriptors, and the key is for one of them
    descriptors='<descriptor name="Fields"><type algorithm="AES/GCM/NoPadding" size="256" asymCipher="RSA/ECB/OAEPWithSHA-256AndMGF1Padding" key="k"/></descriptor>'
    write_config k1
    accepts checks
    says_not 'key_ops'
    update k1 '{"key_ops":["sign","verify","unwrapKey"]}'
    accepts checks
    says 'no descriptor signs with the key'
    # what a vault can't do is known without asking it
    descriptors='<descriptor name="Fields"><type algorithm="AES/GCM/NoPadding" size="256" asymCipher="RSA/ECB/OAEPWithSHA-384AndMGF1Padding" key="k"/></descriptor>'
    write_config k1
    refuses 78 checks
    says 'a vault decrypts RSA-OAEP with SHA-1 or SHA-256 only'
    unset descriptors
    write_config k1
    update k1 '{"key_ops":["sign","verify"]}'
}

rotations() {
    accepts checks
    says_not 'rotation policy'
    ask PUT /keys/k1/rotationpolicy '{"lifetimeActions":[{"trigger":{"timeBeforeExpiry":"P30D"},"action":{"type":"Notify"}}],"attributes":{"expiryTime":"P90D"}}' >/dev/null || :
    accepts checks
    says_not 'rotation policy'
    ask PUT /keys/k1/rotationpolicy '{"lifetimeActions":[{"trigger":{"timeAfterCreate":"P60D"},"action":{"type":"Rotate"}}],"attributes":{"expiryTime":"P90D"}}' >/dev/null
    accepts checks
    says 'a rotation policy makes new versions'
    says_not 'newer version of the key'
    emulator rotate k1 >/dev/null
    accepts checks --probe
    says 'newer version of the key'
}

exportables() {
    accepts checks
    says_not 'exportable'
    ask POST /keys/k2/create '{"kty":"RSA-HSM","key_size":2048,"key_ops":["sign","verify"],"attributes":{"exportable":true},"release_policy":{"data":"e30"}}' >/dev/null ||
        fail "no exportable key: $(cat "$tmp/.body")"
    write_config k2
    accepts key rotate -o k2.pem --key-version "$(ask GET /keys/k2 | jq -r .key.kid | sed 's#.*/##')"
    accepts checks
    says 'the key is exportable'
    write_config k1
}

protections() {
    case $store in
    AzureKeyVault)
        accepts checks
        says_not 'software protects the key'
        new_key soft rsa:2048 --protection software
        accepts checks
        says 'software protects the key, no HSM'
        new_key r3072 rsa:3072
        accepts checks
        says 'does 50 operations a second'
        new_key r4096 rsa:4096
        accepts checks
        says 'does 25 operations a second'
        ;;
    *)
        new_key r3072 rsa:3072
        accepts checks
        says_not 'operations a second'
        says_not 'software protects'
        ;;
    esac
    algorithm=sha256WithECDSA
    new_key ec ec:P-256
    accepts checks --probe
    says_not 'operations a second'
    algorithm=sha384WithECDSA
    write_config ec
    refuses 78 checks
    unset algorithm
}

authority() {
    openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=root -keyout root.key -out root.crt -days 400 2>/dev/null
    openssl req -new -newkey rsa:2048 -nodes -subj /CN=middle -keyout middle.key -out middle.csr 2>/dev/null
    printf 'basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign\n' >middle.ext
    openssl x509 -req -in middle.csr -CA root.crt -CAkey root.key -set_serial 2 -days 300 -extfile middle.ext -out middle.crt 2>/dev/null
}

chains() {
    new_key issued rsa:2048
    accepts checks
    says_not "the certificate's issuer"
    setup key request -o issued.csr
    printf 'keyUsage=critical,digitalSignature\n' >leaf.ext
    openssl x509 -req -in issued.csr -CA middle.crt -CAkey middle.key -set_serial 3 -days 200 -extfile leaf.ext -out leaf.crt 2>/dev/null
    cat leaf.crt >issued.pem
    accepts checks
    says "the certificate's issuer, CN=middle, is not in the configuration"
    cat leaf.crt root.crt >issued.pem
    accepts checks
    says "the certificate's issuer, CN=middle"
    cat leaf.crt middle.crt >issued.pem
    accepts checks
    says_not "the certificate's issuer"
    cat leaf.crt middle.crt root.crt >issued.pem
    accepts checks
    says_not "the certificate's issuer"
}

vault_chains() { # the vault keeps the certificate
    write_config merged 'mode="certificate"'
    setup key request -o merged.csr --type rsa:2048
    openssl x509 -req -in merged.csr -CA middle.crt -CAkey middle.key -set_serial 4 -days 200 -extfile leaf.ext -out merged.crt 2>/dev/null
    cat merged.crt middle.crt root.crt >merged.chain
    setup signengine -c engineSignEncrypt.xml key certificate k merged.chain
    accepts checks
    says 'the vault gives the certificate without its issuer, CN=middle'
    write_config selfmade 'mode="certificate"'
    setup key generate --type rsa:2048
    accepts checks
    says_not 'without its issuer'
}

# what the login may not read is no failure, and nothing is said of it
unreadable() {
    write_config k1
    for operation in rotation-policy role-assignments; do
        emulator fault 403-rbac '*' only=$operation >/dev/null
    done
    accepts checks
    says_not 'rotation policy'
    says_not '403'
    emulator clear >/dev/null
}

roles() {
    write_config k1
    accepts checks
    says 'Managed HSM Administrator, which has no rights on keys'
    says "the login has the role 'Managed HSM Crypto User' at '/'"
    says "the login has the role 'Managed HSM Crypto Officer' at '/'"
    # another application, which has a role for this key alone
    emulator secret 77777777-7777-4777-8777-777777777777 other-Secret.1 "$somebody" >/dev/null
    emulator grant "$somebody" 'Managed HSM Crypto User' /keys/k1 >/dev/null
    emulator set roles on >/dev/null
    login_client=77777777-7777-4777-8777-777777777777 login_secret=other-Secret.1
    write_config k1
    accepts checks --probe
    says_not 'the login'
    emulator grant "$somebody" 'Managed HSM Crypto User' /keys >/dev/null
    accepts checks
    says "the login has the role 'Managed HSM Crypto User' at '/keys'"
    says "'/keys/k1', alone"
    emulator set roles off >/dev/null
    unset login_client login_secret
    write_config k1
}

# the service that made it has told when, and nobody who logs in with it
secrets() {
    for left in '6 days 1 hour' '60 days' '-2 days'; do
        until=$(date -u -d "+$left" +%FT%TZ)
        login_until="secretUntil=\"$until\""
        write_config k1
        accepts checks --metrics check.prom
        grep -qxF "signengine_check_end_timestamp_seconds{kind=\"secret\",subject=\"login emulated\"} $(date -d "$until" +%s)" check.prom || fail 'not in the metrics'
        case $left in
        '6 '*) says 'the client secret of login emulated expires in 6 days' ;;
        60*) says_not 'client secret of' ;;
        -2*) says 'the client secret of login emulated has expired on' ;;
        esac
    done
    accepts signengine -c engineSignEncrypt.xml config show
    says "secretUntil"
    unset login_until
    write_config k1
}

# only `check` asks for all that
costs() {
    write_config k1
    printf data >data
    emulator log reset >/dev/null
    accepts signengine -c engineSignEncrypt.xml sign -d FileSigner -o data.p7s data
    emulator log vault | sed 's/^ok //' >requests.json
    if grep -q -e rotationpolicy -e roleAssignments requests.json; then fail 'signing asks what only check needs'; fi
}

authority
for kind in vault hsm; do
    rm -f ./k?.pem ./r*.pem ec.pem soft.pem issued.pem
    start_emulator "$kind" "$tmp/$kind"
    case $kind in
    vault) store=AzureKeyVault ;;
    hsm) store=AzureManagedHSM ;;
    esac
    recovery
    ends
    operations
    unreadable
    rotations
    costs
    secrets
    exportables
    protections
    chains
    case $kind in
    vault) vault_chains ;;
    hsm) roles ;;
    esac
done
