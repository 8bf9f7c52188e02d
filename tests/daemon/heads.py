# SPDX-License-Identifier: Apache-2.0
"""heads.py SOCKET: heads that servers read in different ways, each with what signengined has to answer.

A case is a name, what is sent, and the statuses that come back, in their order; "-" is none. Where several answers are right
(the HTTP library or the gate may be the one that refuses), they are alternatives. What has to be refused is never among
those that are answered by 200. The library writes some of its refusals twice; that counts as one. `/health/live` is anybody's, so that only the head can be what is wrong."""
import re
import socket
import sys

import asking

path = sys.argv[1]
H = b"Host: x\r\n"
LIVE = b"GET /health/live HTTP/1.1\r\n"
ECHO = b"POST /v1/descriptors/FileSigner/echo HTTP/1.1\r\n" + H + b"Content-Type: application/octet-stream\r\n"
GOOD = LIVE + H + b"\r\n"


def get(target, version=b"HTTP/1.1", fields=H, method=b"GET"):
    return method + b" " + target + b" " + version + b"\r\n" + fields + b"\r\n"


def field(line):
    return LIVE + H + line + b"\r\n\r\n"


def post(line, body=b"hello"):
    return ECHO + line + b"\r\n\r\n" + body


def chunks(body):
    return post(b"Transfer-Encoding: chunked", body)


