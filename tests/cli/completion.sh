#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What the shells are told that a word may become: all of the tables, names of the configuration without its keys, and nothing where
# something is wrong.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl python3

tab=$(printf '\t')
# offers WORD... -- TYPED...: exactly these, in any order
offers() {
    : >wanted
    while [ "$1" != -- ]; do
        echo "$1" >>wanted
        shift
    done
    shift
    accepts signengine __complete "$@"
    [ ! -s "$err" ] || fail "says something on standard error"
    cut -f 1 "$out" | sort >is
    sort wanted | diff - is >differs || fail "$* may become: $(tr '\n' ' ' <differs)"
}
nothing() { offers -- "$@"; }
file_here=$(printf '\001')

# ---- the tables ----
signengine --help | sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z -]\{19\}\) .*/\1/p' | sed 's/ *$//' >commands
[ "$(wc -l <commands)" -gt 50 ] || fail "the help has too few commands"
# shellcheck disable=SC2046 # words
offers $(cut -d ' ' -f 1 commands | sort -u) -- ''
options() { grep -o -E -e '^  (-.,|   ) --[a-z-]+' | grep -o -E -e '-[a-zA-Z],|--[a-z-]+' | tr -d ','; }
# shellcheck disable=SC2094 # it is read only
while read -r first second third; do
    # shellcheck disable=SC2046 # words
    [ ! "$second" ] || offers $(sed -n "s/^$first \([a-z-]*\).*/\1/p" commands | grep -e "^$second" | sort -u) -- "$first" "$second" # which other names may begin with
    # shellcheck disable=SC2046
    [ ! "$third" ] || offers $(sed -n "s/^$first $second \([^ ]*\).*/\1/p" commands | sort -u) -- "$first" "$second" ''
    # shellcheck disable=SC2046,SC2086
    offers $(signengine help $first $second $third | options) -- $first $second $third -
done <commands
# shellcheck disable=SC2046
offers $(signengine help | options) -- -
accepts signengine __complete si
says "sign${tab}sign a file: CMS"
accepts signengine __complete sign --des
says "--descriptor${tab}who signs"
accepts signengine __complete
says "sign$tab"
offers generate -- help key gen
offers key -- help ke
nothing help sign ''
nothing key sign ''
nothing frobnicate ''
nothing --frobnicate sig ''
refuses 64 signengine __completes si
says "unknown command '__completes'"
accepts signengine --help
says_not __complete

# ---- what is given ----
offers -- sign --raw --ra
offers --tsa --tsa-policy -- sign --tsa https://tsa.example --ts
offers --raw -- sign --frobnicate --time never --ra
offers --raw -- sign --output --raw --ra
offers --time --timeout -- -q sign --ti
nothing sign --time ''
nothing sign --tsa-policy --
offers -c -- -c

# ---- names: nobody answers at the other ends of these ----
mkfifo pin token.so two.p12
cat >engine.xml <<XML
<engineSignEncrypt>
  <descriptors>
    <descriptor name='FileSigner' version='2'><type algorithm='SHA256withRSA' key='one'/></descriptor>
    <descriptor name='FileSigner' version='1'><type algorithm='SHA256withECDSA' key='gone'/></descriptor>
    <descriptor name='Files of &quot;&#36;(touch x)&quot;'><type algorithm='SHA256withRSA' key='two'/></descriptor>
  </descriptors>
  <keys>
    <key name='one'><type name='HSM' locationValue='$tmp/token.so' tokenLabel='t' alias='one' pin.source='file:$tmp/pin'/></key>
    <key name='gone'><type name='HSM' locationValue='$tmp/none.so' tokenLabel='t' alias='one' pin.source='file:$tmp/none'/></key>
    <key name='two'>
      <type name='pkcs12' locationValue='$tmp/two.p12' pin.source='file:$tmp/pin'/>
      <type name='pkcs12' locationValue='$tmp/none.p12' pin.source='file:$tmp/none'/>
    </key>
  </keys>
