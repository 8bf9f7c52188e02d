# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# load.sh: the four well-known jobs go on without pause while their keys are rotated and renewed; for tests that have sourced harness.sh.
#
#   load_store NAME   softhsm, pkcs12, vault.  Three processes (worker.c), two of them on the configuration that the operator changes and
#                     one on a copy that he distributes, share files and a history
#
# ROTATIONS, RENEWALS: how many; each takes some 10 s.
ROTATIONS=${ROTATIONS-1} RENEWALS=${RENEWALS-1}
needs openssl python3
jobs='fields zip mail history'
workers='a b c' running=''
store=sqlite:$tmp/history.db

end_workers() {
    for process in $running; do
        kill -KILL "$process"
        wait "$process"
    done 2>/dev/null
}

until_true() {
    for _ in $(seq 1 3000); do
        "$@" >/dev/null 2>&1 && return 0
        sleep 0.02
    done
    for name in $workers; do tail -n 5 "$name.log" "$name.err"; done
    fail "never: $*"
    end_workers
    exit 1
}

# ---- the places of keys ----

place_softhsm() { # KEY
    echo "<type name='HSM' locationValue='$softhsm_module' tokenLabel='lab' alias='$1' pin.source='file:pin'/>"
}
place_pkcs12() {
    echo "<type name='pkcs12' locationValue='$1.p12' pin.source='file:pin'/>"
}
place_vault() {
    echo "<type name='AzureKeyVault' login='azure' resource='$RESOURCE' locationValue='$VAULT' alias='$1' certificate='file:$1.pem'/>"
}
login() {
    [ "$1" = vault ] || return 0
    echo "<login name='azure' tenant='$TENANT' client='$CLIENT' pin.source='file:secret' authority='$AUTHORITY' caFile='file:$emulated/ca.pem'/>"
}

# The names of keys are their aliases: those of rotated ones are made up of them.
key_names='fields zip mail history'
write_configuration() { # STORE
    printf 1234 >pin
    chmod 600 pin
    {
        echo '<engineSignEncrypt><descriptors>'
        echo "<descriptor name='EncryptedFields'><type algorithm='AES/GCM/NoPadding' asymCipher='RSA/ECB/OAEPWithSHA-1AndMGF1Padding' key='fields'/></descriptor>"
        echo "<descriptor name='ConfigZipSigner'><type algorithm='SHA-256' key='zip'/></descriptor>"
        echo "<descriptor name='SignEmailDescriptor'><type algorithm='SHA256withECDSA' key='mail'/></descriptor>"
        echo "<descriptor name='ObjectHistorySigner'><type algorithm='SHA-256' key='history'/></descriptor>"
        echo '</descriptors>'
        login "$1"
        echo '<keys>'
        for key in $key_names; do echo "<key name='$key'>$("place_$1" "$key")</key>"; done
        echo '</keys></engineSignEncrypt>'
    } >new.xml
}

describe_key() { # KEY: $profile is of its certificate
    profile="--subject /CN=$1"
    case $1 in mail*) profile="$profile --san email:a@example.org" ;; esac
}

answer() { # REQUEST: the CA's, in answer.pem; its serial number goes to $serial
    setup openssl x509 -req -in "$1" -CA ca.pem -CAkey ca.key -days 100 -copy_extensions copyall -out answer.pem
    serial=$(openssl x509 -in answer.pem -noout -serial)
    serial=${serial#serial=}
    cat ca.pem >>answer.pem
}

certify() { # KEY
    describe_key "$1"
    # shellcheck disable=SC2086 # words
    accepts signengine -c new.xml key request $profile -o request.csr "$1"
    answer request.csr
    accepts signengine -c new.xml key certificate "$1" answer.pem
}

# Zips and mail are signed with certificates of a CA only.
make_keys() {
    for key in $key_names; do
        describe_key "$key"
        type='--type ec:P-256 --key-usage sign'
        # a request is signed with the key itself
        [ "$key" != fields ] || type='--type rsa:2048 --key-usage both'
        # shellcheck disable=SC2086 # words
        setup signengine -c new.xml key generate "$key" $type $profile
        case $key in zip | mail) certify "$key" ;; esac
    done
}

