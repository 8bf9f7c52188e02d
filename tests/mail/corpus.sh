#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Messages of every kind are signed; others verify them, as they are and after relays did what relays do.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "${top_srcdir:?}/tests/mail/mail-lib.sh"
needs openssl python3

mail_certificates
mail_configuration
corpus="$top_srcdir/tests/mail/corpus.py"
mkdir corpus signed relayed
made=$(python3 "$corpus" make corpus)
[ "$made" -ge 60 ] || fail "only $made messages"
relays=$(python3 "$corpus" relays)

openssl_verifies() { openssl cms -verify -in "$1" -CAfile ca.pem -out content; }
openssl_smime_verifies() { openssl smime -verify -in "$1" -CAfile ca.pem -out content; }
# 7 bits, no blanks at line ends, no "From ", no long lines, in what was signed
is_safe() {
    case $1 in
    *pgp-signed*) return 0 ;; # not ours to change
    esac
    LC_ALL=C awk '{ sub(/\r$/, "") } length > 998 || /[ \t]$/ || /^From / || /[\200-\377]/ { print FILENAME ":" FNR ": " $0; bad = 1 } END { exit bad }' content
}

for message in corpus/*.eml; do
    name=${message#corpus/}
    accepts signengine mail sign "$message" -o "signed/$name"
    accepts openssl_verifies "signed/$name"
    accepts is_safe "$name"
    echo "all signed/$name relayed/all-$name" >>way
    case $name in *.crlf.eml) continue ;; esac # the rest is the same
    accepts openssl_smime_verifies "signed/$name"
    accepts signengine mail verify "signed/$name"
    for harm in footer_in_text footer_at_end; do
        echo "$harm signed/$name relayed/$harm-$name" >>way
    done
done
# each relay by itself, on messages with most of what there is
for name in nested.lf forwarded.crlf qp-sloppy.lf base64-width-72.crlf preamble-epilogue.lf; do
    for relay in $relays; do
        echo "$relay signed/$name.eml relayed/$relay-$name.eml" >>way
    done
done
relayed() { python3 "$corpus" relay <way; }
accepts relayed
[ "$(find relayed -type f | wc -l)" = "$(wc -l <way)" ] || fail "$(find relayed -type f | wc -l) messages of $(wc -l <way) were relayed"
for message in relayed/*.eml; do
    case $message in
    relayed/footer*) refuses 1 signengine mail verify "$message" ;;
    *)
        accepts openssl_verifies "$message"
        accepts signengine mail verify "$message"
        ;;
    esac
done

# opaque, and what others signed
for message in corpus/*.lf.eml; do
    accepts signengine mail sign --opaque "$message" -o opaque.eml
    accepts openssl_verifies opaque.eml
    accepts signengine mail verify opaque.eml
    setup openssl cms -sign -in "$message" -signer alice.pem -inkey alice.key -from alice@example.org -out theirs.eml
    accepts signengine mail verify theirs.eml
done

# GnuPG
if command -v gpgsm >/dev/null; then
    mkdir -m 700 gnupg
    export GNUPGHOME="$tmp/gnupg"
    gpgsm --batch --quiet --import ca.pem 2>gpgsm.log
    openssl x509 -in ca.pem -noout -fingerprint -sha1 | sed 's/.*=//; s/$/ S/' >gnupg/trustlist.txt
    gpgsm_verifies() { gpgsm --batch --disable-crl-checks --disable-dirmngr --verify "$1.signature" "$1.content"; }
    python3 - signed/*.lf.eml <<'PY'
import base64, re, sys
for name in sys.argv[1:]:
    m = open(name, "rb").read().replace(b"\n", b"\r\n")
    b = b"--" + re.search(rb'boundary="(=_[^"]*)"', m).group(1)
    _, content, signature, _ = m.split(b"\r\n" + b)
    open(name + ".content", "wb").write(content[2:])
    open(name + ".signature", "wb").write(base64.b64decode(signature.split(b"\r\n\r\n", 1)[1]))
PY
    for message in signed/*.lf.eml; do
        accepts gpgsm_verifies "$message"
    done
    gpgconf --kill all || true
fi
