#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mail sign and mail verify on the command line: forms, options, pipes, and every refusal with its status.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "${top_srcdir:?}/tests/mail/mail-lib.sh"
needs openssl

mail_certificates
mail_configuration
printf 'From: Alice <alice@example.org>\nTo: bob@example.org\nSubject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\nX-Odd:  two  blanks \n\nHello\nFrom me \n\n  w\303\266rld\n' >plain.eml

# ---- signed, and what others say ----
filter() { signengine mail "$@"; }
sign() { signengine mail sign "$@" -o signed.eml; }
openssl_verifies() { openssl cms -verify -in "$1" -CAfile ca.pem -out content; }
openssl_smime_verifies() { openssl smime -verify -in "$1" -CAfile ca.pem -out content; }
signed_and_verified() { # INPUT OPTION...
    accepts sign "$@"
    accepts openssl_verifies signed.eml
    accepts openssl_smime_verifies signed.eml
    accepts signengine mail verify signed.eml
    says 'good signature'
    says 'sender     alice@example.org'
    accepts signengine mail verify -d Other signed.eml --trust ca.pem
    says 'trusted by CA'
}
signed_and_verified plain.eml
setup grep -q '^X-Odd:  two  blanks $' signed.eml
setup grep -q 'micalg="sha-256"' signed.eml
setup grep -q 'filename="smime.p7s"' signed.eml
setup grep -q '^=46rom me=20$' signed.eml
head -n 4 plain.eml >header.before
head -n 4 signed.eml >header.after
same header.before header.after
setup openssl cms -cmsout -print -in signed.eml -out printed
for attribute in signingTime 'S/MIME Capabilities' 'id-smime-aa-signingCertificateV2'; do
    setup grep -q "$attribute" printed
done

signed_and_verified plain.eml --opaque
setup grep -q 'smime-type=signed-data' signed.eml
signed_and_verified plain.eml --protect-headers
setup grep -q 'hp="clear"' signed.eml
{ printf 'Bcc: carol@example.org\nResent-Bcc: carol@example.org\nContent-Length: 40\n' && cat plain.eml; } >bcc.eml
accepts sign bcc.eml --protect-headers
accepts signengine mail verify signed.eml -o content
grep -E '^(Resent-)?Bcc|^Content-Length' content && fail "who must not be known was signed, or a length that is another one"
sign plain.eml --protect-headers
sed '0,/^From: /s/alice@/mallory@/' signed.eml >changed.eml
refuses 1 signengine mail verify changed.eml
sed 's/$/\r/' plain.eml >crlf.eml
signed_and_verified crlf.eml
[ "$(grep -c -v "$(printf '\r')\$" signed.eml)" = 0 ] || fail "not every line ends with CRLF"
signed_and_verified plain.eml -d SignEmailDescriptor:1
setup grep -q 'micalg="sha-384"' signed.eml
# OpenSSL's smime knows no PSS
accepts sign plain.eml -d Pss
accepts openssl_verifies signed.eml
accepts signengine mail verify -d Pss signed.eml
setup grep -q 'micalg="sha-512"' signed.eml

# what was signed comes out, of the innermost signature
accepts sign plain.eml
accepts signengine mail verify signed.eml -o content
says 'good signature'
accepts openssl_verifies signed.eml
setup signengine mail verify signed.eml -o ours
same ours content
accepts signengine mail sign --again --opaque signed.eml -o twice.eml
accepts signengine mail verify twice.eml -o inner
same inner ours
sed 's/Subject/subject/' signed.eml >twice-source.eml
accepts signengine mail sign --again twice-source.eml -o twice.eml
sed 's/^Hello/Hallo/' twice.eml >changed.eml
refuses 1 signengine mail verify changed.eml
sed 's/^Hello/Hallo/' signed.eml | signengine mail sign --again --opaque >twice.eml
refuses 1 signengine mail verify twice.eml
says 'the signature inside the signature'

