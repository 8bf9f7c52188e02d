#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# check --tsa and --record: what no configuration names is watched as well: the certificates of time stamping authorities, their clocks,
# and evidence records that have to be renewed.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl

make_signer Files ec:P-256
make_ca ca
chmod 600 one.bundle
make_tsa
make_cert soon ec:P-256 keyUsage=critical,digitalSignature extendedKeyUsage=critical,timeStamping \
    "until=$(date -u -d '+9 days 12 hours' +%Y%m%d%H%M%SZ)"
make_cert expired ec:P-256 keyUsage=critical,digitalSignature extendedKeyUsage=critical,timeStamping until=20210101000000Z
serve authority

check() { signengine check "$@"; }
json() { signengine --json check "$@"; }

# ---- authorities ----
accepts check
says_not tsa
accepts check --strict --tsa "$tsa_url/"
says "tsa $tsa_url/"
says CN=tsa
accepts json --tsa "$tsa_url/"
says "{\"descriptor\":\"tsa $tsa_url/\",\"version\":0,"
says '"subject":"CN=tsa","notAfter":"21'
says "\"level\":\"date\",\"kind\":\"authority\",\"subject\":\"tsa $tsa_url/\",\"date\":\"21"
soon="$tsa_url/made?by=soon&ahead=0"
refuses 1 check --strict --tsa "$soon"
says "tsa $soon: the certificate of its time stamping authority, CN=soon, expires in 9 days"
accepts check --strict --days 9 --tsa "$soon"
accepts check --tsa "$soon" --tsa "$tsa_url/"
says 'expires in 9 days'
refuses 69 check --tsa http://127.0.0.1:1/ --tsa "$tsa_url/"
says '1 of 3 '
says 'tsa http://127.0.0.1:1/: time stamping authority'
says CN=tsa
refuses 69 json --tsa http://127.0.0.1:1/
says '"status":"unavailable"'
says '"level":"failure","kind":"unusable","subject":"tsa http://127.0.0.1:1/"'
refuses 69 check --tsa "$tsa_url/made?by=expired&ahead=0"
says "certificate was not valid at its time"
refuses 64 check --tsa ftp://authority/
says 'is not the URL of a time stamping authority'

# ---- clocks ----
accepts check --strict --tsa "$tsa_url/made?by=tsa&ahead=-30"
refuses 1 check --strict --tsa "$tsa_url/made?by=tsa&ahead=-200"
says 'the clock is 20'
says ' s ahead of that of the time stamping authority'
refuses 1 check --strict --tsa "$tsa_url/made?by=tsa&ahead=200"
says ' s behind that of the time stamping authority'
refuses 69 check --tsa "$tsa_url/made?by=tsa&ahead=3600"
says 'it is from later than'

# ---- records ----
mkdir records
echo one >records/one
echo two >records/two
accepts signengine evidence make --tsa "$tsa_url/" records/one
accepts signengine evidence make --tsa "$soon" records/two
echo not one >records/three.ers.txt
accepts check --strict --record records/one.ers
says 'record records/one.ers'
refuses 1 check --strict --record records
says 'record records/two.ers: the certificate of its time stamping authority, CN=soon, expires in 9 days'
accepts json --record records
says '"descriptor":"record records/one.ers","version":0,'
says '"level":"warning","kind":"record","subject":"record records/two.ers","date":"20'
# it is the last time stamp that counts
accepts signengine evidence renew --tsa "$tsa_url/" --trust-tsa ca.pem records/two
accepts check --strict --record records
head -c 100 records/one.ers >cut.ers
refuses 65 check --record cut.ers --record records/one.ers
says 'record cut.ers: '
says CN=tsa
refuses 66 check --record nowhere.ers
says "record nowhere.ers: cannot "

# ---- those who watch hear of it ----
accepts signengine evidence make --tsa "$soon" -o soon.ers records/one
cat >hear <<'E'
#!/bin/sh
cat >>heard
E
chmod 755 hear
accepts check --tsa "$soon" --record soon.ers --metrics metrics --notify ./hear --state state --html page.html
grep -q "^signengine_check_end_timestamp_seconds{kind=\"authority\",subject=\"tsa $soon\"} [0-9]" metrics || fail 'no end of the authority'
grep -q '^signengine_check_end_timestamp_seconds{kind="record",subject="record soon.ers"} [0-9]' metrics || fail 'no end of the record'
grep -q '"kind":"record","subject":"record soon.ers"' heard || fail 'nobody heard of the record'
grep -q 'record soon.ers' page.html || fail 'the page does not have the record'
if command -v faketime >/dev/null && ! instrumented; then
    refuses 78 moved '+11d' "$top_builddir/signengine" check --record soon.ers
    says 'record soon.ers: the certificate of its time stamping authority, CN=soon, has expired on 20'
fi
