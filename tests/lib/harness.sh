# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# harness.sh: what every shell test begins with:
#
#   . "${top_srcdir:?}/tests/lib/harness.sh"
#
# It enters a fresh folder, $tmp, that goes when the test ends, and hides the machine's own configuration.
#
#   accepts CMD...         a case: the command succeeds
#   refuses STATUS CMD...  a case: exactly this status, and on stderr a message of ours: every line starts with
#                          "signengine: ", "signengined: " or "FILE:LINE: "
#   others_refuse CMD...   a case: somebody else's tool says no (any status but those of a crash or a missing tool)
#   says TEXT, says_not TEXT   belongs to the case before: its stdout and stderr together hold the text, or do not
#   same FILE FILE         belongs to the case before: the files are equal, byte for byte
#   setup CMD...           not a case: must succeed, or the test ends
#   fail TEXT              the case before has failed
#   skip REASON            ends the test as skipped
#   instrumented           whether valgrind or a sanitizer watches, which take memory and time of their own
#
# Never write "! cmd": set -e lets it pass whatever cmd does.  The output of the last command is in $out and $err.
# The last line of a test counts: "# 12 cases, 0 failed".  A test without cases has failed.

set -eu

tmp=$(mktemp -d "${TMPDIR:-/tmp}/signengine-test.XXXXXX")
out=$tmp/.out err=$tmp/.err
cases=0 failed=0 bad='' skipped='' servers=''