# what is plain passes: otherwise the refusals below would say nothing
good = [
    ("a plain GET", GOOD),
    ("a name in other case", LIVE + b"hOST: x\r\n\r\n"),
    ("an empty Host", LIVE + b"Host: \r\n\r\n"),
    ("a Host with a port", LIVE + b"Host: [::1]:8700\r\n\r\n"),
    ("HTTP/1.0 without Host", get(b"/health/live", b"HTTP/1.0", b"")),
    ("HTTP/1.0 with Host", get(b"/health/live", b"HTTP/1.0")),
    ("a bare question mark", get(b"/health/live?")),
    ("a path in percents", get(b"/%68ealth/liv%65")),
    ("tabs in a value", field(b"A: b\tc")),
    ("an empty line in front", b"\r\n" + GOOD),  # RFC 9112, 2.2
    ("a blank at the end of a value", field(b"A: b ")),  # RFC 9112, 5
    ("an empty value", field(b"A: ")),
    ("a value with a colon", field(b"A: b: c")),
    ("all characters of tokens", field(b"!#$%&'*+-.^_`|~9aZ: b")),
    ("two of what may come twice", field(b"A: b\r\nA: c")),
    ("Upgrade to HTTP/2", field(b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk")),
    ("a GET with a length of 0", field(b"Content-Length: 0")),
    ("a body with a length", post(b"Content-Length: 5")),
    ("a body in chunks", chunks(b"5\r\nhello\r\n0\r\n\r\n")),
    ("chunked in capitals", post(b"Transfer-Encoding: Chunked", b"5\r\nhello\r\n0\r\n\r\n")),
    ("a chunk with an extension", chunks(b"5;a=b\r\nhello\r\n0\r\n\r\n")),
    ("trailers that contradict the head", chunks(b"5\r\nhello\r\n0\r\nContent-Length: 9\r\nHost: evil\r\n\r\n")),
    ("a length with zeroes in front", post(b"Content-Length: 005")),
    ("a body that nobody looks at", field(b"Content-Length: 5") + b"hello"),
]

hostile = [
    # ---- the first line ----
    ("no version", b"GET /health/live\r\n" + H + b"\r\n", "400", "-"),
    ("HTTP/0.9", b"GET /health/live\r\n\r\n", "400", "-"),
    ("HTTP/2.0", get(b"/health/live", b"HTTP/2.0"), "400", "505"),
    ("HTTP/1.2", get(b"/health/live", b"HTTP/1.2"), "400", "505"),
    ("HTTP/1.11", get(b"/health/live", b"HTTP/1.11"), "400", "505"),
    ("http/1.1", get(b"/health/live", b"http/1.1"), "400", "505"),
    ("HTTP/01.1", get(b"/health/live", b"HTTP/01.1"), "400", "505"),
    ("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400", "505"),
    ("a hello of TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 500 + b"\r\n\r\n", "400", "-"),
    ("a banner of SSH", b"SSH-2.0-x\r\n\r\n", "400", "-"),
    ("a method in small letters", get(b"/health/live", method=b"get"), "400"),
    ("a method with a slash", get(b"/health/live", method=b"G/T"), "400"),
    ("a method with a NUL", get(b"/health/live", method=b"G\0T"), "400"),
    ("a method of 40 letters", get(b"/health/live", method=b"G" * 40), "400"),
    ("an empty method", b" /health/live HTTP/1.1\r\n" + H + b"\r\n", "400", "-"),
    ("two blanks", b"GET  /health/live HTTP/1.1\r\n" + H + b"\r\n", "400"),
    ("two blanks before the version", b"GET /health/live  HTTP/1.1\r\n" + H + b"\r\n", "400", "-"),
    ("a blank behind the version", b"GET /health/live HTTP/1.1 \r\n" + H + b"\r\n", "400", "505"),
    ("tabs for blanks", b"GET\t/health/live\tHTTP/1.1\r\n" + H + b"\r\n", "400", "-"),
    ("a blank in the target", get(b"/health/li ve"), "400", "-"),
    ("bare line feeds", b"GET /health/live HTTP/1.1\nHost: x\n\n", "400"),
    ("a bare line feed in the first line", b"GET /health/live HTTP/1.1\nHost: x\r\n\r\n", "400"),
    ("a bare carriage return in the first line", b"GET /health/live HTTP/1.1\rHost: x\r\n\r\n", "400", "505", "-"),
    # ---- the target ----
    ("no slash", get(b"health/live"), "400"),
    ("a whole URI", get(b"http://x/health/live"), "400"),
    ("an asterisk", get(b"*", method=b"OPTIONS"), "400"),
    ("an authority", get(b"x:80", method=b"CONNECT"), "400"),
    ("a NUL", get(b"/health/live\0x"), "400"),
    ("a NUL in percents", get(b"/health/live%00"), "400"),
    ("a NUL in percents within", get(b"/v1/descriptors/FileSigner%00x/certificates"), "400"),
    ("a control character", get(b"/health/live\x01"), "400"),
    ("a DEL", get(b"/health/live\x7f"), "400"),
    ("a byte above ASCII", get(b"/health/l\xefve"), "400"),
    ("a line feed in percents", get(b"/health/live%0a"), "400"),
    ("a percent without digits", get(b"/health/live%zz"), "400"),
    ("a percent with one digit", get(b"/health/live%4"), "400"),
    ("a percent at the end", get(b"/health/live%"), "400"),
    ("UTF-8 that is longer than it has to be", get(b"/health/live%c0%af"), "400"),
    ("half a character", get(b"/health/live%e2%82"), "400"),
    ("a surrogate", get(b"/health/live%ed%a0%80"), "400"),
    ("a fragment", get(b"/health/live#x"), "400"),
    ("a backslash", get(b"/health\\live"), "400"),
    ("a quote", get(b'/health/"live'), "400"),
    ("two slashes", get(b"//health/live"), "404"),
    ("a slash at the end", get(b"/health/live/"), "404"),
    ("a slash in percents", get(b"/health%2flive"), "404"),
    ("dots", get(b"/v1/../health/live"), "404"),
    ("dots in percents", get(b"/v1/%2e%2e/health/live"), "404"),
    ("a dot", get(b"/./health/live"), "404"),
    ("semicolons", get(b"/health/live;x"), "404"),
    ("other case", get(b"/Health/live"), "404"),
    ("a query without a name", get(b"/health/live?=a"), "400"),
    ("a query without a value", get(b"/health/live?a"), "400"),
    ("a parameter twice", get(b"/health/live?a=1&a=2"), "400"),
    ("a parameter twice, in percents", get(b"/health/live?a=1&%61=2"), "400"),
    ("an empty part of a query", get(b"/health/live?a=1&&b=2"), "400"),
    ("a NUL in a parameter", get(b"/health/live?a=%00"), "400"),
    ("33 parameters", get(b"/health/live?" + b"&".join(b"a%d=1" % i for i in range(33))), "400"),
    ("a target of 5 kB", get(b"/" + b"a" * 5000), "400"),
    ("a target of 40 kB", get(b"/" + b"a" * 40000), "414", "-"),
    # ---- fields ----
    ("no Host", LIVE + b"\r\n", "400"),
    ("two Hosts", LIVE + b"Host: a\r\nHost: b\r\n\r\n", "400"),
    ("the same Host twice", LIVE + H + H + b"\r\n", "400"),
    ("a Host with a blank", LIVE + b"Host: a b\r\n\r\n", "400"),
    ("a Host with a path", LIVE + b"Host: a/b\r\n\r\n", "400"),
    ("a Host with a user", LIVE + b"Host: a@b\r\n\r\n", "400"),
    ("no blank behind the colon", LIVE + b"Host:x\r\n\r\n", "400"),
    ("two blanks behind the colon", LIVE + b"Host:  x\r\n\r\n", "400"),
    ("a blank before the colon", LIVE + b"Host : x\r\n\r\n", "400"),
    ("a folded line", field(b"A: b\r\n c"), "400"),
    ("a line folded by a tab", field(b"A: b\r\n\tc"), "400"),
    ("a folded first line", LIVE + b" A: b\r\n" + H + b"\r\n", "400"),
    ("no colon", field(b"Foo"), "400"),
    ("an empty name", field(b": b"), "400"),
    ("a name with a blank", field(b"A B: c"), "400"),
    ("a name with a NUL", field(b"A\0B: c"), "400"),
    ("a name with a slash", field(b"A/B: c"), "400"),
    ("a name above ASCII", field(b"\xc3\xa4: c"), "400"),
    ("a value with a NUL", field(b"A: b\0c"), "400"),
    ("a value with a bare carriage return", field(b"A: b\rContent-Length: 5"), "400"),
    ("a value with a bare line feed", field(b"A: b\nB: c"), "400"),
    ("a value with an escape", field(b"A: \x1b[2J"), "400"),
    ("a value above ASCII", field(b"A: \xc3\xa4"), "400"),
    ("100 fields", LIVE + H + b"a: b\r\n" * 100 + b"\r\n", "431"),
    ("10,000 fields", LIVE + H + b"a: b\r\n" * 10000 + b"\r\n", "431", "-"),
    ("a field of 40 kB", field(b"a: " + b"b" * 40000), "431", "-"),
    ("Content-Type twice", post(b"Content-Type: application/json\r\nContent-Length: 5"), "400"),
    ("X-Request-Id twice", field(b"X-Request-Id: a\r\nX-Request-Id: b"), "400"),
    ("Expect of something else", post(b"Expect: the-unexpected\r\nContent-Length: 5"), "417"),
    ("Expect twice", post(b"Expect: 100-continue\r\nExpect: 100-continue\r\nContent-Length: 5"), "400"),
    # ---- how the body comes ----
    ("two lengths", post(b"Content-Length: 5\r\nContent-Length: 6"), "400"),
    ("the same length twice", post(b"Content-Length: 5\r\nContent-Length: 5"), "400"),
    ("two lengths in one", post(b"Content-Length: 5, 5"), "400"),
    ("a length with a sign", post(b"Content-Length: +5"), "400"),
    ("a length below 0", post(b"Content-Length: -1"), "400"),
    ("a length in hexadecimal", post(b"Content-Length: 0x5"), "400"),
    ("a length with a blank behind", post(b"Content-Length: 5 "), "400"),
    ("a length with a blank before the colon", post(b"Content-Length : 5"), "400"),
    ("an empty length", post(b"Content-Length: "), "400"),
    ("a length with a NUL", post(b"Content-Length: 5\0 6"), "400"),
    ("a length in digits of another script", post(b"Content-Length: \xd9\xa5"), "400"),
    ("a length of 2^64", post(b"Content-Length: 18446744073709551616"), "400", "413"),
    ("a length of 2^64-1", post(b"Content-Length: 18446744073709551615"), "400", "413"),
    ("a length of 2^63", post(b"Content-Length: 9223372036854775808"), "400", "413"),
    ("a length of 19 digits", post(b"Content-Length: 0000000000000000005"), "400"),
    ("a length and chunks", post(b"Content-Length: 6\r\nTransfer-Encoding: chunked", b"0\r\n\r\nG"), "400"),
    ("chunks and a length with a request inside",
     post(b"Transfer-Encoding: chunked\r\nContent-Length: 49", b"0\r\n\r\n" + GOOD), "400"),
    ("identity", post(b"Transfer-Encoding: identity\r\nContent-Length: 5"), "400"),
    ("identity alone", post(b"Transfer-Encoding: identity"), "400"),
    ("an encoding that begins with x", post(b"Transfer-Encoding: xchunked\r\nContent-Length: 5"), "400"),
    ("gzip, then chunks", post(b"Transfer-Encoding: gzip, chunked", b"5\r\nhello\r\n0\r\n\r\n"), "400"),
    ("chunks, then identity", post(b"Transfer-Encoding: chunked, identity", b"5\r\nhello\r\n0\r\n\r\n"), "400"),
    ("chunks twice", post(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", b"5\r\nhello\r\n0\r\n\r\n"), "400"),
    ("chunks with a blank before the colon", post(b"Transfer-Encoding : chunked\r\nContent-Length: 5"), "400"),
    ("chunks with a vertical tab", post(b"Transfer-Encoding: \x0bchunked\r\nContent-Length: 5"), "400"),
    ("chunks on a folded line", post(b"Transfer-Encoding:\r\n chunked\r\nContent-Length: 5"), "400"),
    ("chunks in HTTP/1.0", ECHO.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "400"),
    ("a chunk of 0x5", chunks(b"0x5\r\nhello\r\n0\r\n\r\n"), "400"),
    ("a chunk of +5", chunks(b"+5\r\nhello\r\n0\r\n\r\n"), "400"),
    ("a chunk of -5", chunks(b"-5\r\nhello\r\n0\r\n\r\n"), "400"),
    ("a chunk of '5 '", chunks(b"5 \r\nhello\r\n0\r\n\r\n"), "400"),
    ("a chunk of 2^64", chunks(b"10000000000000005\r\nhello\r\n0\r\n\r\n"), "400", "413"),
    ("a chunk of nothing", chunks(b"\r\nhello\r\n0\r\n\r\n"), "400"),
    ("a chunk without its line end", chunks(b"5\r\nhelloX0\r\n\r\n"), "400"),
    ("a request of whose length is said too little", post(b"Content-Length: 5", b"hello" + b"GET"), "200", "200,400"),
]


def ask(request, hostile):
    s = asking.connect(path, hostile)
    got = b""
    try:
        s.sendall(request)
        s.shutdown(socket.SHUT_WR)
    except OSError:
        pass
    try:
        while True:
            piece = s.recv(65536)
            if not piece:
                break
            got += piece
    except OSError:
        pass
    s.close()
    statuses = [m.decode() for m in re.findall(rb"(?:^|\r\n\r\n|[}>\n])HTTP/1\.[01] (\d\d\d)", got)]
    if len(statuses) == 2 and statuses[0] == statuses[1] != "200":
        statuses.pop()
    return ",".join(statuses) or "-"


failed = 0
for name, request in good:
    answer = ask(request, False)
    if answer != "200":
        print("FAILED: %s: %s, not 200" % (name, answer))
        failed += 1
for name, request, *wanted in hostile:
    answer = ask(request, "200" not in wanted)
    if answer not in wanted:
        print("FAILED: %s: %s, not %s" % (name, answer, " or ".join(wanted)))
        failed += 1
print("%d plain heads, %d hostile ones, %d failed" % (len(good), len(hostile), failed))
sys.exit(failed > 0)
