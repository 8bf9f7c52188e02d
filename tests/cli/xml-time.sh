#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Signing and verifying XML takes time in proportion to the size, whatever the shape of the document: for each of xml-shapes.py, four times
# as much takes less than eight times as long (processor time, of which 0.3 s are for the process and for what can't be measured), and 1.2 MB
# take less than 2 s; or it is refused, with why.  A signature of somebody is enough to have the document looked at: the one over a small
# document is put into each.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl python3
if instrumented; then skip "times are of no use here"; fi

make_signer Files ec:P-256
echo '<r>small</r>' >small.xml
setup signengine sign --xml -d Files small.xml -o small.signed.xml
sed -n 's:.*\(<ds.Signature xmlns.*</ds.Signature>\).*:\1:p' small.signed.xml >signature
echo '<r Id="e">small</r>' >small.xml
setup signengine sign --xml --inclusive --id e -d Files small.xml -o small.signed.xml
sed -n 's:.*\(<ds.Signature xmlns.*</ds.Signature>\).*:\1:p' small.signed.xml >signature-id

cat >measure.py <<'PY'
import resource, subprocess, sys

sys.path.insert(0, sys.argv[2])
import importlib
shapes = importlib.import_module("xml-shapes").SHAPES
SMALL, LARGE, MOST, FREE = 300000, 1200000, 2.0, 0.3
ORDINARY = ["plain", "namespaces-35", "redeclared", "ids"]
WAYS = [["sign", "--xml"], ["sign", "--xml", "--inclusive", "--id", "e"], ["verify", "--xml"]]


def run(way, file):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.argv[1], *way, "-d", "Files", file] + ["-o", "out"] * (way[0] == "sign"), capture_output=True, text=True, timeout=100)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.returncode, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stderr.strip()


failed = 0
for name, make in shapes.items():
    texts = [make(SMALL), make(LARGE)]
    for way in WAYS:
        with open("signature-id" if "--id" in way else "signature") as f:
            signature = f.read().strip()
        seconds, last = [], None
        for text in texts:
            if way[0] == "verify":
                at = text.rindex("</r>") if "</r>" in text else len(text)
                text = text[:at] + signature + text[at:]
            with open("in.xml", "w") as f:
                f.write(text)
            status, spent, why = run(way, "in.xml")
            seconds.append(spent)
            if status == 65 and name in ORDINARY:
                failed += 1
                print("%s of %s is ordinary, and refused: %s" % (" ".join(way), name, why))
            if status not in ((0, 65) if way[0] == "sign" else (0, 1, 65)) or status and not why:
                failed += 1
                print("%s of %s: status %d: %s" % (" ".join(way), name, status, why))
            last = why.split(": ")[-1][:60] if status else ""
        if seconds[1] > MOST or seconds[1] > 8 * (seconds[0] + FREE):
            failed += 1
            print("%s of %s: %.2f s for %d bytes, %.2f s for %d" % (" ".join(way), name, seconds[0], SMALL, seconds[1], LARGE))
        print("# %-22s %-30s %.2f %.2f %s" % (name, " ".join(way), *seconds, last))
print("%d shapes, %d failed" % (len(shapes), failed))
sys.exit(failed > 0 or len(shapes) < 20)
PY
accepts python3 measure.py "${top_builddir:?}/signengine" "$top_srcdir/tests/cli"
cat "$out"
