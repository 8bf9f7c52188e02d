#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Bouncy Castle accepts our mail, and we accept its mail: the whole corpus, in one JVM.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "${top_srcdir:?}/tests/mail/mail-lib.sh"
needs openssl python3 java
classes=
for name in bcmail bcpkix bcprov bcutil javax.mail javax.activation; do
    [ -e /usr/share/java/$name.jar ] || skip "$name.jar is not installed"
    classes=$classes:/usr/share/java/$name.jar
done

mail_certificates
mail_configuration
make_p12 alice
mkdir corpus ours theirs
setup python3 "$top_srcdir/tests/mail/corpus.py" make corpus
set --
for message in corpus/*.eml; do
    name=${message#corpus/}
    accepts signengine mail sign "$message" -o "ours/$name"
    case $name in
    empty-parts.* | nested-prefix-* | no-boundary-* | unclosed.*) set -- "$@" "bytes ours/$name" ;;
    *) set -- "$@" "verify ours/$name" ;;
    esac
    case $name in
    *.crlf.eml) continue ;; # the rest is the same
    nested.*) accepts signengine mail sign -d SignEmailDescriptor:1 --protect-headers "$message" -o "ours/protected-$name" && set -- "$@" "verify ours/protected-$name" ;;
    esac
    accepts signengine mail sign --opaque "$message" -o "ours/opaque-$name"
    set -- "$@" "verify ours/opaque-$name"
    case $name in
    no-boundary-*) continue ;; # JavaMail can't
    binary.* | control-*) continue ;; # bare CR: it changes them after it has signed them
    esac
    set -- "$@" "sign $message theirs/$name" "opaque $message theirs/opaque-$name"
done
sed 's/Hello/Hallo/' ours/plain.lf.eml >changed.eml
setup java -cp "$classes" "$top_srcdir/tests/interop/Mail.java" ca.pem alice.p12 "$@" 'verify changed.eml'
cp "$out" answers
accepts grep -F -x 'verify changed.eml: bad' answers
for job; do
    accepts grep -F -x "$job: good" answers
    [ "$status" = 0 ] || grep -F "$job" answers
done
for message in theirs/*.eml; do
    accepts signengine mail verify "$message"
done
