#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# signengine-operations(7): every command of the page, as it stands there and in its order, and that it prints what the page says.
#
# What a machine for tests does not have is played: keys2, reached by ssh, is another folder, as are the system's (placed());
# systemctl knows the daemon that runs here.  The clock stands still at what the page's last `date` prints.  What the
# page says that others do, or that happens, happens(); it is known by the page's own words.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl faketime softhsm2-util pkcs11-tool python3 rsync script
instrumented && skip "the clock is moved by a library that has to be loaded before that of a sanitizer"
[ -x "${top_builddir:?}/signengined" ] || skip "signengined was not built: libmicrohttpd-dev is missing"
pages=$top_srcdir/tests/cli/operations.py
module=${softhsm_module%.so} real_module=$(readlink -f "$softhsm_module")

# ---- the machine ----
mkdir bin keys1 keys2 run log
chmod 755 "$tmp"
user=$(id -un)
placed() { # FILE: with the test's folders in place of the system's
    sed "s|user name=\"root\"|user name=\"$user\"|; s|/etc/signengine|$tmp/keys1|g; s|/run/signengine|$tmp/run|g; s|/var/log/signengine|$tmp/log|g; s|/var/lib/softhsm|$tmp/softhsm|g; s|/backup|$tmp/backup|g; s|/usr/lib/softhsm/libsofthsm2|$module|g" "$1"
}
unplaced() {
    sed "s|user name=\"$user\"|user name=\"root\"|; s|who:  user $user|who:  user root|; s|$tmp/keys[12]|/etc/signengine|g; s|$tmp/run|/run/signengine|g; s|$tmp/log|/var/log/signengine|g; s|$tmp/softhsm|/var/lib/softhsm|g; s|$tmp/backup|/backup|g; s|$module|/usr/lib/softhsm/libsofthsm2|g; s|$real_module|/usr/lib/softhsm/libsofthsm2.so|g" "$1"
}
faketime_library=$(moved +0 sh -c 'echo "$LD_PRELOAD"')
export FAKETIME_TIMESTAMP_FILE="$tmp/clock" FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1 NO_FAKE_STAT=1
dated() { LD_PRELOAD="$faketime_library" "$@"; }
at() { # 2027-01-11T08:00:00Z
    echo "$1" | sed 's/T/ /; s/Z$//' >"$tmp/clock.new"
    mv "$tmp/clock.new" "$tmp/clock"
}
printf '#!/bin/sh\nexec "%s" "$@"\n' "$top_builddir/signengine" >bin/signengine
# by root it would have to become somebody else, who has other files
as_service=''
if [ "$(id -u)" = 0 ]; then
    as_service='setpriv --reuid=nobody --clear-groups --inh-caps=+dac_override --ambient-caps=+dac_override'
    chown nobody run log
