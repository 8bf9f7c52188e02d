#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The command with --socket: it does the same as with the configuration, by way of a signengined, and has neither configuration nor PIN.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "$top_srcdir/tests/daemon/daemon-lib.sh"
needs zip
[ -e "${top_builddir:?}/signengine-mail" ] || skip "signengine-mail was not built"

# ---- a daemon with everything, and a copy of its configuration for the same jobs here ----
make_ca ca
make_cert one ec:P-256 subjectAltName=email:alice@example.org keyUsage=critical,digitalSignature extendedKeyUsage=emailProtection
make_cert sign rsa:2048 keyUsage=critical,digitalSignature
make_cert fields rsa:2048 keyUsage=critical,keyEncipherment
for name in one sign fields; do cat $name.key $name.pem ca.pem >$name.bundle; done
mkdir -p run
cat >engine.xml <<XML
<engineSignEncrypt>
  <descriptors>
    <descriptor name='FileSigner'><type algorithm='SHA-256' key='sign'/></descriptor>
    <descriptor name='LongSigner'><type algorithm='SHA384withRSA' key='sign'/></descriptor>
    <descriptor name='ConfigZipSigner'><type algorithm='SHA-256' key='sign'/></descriptor>
    <descriptor name='ConfigZipEncrypter'><type algorithm='RSA-OAEP' key='fields'/></descriptor>
    <descriptor name='EncryptedFields'><type algorithm='RSA-OAEP' key='fields'/></descriptor>
    <descriptor name='SignEmailDescriptor'><type algorithm='SHA256withECDSA' key='one'/></descriptor>
    <descriptor name='ObjectHistorySigner'><type algorithm='SHA-256' key='one'/></descriptor>
    <descriptor name='Secret'><type algorithm='SHA-256' key='sign'/></descriptor>
  </descriptors>
  <keys>
    <key name='one'><type name='pem' locationValue='one.bundle'/></key>
    <key name='sign'><type name='pem' locationValue='sign.bundle'/></key>
    <key name='fields'><type name='pem' locationValue='fields.bundle'/></key>
  </keys>
  <access>
    <allow name='all' operations='sign verify encrypt decrypt rekey zip-sign zip-verify zip-encrypt zip-decrypt mail-sign mail-verify certificates'>
      <user name='root'/> <certificate subject='CN=portal'/>
      <descriptor name='FileSigner'/> <descriptor name='LongSigner'/> <descriptor name='ConfigZipSigner'/>
      <descriptor name='ConfigZipEncrypter'/> <descriptor name='EncryptedFields'/> <descriptor name='SignEmailDescriptor'/>
    </allow>
    <allow name='cards' operations='history-append history-read'> <user name='root'/> <history name='cards'/> </allow>
    <allow name='keys' operations='check'> <user name='root'/> </allow>
    <allow name='few' operations='sign' perMinute='1'> <user name='daemon'/> <descriptor name='FileSigner'/> </allow>
  </access>