finish() {
    status=$?
    trap - EXIT
    stop_servers
    cd /
    [ "$status" = 0 ] || [ "$skipped" ] || [ "$bad" ] || {
        echo "ended with status $status after $cases cases"
        failed=$((failed + 1))
    }
    [ "$cases" -gt 0 ] || [ "$skipped" ] || [ "$failed" -gt 0 ] || {
        echo "no case was run"
        failed=1
    }
    if [ "$failed" -gt 0 ]; then
        find "$tmp" -name '.valgrind.*' -size +0 -exec cat {} +
    fi
    rm -rf "$tmp"
    [ "$skipped" ] && exit 77
    echo "# $cases cases, $failed failed"
    [ "$failed" = 0 ] || exit 1
    exit 0
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

cd "$tmp"
export HOME="$tmp" XDG_RUNTIME_DIR="$tmp" LC_ALL=C TZ=UTC
unset RUNTIME_DIRECTORY SIGNENGINE_CONFIG SIGNENGINE_SOCKET OPENSSL_CONF OPENSSL_MODULES XDG_CONFIG_HOME SOFTHSM2_CONF CREDENTIALS_DIRECTORY

# The command under test; MEMCHECK is set by "make memcheck".
# shellcheck disable=SC2086 # MEMCHECK is a command with options
signengine() {
    ${MEMCHECK:+$MEMCHECK --log-file="$tmp/.valgrind.%p"} "${top_builddir:?}/signengine" "$@"
}

fail() {
    echo "FAILED: $*"
    [ "$bad" ] || failed=$((failed + 1))
    bad=yes
    sed 's/^/    stdout: /' "$out" 2>/dev/null | tail -n 40
    sed 's/^/    stderr: /' "$err" 2>/dev/null | tail -n 20
}

# Runs a command as a case of its own and leaves its exit status in $status.
try() {
    cases=$((cases + 1)) bad='' status=0
    "$@" >"$out" 2>"$err" || status=$?
}

accepts() {
    try "$@"
    [ "$status" = 0 ] || fail "status $status, not 0: $*"
}

refuses() {
    wanted=$1
    shift
    try "$@"
    if [ "$status" != "$wanted" ]; then
        fail "status $status, not $wanted: $*"
    elif ! [ -s "$err" ]; then
        fail "no message: $*"
    elif grep -v -E '^(signengined?: |[^:]+:[0-9]+: )[^ ]' "$err" >"$tmp/.odd"; then
        fail "the message is not one of ours: $*"
    fi
}

others_refuse() {
    try "$@"
    if [ "$status" = 0 ] || [ "$status" -ge 126 ]; then
        fail "status $status: $*"
    fi
}

says() {
    grep -q -F -e "$1" "$out" "$err" || fail "does not say: $1"
}

says_not() {
    if grep -q -F -e "$1" "$out" "$err"; then fail "says: $1"; fi
}

same() {
    cmp "$1" "$2" >"$tmp/.cmp" 2>&1 || fail "$(cat "$tmp/.cmp")"
}

setup() {
    "$@" >"$out" 2>"$err" </dev/null && return 0
    echo "cannot set the test up: $*"
    cat "$out" "$err"
    bad=''
    exit 99
}

skip() {
    echo "SKIPPED: $*"
    skipped=yes
    exit 77
}

needs() {
    for tool; do
        command -v "$tool" >/dev/null || skip "$tool is not installed"
    done
}

instrumented() {
    [ "${MEMCHECK-}" ] || grep -qE '__(asan|tsan)_init' "${top_builddir:?}/signengine" "$top_builddir/.libs/signengine" 2>/dev/null
}

# moved HOW CMD...: with the clock as faketime(1) sets it by HOW; what measures intervals is left alone.
# faketime names a semaphore after its process and leaves it behind when it is killed; the next process of that number would not start.
moved() (
    how=$1
    shift
    for left in /dev/shm/sem.faketime_sem_*; do
        process=${left##*_}
        [ -e "/proc/$process" ] || rm -f "$left" "/dev/shm/faketime_shm_$process"
    done
    FAKETIME_DONT_FAKE_MONOTONIC=1 exec faketime -f "$how" "$@"
)

# Java's tools compile for a short life: most of the time that they take is that of compilers which do not come to an end.
if command -v java >/dev/null; then
    java() { command java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC "$@"; }
    for tool in javac jar jarsigner keytool; do
        eval "$tool() { command $tool -J-XX:TieredStopAtLevel=1 -J-XX:+UseSerialGC \"\$@\"; }"
    done
fi

# ---- tokens ----

# find_library NAME: prints the path of a PKCS #11 library.
find_library() {
    sh "${top_srcdir:?}/tests/lib/find-library.sh" "$1"
}

# shellcheck disable=SC2034 # for the tests
softhsm_module=$(find_library libsofthsm2.so)

# make_token LABEL [PIN]: a new token in the test's own SoftHSM; its slot ID goes to $slot.
make_token() {
    needs softhsm2-util
    [ "$softhsm_module" ] || skip "libsofthsm2.so is not installed"
    if ! [ "${SOFTHSM2_CONF-}" ]; then
        mkdir "$tmp/.tokens"
        printf 'directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n' "$tmp/.tokens" >"$tmp/.softhsm2.conf"
        export SOFTHSM2_CONF="$tmp/.softhsm2.conf"
    fi
    setup softhsm2-util --init-token --free --label "$1" --so-pin 12345678 --pin "${2-1234}"
    # shellcheck disable=SC2034 # for the tests
    slot=$(sed -n 's/.*reassigned to slot \([0-9]*\).*/\1/p' "$out")
}

# ---- certificates ----

# make_key NAME rsa:BITS|ec:CURVE: NAME.key, PEM.
make_key() {
    case $2 in
    rsa:*) setup openssl genpkey -quiet -algorithm RSA -pkeyopt "rsa_keygen_bits:${2#rsa:}" -out "$1.key" ;;
    ec:*) setup openssl genpkey -quiet -algorithm EC -pkeyopt "ec_paramgen_curve:${2#ec:}" -out "$1.key" ;;
    *) echo "make_key: rsa:BITS or ec:CURVE, not $2" && exit 99 ;;
    esac
}

# make_ca [NAME]: NAME.key and NAME.pem (ca.key, ca.pem): a self-signed CA.
make_ca() {
    make_key "${1-ca}" ec:P-256
    setup openssl req -x509 -new -key "${1-ca}.key" -subj "/CN=Test CA ${1-ca}" -days 36500 -out "${1-ca}.pem" \
        -config /dev/null -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
}