# ---- pipes, and in place of sendmail ----
by_pipe() { signengine mail sign <plain.eml >signed.eml; }
accepts by_pipe
verified_by_pipe() { signengine mail verify <signed.eml; }
accepts verified_by_pipe
says 'standard input: good signature'
# shellcheck disable=SC2016 # for the other shell
printf '#!/bin/sh\necho "$@" >arguments\ncat >delivered.eml\nexit "${1#-}"\n' >sendmail
chmod +x sendmail
to_sendmail() { signengine mail sign --sendmail ./sendmail -- "$@" <plain.eml; }
accepts to_sendmail -0 -i bob@example.org
[ "$(cat arguments)" = '-0 -i bob@example.org' ] || fail "the arguments were $(cat arguments)"
accepts signengine mail verify delivered.eml
rm -f delivered.eml
try to_sendmail -67
[ "$status" = 67 ] || fail "status $status of sendmail, not 67"
rm -f delivered.eml
to_sendmail_unsigned() { sed 's/alice/bob/' plain.eml | signengine mail sign --sendmail ./sendmail -- -0; }
refuses 78 to_sendmail_unsigned
[ ! -e delivered.eml ] || fail "sendmail got a message that could not be signed"
to_nobody() { signengine mail sign --sendmail ./no-such-program <plain.eml; }
refuses 69 to_nobody
says "'./no-such-program'"
# valgrind makes a fork of what has to share memory to say it
[ "${MEMCHECK-}" ] || says 'No such file or directory'
refuses 69 to_sendmail -127
says 'status 127'
printf '#!/bin/sh\ncat >/dev/null\nkill -9 $$\n' >killed
chmod +x killed
to_killed() { signengine mail sign --sendmail ./killed <plain.eml; }
refuses 69 to_killed
says "'./killed' was killed by signal 9"

# ---- passed as it is ----
accepts sign plain.eml
accepts signengine mail sign signed.eml -o again.eml
same again.eml signed.eml
accepts signengine --json mail sign signed.eml -o again.eml
says '"result":"passed"'
printf 'From: alice@example.org\nContent-Type: multipart/encrypted; protocol="application/pgp-encrypted"; boundary=b\n\n--b\n\nx \n--b--\n' >pgp.eml
accepts sign pgp.eml
same signed.eml pgp.eml
for kind in signed encrypted; do
    printf 'From: alice@example.org\nContent-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/%s; boundary=b\n\n--b\n\nfrom PGP  \n--b--\n--a--\n' \
        $kind >pgp.eml
    accepts sign pgp.eml
    grep -q '^from PGP  $' signed.eml || fail "what was $kind inside is another one"
done
accepts sign plain.eml
setup openssl cms -encrypt -in plain.eml -out encrypted.eml -from alice@example.org alice.pem
accepts signengine mail sign encrypted.eml -o again.eml
same again.eml encrypted.eml

# ---- who it is from ----
refused_from() { # STATUS FROM TEXT
    { printf '%s\n' "$2" && printf 'Subject: x\n\nHello\n'; } >from.eml
    refuses "$1" signengine mail sign from.eml -o never
    says "$3"
    [ ! -e never ] || fail "something was written"
}
accepted_from() {
    { printf '%s\n' "$1" && printf 'Subject: x\n\nHello\n'; } >from.eml
    accepts signengine mail sign from.eml -o from.signed
    accepts signengine mail verify from.signed
}
refused_from 78 'From: bob@example.org' 'the mail is from bob@example.org, the certificate is for alice@example.org'
refused_from 78 'From: alice@example.org.evil' 'alice@example.org.evil'
refused_from 78 'From: "alice@example.org" <mallory@example.org>' 'mallory@example.org'
refused_from 65 'To: bob@example.org' '0 From fields'
refused_from 65 "$(printf 'From: alice@example.org\nFrom: bob@example.org')" '2 From fields'
refused_from 65 'From:' 'no mail address'
accepted_from 'From: "Doe, Alice (the one)" <Alice@Example.ORG> (comment)'
accepted_from "$(printf 'From: Alice\n Doe\n <alice@example.org>')"
# drafts are like that, and stay so to the byte; not all readers find the same sender in them
for from in 'from : alice@example.org' 'From: robots: alice@example.org;' 'From: (a (nested) comment) alice @ example . org'; do
    { printf '%s\n' "$from" && printf 'Subject: x\n\nHello\n'; } >from.eml
    accepts signengine mail sign from.eml -o from.signed
    setup grep -qxF "$from" from.signed
    refuses 65 signengine mail verify from.signed
    says "line 1 of the message's header"
