# SPDX-License-Identifier: Apache-2.0
# The daemon says when another version signs than before, and when it has come to know one after others had used it: in its log, its audit,
# its metrics and what `check` answers.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "${top_srcdir:?}/tests/daemon/daemon-lib.sh"
daemon_configuration
sed -i "s|<access>|<access><allow name='watching' operations='monitor check'><user name='sys'/></allow>|; /version='2'/d" engine.xml
cp engine.xml first.xml
at() { date -u -d "$1 seconds" +%Y-%m-%dT%H:%M:%SZ; }
with_version() { # NUMBER FROM: beside the first
    sed "s|^  *<descriptor name='Other'>|<descriptor name='FileSigner' version='$1' from='$2'><type algorithm='SHA-256' key='one'/></descriptor>&|" first.xml >next.xml
    mv next.xml engine.xml
}
sign() {
    ask daemon POST '/v1/descriptors/FileSigner/sign?form=raw' -H 'Content-Type: application/octet-stream' -d hello
    answers 200
}
metric_is() { # LINE
    as sys curl -sf --unix-socket run/socket http://x/metrics | grep -qxF "$1"
}
is_told() { # COUNT TEXT: in the log
    cases=$((cases + 1)) bad=''
    [ "$(grep -c -F "$2" daemon.log)" = "$1" ] || fail "not told $1 times: $2: $(cat daemon.log)"
}
is_recorded() { # KIND VERSION
    accepts grep -q "\"operation\":\"$1\",\"descriptor\":\"FileSigner\",\"version\":$2,\"key\":\"one\".*\"result\":\"ok\"" run/audit.log
}

with_version 2 "$(at 4)"
daemon_settings
start_daemon "$top_builddir/signengined"
sign
until_true metric_is 'signengine_current_version{descriptor="FileSigner"} 1'
is_told 0 'now it is version 2'
signs_as_two() {
    as daemon curl -sf --unix-socket run/socket -H 'Content-Type: application/octet-stream' -d hello 'http://x/v1/descriptors/FileSigner/sign?form=raw' &&
        metric_is 'signengine_current_version{descriptor="FileSigner"} 2'
}
until_true signs_as_two
sign
is_told 1 "descriptor 'FileSigner': now it is version 2 that signs; before it was version 1"
is_recorded 'version switched' 2
# loaded again, it is no news
kill -HUP "$daemon"
was_loaded() { [ "$(grep -c 'the configuration was loaded again' daemon.log)" = "$1" ]; }
until_true was_loaded 1
sign
is_told 1 'now it is version 2'
until_true metric_is 'signengine_current_version{descriptor="FileSigner"} 2'

# ---- what others have used for an hour ----
with_version 3 "$(at -3600)"
was_told_late() { grep -q -F "descriptor 'FileSigner': version 3 was in use by others before this process knew it" daemon.log; }
until_true was_told_late
sign
until_true metric_is 'signengine_current_version{descriptor="FileSigner"} 3'
is_recorded 'version late' 3
is_recorded 'version switched' 3
ask sys GET /v1/check
answers 200
says 'version 3 was in use by others before this process knew it'
says '"kind":"late"'
stop_daemon
