#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Completion in real shells: what the line is after TAB, not what was drawn.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs bash expect zsh fish
bash_completion=/usr/share/bash-completion/bash_completion
[ -e $bash_completion ] || skip "bash-completion is not installed"
instrumented && skip "a shell does not wait for valgrind and the sanitizers"

mkdir bin sub
printf '#!/bin/sh\nexec "%s/signengine" "$@"\n' "$top_builddir" >bin/signengine
chmod +x bin/signengine
touch 'a file' letter.txt sub/deep.txt
cat >engine.xml <<XML
<engineSignEncrypt>
  <descriptors>
    <descriptor name='FileSigner' version='1'><type algorithm='SHA256withRSA' key='fileKey'/></descriptor>
    <descriptor name='FileSigner' version='2'><type algorithm='SHA256withECDSA' key='hsm'/></descriptor>
    <descriptor name='Endorser'><type algorithm='SHA256withRSA' key='fileKey'/></descriptor>
    <descriptor name='Odd &#36;(touch touched)'><type algorithm='SHA256withRSA' key='fileKey'/></descriptor>
  </descriptors>
  <keys>
    <key name='fileKey'><type name='pkcs12' locationValue='none.p12' pin.source='file:none'/></key>
    <key name='hsm'><type name='HSM' locationValue='none.so' tokenLabel='t' alias='one' pin.source='file:none'/></key>
  </keys>
</engineSignEncrypt>
XML
cp engine.xml other.xml
export SIGNENGINE_CONFIG="$tmp/engine.xml" PATH="$tmp/bin:$PATH"
setup env "$tmp/bin/signengine" config show

# line<TAB> becomes, up to the next bar
cat >lines <<'LINES'
signengine si|signengine sign |
signengine key gen|signengine key generate |
signengine key ro|signengine key ro|
signengine key roles gr|signengine key roles grant |
signengine sign --ra|signengine sign --raw |
signengine sign -d E|signengine sign -d Endorser |
signengine sign -d F|signengine sign -d FileSigner|
signengine sign -d FileSigner:2|signengine sign -d FileSigner:2 |
signengine sign -d FileSigner:|signengine sign -d FileSigner:|
signengine sign --descriptor=E|signengine sign --descriptor=Endorser |
signengine sign --descriptor=FileSigner:2|signengine sign --descriptor=FileSigner:2 |
signengine sign -d Od|signengine sign -d Odd\ \$\(touch\ touched\) |
signengine sign let|signengine sign letter.txt |
signengine sign sub/d|signengine sign sub/deep.txt |
signengine sign -o let|signengine sign -o letter.txt |
signengine sign --output=let|signengine sign --output=letter.txt |
signengine sign -d E let|signengine sign -d E letter.txt |
signengine sign a|signengine sign a\ file |
signengine key list h|signengine key list hsm |
signengine -c ~/other.xml key list f|signengine -c ~/other.xml key list fileKey |
signengine -c none.xml key list f|signengine -c none.xml key list f|
signengine history app|signengine history append |
signengine mail verify --send|signengine mail verify --sender |
signengine help ver|signengine help ver|
signengine verif|signengine verify |
LINES
compare() { # NAME: what NAME made of the lines
    number=1
    while IFS='|' read -r line after _; do
        cases=$((cases + 1)) bad=''
        got=$(sed -n "${number}p" "$1")
        [ "$got" = "<$after>" ] || fail "$1: '$line' became $got, not <$after>"
        number=$((number + 1))
    done <lines
}

# ---- bash ----
cat >bash.exp <<'EXP'
set timeout 20; log_user 0
spawn -noecho env "PS1=P> " TERM=dumb bash --norc --noprofile -i
expect "P> "
send "[lindex $argv 0] bind 'set bell-style none'; bind 'set enable-bracketed-paste off'; bind -x '\"\\C-g\": printf \"<%s>\\n\" \"\$READLINE_LINE\"'; echo rea''dy\r"
expect "ready"
expect "P> "
set in [open lines]
while {[gets $in row] >= 0} {
    send -- "[lindex [split $row |] 0]\t\007"
    set expect_out(1,string) nothing
    expect -re {<([^>]*)>}
    puts "<$expect_out(1,string)>"
    # the terminal is in other hands until the prompt is there again
    expect "P> "
    sleep 0.1
    send "\025"
}
send "exit\r"
EXP
accepts expect bash.exp "source '$(cd "$top_srcdir" && pwd)/completion/signengine.bash';"
cp "$out" bash-alone
compare bash-alone
accepts expect bash.exp "source $bash_completion; source '$(cd "$top_srcdir" && pwd)/completion/signengine.bash';"
cp "$out" bash-with-bash-completion
compare bash-with-bash-completion

# ---- zsh ----
cat >zsh.zsh <<'ZSH'
zmodload zsh/zpty
zpty Z zsh -f -i
zpty -w Z "PS1='P> '; fpath=($1 \$fpath); autoload -U compinit; compinit -u -D; bindkey '^G' show
show() { print -rn -- \"<\$BUFFER>\" }; zle -N show; setopt noautolist nolistbeep noautomenu; print rea''dy"
zpty -r Z drawn '*ready*'
while IFS= read -r row; do
    zpty -w -n Z "${row%%|*}"$'\t\a'
    zpty -r -m Z drawn '*<*>*'
    print -r -- "<${${drawn##*<}%%>*}>"
    zpty -w -n Z $'\x15'
done <lines
zpty -d Z
ZSH
accepts timeout 120 zsh -f zsh.zsh "$(cd "$top_srcdir" && pwd)/completion"
cp "$out" zsh-alone
compare zsh-alone

# ---- fish: what it offers for a line ----
fish_offers() { # LINE [WORD]...: these words, in any order
    # shellcheck disable=SC2016 # of fish
    accepts fish --no-config -c 'source $argv[1]; complete -C $argv[2]' "$top_srcdir/completion/signengine.fish" "$1"
    cut -f 1 "$out" | sort >is
    shift
    printf '%s\n' "$@" | sort | diff - is >differs || fail "fish: $(cat differs)"
}
fish_offers 'signengine si' sign
fish_offers 'signengine key r' recover request restore roles rotate
says 'PKCS #10'
fish_offers 'signengine sign -d F' FileSigner FileSigner:1 FileSigner:2
says SHA256withECDSA
fish_offers 'signengine sign -d FileSigner:2' FileSigner:2
fish_offers 'signengine sign --descriptor=E' --descriptor=Endorser
# shellcheck disable=SC2016 # a name
fish_offers 'signengine sign -d ' Endorser FileSigner FileSigner:1 FileSigner:2 'Odd $(touch touched)'
fish_offers 'signengine sign let' letter.txt
fish_offers 'signengine sign sub/' sub/deep.txt
fish_offers 'signengine sign --output=let' --output=letter.txt
fish_offers 'signengine sign -olet' -oletter.txt
# shellcheck disable=SC2088 # fish leaves it
fish_offers 'signengine sign -o ~/let' '~/letter.txt'
fish_offers 'signengine -c ~/other.xml key list ' fileKey hsm
fish_offers 'signengine mail verify --send' --sender
fish_offers 'signengine help key sto' store
accepts fish --no-config -c 'source $argv[1]; complete -C "signengine -c none.xml key list "' "$top_srcdir/completion/signengine.fish"
[ ! -s "$out" ] || fail "offers something without a configuration"
[ ! -e touched ] || fail "a name was run"