</engineSignEncrypt>
XML
chown nobody run ./*.bundle
with_configuration() { signengine -c "$tmp/engine.xml" "$@"; }
with_configuration history create --store sqlite:run/cards.db
chown nobody run/*
daemon_settings "history cards = sqlite:$tmp/run/cards.db default ObjectHistorySigner" "spool = $tmp/run"
start_daemon "$top_builddir/signengined"
socket=$tmp/run/socket
export SIGNENGINE_CONFIG="$tmp/there-is-none.xml"

over_socket() { signengine --socket "$socket" "$@"; }
# both STATUS ARGUMENT...: the same command line ends with the same status with the configuration and over the socket
both() {
    wanted=$1
    shift
    for how in with_configuration over_socket; do
        if [ "$wanted" = 0 ]; then accepts $how "$@"; else refuses "$wanted" $how "$@"; fi
    done
}

# ---- signatures ----
echo content >file
head -c 3000000 /dev/urandom >large
for form in '' --attached --raw --pem; do
    for name in file large; do
        for descriptor in FileSigner LongSigner; do
            # shellcheck disable=SC2086 # no form is no argument
            accepts over_socket sign -d $descriptor $form $name -o signature
            case $form in
            --attached) both 0 verify -d $descriptor signature -o covered && same covered $name ;;
            --raw) both 0 verify -d $descriptor --raw $name --signature signature ;;
            *) both 0 verify -d $descriptor $name --signature signature && says 'good signature' ;;
            esac
        done
    done
done
both 1 verify -d LongSigner --raw file --signature signature
accepts over_socket sign -d FileSigner large
both 0 verify -d FileSigner large # large.p7s beside it, though it is too large to be asked whether it is a signature
both 1 verify -d FileSigner file --signature large.p7s
both 1 verify -d LongSigner large --signature large.p7s
both 65 verify -d FileSigner file --signature file
both 78 sign -d FileSigner:7 file -o never
# RSA signatures of one content are equal
both 0 sign -d FileSigner --raw file -o raw.sig
with_configuration sign -d FileSigner --raw large -o here.sig
accepts over_socket sign -d FileSigner --raw large -o there.sig
same here.sig there.sig
digest=$(sha256sum <large | cut -c1-64)
accepts over_socket sign -d FileSigner --raw --digest "$digest" -o there.sig
same here.sig there.sig
both 0 verify -d FileSigner --raw --digest "$digest" --signature there.sig
both 64 sign -d FileSigner --raw --digest 00 -o never
pipe_through() { over_socket "$@" <large; }
accepts pipe_through sign -d FileSigner --raw
same "$out" here.sig
echo '<a><b Id="x">1</b></a>' >a.xml
both 0 sign --xml -d FileSigner a.xml -o signed.xml
both 0 verify --xml -d FileSigner signed.xml -o covered
both 0 sign --xml --id x -d FileSigner a.xml -o signed.xml
both 0 verify --xml --id x -d FileSigner signed.xml
both 0 sign --xml --detached -d FileSigner large -o large.sig.xml
both 0 verify --xml -d FileSigner file --signature signed.xml
accepts over_socket --json verify -d FileSigner large
says '"verdict":"good"'
says '"signer":"CN=sign"'
accepts openssl cms -verify -binary -inform DER -in large.p7s -content large -CAfile ca.pem -purpose any -out /dev/null

# ---- encrypted values ----
printf '055433' >pin
for one in with_configuration over_socket; do
    for other in with_configuration over_socket; do
        accepts $one encrypt --context table=person --context row=7 pin -o value
        accepts $other decrypt --context table=person --context row=7 value -o plain
        same plain pin
        refuses 1 $other decrypt --context table=person --context row=8 value
    done
done
accepts over_socket encrypt --binary pin -o value
accepts with_configuration decrypt value -o plain
same plain pin
both 65 decrypt pin
seq 1 2500 | sed 's/.*/row&\tvalue & of "many"/' >lines
accepts over_socket encrypt --lines --key-column row lines -o values
accepts with_configuration decrypt --lines --key-column row values -o plain
same plain lines
accepts over_socket decrypt --lines --key-column row values -o plain
same plain lines
sed '1700s/.\{20\}$/AAAAAAAAAAAAAAAAAAA=/; 12s/.*/no tab/' values >bad
both 65 decrypt --lines --key-column row bad -o never
says 'line 12: there is no TAB'
for how in with_configuration over_socket; do
    refuses 1 $how decrypt --lines --key-column row --rejects rejects.$how bad -o plain.$how
    refuses 1 $how rekey --lines --key-column row --rejects rekey.$how bad -o rekeyed.$how
done
cases=$((cases + 1)) bad=''
same plain.with_configuration plain.over_socket
same rejects.with_configuration rejects.over_socket
same rekey.with_configuration rekey.over_socket
same rekeyed.with_configuration rekeyed.over_socket

# ---- zips and mail ----
zip -q a.zip file pin
both 65 zip sign file -o never.zip
accepts over_socket zip sign a.zip -o signed.zip
both 0 zip verify signed.zip
says 'good, 2 entries signed'
accepts over_socket --json zip verify --list signed.zip
says '{"entry":"file","size":8,"state":"signed","good":true}'
both 1 zip verify a.zip
accepts over_socket zip sign --encrypt --context card=1 a.zip -o signed.nx02
both 0 zip verify --context card=1 signed.nx02 -o out.zip
both 1 zip decrypt --context card=2 signed.nx02 -o never.zip
for one in with_configuration over_socket; do
    accepts $one zip encrypt large -o large.nx02
    accepts over_socket zip decrypt large.nx02 -o plain
    same plain large
done
printf 'From: alice@example.org\nSubject: x\n\nHello\n' >plain.eml
accepts over_socket mail sign plain.eml -o signed.eml
both 0 mail verify signed.eml
says 'alice@example.org'
accepts over_socket --json mail sign signed.eml -o again.eml
says '"result":"passed"'
sed 's/Hello/Hallo/' signed.eml >changed.eml
both 1 mail verify changed.eml
printf 'From: bob@example.org\n\nHello\n' >bob.eml
both 78 mail sign bob.eml -o never.eml

# ---- the history ----
append() { echo "$1" | over_socket history append --chain cards --object card/1 "--idempotency-key=$2"; }
accepts append ordered key-1
says 1
says_not repeated
accepts append ordered key-1
says '1 (repeated)'
refuses 64 append other key-1
seq 1 9000 | sed 's/.*/card\/&\tmade/' >cards
accepts over_socket history append --chain cards --lines --idempotency-key lines-1 cards
says '2-9001'
accepts over_socket history append --chain cards --lines --idempotency-key lines-1 cards
says '2-9001 (repeated)'
accepts over_socket --verbose history append --chain cards --object o file
says 'the idempotency key is '
accepts over_socket history head --chain cards
cp "$out" head.there
accepts over_socket history prove --chain cards 3 -o proof
accepts signengine history verify-proof proof
says 'card/2'
refuses 64 over_socket history prove --chain cards 99999
stop_daemon
accepts with_configuration history head --store sqlite:run/cards.db
same "$out" head.there
accepts with_configuration history verify --store sqlite:run/cards.db
says '9002 entries'
refuses 69 append later key-2
says "nobody listens on '$socket': signengined is not running"
