# SPDX-License-Identifier: Apache-2.0
"""A time stamping authority (RFC 3161) over HTTP, in a folder where make_tsa has been; `serve authority` (harness.sh) starts it.

    /                 what `openssl ts` answers
    /other            its answer to another question
    /garbage /missing /refuses   no answer, status 404, status 2 without a text
    /made?NAME=VALUE  an answer that is made here, right but for
        policy=HEX      the policy, the content of an OID
        nonce=HEX       the content of the nonce; empty: it has none
        accuracy=HEX    the content of the accuracy
        ahead=SECONDS   the time
        by=NAME         NAME.pem and .key instead of tsa
        broken=yes      the last byte of the signature

Each question is kept as `authority.query`, and its path goes to the end of `authority.asked`.
"""
import datetime, http.server, os, subprocess, sys, urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "zip"))
from serving import Handler, serve
from stamps import GENERALIZED, INTEGER, OID, SEQUENCE, der, inside, token

def openssl(*arguments):
    return subprocess.run(["openssl", *arguments], capture_output=True, check=True).stdout


def reply():
    return openssl("ts", "-reply", "-config", "ts.conf", "-queryfile", "authority.query")


def reply_to_other():
    with open("authority.query", "wb") as file:
        file.write(openssl("ts", "-query", "-digest", "00" * 32, "-sha256", "-cert"))
    return reply()


def made(query, how):
    imprint, *rest = inside(query)[1:]
    nonce = [part for part in rest if part[0] == INTEGER]
    policy = [part for part in rest if part[0] == OID]
    if "nonce" in how:
        nonce = [der(INTEGER, bytes.fromhex(how["nonce"]))] if how["nonce"] else []
    if "policy" in how or not policy:
        policy = [der(OID, bytes.fromhex(how.get("policy", "2a0304")))]
    accuracy = [der(SEQUENCE, bytes.fromhex(how["accuracy"]))] if "accuracy" in how else []
    time = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=int(how.get("ahead", 0)))
    info = der(SEQUENCE, der(INTEGER, b"\1"), *policy, imprint, der(INTEGER, b"\1"),
               der(GENERALIZED, time.strftime("%Y%m%d%H%M%SZ").encode()), *accuracy, *nonce)
    stamp = bytearray(token(info, how.get("by", "tsa")))
    if "broken" in how:
        stamp[-1] ^= 1
    return der(SEQUENCE, der(SEQUENCE, der(INTEGER, b"\0")), bytes(stamp))


def answer(path, query, how):
    if path == "/made":
        return made(query, how)
    if path == "/other":
        return reply_to_other()
    return {"/garbage": b"no time stamp", "/refuses": bytes.fromhex("30053003020102")}.get(path) or reply()


class Authority(Handler):
    def do_POST(self):
        query = self.keep_body("authority.query")
        self.note(self.path)
        url = urllib.parse.urlsplit(self.path)
        body = answer(url.path, query, dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True)))
        self.answer("application/timestamp-reply", body, 404 if url.path == "/missing" else 200)


# one after the other, since openssl reads the question from a file
serve("authority", Authority, {"tsa_url": "{here}", "tsa_away": "{away}/"}, http.server.HTTPServer)
