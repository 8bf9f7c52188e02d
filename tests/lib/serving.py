# SPDX-License-Identifier: Apache-2.0
"""What the tests' servers over HTTP have in common; `serve NAME` (harness.sh) starts tests/lib/NAME.py."""
import http.server
import os
import socket


class Handler(http.server.BaseHTTPRequestHandler):
    """Its server has a name: NAME.asked gets what was asked."""

    def note(self, text):
        with open(self.server.name + ".asked", "a") as file:
            file.write(text + "\n")

    def keep_body(self, path):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with open(path, "wb") as file:
            file.write(body)
        return body

    def answer(self, kind, body, status=200):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def serve(name, handler, variables, kind=http.server.ThreadingHTTPServer):
    """Until it is killed.  NAME.urls appears when it listens: of each variable, "{here}" in its value or "{away}", where nobody does."""
    # nobody else can, while this runs
    away = socket.socket()
    away.bind(("127.0.0.1", 0))
    server = kind(("127.0.0.1", 0), handler)
    server.name = name
    url = "http://127.0.0.1:%d"
    with open(name + ".new", "w") as file:
        for variable, value in variables.items():
            file.write("%s=%s\n" % (variable, value.format(here=url % server.server_port, away=url % away.getsockname()[1])))
    os.rename(name + ".new", name + ".urls")
    server.serve_forever()
