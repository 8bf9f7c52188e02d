#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The files that PINs and keys are in: whose they are, who else can read and change them, and pipes in their place.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl

make_cert k ec:P-256 issuer=self
printf 'secret-77' >pin
setup openssl pkcs8 -topk8 -in k.key -passout file:pin -v2 aes-256-cbc -out encrypted.key
cat encrypted.key k.pem >k.bundle
chmod 600 k.bundle pin
# configure PIN-ATTRIBUTE: engine.xml, in use
configure() {
    cat >engine.xml <<-XML
	<engineSignEncrypt>
	  <descriptors><descriptor name='Files'><type algorithm='SHA256withECDSA' key='k'/></descriptor></descriptors>
	  <keys><key name='k'><type name='pem' locationValue='k.bundle' $1/></key></keys>
	</engineSignEncrypt>
	XML
    chmod 600 engine.xml
    export SIGNENGINE_CONFIG="$tmp/engine.xml"
}
echo document >document
sign() { signengine -q sign -d Files document -o document.p7s "$@"; }

# ---- who else can read and change them ----
configure 'pin.source="file:pin"'
accepts signengine check
says_not 'others may'
chmod 644 pin
accepts sign
accepts signengine check
says "pin' has mode 0644: others may read it"
chmod 660 pin
accepts signengine check
says "pin' has mode 0660: others may change it"
chmod 602 pin
refuses 77 sign
says "pin' has mode 0602: others may change it"
chmod 600 pin
chmod 640 k.bundle
accepts signengine check
says_not 'others may'
chmod 644 k.bundle
accepts signengine check
says "the key file '$tmp/k.bundle' has mode 0644: others may read it"
chmod 620 k.bundle
accepts signengine check
says "has mode 0620: others may change it"
chmod 600 k.bundle
# a certificate may be read by everybody
cp k.pem public.pem
chmod 644 public.pem
sed "s/k.bundle/public.pem/; s/SHA256withECDSA/SHA-256/; s/'Files'/'att_files'/" engine.xml >public.xml
signengine -c public.xml check >"$out" 2>"$err" || true
says_not 'others may'
configure "certificate='file:public.pem' pin.source='file:pin'"
chmod 664 public.pem
accepts signengine check
says "the certificate '$tmp/public.pem' has mode 0664: others may change it"

# ---- pipes ----
configure 'pin.source="file:/dev/stdin"'
piped() { printf 'secret-77\n' | sign; }
accepts piped
through_pipe() { sign <pin; }
accepts through_pipe
mkfifo -m 600 fifo
configure 'pin.source="file:fifo"'
# a pipe with a name waits for who writes, and ends with him
from_fifo() {
    { sleep 1; printf 'secret-77\n'; } >fifo &
    sleep 0.2
    sign
    status=$?
    wait
    return $status
}
accepts from_fifo
if command -v bash >/dev/null; then
    # shellcheck disable=SC2016 # expanded by bash
    with_substitution() {
        bash -c 'f() { sed "s,file:fifo,file:$1," engine.xml >pipe.xml; chmod 600 pipe.xml; "$top_builddir/signengine" -q -c pipe.xml sign -d Files document -o document.p7s; }; f <(printf "secret-77\n")'
    }
    accepts with_substitution
fi

# ---- credentials of systemd ----
mkdir -m 700 credentials
cp pin credentials/hsm
chmod 400 credentials/hsm
configure 'pin.source="credential:hsm"'
with_credential() { CREDENTIALS_DIRECTORY="$tmp/credentials" sign; }
accepts with_credential

# ---- whose they are ----
[ "$(id -u)" = 0 ] || {
    echo "not root: nothing can be given to others"
    exit 0
}
configure 'pin.source="file:pin"'
chown 65534 pin
refuses 77 sign
says "pin' belongs to user 65534, who may change it: root or user 0 has to own it"
refuses 77 signengine check
says 'belongs to user 65534'
ln -s pin link
configure 'pin.source="file:link"'
refuses 77 sign
says 'belongs to user 65534'
chown 65534 fifo
configure 'pin.source="file:fifo"'
refuses 77 from_fifo
says 'belongs to user 65534'
chown 65534 credentials/hsm
configure 'pin.source="credential:hsm"'
refuses 77 with_credential
says 'belongs to user 65534'
chown 65534 k.bundle
configure 'pin="secret-77"'
accepts signengine check
says "the key file '$tmp/k.bundle' belongs to user 65534, who may change it"
chown 0 k.bundle pin credentials/hsm
configure 'pin.encrypted="secret-77"'
accepts signengine -q pin scramble --in-place
accepts sign
chown 65534 pin.key
refuses 77 sign
says "pin.key' belongs to user 65534, who may change it: root or user 0 has to own it"
scramble() { echo 1234 | signengine pin scramble; }
refuses 77 scramble
chown 0 pin.key

# as a service has them: root's, for its group to read; its own; not another user's
command -v setpriv >/dev/null || exit 0
chmod 755 "$tmp"
mkdir -m 777 out
become() { setpriv --reuid=65533 --regid=65533 --clear-groups "$@"; }
as_service() { become "$top_builddir/signengine" -q sign -d Files document -o out/document.p7s; }
chgrp 65533 pin k.bundle engine.xml pin.key credentials credentials/hsm
chmod 640 pin k.bundle engine.xml pin.key
chmod 440 credentials/hsm
chmod 750 credentials
try as_service
[ "$status" != 126 ] && [ "$status" != 127 ] || exit 0 # the build folder is not for others
accepts as_service
[ "$(stat -c %u out/document.p7s)" = 65533 ] || fail "an output of somebody else"
configure 'pin.source="file:pin"'
chgrp 65533 engine.xml
chmod 640 engine.xml
accepts as_service
chown 65533 pin
accepts as_service
chown 65534 pin
refuses 77 as_service
says "root or user 65533 has to own it"
configure 'pin.source="credential:hsm"'
chgrp 65533 engine.xml
chmod 640 engine.xml
service_credential() { CREDENTIALS_DIRECTORY="$tmp/credentials" as_service; }
accepts service_credential
# shellcheck disable=SC2016 # expanded by the other shell
service_stdin() { become sh -c 'printf "secret-77\n" | "$top_builddir/signengine" -q sign -d Files document -o out/document.p7s'; }
configure 'pin.source="file:/dev/stdin"'
chgrp 65533 engine.xml
chmod 640 engine.xml
# shellcheck disable=SC2016 # expanded by the other shell
become sh -c 'test -x "$top_builddir/signengine"' || exit 0 # the build folder is not for others
accepts service_stdin
