#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What the command line itself refuses, and help.
. "${top_srcdir:?}/tests/lib/harness.sh"

accepts signengine --help
says 'usage: signengine'
says 'pin scramble'
accepts signengine sign --help
says '--attached'
says '--config'
accepts signengine --version
says 'signengine 0.'

refuses 64 signengine
says 'a command is missing'
refuses 64 signengine sing
says "did you mean 'sign'?"
refuses 64 signengine frobnicate
says "unknown command 'frobnicate'"
refuses 64 signengine config
says "after 'config' comes one of: fingerprint, show"
refuses 64 signengine config shwo
says "unknown command 'config shwo'"
refuses 64 signengine pin
says 'scramble'
refuses 64 signengine --colour check
says "unknown option '--colour'"
refuses 64 signengine sign --atached -d X
says "did you mean '--attached'?"
refuses 64 signengine sign -z
says "unknown option '-z'"
refuses 64 signengine sign --attached=yes -d X
says 'takes no value'
refuses 64 signengine sign -d
says "'--descriptor' needs NAME"
refuses 64 signengine check --days many
says "'many' is no N"
refuses 64 signengine check --days 99999999999
refuses 64 signengine --progress sometimes check
says 'auto, always or never'
refuses 64 signengine sign
says 'which descriptor?'
refuses 64 signengine sign -d ''
refuses 64 signengine sign -d X one two
says 'one file at a time'
refuses 64 signengine sign -d X --raw --attached one
refuses 64 signengine sign -d X --raw --pem one
refuses 64 signengine sign -d X --time yesterday one
refuses 64 signengine sign -d X --time 2026-02-31 one
says "'2026-02-31' is no TIME"
refuses 64 signengine verify -d X one two
refuses 64 signengine verify -d X --raw one
says '--raw needs --signature'
refuses 64 signengine verify -d X -s -
says "standard input can't be both"
refuses 64 signengine verify -d X one -s two -o three
refuses 64 signengine check operand
refuses 64 signengine config show operand
refuses 64 signengine config fingerprint operand
refuses 64 signengine pin scramble operand
says 'standard input'

# a message is one line, whatever is in an argument
refuses 64 signengine "$(printf 'a\nb\033[31m')"

# no configuration, in three ways
refuses 78 signengine -c missing.xml check
says "missing.xml"
SIGNENGINE_CONFIG="$tmp/elsewhere.xml" refuses 78 signengine check
says 'elsewhere.xml'
mkdir folder
refuses 78 signengine -c folder check

# output that can't be written, help among it
if [ -c /dev/full ]; then
    full() { signengine "$@" >/dev/full; }
    refuses 73 full --help
fi
