#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""odd.py FOLDER: messages as corpus.py makes them, and such as people's programs make that do not know better, with LF and with CRLF.
FOLDER/refused names those whose text could not be kept."""
import base64
import os
import sys

from corpus import HEAD, b64, binary, cases, mime, multi, part

BASE64 = b"Content-Transfer-Encoding: base64"
QP = b"Content-Transfer-Encoding: quoted-printable"
BIT8 = b"Content-Transfer-Encoding: 8bit"
PLAIN = b"text/plain; charset=us-ascii"
UTF8 = b"text/plain; charset=utf-8"
TEXT = part(PLAIN, b"Hello\n")
GERMAN = "Grüße aus Köln\nFrom 1 March on\n".encode()


def report(kind, *fields):
    return multi(b"report; report-type=" + kind, "r", TEXT, part(b"message/" + kind, b"".join(f + b"\n" for f in fields)))


def pdf(body, size=3001):
    return part(b'application/pdf; name="a b.pdf"', b64(binary(size)) + body, BASE64, b"Content-Disposition: attachment; filename=\"a b.pdf\"")


def odd():
    # nothing is lost: the boundary that is wrong, in a text that is safe
    yield "no-parts", mime(part(b'multipart/mixed; boundary="MP_/x"', b"We order 5 units.\n\n--MP_/X\n\nmore\n"))
    yield "no-parameter", mime(part(b"multipart/alternative", b"Hello\n----\nWorld\n--\n"))
    yield "only-closed", mime(part(b"multipart/mixed; boundary=b", b"Hello\n--b--\nWorld\n"))
    yield "blank-in-boundary", mime(part(b'multipart/mixed; boundary="b "', b"--b\nContent-Type: text/plain; charset=utf-8\n" + BIT8 + b"\n\n" + GERMAN + b"--b--\n"))
    yield "closed-too-early", mime(multi(b"mixed", "b", part(UTF8, GERMAN, BIT8)) + multi(b"mixed", "b", pdf(b""))[len(b'Content-Type: multipart/mixed; boundary="b"\n\n'):])
    yield "inner-closed-outside", mime(part(b"multipart/mixed; boundary=outer", b"--outer\nContent-Type: multipart/alternative; boundary=inner\n\n"
                                            b"--inner\n" + TEXT + b"--outer\n" + pdf(b"--inner--\n\n") + b"--outer--\n"))
    yield "same-boundary-twice", mime(multi(b"mixed", "b", multi(b"alternative", "b", TEXT, part(UTF8, GERMAN, BIT8)), pdf(b"")))
    # base64 that is not all of it
    for size in 3000, 3001, 3002, 60000, 60001:
        yield "base64-footer-%d" % size, mime(multi(b"mixed", "b", TEXT, pdf(b"\n_______\nThis mail is confidential.  \n\nR\xc3\xbcdiger\n", size)))
    yield "base64-footer-same-line", mime(multi(b"mixed", "b", pdf(b"", 3001).rstrip(b"\n") + b"-- sent by me\n"))
    yield "base64-twice", mime(multi(b"mixed", "b", pdf(b64(b"another one"), 3001)))
    yield "base64-lines-padded", mime(part(b"application/octet-stream", b"".join(base64.b64encode(binary(n)) + b"\n" for n in range(40, 60)), BASE64))
    yield "base64-no-padding", mime(part(b"application/octet-stream", b64(binary(3001)).rstrip(b"=\n") + b"\n", BASE64))
    yield "base64-letter-more", mime(part(b"application/octet-stream", b64(binary(3000)) + b"A\n", BASE64))
    yield "base64-url-safe", mime(part(b"application/octet-stream", b64(binary(3000)).replace(b"/", b"_").replace(b"+", b"-"), BASE64))
    yield "base64-of-text", mime(part(UTF8, b"The meeting is at ten, in room 4.  \nPlease bring the figures for March.\n-- \nBob\n", BASE64))
    yield "base64-of-words", mime(part(PLAIN, b"Hello\nWorld\n\nRegards\nBob\n", BASE64))
    yield "base64-of-multipart", mime(multi(b"mixed", "b", TEXT).replace(b"\n\n", b"\n" + BASE64 + b"\n\n", 1))
    # quoted-printable without an end
    yield "qp-soft-end", mime(part(UTF8, b"soft=\n", QP))
    yield "qp-soft-end-no-newline", mime(part(UTF8, b"soft end =", QP))
    yield "qp-soft-end-of-part", mime(multi(b"mixed", "b", part(UTF8, b"soft=\n", QP), part(UTF8, b"=\n=\n", QP), part(UTF8, b"x\n=", QP)))
    # what must not be encoded
    yield "report-status", mime(report(b"delivery-status", b"Reporting-MTA: dns; mx.test", b"", b"Final-Recipient: rfc822; " + b"a" * 90 + b"@y.test", b"Status: 5.1.1"))
    yield "report-status-8bit", mime(report(b"delivery-status", b"Reporting-MTA: dns; mx.test", b"", "Diagnostic-Code: smtp; ungültig".encode()))
    yield "report-notification", mime(report(b"disposition-notification", b"Reporting-UA: pc.test; Mail 1.0", b"Final-Recipient: rfc822;x@y.test"))
    yield "report-feedback", mime(report(b"feedback-report", b"Feedback-Type: abuse", b"User-Agent: x/1", b"Version: 1"))
    yield "partial", mime(part(b'message/partial; id="x"; number=1; total=2', HEAD % (b"p", b"p") + b"\nFrom here  \n-- \nBob\n"))
    # headers that are none
    yield "part-begins-with-from", mime(part(b"multipart/mixed; boundary=b", b"--b\n" + TEXT + b"--b\nContent-Type: text/plain\n\nFrom 1 March on\n--b--\n"))
    yield "digest-without-header", mime(part(b"multipart/digest; boundary=b", b"--b\n\nSubject: x\n\nHello\n--b--\n"))
    yield "part-header-odd-line", mime(multi(b"mixed", "b", TEXT, BASE64 + b'\nContent-Type: application/zip; x=y;\nname="a.zip"\n'
                                             b'Content-Disposition: attachment; filename="a.zip"\n\n' + b64(binary(500), 60)))
    yield "message-header-odd-line", mime(multi(b"mixed", "b", TEXT, part(b"message/rfc822", HEAD % (b"i", b"i") + b"Message removed\n")))
    yield "report-blank-line", mime(report(b"delivery-status", b"Reporting-MTA: dns; mx.test", b"", b"Diagnostic-Code: smtp;", b" too big", b" ", b"Status: 5.3.4"))
    yield "no-last-line", mime(part(UTF8, GERMAN.rstrip(b"\n"), BIT8))


def refused():
    yield "no-parts-8bit", mime(part(b'multipart/mixed; boundary="MP_/x"', b"We order.\n" + GERMAN))
    yield "no-parts-blank", mime(part(b'multipart/mixed; boundary="b"', b"flowed \ntext\n"))
    yield "no-parts-long", mime(part(b'multipart/mixed; boundary="b"', b"x" * 999 + b"\n"))
    yield "no-parameter-8bit", mime(part(b"multipart/mixed", GERMAN))
    yield "only-closed-8bit", mime(part(b"multipart/mixed; boundary=b", b"Hello\n--b--\n" + GERMAN))
    yield "boundary-too-long", mime(multi(b"mixed", "b" * 300, part(UTF8, GERMAN, BIT8)))
    yield "no-parts-inside", mime(multi(b"mixed", "outer", part(b"multipart/alternative; boundary=inner", b"--Inner\n" + part(UTF8, GERMAN, BIT8) + b"--Inner--\n"), pdf(b"")))


# readers do not agree what lines these have, nor what "=" and blanks at a line's end are
LEFT_OUT = {"control-characters", "part-without-blank-line", "qp-sloppy"}


def main():
    folder = sys.argv[1]
    bad = []
    for source in cases, odd, refused:
        for name, rest in source():
            if rest is None or name in LEFT_OUT:
                continue
            for end, eol in (("lf", b"\n"), ("crlf", b"\r\n")):
                file = "%s.%s.eml" % (name, end)
                if source is refused:
                    bad.append(file)
                with open(os.path.join(folder, file), "wb") as out:
                    out.write((HEAD % (name.encode(), name.encode()) + rest).replace(b"\n", eol))
    with open(os.path.join(folder, "refused"), "w") as out:
        out.write("".join(name + "\n" for name in sorted(bad)))


main()
