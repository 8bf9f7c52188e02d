# SPDX-License-Identifier: Apache-2.0
"""What is asked by POST is in ocsp.query, and ./answer.sh makes ocsp.answer of it; by GET files of the folder are got.

Paths that were asked are in responder.asked, and where it listens is in responder.urls: $responder; at $responder_away nobody does."""
import os
import subprocess

from serving import Handler, serve


class Responder(Handler):
    def answer_with(self, kind, name):
        if not os.path.exists(name):
            return self.answer(kind, b"", 404)
        with open(name, "rb") as file:
            return self.answer(kind, file.read())

    def do_POST(self):
        self.note("POST " + self.path)
        self.keep_body("ocsp.query")
        if self.path == "/silent":
            self.rfile.read(1)
            return
        subprocess.run(["sh", "./answer.sh"], check=True)
        self.answer_with("application/ocsp-response", "" if self.path == "/missing" else "ocsp.answer")

    def do_GET(self):
        self.note("GET " + self.path)
        self.answer_with("application/pkix-crl", os.path.basename(self.path))


serve("responder", Responder, {"responder": "{here}", "responder_away": "{away}"})