# ---- the processes ----

start_workers() { # "the configuration that is distributed" is old.xml
    running=''
    for name in $workers; do
        config=new.xml others=$(echo "$workers" | tr ' ' '\n' | grep -v "^$name")
        [ "$name" != c ] || config=old.xml
        # shellcheck disable=SC2086 # words
        "${top_builddir:?}/tests/keylife/worker" "$config" "$store" "$name" $others >"$name.log" 2>"$name.err" &
        running="$running $!"
    done
    for name in $workers; do until_true grep -qx ready "$name.log"; done
}

stop_workers() {
    for process in $running; do
        kill "$process"
        cases=$((cases + 1)) bad=''
        status=0
        wait "$process" || status=$?
        [ "$status" = 0 ] || fail "a worker ended with status $status: $(cat ./*.err)"
    done
    running=''
}

no_call_failed() {
    for name in $workers; do
        cases=$((cases + 1)) bad=''
        if grep -E '^(failed|unknown) ' "$name.log" >"$out"; then fail "process $name had calls that failed: $(wc -l <"$out")"; fi
        for job in $jobs; do
            grep -q "^done $job [1-9][0-9]* [1-9]" "$name.log" || fail "process $name has not done $job: $(grep "^done $job" "$name.log")"
        done
    done
    cat ./[abc].log | awk '$1 == "done" { made[$2] += $3; used[$2] += $4 } END { for (job in made) print job ": " made[job] " made, " used[job] " used" }' | sort
}

distribute() {
    cp new.xml old.next
    mv old.next old.xml
}

all_have_loaded() {
    print=$(signengine -c new.xml config fingerprint) || return 1
    for name in $workers; do grep -qx "loaded $print" "$name.log" || return 1; done
}

# ---- rotation ----

# Where it is too late, at once: the versions of all descriptors stay the same.
rotate_one() { # DESCRIPTOR KEY VERSION FROM
    try signengine -c new.xml rotate --from "$(date -u -d "@$4" +%Y-%m-%dT%H:%M:%SZ)" "$1"
    if [ "$status" = 64 ] && grep -q 'is in the past' "$err"; then
        accepts signengine -c new.xml rotate --now "$1"
    fi
    [ "$status" = 0 ] || fail "status $status"
    case $2 in
    zip | mail)
        says --continue
        answer "$2-v$3.csr"
        accepts signengine -c new.xml rotate "$1" --continue answer.pem
        ;;
    esac
    says "$1:$3 takes over at"
}

rotate_all() { # VERSION FROM
    rotate_one EncryptedFields fields "$1" "$2"
    rotate_one ConfigZipSigner zip "$1" "$2"
    rotate_one SignEmailDescriptor mail "$1" "$2"
    rotate_one ObjectHistorySigner history "$1" "$2"
}

all_make_version() { # VERSION
    for name in $workers; do
        for job in $jobs; do grep -q "^version $job $1 " "$name.log" || return 1; done
    done
}

# Nothing new before `from`, nothing old a second after it: by the begins and ends of jobs.
switched_in_time() { # VERSION FROM
    for name in $workers; do
        cases=$((cases + 1)) bad=''
        awk -v version="$1" -v from="$2" -v process="$name" '
        $1 == "version" && $3 == version {
            late = ($4 / 1000000) - from
            early = from - $6 / 1000000
            first = $5 / 1000000 - from
            printf "%s %s: the last of the old began at from %+.3f s, the first of the new at from %+.3f s\n", process, $2, late, first
            wrong += late > 1 || early > 0
            jobs++
        }
        $1 == "version" { times[$2 " " $3]++ }
        END {
            for (made in times) wrong += times[made] > 1
            exit wrong || jobs != 4
        }' "$name.log" >"$out" || fail "process $name has not switched in time, or not once: $(grep '^version' "$name.log")"
        cat "$out"
        for descriptor in EncryptedFields ConfigZipSigner SignEmailDescriptor ObjectHistorySigner; do
            [ "$(grep -c "^event version switched $descriptor $1 " "$name.log")" = 1 ] || fail "process $name does not tell once that $descriptor has switched"
        done
    done
}

