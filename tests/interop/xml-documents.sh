#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Random XML documents with everything that readers may differ about: what we sign is good for xmlsec1 and the JDK, and what they sign is
# good for us.  A hundred by one seed; for more, another seed and some minutes: SEED=7 MINUTES=10.  KEEP=FOLDER keeps what differs.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl java javac python3 xmlsec1
if instrumented; then skip "the others would take hours"; fi

make_signer Files rsa:2048
make_p12 one
setup javac -d classes "$top_srcdir/tests/interop/XmlDsig.java"
accepts env LC_ALL=C.UTF-8 python3 "$top_srcdir/tests/interop/xml_documents.py" "${SEED-1}" "${COUNT-100}" "$((${MINUTES-0} * 60))" \
    "${top_builddir:?}/tests/interop/xmlsign" classes
cat "$out"
if [ "${KEEP-}" ] && [ -d kept ]; then cp kept/* "$KEEP"; fi
grep -q '^ *[1-9][0-9]* ours: good' "$out" || fail "nothing was signed"
grep -q '^ *[1-9][0-9]* theirs: good' "$out" || fail "nothing of theirs was verified"
grep -q '^ *[1-9][0-9]* changed: not good' "$out" || fail "no change was noticed"
