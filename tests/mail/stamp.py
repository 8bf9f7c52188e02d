# SPDX-License-Identifier: Apache-2.0
"""Time stamps (RFC 3161) and signed messages.

    stamp.py cms MESSAGE               its signature
    stamp.py value MESSAGE             what has to be stamped: the value of its signature
    stamp.py token VALUE TIME AUTHORITY    a stamp of what the file VALUE holds, as "20200601000000Z", by AUTHORITY.pem and .key
    stamp.py put MESSAGE TOKEN...      the message with these stamps in its signature

The result goes to standard output.
"""
import base64, os, re, subprocess, sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "zip"))
import stamps


def around_signature(message):
    """what is in front of its base64, that, and what is behind it; of the outermost signature"""
    if b"application/pkcs7-mime" in message.split(b"\n\n")[0]:
        head, body = message.split(b"\n\n", 1)
        return head + b"\n\n", body, b""
    boundary = re.search(rb'boundary="([^"]*)"', message).group(1)
    front, part, rest = message.rsplit(b"--" + boundary, 2)
    head, body = part.split(b"\n\n", 1)
    return front + b"--" + boundary + head + b"\n\n", body, b"--" + boundary + rest


def cms_of(message):
    """DER: an opaque signature is of indefinite length"""
    return subprocess.run(["openssl", "cms", "-cmsout", "-inform", "DER", "-outform", "DER"],
                          input=base64.b64decode(around_signature(message)[1]), capture_output=True, check=True).stdout


def put(message, *tokens):
    front, _, rest = around_signature(message)
    return front + base64.encodebytes(stamps.stamped(cms_of(message), *tokens)) + rest


def read(path):
    with open(path, "rb") as file:
        return file.read()


what, path, *rest = sys.argv[1:]
if what == "cms":
    result = cms_of(read(path))
elif what == "value":
    result = stamps.signature_bytes(cms_of(read(path)))
elif what == "token":
    result = stamps.token(stamps.info(read(path), rest[0]), rest[1])
else:
    result = put(read(path), *map(read, rest))
sys.stdout.buffer.write(result)