done
refused_from 65 'From: Mallory <mallory@example.org>, Alice <alice@example.org>' 'has several mail addresses'
refused_from 65 'From: <mallory@example.org> <alice@example.org>' 'two angle brackets'
refused_from 65 'From: mallory@example.org <alice@example.org>' 'an address in front of them'
refused_from 65 'From: Alice mallory@example.org <alice@example.org>' '"@" in a name that is not quoted'
refused_from 65 'From: =?utf-8?q?mallory=40example.org?= <alice@example.org>' 'encoded word'
refused_from 65 'From: <@mallory.example.org:alice@example.org>' 'a route'
accepted_from 'From: =?utf-8?q?=C3=84_alice=40example.org?= "mallory@example.org" <alice@example.org>'
says 'sender     alice@example.org'
printf 'From: mallory@example.org\0 <alice@example.org>\n\nHello\n' >from.eml
refuses 65 signengine mail sign from.eml
says 'NUL'
accepts signengine mail sign --sender alice@example.org plain.eml -o from.signed
refuses 78 signengine mail sign --sender carol@example.org plain.eml
accepts signengine mail sign -d InSubject --sender dn@example.org plain.eml -o from.signed
refuses 1 signengine mail verify -d InSubject from.signed
says 'the certificate is for dn@example.org'
accepts signengine mail verify -d InSubject --sender dn@example.org from.signed
for from in alice@xn--bcher-kva.example 'Alice <alice@b\303\274cher.example>'; do
    # shellcheck disable=SC2059 # with octal numbers
    printf "From: $from\n\nHello\n" >from.eml
    accepts signengine mail sign -d International from.eml -o from.signed
    accepts signengine mail verify -d International from.signed
    says 'sender     alice@xn--bcher-kva.example'
done
# the certificate is for both: only the header that was signed tells
accepts signengine mail sign -d International --protect-headers from.eml -o from.signed
sed '0,/^From: /s/<.*>/<alice@example.org>/' from.signed >changed.eml
refuses 1 signengine mail verify -d International changed.eml
says 'the header that was signed says'

