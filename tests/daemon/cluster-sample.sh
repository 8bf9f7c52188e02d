# SPDX-License-Identifier: Apache-2.0
# samples/cluster as its README has it.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs curl haproxy openssl python3 setpriv
[ -x "${top_builddir:?}/signengined" ] || skip "signengined was not built: libmicrohttpd-dev is missing"
[ -e /usr/lib/softhsm/libsofthsm2.so ] || skip "SoftHSM is missing: softhsm2"
[ "$(find /usr/lib/postgresql -name initdb 2>/dev/null)" ] || skip 'no PostgreSQL server is installed'
chmod 755 "$tmp"

run_sample() { sh "$top_srcdir/samples/cluster/run.sh" "$@"; }
others_refuse run_sample
says BUILD
others_refuse run_sample "$tmp"
says 'with libmicrohttpd-dev'

# two ports, one after the other, that nobody has
PORT=$(python3 - <<-'PYTHON'
	import socket
	while True:
	    try:
	        a, b = socket.socket(), socket.socket()
	        a.bind(("127.0.0.1", 0))
	        b.bind(("127.0.0.1", a.getsockname()[1] + 1))
	        print(a.getsockname()[1])
	        break
	    except OSError:
	        pass
	PYTHON
)
export PORT
accepts run_sample "$top_builddir" "$tmp/made"
says 'CMS Verification successful'
says '"status":"forbidden"'
says 'calls, 0 failed'
says "each call's entry is there, once"
says '== Done'
