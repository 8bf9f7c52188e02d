#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the jar with nothing but a JDK from 17 on and JNA from 5.12 on, Debian's libjna-java or $JNA:
#
#   ./java/build.sh signengine.jar
#
# The same sources give the same jar, byte for byte, with the same JDK.
set -eu
[ $# = 1 ] || { sed -n 's/^#   //p' "$0" && exit 64; }
sources=$(cd "$(dirname "$0")" && pwd)
jna=${JNA-/usr/share/java/jna.jar}
[ -e "$jna" ] || { echo "$0: $jna is missing: libjna-java, or JNA=FILE" >&2 && exit 69; }
classes=$(mktemp -d)
trap 'rm -rf "$classes"' EXIT
echo 'Automatic-Module-Name: org.signengine' >"$classes/manifest"
javac --release 17 -encoding UTF-8 -Xlint:all -Werror -cp "$jna" -d "$classes/org" "$sources"/org/signengine/*.java
mv "$classes/org" "$classes/all"
(cd "$classes/all" && find . -type f | LC_ALL=C sort | sed 's#^\./##') >"$classes/files"
jar=$(realpath "$1")
cd "$classes/all"
jar --create --file "$jar" --date "$(date -u -d "@${SOURCE_DATE_EPOCH-1767225600}" +%Y-%m-%dT%H:%M:%SZ)" \
    --manifest "$classes/manifest" "@$classes/files"
