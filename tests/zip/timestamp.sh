#!/bin/sh
# zip sign --tsa: time stamps of an `openssl ts` authority, as jarsigner sees them; and authorities that are away, refuse or lie.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl python3 jarsigner keytool

make_ca ca
make_cert one rsa:2048 keyUsage=critical,digitalSignature
make_cert tsa rsa:2048 keyUsage=critical,digitalSignature extendedKeyUsage=critical,timeStamping
cat one.key one.pem ca.pem >one.bundle
cat >engine.xml <<XML
<engineSignEncrypt>
  <descriptors><descriptor name='ConfigZipSigner'><type algorithm='SHA-256' key='one'/></descriptor></descriptors>
  <keys><key name='one'><type name='pem' locationValue='one.bundle'/></key></keys>
</engineSignEncrypt>
XML
chmod 600 engine.xml
export SIGNENGINE_CONFIG="$tmp/engine.xml"
setup keytool -importcert -noprompt -alias ca -file ca.pem -keystore trust.p12 -storepass changeit
setup python3 -c "import zipfile; zipfile.ZipFile('plain.zip', 'w').writestr('a', 'content')"

cat >ts.conf <<CONF
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
cat >server.py <<'PY'
import http.server, subprocess
class Authority(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        query = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/other":
            query = subprocess.run(["openssl", "ts", "-query", "-digest", "00" * 32, "-sha256", "-cert"], capture_output=True, check=True).stdout
        open("query", "wb").write(query)
        reply = b"no time stamp"
        if self.path != "/garbage":
            reply = subprocess.run(["openssl", "ts", "-reply", "-config", "ts.conf", "-queryfile", "query"] +
                                   (["-tspolicy", "9.9.9"] if self.path == "/x" else []), capture_output=True, check=True).stdout
        if self.path == "/refuses":
            reply = bytes.fromhex("30053003020102")
        self.send_response(404 if self.path == "/missing" else 200)
        self.send_header("Content-Type", "application/timestamp-reply")
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)
    def log_message(self, *args):
        pass
server = http.server.HTTPServer(("127.0.0.1", 0), Authority)
open("port.new", "w").write(str(server.server_port))
import os
os.rename("port.new", "port")
server.serve_forever()
PY
python3 server.py 2>server.log &
server=$!
stop() {
    [ ! "$server" ] || kill "$server"
    server=''
}
trap 'stop; finish' EXIT
tries=0
until [ -e port ] || [ $tries = 300 ]; do
    sleep 0.1
    tries=$((tries + 1))
done
url=http://127.0.0.1:$(cat port)

accepts signengine zip sign plain.zip -o signed.zip --tsa "$url/"
accepts signengine zip verify signed.zip
accepts jarsigner -verify -strict -keystore trust.p12 -storepass changeit signed.zip
says 'jar verified.'
accepts jarsigner -verify -verbose -certs -keystore trust.p12 -storepass changeit signed.zip
says 'Timestamped by "CN=tsa"'
says_not 'not include a timestamp'

# nothing is written when there is no time stamp
cp plain.zip place.zip
refuses 1 signengine zip sign place.zip --tsa "$url/other"
says "time stamping authority '$url/other'"
same plain.zip place.zip
refuses 1 signengine zip sign place.zip --tsa "$url/refuses"
refuses 69 signengine zip sign place.zip --tsa "$url/garbage"
refuses 69 signengine zip sign place.zip --tsa "$url/missing"
same plain.zip place.zip
stop
refuses 69 signengine zip sign place.zip --tsa "$url/"
says 'no answer'
refuses 64 signengine zip sign place.zip --tsa https://127.0.0.1/
refuses 64 signengine zip sign place.zip --tsa 'not a URL'
same plain.zip place.zip
