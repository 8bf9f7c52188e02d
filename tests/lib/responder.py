# SPDX-License-Identifier: Apache-2.0
"""What is asked by POST is in ocsp.query, and ./answer.sh makes ocsp.answer of it; by GET files of the folder are got.

Paths that were asked are in responder.asked, and where it listens is in responder.urls: $responder; at $responder_away nobody does."""
import http.server
import os
import socket
import subprocess


class Responder(http.server.BaseHTTPRequestHandler):
    def answer(self, kind, body):
        self.send_response(404 if body is None else 200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def note(self):
        with open("responder.asked", "a") as file:
            file.write("%s %s\n" % (self.command, self.path))

    def do_POST(self):
        self.note()
        with open("ocsp.query", "wb") as file:
            file.write(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/silent":
            self.rfile.read(1)
            return
        subprocess.run(["sh", "./answer.sh"], check=True)
        with open("ocsp.answer", "rb") as file:
            self.answer("application/ocsp-response", None if self.path == "/missing" else file.read())

    def do_GET(self):
        self.note()
        name = os.path.basename(self.path)
        body = None
        if os.path.exists(name):
            with open(name, "rb") as file:
                body = file.read()
        self.answer("application/pkix-crl", body)

    def log_message(self, *args):
        pass


away = socket.socket()
away.bind(("127.0.0.1", 0))
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Responder)
with open("responder.new", "w") as file:
    file.write("responder=http://127.0.0.1:%d\nresponder_away=http://127.0.0.1:%d\n" % (server.server_port, away.getsockname()[1]))
os.rename("responder.new", "responder.urls")
server.serve_forever()
