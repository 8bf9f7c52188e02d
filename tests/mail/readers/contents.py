# SPDX-License-Identifier: Apache-2.0
"""What Python's email package and GMime find in messages: files on standard input, a line of JSON for each, with a list of its parts:
type, name, id, and what it holds.  Of a message in the folder signed/ the first part counts: what was signed."""
import email
import hashlib
import json
import quopri
import re
import sys

from gmime import GMime


def without_blanks(data):
    """At line ends, and lines of nothing else."""
    return re.sub(rb"[ \t]+(?=\r?\n|$)", b"", re.sub(rb"(?m)^[ \t]+\r?\n", b"", data))


def describe(kind, name, content_id, data):
    """Line ends are not the message's (RFC 5322, 2.3), and in fields blanks before them are none."""
    if kind.startswith("message/"):
        data = without_blanks(data)
    data = data.replace(b"\r\n", b"\n")
    text = data.rstrip(b"\n")
    return [kind, name, content_id, hashlib.sha256(text).hexdigest(), repr(text[:40] + b"..." + text[-40:]), len(data) - len(text)]


def one_line(text):
    return " ".join(str(text).split()) if text is not None else None


def decode(part):
    """Python keeps blanks at the ends of quoted-printable, which were added on the way (RFC 2045, 6.7)."""
    if str(part.get("Content-Transfer-Encoding", "")).strip().lower() == "quoted-printable":
        raw = part.get_payload().encode("ascii", "surrogateescape")
        return quopri.decodestring(re.sub(rb"[ \t]+(?=\r?\n|$)", b"", raw))
    return part.get_payload(decode=True) or b""


def by_python(data, signed):
    message = email.message_from_bytes(data)
    root = message.get_payload()[0] if signed else message
    found = []
    for part in root.walk():
        content = b"" if part.is_multipart() else decode(part)
        found.append(describe(part.get_content_type(), one_line(part.get_filename()), one_line(part.get("Content-ID")), content))
    return found


class Reader(GMime):
    def read(self, data, signed):
        self.found = []
        root = self.call("g_mime_message_get_mime_part", self.parse(data))
        self.walk(self.parts_of(root)[0] if signed else root)
        return self.found

    def walk(self, part):
        if not part:
            return
        kind = self.call("g_mime_content_type_get_mime_type", self.call("g_mime_object_get_content_type", part)).decode("latin-1")
        leaf = self.is_a(part, "g_mime_part")
        name = self.call("g_mime_part_get_filename", part) if leaf else None
        content_id = self.call("g_mime_object_get_content_id", part)
        content = self.content_of(part) if leaf else b""
        if kind.startswith("text/"):  # as above
            content = re.sub(rb"[ \t]+(?=\r?\n|$)", b"", content)
        self.found.append(describe(kind, one_line(name), one_line(content_id), content))
        if self.is_a(part, "g_mime_multipart"):
            for one in self.parts_of(part):
                self.walk(one)
        elif self.is_a(part, "g_mime_message_part"):
            message = self.call("g_mime_message_part_get_message", part)
            self.walk(self.call("g_mime_message_get_mime_part", message) if message else None)


def main():
    judges = {"python": by_python, "gmime": Reader().read}
    for name in sys.stdin.read().split("\n"):
        if not name:
            continue
        with open(name, "rb") as file:
            data = file.read()
        for judge, read in judges.items():
            try:
                parts = read(data, name.startswith("signed/"))
            except Exception as error:  # a reader that fails shows nothing
                parts = [["error: %r" % error]]
            print(json.dumps({"judge": judge, "message": name, "parts": parts}), flush=True)


main()