# ---- refused ----
refuses 78 signengine mail sign -d Expired plain.eml
says 'expired'
refuses 78 signengine mail sign -d SelfSigned plain.eml
refuses 78 signengine mail sign -d NoSuch plain.eml
refuses 1 signengine mail verify plain.eml
says 'no S/MIME signature'
refuses 1 signengine mail verify encrypted.eml
refuses 1 signengine mail verify signed.eml -d Other
accepts sign plain.eml
{ cat signed.eml && echo '-- your mailing list'; } >changed.eml
refuses 1 signengine mail verify changed.eml
says 'which it does not cover'
boundary=$(sed -n 's/.*boundary="\(=_[^"]*\)".*/\1/p' signed.eml)
{ sed '$d' signed.eml && printf -- '--%s\n\nmore\n--%s--\n' "$boundary" "$boundary"; } >changed.eml
refuses 1 signengine mail verify changed.eml
says 'parts behind the signature'
sed 's,^Content-Type: application/pkcs7-signature,Content-Type: application/octet-stream,' signed.eml >changed.eml
refuses 65 signengine mail verify changed.eml
says 'application/octet-stream'
signengine mail sign --opaque plain.eml | sed '$a-- your mailing list' >changed.eml
refuses 1 signengine mail verify changed.eml
says 'not part of the signature'
sed 's/^Hello/Hello!/' signed.eml >changed.eml
refuses 1 signengine mail verify changed.eml -o never
[ ! -e never ] || fail "unverified content was written"
sed 's/^From: Alice/From: Mallory <mallory@example.org>, Alice/' signed.eml >changed.eml
refuses 65 signengine mail verify changed.eml
says "line 1 of the message's header: the From field has several mail addresses"
sed 's/^From: .*/From: mallory@example.org/' signed.eml >changed.eml
refuses 1 signengine mail verify changed.eml
says 'mallory@example.org'
accepts signengine --json mail verify signed.eml
says '"verdict":"good"'
refuses 1 signengine --json mail verify changed.eml
says '"verdict":"refused"'
head -n 20 signed.eml >short.eml
refuses 65 signengine mail verify short.eml
printf 'no header here\n\nbody\n' >none.eml
refuses 65 signengine mail sign none.eml
refuses 65 signengine mail verify none.eml
: >empty
refuses 65 signengine mail sign empty
refuses 65 signengine mail verify empty
refuses 66 signengine mail sign no-such-file
refuses 66 signengine mail verify no-such-file
refuses 73 signengine mail sign plain.eml -o no-such-folder/out
refuses 73 signengine mail verify signed.eml -o no-such-folder/out
refuses 64 signengine mail sign plain.eml plain.eml
refuses 64 signengine mail verify plain.eml plain.eml
refuses 64 signengine mail sign --sendmail ./sendmail -o x

# ---- what readers read differently ----
for field in 'Content-Type: text/plain' 'content-transfer-encoding: base64' 'MIME-Version: 1.0'; do
    { printf '%s\n%s\n' "$field" "$field" && cat plain.eml; } >twice.eml
    refuses 65 signengine mail sign twice.eml
    says 'fields, the first in line 1'
    sed "1,/^\$/ s/^MIME-Version: 1.0\$/&\nContent-Transfer-Encoding: 7bit/; 1,/^\$/ s/^\$/$(echo "$field" | sed 's,/,\\/,')\n/" signed.eml >changed.eml
    refuses 65 signengine mail verify changed.eml
    says "the message's header has 2 "
done
sed 's/^Subject/X-A: y\n  \n z\n&/' signed.eml >changed.eml
refuses 65 signengine mail verify changed.eml
says "line 4 of the message's header: it has nothing but blanks in it"
{ printf 'X-A: y\nX: 1\rFrom: carol@example.org\n' && cat signed.eml; } >changed.eml
refuses 65 signengine mail verify changed.eml
says "line 2 of the message's header: it has a CR without LF"
sed 's/micalg=/x=y (z); &/' signed.eml >changed.eml
refuses 65 signengine mail verify changed.eml
says "Content-Type may be read differently: it has a comment"
grep -v '^MIME-Version' signed.eml >changed.eml
refuses 65 signengine mail verify changed.eml
says 'no field "MIME-Version: 1.0"'
# an entity within a message has none, nor a sender of its own
accepts signengine mail verify changed.eml --sender alice@example.org
# lines are the file's, of parts too
first=$(grep -n '^Content-Type: application/pkcs7-signature' signed.eml | cut -d : -f 1)
sed "$first s/name=/(x)/" signed.eml >changed.eml
refuses 65 signengine mail verify changed.eml
says "line $first, in the signature's header: Content-Type"
sed "$((first + 1)) s/base64/7bit/" signed.eml >changed.eml
refuses 65 signengine mail verify changed.eml
says "line $((first + 1)), in the signature's header: Content-Transfer-Encoding is \"7bit\""
sed "$((first + 1))d" signed.eml >changed.eml
refuses 65 signengine mail verify changed.eml
says "the signature's header has no Content-Transfer-Encoding"
# what is signed has a line that begins as a boundary does that somebody has put in the place of the signer's
{ cat plain.eml && printf 'x\r--b\n--bc\n'; } >odd.eml
setup openssl cms -sign -in odd.eml -signer alice.pem -inkey alice.key -from alice@example.org -out theirs.eml
accepts signengine mail verify theirs.eml
boundary=$(sed -n 's/.*boundary="\([^"]*\)".*/\1/p' theirs.eml)
sed "s/$boundary/bc/" theirs.eml >changed.eml
refuses 65 signengine mail verify changed.eml
sed "s/$boundary/b/" theirs.eml >changed.eml
refuses 65 signengine mail verify changed.eml
says 'a line of the signed part begins with'

