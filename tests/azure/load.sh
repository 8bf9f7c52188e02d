# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# load.sh: an application with many threads (load.c) against emulators, for tests that have sourced azure.sh.
#
#   start_load [CMD...]   starts it, by that command; its environment is that of this moment
#   tell LINE...          says a line of load.c to it, and is a case; what was seen is in $out; a wrong signature fails,
#                         and so does a text with a secret or a token
#   tell_begin LINE...    the same without waiting for the end;  tell_end: waits
#   stop_load             ends it: it must exit well
#   saw NAME VALUE        belongs to the case before: exactly so many, or saw_most NAME VALUE, saw_least NAME VALUE; also as $seen_NAME
#   saw_only STATUS...    no call ended otherwise
#   write_config FILE     prints a configuration to FILE: $descriptors, $login (its attributes), $keys

# threads of a fault; a test may be told of fewer, and how much longer all may take
THREADS=${THREADS-64}
slow=${SLOW-1}
if instrumented; then slow=${SLOW-4}; fi

seen_words=''
start_load() {
    rm -f "$tmp/.to" "$tmp/.from"
    mkfifo "$tmp/.to" "$tmp/.from"
    "$@" "${top_builddir:?}/tests/azure/load" <"$tmp/.to" >"$tmp/.from" 2>"$tmp/load.err" &
    load_pid=$!
    exec 3>"$tmp/.to" 4<"$tmp/.from"
}

tell_begin() {
    cases=$((cases + 1)) bad=''
    told=$*
    echo "$*" >&3
}

# Everything is said in a shell's own words: a test tells hundreds of lines.
tell_end() {
    : >"$out"
    : >"$err"
    for word in $seen_words; do unset "seen_$word"; done
    seen_words='' line=''
    while IFS= read -r line <&4; do
        case $line in
        .) break ;;
        *"$SECRET"* | *"$IDENTITY_SECRET"* | *eyJ*) fail 'what was seen has a secret or a token' ;;
        text\ *) ;;
        *)
            word=${line%% *}
            seen_words="$seen_words $word"
            eval "seen_$word=\${line#* }"
            ;;
        esac
        printf '%s\n' "$line" >>"$out"
    done
    if [ "$line" != . ]; then
        cp "$tmp/load.err" "$err"
        fail "the application has ended: $told"
        exit 99
    fi
    saw wrong 0
    # what the child of a fork has said
    if [ "${seen_child-0}" != 0 ]; then cp "$tmp/load.err" "$err"; fi
}

tell() {
    tell_begin "$@"
    tell_end
}

stop_load() {
    exec 3>&- 4<&-
    status=0
    wait "$load_pid" || status=$?
    cases=$((cases + 1)) bad=''
    [ "$status" = 0 ] || {
        cp "$tmp/load.err" "$err"
        fail "the application ends with status $status"
    }
}

# what did not happen is not told
saw() {
    eval "seen=\${seen_$1-0}"
    # shellcheck disable=SC2154 # by eval
    [ "$seen" = "$2" ] || fail "$1 is $seen, not $2: $told"
}

saw_most() {
    eval "seen=\${seen_$1-0}"
    [ "$seen" -le "$2" ] || fail "$1 is $seen, more than $2: $told"
}

saw_least() {
    eval "seen=\${seen_$1-0}"
    [ "$seen" -ge "$2" ] || fail "$1 is $seen, less than $2: $told"
}

# all calls ended, and with one of these
saw_only() {
    saw_least event_operation 1
    for word in $seen_words; do
        case " $* event_operation event_lost event_healed event_renewed event_slowed event_failed_over event_failed_back named answered late wrong longest last_failure child " in
        *" $word "*) ;;
        *) fail "$word is not one of $*: $told" ;;
        esac
    done
}

# $descriptors and $keys are elements, $login the attributes that say how
write_config() {
    cat >"$1" <<-XML
	<engineSignEncrypt>
	  <descriptors>${descriptors:?}</descriptors>
	  <login name="emulated" ${login:?} caFile="$emulated/ca.pem"/>
	  <keys>${keys:?}</keys>
	</engineSignEncrypt>
	XML
    chmod 600 "$1"
}

# signs NAME KEY ALGORITHM: a descriptor
signs() {
    printf '<descriptor name="%s"><type algorithm="%s" key="%s"/></descriptor>' "$1" "$3" "$2"
}

# fields NAME KEY: a descriptor that asks the vault for each value
fields() {
    printf '<descriptor name="%s"><type algorithm="AES/GCM/NoPadding" size="256" asymCipher="RSA/ECB/OAEPWithSHA-256AndMGF1Padding" key="%s" dataKeyUses="1" cacheSize="0"/></descriptor>' "$1" "$2"
}

# vault_key NAME [ATTRIBUTE...]: a key of the emulator that is in use, in key mode if there is NAME.pem
vault_key() {
    printf '<key name="%s">' "$1"
    vault_type "$@"
    printf '</key>'
}

vault_type() {
    named=$1
    shift
    printf '<type name="%s" locationValue="%s" resource="%s" login="emulated" alias="%s" %s/>' "${store-AzureKeyVault}" "$VAULT" "$RESOURCE" "$named" "$*"
}

by_secret() {
    printf 'tenant="%s" client="%s" authority="%s" pin.source="env:SECRET"' "$TENANT" "$CLIENT" "$AUTHORITY"
}