</engineSignEncrypt>
XML
export SIGNENGINE_CONFIG="$tmp/engine.xml"
odd='Files of "$(touch x)"'
offers FileSigner FileSigner:1 FileSigner:2 "$odd" -- sign -d ''
says "FileSigner:1${tab}SHA256withECDSA"
offers FileSigner:1 FileSigner:2 -- sign -d FileSigner:
offers FileSigner:2 -- sign --descriptor FileSigner:2
offers "$odd" -- sign -d 'Files '
offers "$odd:1" -- sign -d "$odd:"
offers --descriptor=FileSigner --descriptor=FileSigner:1 --descriptor=FileSigner:2 -- sign --descriptor=FileS
offers -dFileSigner -dFileSigner:1 -dFileSigner:2 -- sign -dFileS
offers FileSigner "$odd" -- rotate ''
offers FileSigner:1 FileSigner:2 "$odd:1" -- retire ''
offers FileSigner -- zip verify --decrypter FileS
offers FileSigner -- history show -d FileS
offers FileSigner FileSigner:1 FileSigner:2 -- mail sign --descriptor FileS
offers FileSigner -- --json rotate --dry-run FileS
offers one two gone -- key list ''
says "two${tab}pkcs12"
says "one${tab}HSM"
offers two -- key copy one --to tw
offers one -- key generate -- o
nothing key generate one t
offers one two gone -- -c "$tmp/engine.xml" key roles list ''
offers --raw -- sign -d FileSigner --ra
nothing history append --idempotency-key ''

# ---- a service has names of its own ----
nothing sign --socket "$tmp/socket" -d ''
nothing --socket "$tmp/socket" -c engine.xml --json sign -d ''
SIGNENGINE_SOCKET="$tmp/socket"
export SIGNENGINE_SOCKET
nothing sign -d ''
offers one two gone -- key list ''
offers FileSigner FileSigner:1 FileSigner:2 -- -c engine.xml sign -d FileS
unset SIGNENGINE_SOCKET

# ---- nothing, where something is wrong ----
sed 's/HSM/HMS/' engine.xml >wrong.xml
refuses 78 signengine -c wrong.xml config show
nothing -c wrong.xml sign -d ''
nothing --json -c wrong.xml sign -d ''
nothing -c none.xml key list ''
nothing sign -c wrong.xml -d ''
offers --raw -- -c wrong.xml sign --ra
offers append -- -c wrong.xml history app
printf "<engineSignEncrypt><descriptors><descriptor name='a&#10;b'><type algorithm='SHA256withRSA' key='k'/></descriptor></descriptors><keys><key name='k'><type name='pem' locationValue='k'/></key></keys></engineSignEncrypt>" >lines.xml
nothing -c lines.xml sign -d ''
mkfifo slow.xml
accepts timeout 20 env "$top_builddir/signengine" __complete -c slow.xml sign -d ''
[ ! -s "$out$err" ] || fail "says something"

# ---- files ----
offers "$file_here" -- sign ''
offers "$file_here" -- sign -d FileSigner f
offers "$file_here" -- sign -o ''
offers "$file_here--output=" -- sign --output=f
offers "$file_here-o" -- sign -of
offers "$file_here" -- sign -- -
offers "$file_here" -- key import one ''
offers "$file_here" -- retire FileSigner:1 one two ''
offers "$file_here" -- -c ''
offers "$file_here" -- mail sign ''
offers "$file_here" -- history verify-proof --certificate ''
offers "$file_here" -- verify --trust ''
# shellcheck disable=SC2046
offers $(signengine help check | options) -- check ''

# ---- chains ----
make_signer ObjectHistorySigner ec:P-256
for chain in alpha beta; do setup signengine history create -s "sqlite:$tmp/h.db" --chain $chain; done
list_files() { find . ! -name before ! -name after ! -name wanted ! -name is ! -name differs | sort; }
list_files >before
offers alpha beta -- history show -s "sqlite:$tmp/h.db" --chain ''
says "alpha${tab}1 seal"
offers beta -- history append --store="sqlite:$tmp/h.db" --chain b
offers --chain=alpha -- history append --store="sqlite:$tmp/h.db" --chain=a
offers alpha -- retire ObjectHistorySigner:1 --store none --store "sqlite:$tmp/h.db" --chain a
nothing history show -s "sqlite:$tmp/none.db" --chain ''
nothing history show --chain ''
nothing history show -s nonsense --chain ''
list_files >after
accepts diff before after

# a database that does not answer is not waited for
cat >mute.py <<'PY'
import socket, time
s = socket.create_server(('127.0.0.1', 0))
open('port', 'w').write('%d\n' % s.getsockname()[1])
time.sleep(600)
PY
python3 mute.py &
servers="$servers $!"
until [ -s port ]; do sleep 0.1; done
accepts timeout 20 env "$top_builddir/signengine" __complete history show -s "postgresql://127.0.0.1:$(cat port)/x" --chain ''
[ ! -s "$out" ] || fail "offers something"
