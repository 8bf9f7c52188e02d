#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the application, and what else is given, with nothing but a JDK from 17 on:
#
#   ./samples/tomcat/build.sh FILE.war [SOURCE.java...]
#
# It compiles against Tomcat's servlet API, signengine.jar and JNA, of Debian's libtomcat10-java, libsignengine-java and libjna-java or
# $CLASSPATH; none of them goes into FILE.war.
set -eu
[ $# -ge 1 ] || { sed -n 's/^#   //p' "$0" && exit 64; }
sample=$(cd "$(dirname "$0")" && pwd)
war=$1
shift
classes=$(mktemp -d)
trap 'rm -rf "$classes"' EXIT
mkdir -p "$classes/WEB-INF/classes"
javac --release 17 -encoding UTF-8 -Xlint:all,-auxiliaryclass,-serial -Werror \
    -cp "${CLASSPATH-/usr/share/java/tomcat10-servlet-api.jar:/usr/share/java/signengine.jar:/usr/share/java/jna.jar}" \
    -d "$classes/WEB-INF/classes" "$sample"/../clients/Signengine.java "$sample"/src/*.java "$@"
jar --create --file "$war" -C "$classes" WEB-INF