# ---- protected headers ----
{ printf 'Message-ID: <1@example.org>\nReply-To: alice@example.org\nTo: dave@example.org\n' && grep -v '^To' plain.eml; } >protect.eml
changed() { # SED-COMMAND: on the message's own header
    sed '/^$/,$d' signed.eml | sed "$1" >changed.eml
    sed -n '/^$/,$p' signed.eml >>changed.eml
}
for form in --protect-headers '--protect-headers --opaque'; do
    # shellcheck disable=SC2086 # options
    accepts signengine mail sign $form protect.eml -o signed.eml
    accepts signengine mail verify signed.eml
    says_not changed
    changed 's/^Subject: /&\n\t/; s/^Reply-To/REPLY-TO/; 1iReceived: from a by b\nDate: Mon, 30 Nov 2026 10:00:00 +0000'
    accepts signengine mail verify changed.eml
    says 'changed    Date: not what was signed'
    changed 's/^Message-ID: <1/Message-ID: <2/; /^X-Odd/d'
    accepts signengine mail verify changed.eml
    says 'changed    Message-ID, X-Odd: not what was signed'
    accepts signengine --json mail verify changed.eml
    says '"changed":"Message-ID, X-Odd"'
    for change in 's/^Subject: .*/Subject: other/' 's/^To: dave/To: carol/' 's/^Reply-To: alice/Reply-To: mallory/' 's/^From: Alice/From: Carol/' \
        '/^Subject:/d' '1iSubject: other' '1iCc: carol@example.org' '1iSender: mallory@example.org'; do
        changed "$change"
        refuses 1 signengine mail verify changed.eml
        says 'the header that was signed'
    done
done
# within another signature, of which the message's header is
accepts signengine mail sign --protect-headers protect.eml -o signed.eml
accepts signengine mail sign --again signed.eml -o twice.eml
accepts signengine mail verify twice.eml
changed 's/^Subject: .*/Subject: other/'
accepts signengine mail sign --again --opaque changed.eml -o twice.eml
refuses 1 signengine mail verify twice.eml
says "the message's Subject field is \"other\""
# parts of the header, as Enigmail had it; a whole message (RFC 8551, 3.1), and one that may be another's
wrapped() { # CONTENT-TYPE FIELDS
    { printf 'Content-Type: %s\n%s\n\nHello\n' "$1" "$2" | openssl cms -sign -signer alice.pem -inkey alice.key -from alice@example.org -subject outside; } >changed.eml
}
wrapped 'text/plain; protected-headers="v1"' 'Subject: outside'
accepts signengine mail verify changed.eml
wrapped 'text/plain; protected-headers="v1"' 'Subject: inside'
refuses 1 signengine mail verify changed.eml
wrapped 'message/rfc822; forwarded=no' "$(printf '\nFrom: alice@example.org\nSubject: inside')"
refuses 1 signengine mail verify changed.eml
wrapped 'message/rfc822' "$(printf '\nFrom: carol@example.org\nSubject: inside')"
accepts signengine mail verify changed.eml
says 'changed    From, Subject: not what was signed'
