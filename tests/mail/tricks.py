#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Messages that try to leave without the signature that a rule requires, and ordinary ones that must not be held up.

tricks.py send PORT RAW NAME=FILE...  sends all of them by SMTP; prints "KIND NAME ANSWER" of each.  NAME=FILE: messages that are signed
                                      already.  RAW: a port where Postfix does not rewrite addresses in headers
tricks.py judge FOLDER COMMAND...     of what a sink took: prints "KIND NAME VERDICT", where a good one is "signed ADDRESS", whom Python shows
                                      and whom the command names that verifies, given the file as its last argument, or "another's"
"""
import base64
import email
import email.header
import email.utils
import os
import re
import socket
import subprocess
import sys
import unicodedata

CEO, OTHER = b"ceo@bank.test", b"x@mail.test"
TEXT = b"MIME-Version: 1.0\nContent-Type: text/plain; charset=us-ascii\n\nPay 100 to Alice.\n"
PLAIN = b"\nPay 9999 to Mallory.\n"


def typed(value, body=b"Pay 9999 to Mallory.\n", more=b""):
    return b"From: CEO <ceo@bank.test>\nMIME-Version: 1.0\nContent-Type: " + value + b"\n" + more + b"\n" + body


def parts(boundary=b"b"):
    return b"--%s\nContent-Type: text/plain\n\nPay 9999 to Mallory.\n--%s--\n" % (boundary, boundary)


def word(charset, encoding, text):
    return b"=?%s?%s?%s?=" % (charset, encoding, text)


# (name, the field's value): each from another envelope, whose owner no rule knows, and from the CEO's own
FROM = [
    ("plain", b"CEO <ceo@bank.test>"),
    ("two-addresses", b"CEO <ceo@bank.test>, x@mail.test"),
    ("two-addresses-last", b"x@mail.test, CEO <ceo@bank.test>"),
    ("quoted", b'"ceo"@bank.test'),
    ("backslash", b'"c\\eo"@bank.test'),
    ("bare-backslash", b"c\\eo@bank.test"),
    ("comment", b"ceo(x)@bank.test"),
    ("comment-inside", b"c(x)eo@bank.test"),
    ("comment-nested", b"((a)b)ceo@(c)bank.test(d)"),
    ("blanks", b"ceo @ bank . test"),
    ("folded", b"ceo\n @bank.test"),
    ("folded-twice", b"\n CEO\n\t<ceo@bank.test>"),
    ("last-dot", b"ceo@bank.test."),
    ("capitals", b"CEO@BANK.TEST"),
    ("group", b"Board: ceo@bank.test;"),
    ("group-of-two", b"Board: x@mail.test, ceo@bank.test;"),
    ("group-open", b"Board: ceo@bank.test"),
    ("encoded-all", word(b"utf-8", b"q", b"CEO_=3Cceo=40bank.test=3E")),
    ("encoded-base64", word(b"utf-8", b"B", base64.b64encode(b"CEO <ceo@bank.test>"))),
    ("encoded-utf-7", word(b"utf-7", b"q", b"ceo+AEA-bank.test")),
    ("encoded-utf-16", word(b"utf-16be", b"b", base64.b64encode("ceo@bank.test".encode("utf-16-be")))),
    ("encoded-split", word(b"utf-8", b"q", b"ceo=40") + b" " + word(b"utf-8", b"q", b"bank.test")),
    ("name-is-address", b'"ceo@bank.test" <x@mail.test>'),
    ("phrase-is-address", b"ceo@bank.test <x@mail.test>"),
    ("two-brackets", b"<ceo@bank.test> <x@mail.test>"),
    ("two-brackets-last", b"<x@mail.test> <ceo@bank.test>"),
    ("route", b"<@x.test:ceo@bank.test>"),
    ("open-bracket", b"CEO <ceo@bank.test"),
    ("open-comment", b"(ceo <ceo@bank.test>"),
    ("open-quote", b'"CEO <ceo@bank.test>'),
    ("address-in-comment", b"(ceo@bank.test) x@mail.test"),
    ("many-addresses", b", ".join(b"a%d@mail.test" % i for i in range(300)) + b",\n ceo@bank.test"),
    ("long", b"(" + b"\n ".join([b"x" * 900] * 50) + b")\n <ceo@bank.test>"),
    ("semicolon", b"x@mail.test; ceo@bank.test"),
    ("wide-dot", "ceo@bank\u3002test".encode()),
    ("wide-domain", "ceo@\uff42\uff41\uff4e\uff4b.test".encode()),
    ("zero-width", "ceo\u200b@bank.test".encode()),
    ("soft-hyphen", "ceo@ba\u00adnk.test".encode()),
    ("control", b"ce\x01o@bank.test"),
    ("domain-rule", b"Chair <chair@BOARD.test.>"),
    ("domain-rule-quoted", b'"any one"@board.test'),
    ("nul", b"\0 <ceo@bank.test>"),
    ("nul-behind", b"x@mail.test\0, ceo@bank.test"),
    ("empty", b""),
]

# (name, header) that have a From field of their own, or none
HEADERS = [
    ("two-fields", b"From: ceo@bank.test\nFrom: x@mail.test\n"),
    ("two-fields-last", b"From: x@mail.test\nFrom: ceo@bank.test\n"),
    ("blank-before-colon", b"From : ceo@bank.test\n"),
    ("tab-before-colon", b"From\t: ceo@bank.test\n"),
    ("blank-and-plain", b"From: x@mail.test\nFrom : ceo@bank.test\n"),
    ("odd-case", b"fRoM: ceo@bank.test\n"),
    ("sender", b"From: x@mail.test\nSender: CEO <ceo@bank.test>\n"),
    ("sender-quoted", b'From: x@mail.test\nSender: "ceo"@bank.test\n'),
    ("sender-alone", b"Sender: ceo@bank.test\n"),
    ("resent", b"From: ceo@bank.test\nResent-From: x@mail.test\n"),
    ("mailbox-line", b"From ceo@bank.test Mon Nov 30 10:00:00 2026\nFrom: ceo@bank.test\n"),
    ("list", b"From: ceo@bank.test\nList-Id: <l.bank.test>\n"),
    ("behind-8000-fields", b"".join(b"X-%d: v\n" % i for i in range(8000)) + b"From: ceo@bank.test\n"),
]

# (name, message), from the CEO's own envelope
TYPES = [
    ("signed", typed(b'multipart/signed; boundary="b"', parts())),
    ("signed-smime", typed(b'multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256; boundary=b', parts())),
    ("signed-pgp", typed(b'multipart/signed; protocol="application/pgp-signature"; boundary=b', parts())),
    ("signed-capitals", typed(b'MULTIPART/SIGNED;\n\tBOUNDARY="b"', parts())),
    ("signed-comment", typed(b'multipart/(x)signed; boundary="b"', parts())),
    ("signed-2231", typed(b"multipart/signed; boundary*0=b", parts())),
    ("signed-no-boundary", typed(b"multipart/signed")),
    ("signed-data", typed(b"application/pkcs7-mime; smime-type=signed-data", b"UGF5IDk5OTk=\n", b"Content-Transfer-Encoding: base64\n")),
    ("enveloped", typed(b"application/pkcs7-mime; smime-type=enveloped-data")),
    ("auth-enveloped", typed(b"application/x-pkcs7-mime; smime-type=authEnveloped-data")),
    ("untold", typed(b"application/pkcs7-mime")),
    ("certs-only", typed(b"application/pkcs7-mime; smime-type=certs-only")),
    ("compressed", typed(b"application/pkcs7-mime; smime-type=compressed-data")),
    ("encrypted", typed(b'multipart/encrypted; protocol="application/pgp-encrypted"; boundary=b', parts())),
    ("twice", typed(b"text/plain\nContent-Type: multipart/signed; boundary=b", parts())),
    ("twice-first", typed(b"multipart/signed; boundary=b\nContent-Type: text/plain", parts())),
    ("blank-before-colon", typed(b"text/plain\nContent-Type : multipart/signed; boundary=b", parts())),
    ("nul", typed(b"text/plain\0; x=y")),
    ("twenty-fields", typed(b"text/plain\n" + b"\n".join(b"Content-X%d: v" % i for i in range(20)))),
    ("partial", typed(b"message/partial; id=1; number=1; total=1", b"From: CEO <ceo@bank.test>\n\nPay 9999 to Mallory.\n")),
    ("external", typed(b"message/external-body; access-type=URL; URL=x", b"Content-Type: text/plain\n\n")),
    ("no-empty-line", b"Subject: s\nno field\nFrom: ceo@bank.test\n\nPay 9999 to Mallory.\n"),
    ("no-from", b"Subject: s\n\nPay 9999 to Mallory.\n"),
    ("name-only", b"From: CEO\n\nPay 9999 to Mallory.\n"),
    ("lone-cr", typed(b"text/plain", b"Pay\r9999\r\rto Mallory.\n")),
    ("multipart-without-end", typed(b"multipart/mixed; boundary=b", b"--b\n\nPay 9999 to Mallory.\n")),
]

ORDINARY = [
    ("plain", b"From: CEO <ceo@bank.test>\n" + TEXT),
    ("no-mime", b"From: ceo@bank.test\n\nHello\n"),
    ("comment-behind", b"From: ceo@bank.test (The CEO)\n\nHello\n"),
    ("quoted-name", b'From: "O, CE" <ceo@bank.test>\n\nHello\n'),
    ("encoded-name", b"From: =?utf-8?q?J=C3=BCrgen?= <ceo@bank.test>\n\nHello\n"),
    ("name-folded", b"From: The chief executive officer of the bank\n <ceo@bank.test>\n\nHello\n"),
    ("capitals", b"From: CEO@Bank.Test\n\nHello\n"),
    ("sender-same", b"From: ceo@bank.test\nSender: ceo@bank.test\n\nHello\n"),
    ("reply-to", b"From: ceo@bank.test\nReply-To: office@bank.test\n\nHello\n"),
    ("list", b"From: ceo@bank.test\nList-Id: <l.bank.test>\n\nHello\n"),
    ("utf-8", "From: ceo@bank.test\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
              "Content-Transfer-Encoding: 8bit\n\nGr\u00fc\u00dfe\n".encode()),
    ("html", typed(b"text/html; charset=us-ascii", b"<p>Hello</p>\n")),
    ("alternative", typed(b"multipart/alternative; boundary=b", b"--b\nContent-Type: text/plain\n\nHello\n--b\n"
                          b"Content-Type: text/html\n\n<p>Hello</p>\n--b--\n")),
    ("attachment", typed(b"multipart/mixed; boundary=b", b"--b\n\nHello\n--b\nContent-Type: application/octet-stream\n"
                         b"Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(os.urandom(200000)) + b"--b--\n")),
    ("forwarded", typed(b"message/rfc822", b"From: x@mail.test\nSubject: s\n\nHello\n")),
    ("long-lines", b"From: ceo@bank.test\n\n" + b"x" * 3000 + b"\n"),
    ("dots", b"From: ceo@bank.test\n\n.\n..\n.x\n"),
    ("no-body", b"From: ceo@bank.test\nSubject: s\n\n"),
    ("domain-rule", b"From: Chair <chair@board.test>\n\nHello\n"),
    ("assistant", b"From: assistant@bank.test\nSender: ceo@bank.test\n\nHello\n"),
]
SENDERS = {"domain-rule": b"chair@board.test", "assistant": b"assistant@bank.test"}


def messages(signed):
    """(kind, name, envelope, message)"""
    for name, value in FROM:
        for envelope, kind in ((OTHER, "from"), (CEO, "from-own"), (b"", "from-null")):
            yield kind, name, envelope, b"From: " + value + b"\nMIME-Version: 1.0\n" + PLAIN
    for name, header in HEADERS:
        for envelope, kind in ((OTHER, "header"), (CEO, "header-own"), (b"", "header-null")):
            yield kind, name, envelope, header + PLAIN
    for name, message in TYPES:
        yield "type", name, CEO, message
    for name, message in signed.items():
        yield "signed", name, CEO, message
    for name, message in ORDINARY:
        yield "ordinary", name, SENDERS.get(name, CEO), message


class Smtp:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.file = self.socket.makefile("rb")
        self.answer()
        self.ask(b"EHLO client.test")

    def answer(self):
        while True:
            line = self.file.readline()
            if line[3:4] != b"-":
                return int(line[:3] or 421)

    def ask(self, line):
        self.socket.sendall(line + b"\r\n")
        return self.answer()

    def send(self, envelope, message):
        for line in (b"MAIL FROM:<%s>" % envelope, b"RCPT TO:<bob@elsewhere.test>", b"DATA"):
            code = self.ask(line)
            if code >= 400:
                return code
        text = re.sub(rb"(?m)^\.", b"..", message.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")
        return self.ask(text + (b"" if text.endswith(b"\r\n") else b"\r\n") + b".")


def send(port, raw, *words):
    signed = {}
    for given in words:
        name, _, path = given.partition("=")
        with open(path, "rb") as file:
            signed[name] = file.read()
    clients = {False: Smtp(int(port)), True: Smtp(int(raw))}
    for kind, name, envelope, message in messages(signed):
        mark = b"X-Case: %s %s\n" % (kind.encode(), name.encode())
        at = message.index(b"\n") + 1 if name == "mailbox-line" else 0
        bare = kind in ("from", "header")
        code = clients[bare].send(envelope, message[:at] + mark + message[at:])
        print(kind, name, code, flush=True)
        if code == 421:
            clients[bare] = Smtp(int(raw if bare else port))
        else:
            clients[bare].ask(b"RSET")


def visible(text):
    """Without what the eye does not see, and letters as it sees them."""
    return "".join(c for c in unicodedata.normalize("NFKC", text).replace("\u3002", ".") if c in "\r\n\t" or unicodedata.category(c) not in ("Cf", "Cc"))


def shows_required(message):
    """Whether anybody could read a sender there who has to sign."""
    text = ", ".join(message.get_all("From", []) + message.get_all("Sender", []))
    decoded = "".join(p if isinstance(p, str) else p.decode(c or "ascii", "replace") for p, c in email.header.decode_header(text))
    for one in (text, decoded):
        for bare in (one, re.sub(r"\([^()]*\)", "", one)):
            bare = re.sub(r"@+", "@", re.sub(r'[\s"\\]', "", visible(bare))).lower()
            if re.search(r"ceo@bank\.test|@board\.test", bare):
                return True
    return False


def verdict(path, command):
    with open(path, "rb") as file:
        head = file.read().partition(b"\r\n\r\n")[0]
    message = email.message_from_string(visible(head.decode(errors="replace")).replace("\r\n", "\n"))
    shown = [address.lower() for _, address in email.utils.getaddresses(message.get_all("From", []))]
    done = subprocess.run(command + [path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    told = " ".join(done.stdout.decode(errors="replace").lower().split())
    signer = re.search(r" sender (\S+) ", told)
    if done.returncode and not shows_required(message):
        return "another's %s" % shown
    if done.returncode:
        return "UNSIGNED: %s" % told[:200]
    if len(shown) != 1 or not signer or signer.group(1) not in shown[0]:
        return "ANOTHER: %s is shown, %s" % (shown, told[:200])
    return "signed %s" % shown[0]


def judge(folder, *command):
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        with open(path, "rb") as file:
            case = re.search(rb"(?m)^X-Case: (.*?)\r?$", file.read())
        print(case.group(1).decode() if case else "unknown " + name, verdict(path, list(command)))


if __name__ == "__main__":
    {"send": send, "judge": judge}[sys.argv[1]](*sys.argv[2:])