# Yesterday's configuration says what it lacks.
refuses_with_stale() { # VERSION
    version=$1
    refuses 78 signengine -c stale.xml decrypt a.value
    says "the value was made with version $version of 'EncryptedFields', which is not configured here"
    refuses 78 signengine -c stale.xml zip verify a.zip
    says 'is it of a version that is not configured here?'
    refuses 78 signengine -c stale.xml mail verify a.eml
    says 'a version that is not configured'
    echo '{}' >payload
    refuses 78 signengine -c stale.xml history append --store "$store" payload
    says "its last seal was made with version $version of 'ObjectHistorySigner', which is not configured here"
}

try_rotation() { # VERSION SECONDS: 2: the new configuration was not everywhere in time
    rm -f ./*.value ./*.zip.signed a.zip b.zip c.zip ./*.eml history.db*
    setup signengine -c new.xml history create --store "$store"
    cp new.xml stale.xml
    cp new.xml old.xml
    start_workers
    from=$(($(date +%s) + $2))
    rotate_all "$1" "$from"
    distribute
    until_true all_have_loaded
    if [ "$(date +%s)" -ge "$from" ]; then
        stop_workers
        return 2
    fi
    until_true all_make_version "$1"
    stop_workers
    no_call_failed
    switched_in_time "$1" "$from"
    refuses_with_stale "$1"
    accepts signengine -c new.xml history verify --store "$store"
}

rotates() {
    version=1 left=$ROTATIONS
    while [ "$left" -gt 0 ]; do
        version=$((version + 1)) tried=0
        try_rotation "$version" "$before" || tried=$?
        if [ "$tried" = 2 ]; then
            echo "the new configuration was not everywhere within $before s: once more, with twice the time"
            before=$((2 * before))
        else
            left=$((left - 1))
        fi
    done
}

# ---- renewal ----

all_sign_with() { # JOB SERIAL
    for name in $workers; do
        [ "$(sed -n "s/^certificate $1 //p" "$name.log" | tail -n 1)" = "$2" ] || return 1
    done
}

# Files are watched; what is changed in a token is told.
tell_workers() { # STORE
    [ "$1" = softhsm ] || return 0
    for process in $running; do kill -HUP "$process"; done
}

renews_once() { # STORE
    start_workers
    for key in $newest_keys; do
        certify "$key"
        case $key in
        zip*) zip_serial=$serial ;;
        mail*) mail_serial=$serial ;;
        esac
        tell_workers "$1"
    done
    until_true all_sign_with zip "$zip_serial"
    until_true all_sign_with mail "$mail_serial"
    stop_workers
    no_call_failed
    accepts signengine -c new.xml history verify --store "$store"
    # what was made before
    accepts signengine -c new.xml zip verify before.zip
    accepts signengine -c new.xml mail verify before.eml
    accepts signengine -c new.xml decrypt before.value
}

renews() { # STORE
    newest_keys=''
    for key in $key_names; do newest_keys="$newest_keys $key-v$version"; done
    for made in value zip eml; do cp "a.$made" "before.$made"; done
    cp new.xml old.xml
    left=$RENEWALS
    while [ "$left" -gt 0 ]; do
        renews_once "$1"
        left=$((left - 1))
    done
}

load_store() { # STORE
    case $1 in
    softhsm) make_token lab ;;
    vault)
        start_emulator vault
        printf %s "$SECRET" >secret
        chmod 600 secret
        ;;
    esac
    trap 'end_workers; finish' EXIT
    mkdir zipped
    echo text >zipped/a
    (cd zipped && python3 -m zipfile -c ../plain.zip a)
    printf 'From: a@example.org\r\nTo: b@example.org\r\nSubject: s\r\n\r\ntext\r\n' >message
    make_ca ca
    write_configuration "$1"
    # how long the new configuration will have to get everywhere: a machine that makes keys slowly needs more for all
    before=$(date +%s)
    make_keys
    before=$((3 * ($(date +%s) - before) + 4))
    rotates
    renews "$1"
}
