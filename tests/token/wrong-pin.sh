#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A PIN that a token refused is not presented by the next process, for an hour, until it is asked for, or the token shows that it had the
# right one; and the file that remembers it tells no PIN, and is nobody else's.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs pkcs11-tool python3

make_token lab
cat >engine.xml <<XML
<engineSignEncrypt>
  <descriptors><descriptor name='Signer'><type algorithm='SHA256withRSA' key='k'/></descriptor></descriptors>
  <keys><key name='k'><type name='HSM' locationValue='$softhsm_module' tokenLabel='lab' alias='k' pin.source='env:PIN'/></key></keys>
</engineSignEncrypt>
XML
export SIGNENGINE_CONFIG="$tmp/engine.xml" PIN=1234
echo content >file
setup signengine key generate k --type rsa:2048
sign() { signengine "$@" sign -d Signer file -o file.p7s; }
memory=$tmp/signengine-pins
# presented, not_presented: belong to a refusal
presented() {
    says 'wrong PIN'
    says_not 'minutes ago'
}
not_presented() { says 'wrong PIN: the token refused it 0 minutes ago, and within an hour it is presented again only with --retry-pin'; }
right_pin() { setup pkcs11-tool --module "$softhsm_module" --token-label lab --login --pin "$1" -O; }

# ---- without a refusal there is no file ----
accepts sign
[ -e "$memory" ] && fail 'there is a memory of nothing'

# ---- once an hour ----
PIN=9999
refuses 77 sign
presented
for _ in 1 2; do
    refuses 77 sign
    not_presented
done
refuses 77 signengine check
not_presented
refuses 77 signengine key request k -o request.pem
not_presented
PIN=9998
refuses 77 sign
presented
PIN=1234
accepts sign
[ "$(stat -c '%a %s' "$memory")" = '600 1056' ] || fail "the memory is $(stat -c '%a %s' "$memory")"
if grep -q -e 9999 -e 9998 -e lab "$memory"; then fail 'the memory tells a PIN or a token'; fi

# ---- until it is asked for, or the token had the right one since, or a new one ----
PIN=9999
refuses 77 sign --retry-pin
presented
refuses 77 sign
not_presented
right_pin 1234
refuses 77 sign
presented
refuses 77 sign
not_presented
setup pkcs11-tool --module "$softhsm_module" --token-label lab --login --login-type so --so-pin 12345678 --init-pin --pin 9999
accepts sign
PIN=1234

# ---- after an hour: the moment is the first eight bytes of the first place ----
refuses 77 sign
presented
# `od` and Python write numbers as this machine has them
age() {
    moment=$(od -An -td8 -j32 -N8 "$memory" | tr -d ' ')
    python3 -c 'import struct, sys; sys.stdout.buffer.write(struct.pack("q", int(sys.argv[1])))' "$((moment - $1))" |
        dd of="$memory" bs=1 seek=32 conv=notrunc status=none
}
find_first() { # the newest may be in another place: only one is left
    rm "$memory"
    right_pin 9999
    sign 2>"$tmp/.said" || true
}
find_first
age 3590
refuses 77 sign
says 'the token refused it 59 minutes ago'
age 20
refuses 77 sign
presented

# ---- a file that is not this user's alone is none, and nothing is written through a link ----
rm "$memory"
right_pin 9999
echo innocent >victim
ln -s victim signengine-pins
refuses 77 sign
presented
echo innocent >expected
same victim expected
rm signengine-pins
right_pin 9999
sign 2>"$tmp/.said" || true
chmod 644 signengine-pins
right_pin 9999
refuses 77 sign
presented
printf 'short' >signengine-pins
chmod 600 signengine-pins
refuses 77 sign
presented
refuses 77 sign
not_presented
XDG_RUNTIME_DIR=/no/such/folder
refuses 77 sign
presented
