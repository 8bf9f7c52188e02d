#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Messages as people's programs make them, right and wrong, are signed; readers find in what was signed the parts, the names and the bytes
# that they found before.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "${top_srcdir:?}/tests/mail/mail-lib.sh"
. "${top_srcdir:?}/tests/mail/contents-lib.sh"
needs openssl python3

mail_certificates
mail_configuration
mkdir before signed
: >refused
setup python3 "$top_srcdir/tests/mail/odd.py" before
[ "$(find before -type f | wc -l)" -ge 60 ] || fail "only $(find before -type f | wc -l) messages"
for message in before/*.eml; do
    contents_sign "${message#before/}"
done
accepts cmp refused before/refused
contents_compare
tail -n 3 "$out"

# ---- what refusals say, and where ----
told() { # FILE TEXT...
    refuses 65 signengine mail sign "before/$1" -o never
    shift
    for text in "$@"; do
        says "$text"
    done
    [ ! -e never ] || fail 'something was written'
}
told no-parts-8bit.lf.eml 'whose boundary "MP_/x" begins no part: line 10 of the message'
told no-parts-8bit.crlf.eml 'line 10 of the message'
told no-parameter-8bit.lf.eml 'line 9 of the message'
for way in '' --protect-headers --opaque; do
    # shellcheck disable=SC2086 # an option
    refuses 65 signengine mail sign $way before/no-parts-inside.lf.eml
    says 'whose boundary "inner" begins no part'
done
printf '\357\273\277From: alice@example.org\n\nHello\n' >odd.eml
for command in sign verify; do
    refuses 65 signengine mail $command odd.eml
    says 'byte order mark of UTF-8'
done
printf '\377\376F\0r\0o\0m\0' >odd.eml
refuses 65 signengine mail sign odd.eml
says 'byte order mark of UTF-16'
printf 'From: alice@example.org\rTo: bob@example.org\r\rHello\r' >odd.eml
for command in sign verify; do
    refuses 65 signengine mail $command odd.eml
    says 'its lines end with CR, not with CR LF or LF'
done
printf 'From: alice@example.org\r\r\n\r\r\nHello\r\r\n' >odd.eml
refuses 65 signengine mail sign odd.eml
says 'CR CR LF'
printf 'Received: from a\n\tby b\n\twith c\nFrom: alice@example.org\nno field\n\nHello\n' >odd.eml
refuses 65 signengine mail sign odd.eml
says 'line 5, in its header'

# ---- neither signed nor encrypted: certificates, and compressed data (RFC 8551, 3.6, 3.8) ----
setup openssl crl2pkcs7 -nocrl -certfile ca.pem -outform DER -out certs
for type in 'smime-type=certs-only; name=smime.p7c' 'smime-type=compressed-data' 'name="SMIME.P7C"' 'name=smime.p7z'; do
    { printf 'From: alice@example.org\nMIME-Version: 1.0\nContent-Type: application/pkcs7-mime; %s\n' "$type" &&
        printf 'Content-Transfer-Encoding: base64\n\n' && base64 certs; } >odd.eml
    accepts signengine --json mail sign odd.eml -o signed.eml
    says '"result":"signed"'
    accepts signengine mail verify signed.eml
done
for type in smime-type=enveloped-data smime-type=authEnveloped-data smime-type=signed-data name=smime.p7m; do
    printf 'From: alice@example.org\nContent-Type: application/pkcs7-mime; %s\n\nMA==\n' "$type" >odd.eml
    accepts signengine --json mail sign odd.eml -o signed.eml
    says '"result":"passed"'
done
