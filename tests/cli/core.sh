#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# No core dump of processes that hold PINs, and nobody else's debugger in them.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl python3 setpriv
[ "$(id -u)" = 0 ] || skip "only root can become another user"
# shellcheck disable=SC2016 # expanded by the other shell
setpriv --reuid=65533 --regid=65533 --clear-groups sh -c 'test -x "$top_builddir/signengine"' ||
    skip 'the build folder is not for other users'
instrumented && skip "valgrind and the sanitizers have their own way with signals"

make_cert k rsa:2048 issuer=self subjectAltName=email:a@example.org
printf 'PIN-in-memory-77' >pin
setup openssl pkcs8 -topk8 -in k.key -passout file:pin -v2 aes-256-cbc -out encrypted.key
mkdir -m 700 service
cat encrypted.key k.pem >service/k.pem
cat >service/engine.xml <<XML
<engineSignEncrypt>
  <descriptors><descriptor name='Files'><type algorithm='SHA256withRSA' key='k'/></descriptor></descriptors>
  <keys><key name='k'><type name='pem' locationValue='k.pem' pin='PIN-in-memory-77'/></key></keys>
</engineSignEncrypt>
XML
printf 'engine = %s/service/engine.xml\nsocket = unix:%s/service/socket\nsign * Files\n' "$tmp" "$tmp" >service/milter.conf
chmod 600 service/*
chown -R 65533:65533 service
chmod 755 "$tmp"

# look.py DUMPS PROGRAM ARGUMENT...: starts it as user 65533, waits until it (or its child) has the PIN in memory, and crashes it
cat >look.py <<'PY'
import os, resource, signal, subprocess, sys, time
def start(argv):
    return subprocess.Popen(argv, stdin=subprocess.PIPE, cwd='service', preexec_fn=before)
def before():
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    os.setgid(65533), os.setuid(65533)
def has_pin(pid):
    found = False
    with open('/proc/%d/maps' % pid) as maps, open('/proc/%d/mem' % pid, 'rb', 0) as memory:
        for line in maps:
            if ' rw' in line and '[v' not in line:
                begin, end = (int(x, 16) for x in line.split()[0].split('-'))
                try:
                    memory.seek(begin)
                    found |= b'PIN-in-memory-77' in memory.read(end - begin)
                except (OSError, OverflowError):
                    pass
    return found
def children(pid):
    return [int(x) for x in open('/proc/%d/task/%d/children' % (pid, pid)).read().split()]
process = start(sys.argv[2:])
holder = None
for _ in range(200):
    time.sleep(0.05)
    if process.poll() is not None:
        sys.exit('it ended: %d' % process.returncode)
    holder = next((p for p in [process.pid] + children(process.pid) if has_pin(p)), None)
    if holder:
        break
if not holder:
    sys.exit('the PIN was not found in memory: this tests nothing')
limit = next(l.split()[4] for l in open('/proc/%d/limits' % holder) if l.startswith('Max core file size'))
print('core limit', limit, 'owner of /proc', os.stat('/proc/%d/mem' % holder).st_uid)
os.kill(holder, signal.SIGABRT)
if holder == process.pid:
    print('dumped', os.WCOREDUMP(os.waitpid(holder, 0)[1]))
else:
    process.wait()
found = [f for f in os.listdir('service') if f.startswith('core')]
print('files', found)
PY

look() { timeout 60 python3 look.py - "$@"; }
# whether this machine dumps at all
accepts look python3 -c 'import time; pin = "PIN-in" + "-memory-77"; time.sleep(60)'
says 'owner of /proc 65533'
grep -q 'dumped True' "$out" || echo "this machine makes no core dumps: only what would prevent them is looked at"
rm -f service/core*
try sh -c 'setpriv --reuid=65533 --regid=65533 --clear-groups "$top_builddir/signengine" --version'
[ "$status" = 0 ] || skip "the build folder can't be read by others"
accepts look "${top_builddir:?}/signengine" -c engine.xml sign -d Files -o signature -
says 'core limit 0 owner of /proc 0'
says 'dumped False'
says 'files []'
if [ -x "$top_builddir/signengine-milter" ]; then
    accepts look "$top_builddir/signengine-milter" -c "$tmp/service/milter.conf"
    says 'core limit 0 owner of /proc 0'
    says 'files []'
fi