# make_cert NAME rsa:BITS|ec:CURVE [WORD=VALUE...]: NAME.key (kept if it is there) and NAME.pem.
#   issuer=ca   name of the CA, or "self"
#   subject=/CN=NAME
#   from=20200101000000Z until=21200101000000Z
#   anything else is an extension: keyUsage=critical,digitalSignature
make_cert() {
    name=$1 kind=$2 issuer=ca subject=/CN=$1 from=20200101000000Z until=21200101000000Z
    shift 2
    [ -e "$name.key" ] || make_key "$name" "$kind"
    : >"$tmp/.extensions"
    for word; do
        case $word in
        issuer=*) issuer=${word#*=} ;;
        subject=*) subject=${word#*=} ;;
        from=*) from=${word#*=} ;;
        until=*) until=${word#*=} ;;
        *) echo "${word%%=*} = ${word#*=}" >>"$tmp/.extensions" ;;
        esac
    done
    issue
}

# list_certificates FILE [CERT=WHEN[,REASON]]...: what became of CERT.pem, as openssl's CA and its responder read it; WHEN is
# 20250601000000Z, when it was revoked, or "good".
list_certificates() (
    listed=$1
    shift
    : >"$listed"
    for word; do
        who=${word%%=*} when=${word#*=}
        serial=$(openssl x509 -in "$who.pem" -noout -serial)
        case $when in
        good) printf 'V\t21200101000000Z\t\t%s\tunknown\t/CN=%s\n' "${serial#*=}" "$who" ;;
        *) printf 'R\t21200101000000Z\t%s\t%s\tunknown\t/CN=%s\n' "${when#20}" "${serial#*=}" "$who" ;;
        esac >>"$listed"
    done
)

# issue_crl FILE CA [WORD=VALUE...]: a CRL, in PEM.
#   CERT=WHEN[,REASON]   a certificate, as list_certificates takes it
#   from=20250101000000Z until=20250201000000Z   now, and in five days
#   number=01   the next one; empty: none, as CRLs of version 1 have it
#   md=sha256
#   sections=FILE   to which extensions refer
#   anything else is an extension: 1.2.3.4=critical,ASN1:NULL
issue_crl() (
    file=$1 by=$2 begin='' end='' number=next md=sha256 sections=/dev/null
    shift 2
    mkdir -p "$tmp/.ca"
    : >"$tmp/.ca/crl.extensions"
    for word; do
        shift
        case $word in
        from=*) begin=${word#*=} ;;
        until=*) end=${word#*=} ;;
        number=*) number=${word#*=} ;;
        md=*) md=${word#*=} ;;
        sections=*) sections=${word#*=} ;;
        *)
            if [ -e "${word%%=*}.pem" ]; then
                set -- "$@" "$word"
            else
                echo "${word%%=*} = ${word#*=}" >>"$tmp/.ca/crl.extensions"
            fi
            ;;
        esac
    done
    list_certificates "$tmp/.ca/crl.index" "$@"
    case $number in
    next) [ -e "$tmp/.ca/crl.number" ] || echo 01 >"$tmp/.ca/crl.number" ;;
    ?*) echo "$number" >"$tmp/.ca/crl.number" ;;
    esac
    {
        printf '[ca]\ndefault_ca = test\n[test]\ndatabase = %s\ndefault_md = %s\n' "$tmp/.ca/crl.index" "$md"
        [ ! "$number" ] || echo "crlnumber = $tmp/.ca/crl.number"
        [ ! -s "$tmp/.ca/crl.extensions" ] || echo 'crl_extensions = extensions'
        echo '[extensions]'
        cat "$tmp/.ca/crl.extensions" "$sections"
    } >"$tmp/.ca/crl.conf"
    setup openssl ca -gencrl -config "$tmp/.ca/crl.conf" -keyfile "$by.key" -cert "$by.pem" -crldays 5 \
        ${begin:+-crl_lastupdate "$begin"} ${end:+-crl_nextupdate "$end"} -out "$file"
)

