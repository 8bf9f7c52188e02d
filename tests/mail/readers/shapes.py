#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Signed messages, changed where the signature does not cover them, so that some reader of mail may see another text or another sender.

shapes.py FOLDER COUNT [SEED]      makes FOLDER/NAME.eml of signed.eml, opaque.eml and evil.eml in the current folder, COUNT at random besides
                                   those with names of their own; prints for each NAME, and what must become of it: good, refused, any
"""
import os
import random
import re
import sys

FAKE = b"Content-Type: text/plain; charset=us-ascii\r\n\r\nPay 9999 to Mallory.\r\n"
ATTACKER = b"From: Attacker <attacker@example.org>\r\n"


def read(name):
    with open(name, "rb") as file:
        return file.read()


class Message:
    """Header fields, and of a multipart/signed the boundary and what is between the boundary lines."""

    def __init__(self, data):
        head, self.body = data.split(b"\r\n\r\n", 1)
        self.head = head + b"\r\n"
        found = re.search(rb'boundary="([^"]+)"', head)
        self.boundary = found.group(1) if found else None
        self.eol = b"\r\n"

    def type(self, value):
        self.head = re.sub(rb"Content-Type: [^\r]*(\r\n[ \t][^\r]*)*\r\n", lambda m: b"Content-Type: " + value + b"\r\n", self.head, count=1)
        return self

    def first(self, fields):
        self.head = fields + self.head
        return self

    def last(self, fields):
        self.head += fields
        return self

    def sub(self, old, new, count=1):
        assert old in self.head, (old, self.head)
        self.head = self.head.replace(old, new, count)
        return self

    def preamble(self, text):
        self.body = text + self.body
        return self

    def epilogue(self, text):
        self.body += text
        return self

    def signature(self, old, new):
        front, middle, back = self.body.rpartition(b"Content-Type: application/pkcs7-signature")
        back = middle + back
        assert old in back, old
        self.body = front + back.replace(old, new, 1)
        return self

    def bytes(self):
        return self.head + b"\r\n" + self.body


P = b'multipart/signed; protocol="application/pkcs7-signature"; micalg="sha-256"; '


def fake(boundary):
    return b"--" + boundary + b"\r\n" + FAKE + b"--" + boundary + b"--\r\n"


def quoted(boundary):
    return b'boundary="' + boundary + b'"'


def percent(boundary):
    return boundary.replace(b"=", b"%3D").replace(b"+", b"%2B").replace(b"/", b"%2F")


SIG_TYPE = b'application/pkcs7-signature; name="smime.p7s"'
SIG_CTE = b"Content-Transfer-Encoding: base64\r\n"

# name, what must become of it, and what is done to the message that the CEO signed
TYPES = {
    "type-boundary-twice": lambda m: m.type(P + quoted(m.boundary) + b'; boundary="Z"').preamble(fake(b"Z")),
    "type-boundary-twice-other-first": lambda m: m.type(P + b'boundary="Z"; ' + quoted(m.boundary)).preamble(fake(b"Z")),
    "type-boundary-twice-the-same": lambda m: m.type(P + quoted(m.boundary) + b"; Boundary=Z").preamble(fake(b"Z")),
    "type-boundary-extended": lambda m: m.type(P + b"boundary*=us-ascii''" + percent(m.boundary) + b'; boundary="Z"').preamble(fake(b"Z")),
    "type-boundary-extended-alone": lambda m: m.type(P + b"boundary*=us-ascii''" + percent(m.boundary)),
    "type-boundary-continued": lambda m: m.type(P + b'boundary*0="' + m.boundary[:5] + b'"; boundary*1="' + m.boundary[5:] + b'"; boundary=Z')
    .preamble(fake(b"Z")),
    "type-boundary-continued-extended": lambda m: m.type(P + b"boundary*0*=us-ascii''" + percent(m.boundary) + b"; boundary=Z").preamble(fake(b"Z")),
    "type-comment": lambda m: m.type(b'multipart/signed (x; boundary=Z; y); protocol="application/pkcs7-signature"; ' + quoted(m.boundary))
    .preamble(fake(b"Z)")),
    "type-comment-behind": lambda m: m.type(P + quoted(m.boundary) + b" (boundary=Z)"),
    "type-boundary-unquoted": lambda m: m.type(P + b"boundary=" + m.boundary),
    "type-boundary-backslash": lambda m: m.type(P + b'boundary="' + m.boundary[:4] + b"\\" + m.boundary[4:] + b'"'),
    "type-boundary-blank-behind": lambda m: m.type(P + b'boundary="' + m.boundary + b' "'),
    "type-boundary-blank-in-front": lambda m: m.type(P + b'boundary=" ' + m.boundary + b'"'),
    "type-boundary-folded": lambda m: m.type(P + b'boundary="' + m.boundary[:4] + b"\r\n " + m.boundary[4:] + b'"'),
    "type-boundary-empty": lambda m: m.type(P + b'boundary=""').preamble(b"--\r\n" + FAKE),
    "type-boundary-blank-equals": lambda m: m.type(P + b'boundary = "' + m.boundary + b'"; boundary="Z"').preamble(fake(b"Z")),
    "type-boundary-single-quotes": lambda m: m.type(P + b"boundary='Z'; " + quoted(m.boundary)).preamble(fake(b"Z")),
    "type-boundary-8-bit": lambda m: m.type(P + b'boundary="\xc3\xa4"; x="' + m.boundary + b'"'),
    "type-quote-open": lambda m: m.type(P + quoted(m.boundary) + b'; x="y'),
    "type-no-semicolon": lambda m: m.type(P + quoted(m.boundary) + b' boundary="Z"').preamble(fake(b"Z")),
    "type-comma": lambda m: m.type(P + quoted(m.boundary) + b', text/plain'),
    "type-two-slashes": lambda m: m.type(P.replace(b"multipart/signed", b"multipart/signed/mixed") + quoted(m.boundary)),
    "type-blank-in-type": lambda m: m.type(P.replace(b"multipart/signed", b"multipart / signed") + quoted(m.boundary)),
    "type-nul": lambda m: m.type(P + quoted(m.boundary) + b"\0; boundary=Z"),
    "type-protocol-twice": lambda m: m.type(P + b'protocol="application/pgp-signature"; ' + quoted(m.boundary)),
    "type-many-parameters": lambda m: m.type(P + b"".join(b"x%d=y; " % i for i in range(40)) + quoted(m.boundary)),
    "type-long-line": lambda m: m.type(P + b'x="' + b"y" * 1200 + b'"; ' + quoted(m.boundary)),
    "type-second-behind": lambda m: m.last(b"Content-Type: text/plain\r\n"),
    "type-second-in-front": lambda m: m.first(b'Content-Type: multipart/mixed; boundary="Z"\r\n').preamble(b"x\r\n"),
    "type-second-other-case": lambda m: m.first(b'CONTENT-TYPE: multipart/mixed; boundary="Z"\r\n'),
    "type-second-blank-colon": lambda m: m.first(b'Content-Type : multipart/mixed; boundary="Z"\r\n'),
    "encoding-twice": lambda m: m.last(b"Content-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: base64\r\n"),
    "encoding-base64": lambda m: m.last(b"Content-Transfer-Encoding: base64\r\n"),
    "encoding-quoted-printable": lambda m: m.last(b"Content-Transfer-Encoding: quoted-printable\r\n"),
    "encoding-unknown": lambda m: m.last(b"Content-Transfer-Encoding: x-uuencode\r\n"),
    "encoding-comment": lambda m: m.last(b"Content-Transfer-Encoding: 7bit (base64)\r\n"),
    "version-twice": lambda m: m.last(b"MIME-Version: 1.0\r\n"),
    "disposition-attachment": lambda m: m.last(b"Content-Disposition: attachment; filename=x.txt\r\n"),
    "disposition-unknown": lambda m: m.last(b"Content-Disposition: x-inline\r\n"),
    "version-missing": lambda m: m.sub(b"MIME-Version: 1.0\r\n", b"").preamble(b"Pay 9999 to Mallory.\r\n"),
    "version-2": lambda m: m.sub(b"MIME-Version: 1.0", b"MIME-Version: 2.0"),
}
LINES = {
    "cr-part": lambda m: m.preamble(b"x\r--" + m.boundary + b"\r" + FAKE.replace(b"\r\n", b"\r") + b"\r\n"),
    "cr-in-header": lambda m: m.first(b"X-A: y\rContent-Type: text/plain\r\n"),
    "cr-cr-lf": lambda m: m.first(b"X-A: y\r\r\n"),
    "cr-behind-boundary": lambda m: m.preamble(b"--" + m.boundary + b"\r" + FAKE.replace(b"\r\n", b"\r") + b"\r\n"),
    "nul-in-header": lambda m: m.first(b"X-A: y\0z\r\n"),
    "nul-in-preamble": lambda m: m.preamble(b"x\0--" + m.boundary + b"\r\n"),
    "blank-colon": lambda m: m.first(b"X-A : y\r\n"),
    "tab-colon": lambda m: m.first(b"X-A\t: y\r\n"),
    "no-colon": lambda m: m.first(b"hello\r\n"),
    "no-colon-in-the-middle": lambda m: m.sub(b"Subject:", b"hello world\r\nSubject:"),
    "continuation-first": lambda m: m.first(b" x: y\r\n"),
    "blank-line-in-header": lambda m: m.first(b"X-A: y\r\n \r\n z\r\n"),
    "blank-line-ends-header": lambda m: m.first(b"X-A: y\r\n \t\r\n"),
    "empty-name": lambda m: m.first(b": x\r\n"),
    "8-bit-name": lambda m: m.first(b"X-\xc3\xa4: x\r\n"),
    "vertical-tab-line": lambda m: m.first(b"X-A: y\r\n\x0bFrom: x@example.org\r\n"),
    "byte-order-mark": lambda m: m.first(b"\xef\xbb\xbf"),
    "preamble-two-lines": lambda m: m.preamble(b"one\r\ntwo\r\n"),
    "preamble-dashes": lambda m: m.preamble(b"--Z\r\n"),
    "preamble-blank-dashes": lambda m: m.preamble(b" --" + m.boundary + b"\r\n" + FAKE),
    "preamble-mark-dashes": lambda m: m.preamble(b"\xef\xbb\xbf--" + m.boundary + b"\r\n"),
    "preamble-prefix": lambda m: m.preamble(b"--" + m.boundary + b"x\r\n" + FAKE),
    "preamble-closes": lambda m: m.preamble(b"--" + m.boundary + b"--\r\nPay 9999 to Mallory.\r\n"),
    "preamble-mailbox": lambda m: m.preamble(b"From x@example.org Mon Nov 30 10:00:00 2026\r\n"),
    "preamble-control": lambda m: m.preamble(b"x\x0cy\r\n"),
    "preamble-long": lambda m: m.preamble(b"x" * 1100 + b"\r\n"),
    "epilogue-text": lambda m: m.epilogue(b"Pay 9999 to Mallory.\r\n"),
    "epilogue-part": lambda m: m.epilogue(b"--" + m.boundary + b"\r\n" + FAKE),
    "epilogue-cr": lambda m: m.epilogue(b"\r--" + m.boundary + b"\r\n"),
    "part-behind": lambda m: Message(m.bytes().replace(b"--" + m.boundary + b"--\r\n", b"--" + m.boundary + b"\r\n" + FAKE + b"--" + m.boundary
                                                       + b"--\r\n")),
    "signature-type-twice": lambda m: m.signature(SIG_CTE, SIG_CTE + b"Content-Type: text/plain\r\n"),
    "signature-encoding-twice": lambda m: m.signature(SIG_CTE, SIG_CTE + b"Content-Transfer-Encoding: 7bit\r\n"),
    "signature-comment": lambda m: m.signature(SIG_TYPE, SIG_TYPE + b" (x)"),
    "signature-blank-colon": lambda m: m.signature(SIG_CTE, SIG_CTE + b"X-A : y\r\n"),
    "signature-no-header": lambda m: m.signature(SIG_CTE, SIG_CTE + b"hello\r\n"),
    "signature-cr": lambda m: m.signature(SIG_CTE, SIG_CTE + b"X-A: y\r--" + m.boundary + b"\r" + FAKE.replace(b"\r\n", b"\r") + b"\r\n"),
    "signature-text": lambda m: m.signature(b"\r\n\r\n", b"\r\n\r\nPay 9999 to Mallory!\r\n"),
    "signature-prefix": lambda m: m.signature(b"\r\n\r\n", b"\r\n\r\n--" + m.boundary + b"x\r\n"),
    "signature-8bit": lambda m: m.signature(SIG_CTE, b"Content-Transfer-Encoding: 8bit\r\n"),
}
FROMS = {
    "from-several": b"From: CEO <ceo@example.org>, Attacker <attacker@example.org>\r\n",
    "from-several-behind": b"From: Attacker <attacker@example.org>, CEO <ceo@example.org>\r\n",
    "from-angles": b"From: <ceo@example.org> <attacker@example.org>\r\n",
    "from-bare": b"From: ceo@example.org <attacker@example.org>\r\n",
    "from-nul": b"From: ceo@example.org\0 <attacker@example.org>\r\n",
    "from-group": b"From: CEO: attacker@example.org;\r\n",
    "from-twice": b"From: CEO <ceo@example.org>\r\n" + ATTACKER,
    "from-twice-behind": ATTACKER + b"From: CEO <ceo@example.org>\r\n",
    "from-blank-colon": b"From : CEO <ceo@example.org>\r\n" + ATTACKER,
    "from-cr": b"X-A: y\rFrom: CEO <ceo@example.org>\r\n" + ATTACKER,
    "from-vertical-tab": b"X-A: y\r\n\x0bFrom: CEO <ceo@example.org>\r\n" + ATTACKER,
    "from-semicolon": b"From: ceo@example.org; attacker@example.org\r\n",
    "from-comment": b"From: (ceo@example.org) attacker@example.org\r\n",
    "from-comment-angle": b"From: attacker@example.org (<ceo@example.org>)\r\n",
    "from-route": b"From: <@ceo.example.org:attacker@example.org>\r\n",
    "from-quoted-local": b"From: \"ceo@example.org \"@example.org\r\n",
    "from-angle-in-quotes": b"From: \"CEO <ceo@example.org>\" <attacker@example.org>\r\n",
    "from-quotes-open": b"From: \"CEO <ceo@example.org>, <attacker@example.org>\r\n",
    "from-encoded-address": b"From: =?utf-8?q?ceo=40example.org?= <attacker@example.org>\r\n",
    "from-encoded-in-pieces": b"From: =?utf-8?q?ceo?= =?utf-8?b?QGV4YW1wbGUub3Jn?= <attacker@example.org>\r\n",
    "from-encoded-angle": b"From: =?utf-8?q?=3Cceo=40example.org=3E?= <attacker@example.org>\r\n",
    "from-blanks-in-address": b"From: attacker @ example . org\r\n",
    "from-escaped-quote": b"From: \"a\\\" <ceo@example.org> \\\"\" <attacker@example.org>\r\n",
    "from-blank-line": b"From: CEO\r\n \r\n <attacker@example.org>\r\n",
    "from-missing": b"X-From: attacker@example.org\r\n",
    "from-empty": b"From: <>\r\n" + b"Sender: attacker@example.org\r\n",
    "from-behind-angle": b"From: <attacker@example.org> ceo@example.org\r\n",
}
FROMS_GOOD = {
    "from-ok-plain": b"From: attacker@example.org\r\n",
    "from-ok-angle": b"from:<attacker@example.org>\r\n",
    "from-ok-quoted": b"From: \"At, Tacker\" <attacker@example.org>\r\n",
    "from-ok-comment": b"From: attacker@example.org (The Attacker)\r\n",
    "from-ok-encoded": b"From: =?utf-8?q?=C3=84ttacker?= <attacker@example.org>\r\n",
    "from-ok-8-bit": "From: Ättacker <attacker@example.org>\r\n".encode(),
    "from-ok-dots": b"From: A. T. Tacker <attacker@example.org>\r\n",
    "from-ok-folded": b"From: The\r\n Attacker\r\n\t<attacker@example.org>\r\n",
    "from-ok-escaped": b"From: \"The \\\"real\\\" one\" <attacker@example.org>\r\n",
    "from-ok-another-quoted": b"From: \"ceo@example.org\" <attacker@example.org>\r\n",
    "from-ok-own-address": b"From: \"attacker@example.org\" <attacker@example.org>\r\n",
    "from-ok-sender": ATTACKER + b"Sender: CEO <ceo@example.org>\r\nReply-To: ceo@example.org\r\n",
}
GOOD = {
    "ok-as-signed": lambda m: m,
    "ok-order": lambda m: m.type(b"multipart/signed; micalg=sha-256; " + quoted(m.boundary) + b"; protocol=\"application/pkcs7-signature\""),
    "ok-one-line": lambda m: m.type((P + quoted(m.boundary)).replace(b"; ", b";")),
    "ok-boundary-in-another-value": lambda m: m.type(b'multipart/signed; x="; boundary=Z; y"; protocol="application/pkcs7-signature"; '
                                                      + quoted(m.boundary)),
    "ok-case": lambda m: m.type(P.replace(b"multipart/signed", b"MULTIPART/Signed") + b"BOUNDARY=\"" + m.boundary + b'"'),
    "ok-semicolon-at-end": lambda m: m.type(P + quoted(m.boundary) + b";"),
    "ok-preamble": lambda m: m.preamble(b"This is an S/MIME signed message\r\n\r\n"),
    "ok-preamble-8-bit": lambda m: m.preamble("Это подписанное сообщение\r\n".encode()),
    "ok-empty-lines": lambda m: m.preamble(b"\r\n\r\n").epilogue(b"\r\n\r\n"),
    "ok-trace": lambda m: m.first(b"Return-Path: <ceo@example.org>\r\nReceived: from a\r\n\tby b; Mon, 30 Nov 2026 10:00:00 +0000\r\n"),
    "ok-disposition": lambda m: m.last(b"Content-Disposition: Inline\r\n"),
    "ok-encoding": lambda m: m.last(b"Content-Transfer-Encoding: 7bit\r\n"),
    "ok-version-comment": lambda m: m.sub(b"MIME-Version: 1.0", b"Mime-Version: 1.0 (Mail \\(3696.80\\))"),
    "ok-8-bit-subject": lambda m: m.sub(b"Subject: order", "Subject: Größe".encode()),
    "ok-boundary-padding": lambda m: Message(m.bytes().replace(b"\r\n--" + m.boundary + b"\r\n", b"\r\n--" + m.boundary + b" \t\r\n")),
    "ok-lf": None,
    "ok-mixed-line-ends": None,
    "ok-mailbox-line": lambda m: m.first(b"From ceo@example.org Mon Nov 30 10:00:00 2026\r\n"),
    "ok-long-field": lambda m: m.first(b"X-Long: " + b"y" * 5000 + b"\r\n"),
}
OPAQUE = {
    "opaque-type-twice": lambda m: m.last(b"Content-Type: text/plain\r\n"),
    "opaque-encoding-twice": lambda m: m.last(b"Content-Transfer-Encoding: 7bit\r\n"),
    "opaque-comment": lambda m: m.type(b"application/pkcs7-mime; smime-type=signed-data (text/plain)"),
    "opaque-parameter-twice": lambda m: m.type(b"application/pkcs7-mime; smime-type=signed-data; smime-type=enveloped-data"),
    "opaque-text-behind": lambda m: m.epilogue(b"Pay 9999 to Mallory.\r\n"),
    "opaque-letters-behind": lambda m: m.epilogue(b"Pay 9999 to Mallory\r\n"),
    "opaque-letters-in-front": lambda m: m.preamble(b"Pay9999toMallory\r\n"),
    "opaque-cr": lambda m: m.epilogue(b"\r\n\r\r\n"),
    "opaque-8bit": lambda m: m.sub(b"Content-Transfer-Encoding: base64", b"Content-Transfer-Encoding: binary"),
}


def fixed():
    signed, opaque, evil = read("signed.eml"), read("opaque.eml"), read("evil.eml")
    for name, change in {**TYPES, **LINES}.items():
        if change:
            yield name, "refused", change(Message(signed)).bytes()
    for name, fields in FROMS.items():
        yield name, "refused", evil.replace(ATTACKER, fields, 1)
    for name, fields in FROMS_GOOD.items():
        yield name, "good", evil.replace(ATTACKER, fields, 1)
    for name, change in GOOD.items():
        if change:
            yield name, "good", change(Message(signed)).bytes()
    yield "ok-lf", "good", signed.replace(b"\r\n", b"\n")
    head, body = signed.split(b"\r\n\r\n", 1)
    yield "ok-mixed-line-ends", "good", head.replace(b"\r\n", b"\n") + b"\n\r\n" + body
    for name, change in OPAQUE.items():
        yield name, "refused", change(Message(opaque)).bytes()
    yield "opaque-ok", "good", opaque


# ---- at random ----

FIELDS = [b"X-A: y", b"Content-Type: text/plain", b"Content-Transfer-Encoding: base64", b"MIME-Version: 1.0", b"From: CEO <ceo@example.org>",
          b"Sender: ceo@example.org", b"Subject: other", b"Content-Disposition: inline", b"Content-Disposition: attachment; filename=x.txt",
          b"Content-Type: multipart/mixed; boundary=Z", b"Content-Language: en", b"Content-Length: 20", b"Lines: 3", b"X-\xff: y",
          b"Content-ID: <x@y>", b"Content-Description: Pay 9999 to Mallory.", b"Resent-From: ceo@example.org", b"Status: RO", b"Encoding: 7 text"]
ENDS = [b"\r\n"] * 12 + [b"\n", b"\r", b"\r\r\n", b"\n\r", b" \r\n", b"\x0b\r\n", b"\r\n \r\n", b"\0\r\n", b"\x85\r\n", b"\r\n\t\r\n x\r\n"]
BITS = [b"a", b" ", b"\t", b'"', b"\\", b"(", b")", b"<", b">", b",", b";", b":", b"@", b"=?utf-8?q?a=40b.c?=", b"ceo@example.org",
        b"attacker@example.org", b"<attacker@example.org>", b"<ceo@example.org>", b"CEO", b".", b"\r\n ", b"\0", b"\xc3\xa4", b"[", b"]", b"'"]


def random_from(rng):
    if rng.random() < 0.3:
        return b"From: " + b"".join(rng.choice(BITS) for _ in range(rng.randrange(1, 7)))
    value = b"Attacker <attacker@example.org>"
    for _ in range(rng.randrange(1, 3)):
        at = rng.randrange(len(value) + 1)
        value = value[:at] + rng.choice(BITS) + value[at:]
    return b"From: " + value


def random_parameters(rng, boundary):
    known = [b'protocol="application/pkcs7-signature"', quoted(boundary), b"micalg=sha-256"]
    odd = [b"boundary=Z", b'boundary="Z"', b"boundary*=us-ascii''Z", b"boundary*0=Z", b"x=y", b'x="y;z"', b"x=(y)", b"charset=utf-7", b'x="a\\"b"',
           b"name*=utf-8''x", b'protocol="application/pgp-signature"', b"boundary", b"=Z", b"", b'boundary="=?us-ascii?q?Z?="', b"(boundary=Z)",
           b"Boundary = Z", b"format=flowed", b"x='boundary=Z'"]
    rng.shuffle(known)
    for _ in range(rng.choice([0, 0, 1, 1, 2])):
        known.insert(rng.randrange(len(known) + 1), rng.choice(odd))
    return rng.choice([b"; ", b";", b" ;\t", b";\r\n ", b";\r\n\t"]).join([b"multipart/signed"] + known)


def random_margin(rng, boundary):
    lines = [b"text", b"", b"--Z", b"--" + boundary, b"--" + boundary + b"--", b"--" + boundary + b" x", b" --" + boundary, FAKE, b"x" * 1030,
             b"Content-Type: text/plain", b"begin 644 x\r\n#0V%T\r\n`\r\nend", b"\xef\xbb\xbf--" + boundary, b"-- ", b"From x@y Mon Nov 30 10:00:00 2026"]
    return b"".join(rng.choice(lines) + rng.choice(ENDS) for _ in range(rng.choice([0, 0, 1, 1, 2, 3])))


def random_shape(rng, signed, opaque, evil):
    kind = rng.random()
    message = Message(opaque if kind > 0.95 else evil if kind > 0.5 else signed)
    for _ in range(rng.choice([0, 1, 1, 2])):
        field = rng.choice(FIELDS) + rng.choice(ENDS)
        message = rng.choice([message.first, message.last])(field)
    if 0.5 < kind <= 0.95 and rng.random() < 0.7:
        message.sub(ATTACKER, random_from(rng) + rng.choice(ENDS))
    if not message.boundary:
        return message.bytes()
    if rng.random() < 0.5:
        message.type(random_parameters(rng, message.boundary))
    if rng.random() < 0.4:
        message.preamble(random_margin(rng, message.boundary))
    if rng.random() < 0.2:
        message.epilogue(random_margin(rng, message.boundary))
    if rng.random() < 0.3:
        message.signature(SIG_CTE, SIG_CTE + rng.choice(FIELDS) + rng.choice(ENDS))
    data = message.bytes()
    if rng.random() < 0.15:
        data = data.replace(b"\r\n", b"\n")
    return data


def main():
    folder, count, seed = sys.argv[1], int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else "1"
    rng = random.Random(seed)
    signed, opaque, evil = read("signed.eml"), read("opaque.eml"), read("evil.eml")
    shapes = list(fixed()) if seed == "1" or not count else []
    shapes += [("random-%s-%d" % (seed, i), "any", random_shape(rng, signed, opaque, evil)) for i in range(count)]
    for name, verdict, data in shapes:
        with open(os.path.join(folder, name + ".eml"), "wb") as out:
            out.write(data)
        print(name, verdict)


main()