fi
printf '#!/bin/sh\nexec %s "%s" --settings "%s" "$@"\n' "$as_service" "$top_builddir/signengined" "$tmp/signengined.conf" >bin/signengined
cat >bin/ssh <<'PLAYED'
#!/bin/sh
# HOST WORD...
cd "$machine/$1" && shift && export SIGNENGINE_CONFIG="$PWD/engineSignEncrypt.xml" || exit
exec sh -c "$(echo "$*" | sed "s|$machine/keys1|$PWD|g")"
PLAYED
cat >bin/systemctl <<'PLAYED'
#!/bin/sh
# as signengined.service does it
daemon=$(cat "$machine/daemon.pid")
case $* in
'is-active signengined') kill -0 "$daemon" && echo active && exit ;;
'reload signengined') ;;
*) exit 5 ;;
esac
"$(dirname "$0")/signengined" --check || exit
count() { grep -c -e 'was loaded again' -e 'stays as it was' "$machine/daemon.log"; }
before=$(count)
kill -HUP "$daemon"
until [ "$(count)" -gt "$before" ]; do kill -0 "$daemon" && sleep 0.05 || exit; done
PLAYED
chmod 755 bin/*
export PATH="$tmp/bin:$PATH" machine="$tmp" NO_COLOR=1

# ---- the example, a year before ----
at 2026-01-31T08:00:00Z
dated make_ca ca
mkdir softhsm softhsm/tokens
printf 'directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n' "$tmp/softhsm/tokens" >softhsm2.conf
export SOFTHSM2_CONF="$tmp/softhsm2.conf"
make_token signing
printf 1234 >keys1/pin
printf 5678 >keys1/pin.new
printf 'of files' >keys1/password
mkdir backup
cat >example.xml <<'XML'
<engineSignEncrypt>
  <descriptors>
    <descriptor name="FileSigner" version="1">
      <type algorithm="SHA256withRSA" key="signerV1"/>
    </descriptor>
    <descriptor name="EncryptedFields" version="1">
      <type algorithm="AES/GCM/NoPadding" size="256" key="fieldsV1"
            asymCipher="RSA/ECB/OAEPWithSHA-256AndMGF1Padding"/>
    </descriptor>
    <descriptor name="ObjectHistorySigner" version="1">
      <type algorithm="SHA-256" key="historyV1"/>
    </descriptor>
  </descriptors>
  <keys>
    <key name="signerV1">
      <type name="HSM" locationValue="/usr/lib/softhsm/libsofthsm2"
            tokenLabel="signing" alias="signerV1" pin.source="file:pin"/>
    </key>
    <key name="fieldsV1">
      <type name="HSM" locationValue="/usr/lib/softhsm/libsofthsm2"
            tokenLabel="signing" alias="fieldsV1" pin.source="file:pin"/>
    </key>
    <key name="historyV1">
      <type name="pkcs12" locationValue="historyV1.p12"
            pin.source="file:password"/>
    </key>
  </keys>
  <access>
    <allow name="portal" operations="sign verify">
      <user name="www-data"/> <descriptor name="FileSigner"/>
    </allow>
    <allow name="operators" operations="sign verify check">
      <user name="root"/> <descriptor name="FileSigner"/>
    </allow>
  </access>
</engineSignEncrypt>
XML
placed example.xml >keys1/engineSignEncrypt.xml
chmod 600 keys1/*
export SIGNENGINE_CONFIG="$tmp/keys1/engineSignEncrypt.xml"
certify() { # NAME: a CA's answer to NAME.csr in NAME.cer
    setup dated openssl x509 -req -in "$1.csr" -CA "$tmp/ca.pem" -CAkey "$tmp/ca.key" -days 365 -out "$1.cer" -extfile "$tmp/extensions"
    cat "$tmp/ca.pem" >>"$1.cer"
}
echo keyUsage=critical,digitalSignature >extensions
cd keys1
setup dated signengine key generate signerV1 --type rsa:2048 --subject '/O=Example/CN=Files'
setup dated signengine key request signerV1 -o signerV1.csr
certify signerV1
setup dated signengine key certificate signerV1 signerV1.cer
rm signerV1.c*
cp ../ca.pem .
setup dated signengine key generate fieldsV1 --type rsa:2048 --subject '/O=Example/CN=Fields'
setup dated signengine key generate historyV1 --type ec:P-256 --subject '/O=Example/CN=History'
echo 'what was reported' >report.pdf
setup dated signengine sign -d FileSigner report.pdf
cat >tell <<'PROGRAM'
#!/bin/sh
jq -r '"\(.subject): \(.text)"' >>told
PROGRAM
chmod 755 tell
printf '%s\n' 055433 1234 777 >plain
setup dated signengine encrypt --lines --context table=person -o pins plain
setup dated signengine history create --store sqlite:history.db
for state in ordered printed delivered; do setup dated sh -c "echo $state | signengine history append --store sqlite:history.db --object card/4711"; done
cp -p engineSignEncrypt.xml pin password historyV1.p12 ../keys2

# ---- the daemon ----
cd "$tmp"
cat >signengined.conf <<CONF
config = $tmp/keys1/engineSignEncrypt.xml
listen = unix:$tmp/run/socket
audit = file:$tmp/log/audit.log required
CONF
env LD_PRELOAD="$faketime_library" signengined >daemon.log 2>&1 &
echo $! >daemon.pid
trap 'kill -KILL "$(cat "$tmp/daemon.pid")"; finish' EXIT
until [ -S run/socket ]; do
    kill -0 "$(cat daemon.pid)" || fail "$(cat daemon.log)"
    sleep 0.05
done

# ---- what is not the administrator's to do ----
change_pin() { # OLD NEW: and not where it is written down
    setup pkcs11-tool --module "$softhsm_module" --token-label signing --login --pin "$1" --change-pin --new-pin "$2"
}
copy_key() { # <key> and the next name: by an editor
    awk -v last="$1" -v next_one="$2" '
	{ print }
	index($0, "<key name=\"" last "\"") { inside = 1 }
	inside { text = text $0 "\n" }
	inside && /<\/key>/ { gsub(last, next_one, text); printf "%s", text; inside = 0 }' engineSignEncrypt.xml >edited
    cat edited >engineSignEncrypt.xml
}
# what `rotate` has written before it makes the key
begin_rotation() { # DESCRIPTOR
    cp -Rp . ../elsewhere
    setup dated signengine -c ../elsewhere/engineSignEncrypt.xml rotate "$1"
    mv ../elsewhere/engineSignEncrypt.xml "engineSignEncrypt.xml.$1.next"
}
events=0
happens() { # PROSE
    events=$((events + 1))
    case $1 in
    *" answer is "*.cer*) certify "$(expr "$1" : '.* answer is \([^ ]*\)\.cer')" ;;
    *'The file of historyV1 is gone'*) rm historyV1.p12 ;;
    *'Put a <key> for it into the configuration'*) copy_key fieldsV2 fieldsV3 ;;
    *'put a row into <access>'*) sed -i 's|^  </access>|    <allow name="cards" operations="decrypt">\
      <user name="www-data"/> <descriptor name="EncryptedFields"/>\
    </allow>\
&|' engineSignEncrypt.xml ;;
    *'The HSM is away'*) mv ../softhsm/tokens ../softhsm/off && mkdir ../softhsm/tokens ;;
    *'It is back'*) rmdir ../softhsm/tokens && mv ../softhsm/off ../softhsm/tokens ;;
    *'Somebody has changed the PIN'*) change_pin 5678 9999 ;;
    *'Put the right PIN into the file'*) printf 9999 | tee pin >../keys2/pin ;;
    *'keys2 has missed a rotation'*) tar -C ../keys2 -xf ../backup/signengine.tar engineSignEncrypt.xml ;;
    *'Somebody has misspelt a name'*) sed -i 's/key="fieldsV2"/key="fieldV2"/' engineSignEncrypt.xml ;;
    *'Correct the line'*) sed -i 's/key="fieldV2"/key="fieldsV2"/' engineSignEncrypt.xml ;;
    *'Somebody has changed an entry'*) setup sqlite3 history.db "update entry set payload = cast('burnt' as blob) where cast(payload as text) like 'printed%'" ;;
    *'SoftHSM rewrites a file'*) setup tar -C ../softhsm -cf ../backup/softhsm.tar tokens && : >"$(echo ../softhsm/tokens/*/token.object)" ;;
    *'A rotation has stopped'*) begin_rotation ObjectHistorySigner ;;
    *) events=$((events - 1)) ;;
    esac
}

# ---- the page ----
cd "$tmp/keys1"
setup python3 "$pages" split "$top_srcdir/doc/signengine-operations.7" "$tmp/steps"
run_step() {
    { echo 'exec </dev/null' && placed "$1/command"; } >"$1/script"
    dated script --quiet --return --command "sh $1/script" /dev/null
}
for step in "$tmp"/steps/*; do
    happens "$(cat "$step/prose")"
    if [ "$(cat "$step/command")" = 'date -u +%FT%TZ' ]; then at "$(cat "$step/wanted")"; fi
    accepts run_step "$step"
    unplaced "$out" | tr -d '\r' >"$step/seen"
done
accepts python3 "$pages" compare "$tmp/steps"
# each of them: the page may not have lost the words by which it is known
accepts test "$events" = 16