# make_tsa: tsa.key and tsa.pem, of the CA `ca`, and ts.conf, with which `openssl ts -reply` is a time stamping authority.
make_tsa() {
    make_cert tsa rsa:2048 keyUsage=critical,digitalSignature extendedKeyUsage=critical,timeStamping
    cat >ts.conf <<-CONF
	[tsa]
	default_tsa = here
	[here]
	serial = $tmp/serial
	signer_cert = $tmp/tsa.pem
	certs = $tmp/ca.pem
	signer_key = $tmp/tsa.key
	signer_digest = sha256
	default_policy = 1.2.3.4
	digests = sha256
	ess_cert_id_alg = sha256
	CONF
}

# serve NAME: tests/lib/NAME.py runs until the test ends, or stop_servers; it says first what its variables mean.
# authority: the authority of make_tsa, and ones that lie; responder: an OCSP responder, and a place of CRLs.
serve() {
    needs python3
    rm -f "$1.urls"
    PYTHONDONTWRITEBYTECODE=1 python3 "${top_srcdir:?}/tests/lib/$1.py" 2>"$1.log" &
    servers="$servers $!"
    until [ -e "$1.urls" ]; do
        kill -0 $! 2>/dev/null || setup cat "$1.log" "$1.urls"
        sleep 0.1
    done
    # shellcheck disable=SC1090 # it was made just now
    . "./$1.urls"
}
stop_servers() {
    # shellcheck disable=SC2086 # numbers
    [ ! "$servers" ] || kill $servers
    servers=''
}

# make_signer DESCRIPTOR KIND: engine.xml, in use, with one descriptor (SHA-256) whose key and certificate, of the CA `ca`, are `one`.
make_signer() {
    make_ca ca
    make_cert one "$2" keyUsage=critical,digitalSignature
    cat one.key one.pem ca.pem >one.bundle
    cat >engine.xml <<-XML
	<engineSignEncrypt>
	  <descriptors><descriptor name='$1'><type algorithm='SHA-256' key='one'/></descriptor></descriptors>
	  <keys><key name='one'><type name='pem' locationValue='one.bundle'/></key></keys>
	</engineSignEncrypt>
	XML
    export SIGNENGINE_CONFIG="$tmp/engine.xml"
}

# openssl ca, because it takes dates
issue() {
    mkdir -p "$tmp/.ca"
    : >"$tmp/.ca/index"
    cat >"$tmp/.ca/conf" <<-CONF
	[req]
	distinguished_name = any
	[any]
	[ca]
	default_ca = test
	[test]
	database = $tmp/.ca/index
	new_certs_dir = $tmp/.ca
	default_md = sha256
	policy = policy
	unique_subject = no
	rand_serial = yes
	email_in_dn = yes
	[policy]
	countryName = optional
	organizationName = optional
	commonName = optional
	emailAddress = optional
	CONF
    setup openssl req -new -key "$name.key" -subj "$subject" -config "$tmp/.ca/conf" -out "$tmp/.ca/request"
    if [ "$issuer" = self ]; then
        set -- -selfsign -keyfile "$name.key"
    else
        set -- -keyfile "$issuer.key" -cert "$issuer.pem"
    fi
    setup openssl ca -batch -notext -config "$tmp/.ca/conf" "$@" -startdate "$from" -enddate "$until" \
        -extfile "$tmp/.extensions" -in "$tmp/.ca/request" -out "$name.pem"
}

# make_p12 NAME [PASSWORD [FRIENDLY-NAME [OPTION...]]]: NAME.p12 from NAME.key and NAME.pem.
make_p12() {
    name=$1 password=${2-1234} friendly=${3-$1}
    shift "$(($# < 3 ? $# : 3))"
    setup openssl pkcs12 -export -inkey "$name.key" -in "$name.pem" -name "$friendly" -passout "pass:$password" -out "$name.p12" "$@"
}
