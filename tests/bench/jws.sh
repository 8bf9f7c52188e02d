#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Tokens of 2 kB verified with the public keys of a configuration, beside the library of Debian's `jose`.
. "${here:?}/setup.sh"
command -v jose >/dev/null || { echo "bench: no jose: its library is left out" >&2 && exit 77; }

setup openssl req -x509 -newkey rsa:2048 -nodes -keyout rsa.key -out rsa.pem -subj /CN=bench -days 2
setup openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ec.key -out ec.pem -subj /CN=bench -days 2
for kind in rsa ec; do
    (umask 077 && cat $kind.key $kind.pem >$kind.bundle)
done
cat >engine.xml <<XML
<engineSignEncrypt>
  <descriptors>
    <descriptor name="RS256"><type algorithm="RS256" key="rsa"/></descriptor>
    <descriptor name="PS256"><type algorithm="PS256" key="rsa"/></descriptor>
    <descriptor name="ES256"><type algorithm="ES256" key="ec"/></descriptor>
  </descriptors>
  <keys>
    <key name="rsa"><type name="pem" locationValue="$PWD/rsa.bundle"/></key>
    <key name="ec"><type name="pem" locationValue="$PWD/ec.bundle"/></key>
  </keys>
</engineSignEncrypt>
XML
for algorithm in RS256 PS256 ES256; do
    "$top/signengine" -c engine.xml key jwks -d $algorithm >$algorithm.json
    "$top/tests/bench/jws" engine.xml $algorithm $algorithm.json "JWS of 2 kB, $algorithm" 1 12
done
