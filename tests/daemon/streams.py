#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What streams.sh sends, and what it got.

  streams.py zip BYTES FILE            a zip of stored entries of random bytes
  streams.py contents COUNT            lines for encrypt; the middle one is no line of that kind
  streams.py values COUNT              lines for decrypt and rekey, of the answer to encrypt
  streams.py plain COUNT               reads the answer to decrypt: all is as it was
  streams.py rekeyed COUNT             lines for decrypt, of the answer to rekey
  streams.py hold SOCKET TARGET TYPE LENGTH TEXT FILE
                                       sends a head, and TEXT again and again for half of the length, and leaves when FILE is there
"""
import base64
import json
import os
import random
import socket
import sys
import time
import zipfile

ENTRY = 1 << 20


def make_zip(size, path):
    rng = random.Random(7)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as out:
        for number in range(max(1, size // ENTRY)):
            out.writestr(f"data/{number}.bin", rng.randbytes(min(size, ENTRY)))


def middle(count):
    return count // 2


def make_contents(count):
    for number in range(1, count + 1):
        if number == middle(count):
            print('{"content":7}')
            continue
        content = base64.b64encode(f"secret value {number}".encode()).decode()
        print(f'{{"content":"{content}","context":{{"row":"{number}"}}}}')


def read_answers(count, failed):
    """Yields number and answer of those that are good; all are there, in their order."""
    seen = 0
    for line in sys.stdin:
        answer = json.loads(line)
        if answer.get("end"):
            assert (answer["count"], answer["failed"]) == (count, failed), answer
            break
        seen += 1
        assert answer["n"] == seen, (answer, seen)
        if seen == middle(count):
            assert answer["status"] in ("format", "rejected"), answer
        else:
            assert answer["status"] == "ok", answer
            yield seen, answer
    assert seen == count and not sys.stdin.read(), seen


def make_values(count):
    for number, answer in read_answers(count, 1):
        if number == middle(count) + 1:
            print('{"value":"nonsense"}')
        print(json.dumps({"value": answer["value"], "context": {"row": str(number)}}))


def check_plain(count):
    for number, answer in read_answers(count, 1):
        assert base64.b64decode(answer["content"]) == f"secret value {number}".encode(), answer
    print(f"{count} lines are as they were")


def hold(path, target, kind, length, text, until):
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(path)
        s.sendall(f"POST {target} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n".encode())
        s.sendall((text.encode() * (length // len(text) + 1))[: length // 2])
        print("sent", flush=True)
        while not os.path.exists(until):
            time.sleep(0.02)


what, arguments = sys.argv[1], sys.argv[2:]
if what == "zip":
    make_zip(int(arguments[0]), arguments[1])
elif what == "contents":
    make_contents(int(arguments[0]))
elif what in ("values", "rekeyed"):
    make_values(int(arguments[0]))
elif what == "plain":
    check_plain(int(arguments[0]))
elif what == "hold":
    hold(arguments[0], arguments[1], arguments[2], int(arguments[3]), arguments[4], arguments[5])
else:
    sys.exit(__doc__)
