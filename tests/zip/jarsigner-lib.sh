# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# jarsigner-lib.sh: what jarsigner -verify -strict says of many archives, asked in one process; trust.p12 holds whom it trusts.
#
#   jarsigner_verdicts ARCHIVE...   a line for each: archive, tab, "accepts" or "refuses STATUS: why"

jarsigner_verdicts() {
    java -Djava.security.manager=allow --add-exports jdk.jartool/sun.security.tools.jarsigner=ALL-UNNAMED \
        "${top_srcdir:?}/tests/zip/Jarsigner.java" trust.p12 "$@"
}
