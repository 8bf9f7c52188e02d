#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Messages of every kind that a signer meets, and what relays do to them.

corpus.py make FOLDER              writes them, with LF and with CRLF
corpus.py relay                    does to messages what relays do: lines NAME IN OUT on standard input; corpus.py relays lists them
"""
import base64
import os
import quopri
import random
import re
import sys

HEAD = b"From: Alice <alice@example.org>\nTo: bob@example.org\nSubject: %s\nDate: Sat, 21 Nov 2026 12:00:00 +0000\nMessage-ID: <%s@example.org>\n"
LONG = b"x" * 990
HUGE = b"y" * 5000


def b64(data, width=76):
    text = base64.b64encode(data)
    return b"\n".join(text[i:i + width] for i in range(0, len(text), width)) + b"\n"


def part(kind, body, *fields):
    return b"".join([b"Content-Type: " + kind + b"\n"] + [f + b"\n" for f in fields]) + b"\n" + body


def multi(kind, boundary, *parts, preamble=b"", epilogue=b""):
    b = boundary.encode()
    text = preamble + b"".join(b"--" + b + b"\n" + p + b"\n" for p in parts) + b"--" + b + b"--\n" + epilogue
    return part(b"multipart/" + kind + b'; boundary="' + b + b'"', text)


def mime(entity):
    return b"MIME-Version: 1.0\n" + entity


def binary(size):
    return random.Random(size).randbytes(size)


def cases():
    plain = b"text/plain; charset=us-ascii"
    utf8 = b"text/plain; charset=utf-8"
    bit8 = b"Content-Transfer-Encoding: 8bit"
    qp = b"Content-Transfer-Encoding: quoted-printable"
    base = b"Content-Transfer-Encoding: base64"
    text = part(plain, b"Hello\n")
    html = part(b"text/html; charset=utf-8", "<p>Grüße</p>\n".encode(), bit8)
    pdf = part(b'application/pdf; name="a.pdf"', b64(binary(3000)), base, b"Content-Disposition: attachment; filename=a.pdf")
    inner = HEAD % (b"inner", b"inner") + mime(part(utf8, "innen: äöü  \nFrom here\n".encode(), bit8))
    yield "no-mime", b"\nHello\n"
    yield "no-mime-8bit", b"\n" + "Grüße\n".encode()
    yield "no-mime-latin1", b"\nGr\xfc\xdfe\n"
    yield "empty-body", b"\n"
    yield "no-body", b""
    yield "no-last-newline", b"\nHello"
    yield "blank-lines", b"\n\n\n\nHello\n\n\n\n"
    yield "plain", mime(text)
    yield "trailing-blanks", mime(part(plain, b"Hello  \nTabs\t\t\n  \nend\n"))
    yield "from-lines", mime(part(plain, b"From me\n>From you\nFrom \nFromage\n"))
    yield "dots", mime(part(plain, b".\n..\n.dot\n"))
    yield "dashes", mime(part(plain, b"--\n-- \n--x\n---------\n"))
    yield "long-line", mime(part(plain, LONG + b"\n" + HUGE + b"\n"))
    yield "line-of-100-kb", mime(part(utf8, "ü".encode() * 50000 + b"\n", bit8))
    yield "utf8-8bit", mime(part(utf8, "Grüße aus Köln  \n".encode() * 20, bit8))
    yield "chinese-8bit", mime(part(utf8, ("中文" * 40 + "\n").encode() * 20, bit8))
    yield "latin1-8bit", mime(part(b"text/plain; charset=iso-8859-1", b"Gr\xfc\xdfe\n" * 10, bit8))
    yield "control-characters", mime(part(plain, b"a\x0cb\x1bc\x07\x00d\rx\n"))
    yield "label-8bit-content-7bit", mime(part(plain, b"Hello\n", bit8))
    yield "qp", mime(part(utf8, quopri.encodestring("Grüße \nFrom x\n".encode() * 9), qp))
    yield "qp-sloppy", mime(part(utf8, b"soft =\nbreak =  \nend=20 \n=zz = =A\n=c3=bc lower  \nFrom here\n" + b"=C3=BC" * 50 + b"\n", qp))
    yield "qp-no-end", mime(part(utf8, b"ends softly=\n", qp))
    yield "base64-text", mime(part(utf8, b64("Grüße\n".encode() * 50), base))
    yield "base64-width-60", mime(part(utf8, b64(binary(1000), 60), base))
    yield "base64-width-72", mime(part(b"application/octet-stream", b64(binary(5000), 72), base))
    yield "base64-one-line", mime(part(b"application/octet-stream", base64.b64encode(binary(5000)) + b"\n", base))
    yield "base64-blanks", mime(part(b"application/octet-stream", b64(binary(500)).replace(b"\n", b"  \n\n"), base))
    yield "attachment", mime(multi(b"mixed", "b1", text, pdf))
    yield "alternative", mime(multi(b"alternative", "b1", text, html))
    yield "nested", mime(multi(b"mixed", "b1", multi(b"related", "b2", multi(b"alternative", "b3", text, html), pdf), pdf))
    yield "nested-prefix-boundaries", mime(multi(b"mixed", "b", multi(b"mixed", "b-1", multi(b"mixed", "b-1-1", text, html)), text))
    yield "preamble-epilogue", mime(multi(b"mixed", "b1", text, preamble="Vorwort äöü \nFrom here\nok\n".encode(), epilogue=b"end  \nFrom x\n"))
    yield "unclosed", mime(multi(b"mixed", "b1", text, html).replace(b"--b1--\n", b""))
    yield "empty-parts", mime(multi(b"mixed", "b1", b"", b"\n", part(plain, b""), text))
    yield "part-without-blank-line", mime(multi(b"mixed", "b1", b"no header here", text))
    yield "no-boundary-parameter", mime(part(b"multipart/mixed", b"Hello\n"))
    yield "ten-deep", mime(__import__("functools").reduce(lambda e, i: multi(b"mixed", "d%d" % i, e, text), range(10), html))
    yield "dsn", mime(multi(b"report; report-type=delivery-status", "b1", text,
                            part(b"message/delivery-status", b"Reporting-MTA: dns; mx.test\n\nFinal-Recipient: rfc822; x@y.test\nAction: failed \nStatus: 5.1.1\n"),
                            part(b"message/rfc822", inner)))
    yield "calendar", mime(multi(b"alternative", "b1", text, part(b"text/calendar; charset=utf-8; method=REQUEST",
                                 "BEGIN:VCALENDAR\nVERSION:2.0\nMETHOD:REQUEST\nBEGIN:VEVENT\nSUMMARY:Frühstück\n X\nEND:VEVENT\nEND:VCALENDAR\n".encode(), bit8)))
    yield "forwarded", mime(multi(b"mixed", "b1", text, part(b"message/rfc822", inner, bit8)))
    yield "forwarded-multipart", mime(multi(b"mixed", "b1", part(b"message/rfc822", HEAD % (b"f", b"f") + mime(multi(b"mixed", "b9", html, pdf)))))
    yield "digest", mime(multi(b"digest", "b1", b"\n" + inner, b"\n" + inner))
    yield "pgp-signed-inside", mime(multi(b"mixed", "b1", text, multi(b'signed; micalg=pgp-sha256; protocol="application/pgp-signature"', "b2",
                                          text, part(b"application/pgp-signature", b"-----BEGIN PGP SIGNATURE-----\n\nabcd\n-----END PGP SIGNATURE-----\n"))))
    yield "binary-8bit", mime(part(b"application/octet-stream", binary(2000).replace(b"\r", b"").replace(b"\0", b"") + b"\n", bit8))
    yield "json-8bit", mime(part(b"application/json", '{"straße": 1} \n'.encode(), bit8))
    yield "unknown-encoding", mime(part(b"application/x-thing", b"begin 644 x\n#0V%T\n`\nend\n", b"Content-Transfer-Encoding: x-uuencode"))
    yield "odd-header", b"X-Blanks:   a   \nx-EMPTY:\nSubject: twice\nReceived: from a\n\tby b  \n\twith c\n" + mime(text)
    yield "mbox-line", None
    yield "content-fields", b"Content-Language: de\nContent-ID: <x@y>\nContent-Length: 6\n" + mime(text)
    yield "mime-fields-first", b"Content-Type: text/plain\nMIME-Version: 1.0\nContent-Transfer-Encoding: 7bit\nX-After: yes\n\nHello\n"
    yield "long-content-type", mime(part(b'application/octet-stream; name="' + b"long name " * 120 + b'"', b64(b"abc"), base))
    yield "folded-content-type", mime(b'Content-Type: multipart/mixed;  \n\tboundary="b1";\n   x=y\n\n--b1\n\nHello\n--b1--\n')
    yield "comment-content-type", mime(b"Content-Type: text/plain (comment) ; charset=utf-8\nContent-Transfer-Encoding: 8bit (yes)\n\n" + "ü\n".encode())
    yield "attachment-1-mb", mime(multi(b"mixed", "b1", text, part(b"application/octet-stream", b64(binary(1 << 20)), base)))


def make(folder):
    count = 0
    for name, rest in cases():
        if rest is None:
            message = b"From alice@example.org Sat Nov 21 12:00:00 2026\n" + HEAD % (b"mbox", b"mbox") + b"\nHello\n"
        else:
            message = HEAD % (name.encode(), name.encode()) + rest
        for end, eol in (("lf", b"\n"), ("crlf", b"\r\n")):
            with open(os.path.join(folder, "%s.%s.eml" % (name, end)), "wb") as out:
                out.write(message.replace(b"\n", eol))
            count += 1
    data = binary(3000)
    for end, eol in (("lf", b"\n"), ("crlf", b"\r\n")):
        head = (HEAD % (b"binary", b"binary") + mime(part(b"application/octet-stream", b"", b"Content-Transfer-Encoding: binary"))).replace(b"\n", eol)
        with open(os.path.join(folder, "binary.%s.eml" % end), "wb") as out:
            out.write(head + data)
        count += 1
    print(count)


# ---- relays ----

def split(message):
    eol = b"\r\n" if b"\r\n" in message else b"\n"
    head, _, body = message.partition(eol * 2)
    return head, body, eol


def rewrap(message):
    """Every part in base64 with lines of 76."""
    _, _, eol = split(message)
    lines, out, run, inside = message.split(eol), [], b"", False
    for line in lines:
        if inside and re.fullmatch(rb"[A-Za-z0-9+/=]*", line):
            run += line
            continue
        if run:
            out += [run[i:i + 76] for i in range(0, len(run), 76)]
        if inside:
            inside = False
            if not run:
                pass
        run = b""
        out.append(line)
        inside = inside or (line == b"" and base64_follows(out))
    if run:
        out += [run[i:i + 76] for i in range(0, len(run), 76)] + [b""]
    return eol.join(out)


def base64_follows(lines):
    for line in reversed(lines[:-1]):
        if line == b"" or line.startswith(b"--"):
            return False
        if re.match(rb"(?i)content-transfer-encoding: *base64", line):
            return True
    return False


def to_7bit(message):
    """8 bits to quoted-printable, for a relay without 8BITMIME."""
    assert not re.search(rb"[\x80-\xff]", split(message)[1]), "8 bits left in the body"
    return message


def refold(message):
    head, body, eol = split(message)
    fields = re.sub(eol + rb"[ \t]+", b" ", head).split(eol)
    out = []
    for field in fields:
        while len(field) > 60 and b" " in field[20:60]:
            at = field.rindex(b" ", 20, 60)
            out.append(field[:at])
            field = b"\t" + field[at + 1:]
        out.append(field)
    return eol.join(out) + eol * 2 + body


def trace(message):
    _, _, eol = split(message)
    added = b"Return-Path: <alice@example.org>|Received: from a.test by b.test; Sat, 21 Nov 2026 12:00:01 +0000|X-Spam-Score: 0.1|"
    if message.startswith(b"From "):
        first, _, message = message.partition(eol)
    return added.replace(b"|", eol) + message


def strip_blanks(message):
    head, body, eol = split(message)
    return head + eol * 2 + re.sub(rb"[ \t]+(?=\r?\n)", b"", body)


def escape_from(message):
    head, body, eol = split(message)
    return head + eol * 2 + re.sub(rb"(?m)^From ", b">From ", body)


def to_lf(message):
    return message.replace(b"\r\n", b"\n")


def to_crlf(message):
    return message.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def short_lines(message):
    """Breaks lines at 998 (RFC 5321, 4.5.3.1.6)."""
    head, body, eol = split(message)
    return head + eol * 2 + eol.join(line[i:i + 998] for line in body.split(eol) for i in range(0, max(len(line), 1), 998))


def footer_in_text(message):
    _, _, eol = split(message)
    at = message.rindex(eol + b"--")
    first = message.index(b"Content-Type: application/pkcs7-signature") if b"pkcs7-signature; name" in message else at
    at = message.rindex(eol + b"--", 0, first)
    return message[:at] + eol + b"-- " + eol + b"our list" + message[at:]


def footer_at_end(message):
    return message + b"____\nour list\n"


HARMLESS = {f.__name__: f for f in (rewrap, to_7bit, refold, trace, strip_blanks, escape_from, to_lf, to_crlf, short_lines)}
HARMFUL = {f.__name__: f for f in (footer_in_text, footer_at_end)}


def relay(name, source, target):
    with open(source, "rb") as file:
        message = file.read()
    for step in HARMLESS if name == "all" else [name]:
        message = {**HARMLESS, **HARMFUL}[step](message)
    with open(target, "wb") as file:
        file.write(message)


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(sys.argv[2])
    elif sys.argv[1] == "relays":
        print(*HARMLESS)
    else:
        for line in sys.stdin:
            relay(*line.split())
