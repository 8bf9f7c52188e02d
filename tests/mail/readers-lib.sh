# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# What readers.sh and readers-campaign.sh share.
#
#   readers_messages          keys, a configuration, and signed.eml, opaque.eml, evil.eml: of two people below one CA
#   readers_start             which readers there are: $readers; JavaMail is compiled
#   readers_try LIST FOLDER   what becomes of the messages of LIST, lines "NAME WANTED" of FOLDER/NAME.eml, is what is wanted, and all readers
#                             agree

readers_messages() {
    make_ca ca
    for person in ceo attacker; do
        mail_cert "$person" ec:P-256 "subjectAltName=email:$person@example.org"
    done
    cat >engine.xml <<-XML
	<engineSignEncrypt>
	  <descriptors>
	    <descriptor name='SignEmailDescriptor'><type algorithm='SHA256withECDSA' key='ceo'/></descriptor>
	    <descriptor name='Attacker'><type algorithm='SHA256withECDSA' key='attacker'/></descriptor>
	  </descriptors>
	  <keys>$(for name in ceo attacker; do echo "<key name='$name'><type name='pem' locationValue='$name.bundle'/></key>"; done)</keys>
	</engineSignEncrypt>
	XML
    chmod 600 engine.xml
    export SIGNENGINE_CONFIG="${tmp:?}/engine.xml"
    message 'CEO <ceo@example.org>' 'Pay 100 to Alice.' >ceo.eml
    message 'Attacker <attacker@example.org>' 'Hello from the attacker.' >attacker.eml
    setup signengine mail sign ceo.eml -o signed.eml
    setup signengine mail sign --opaque ceo.eml -o opaque.eml
    setup signengine mail sign -d Attacker attacker.eml -o evil.eml
}

message() { # FROM TEXT
    printf 'From: %s\r\nTo: ops@example.org\r\nSubject: order\r\nDate: Mon, 30 Nov 2026 10:00:00 +0000\r\n' "$1"
    printf 'Message-ID: <1@example.org>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n%s\r\n' "$2"
}

readers_start() {
    programs=${top_srcdir:?}/tests/mail/readers
    readers='python'
    perl -MMIME::Parser -MMail::Address -e1 2>/dev/null && readers="$readers perl"
    java_mail=/usr/share/java/javax.mail.jar:/usr/share/java/javax.activation.jar
    if [ -e "${java_mail%%:*}" ] && command -v javac >/dev/null; then
        setup javac -cp "$java_mail" -d . "$programs/Mail.java"
        readers="$readers javamail"
    fi
    command -v node >/dev/null && node -e 'require("mailparser")' 2>/dev/null && readers="$readers mailparser"
    command -v mutt >/dev/null && readers="$readers mutt"
    return 0
}

# shellcheck disable=SC2317 # called by accepts
ask_readers() { # names of messages on standard input
    cat >accepted
    for reader in $readers; do
        case $reader in
        python) python3 "$programs/python.py" <accepted ;;
        perl) perl "$programs/perl.pl" <accepted ;;
        javamail) java -Xshare:auto -XX:TieredStopAtLevel=1 -cp ".:$java_mail" Mail <accepted ;;
        mailparser) node "$programs/node.js" <accepted ;;
        mutt) python3 "$programs/mutt.py" <accepted ;;
        esac || return 1
    done >answers
}

# shellcheck disable=SC2317
compare_readers() {
    awk '$3 == 0 { print folder "/" $1 ".eml" }' folder="$1" verdicts | ask_readers && python3 "$programs/compare.py" verdicts <answers
}

readers_try() {
    while read -r name wanted; do
        verified=0
        signengine --json mail verify --trust ca.pem "$2/$name.eml" >verdict 2>message || verified=$?
        case $verified in
        0) sed 's/.*"sender":"\([^"]*\)".*"opaque":\([a-z]*\).*/\1 \2/' verdict >sender ;;
        *)
            : >sender
            grep -q '^signengine: ' message || echo "$name: $verified, without a message" >>silent
            ;;
        esac
        echo "$name $wanted $verified $(cat sender)"
    done <"$1" >verdicts
    accepts compare_readers "$2"
    [ ! -e silent ] || fail "$(head -n 3 silent)"
}
