#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The MTA's side of the milter protocol, for one message.

milter.py PORT|PATH FILE [client=ADDRESS] [login=NAME] [envelope=SENDER] [out=FILE] [wait=FILE]

Prints the answer: accept, tempfail or reject.  client=: a program on this machine, which has no address.  out: the message as the milter
changed it.  wait: makes FILE.waiting before the message's end, and goes on once FILE is there.
"""
import os
import re
import socket
import struct
import sys
import time

ANSWERS = {b"c": "accept", b"a": "accept", b"t": "tempfail", b"r": "reject", b"d": "discard"}


class Milter:
    def __init__(self, port):
        if port.isdigit():
            self.socket = socket.create_connection(("127.0.0.1", int(port)), timeout=120)
        else:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(120)
            self.socket.connect(port)
        self.file = self.socket.makefile("rb")

    def send(self, command, data=b""):
        self.socket.sendall(struct.pack(">I", len(data) + 1) + command + data)

    def read(self):
        size = struct.unpack(">I", self.file.read(4))[0]
        data = self.file.read(size)
        return data[:1], data[1:]

    def ask(self, command, data=b""):
        self.send(command, data)
        answer, rest = self.read()
        if answer not in (b"c", b"O"):
            sys.exit("answered %r %r to %r" % (answer, rest, command))
        return rest

    def macros(self, command, **names):
        self.send(b"D", command + b"".join(b"%s\0%s\0" % (n.encode(), v.encode()) for n, v in names.items()))


def fields_of(head):
    return [tuple(field.split(b":", 1)) for field in re.split(rb"\n(?![ \t])", head) if field]


def talk(milter, head, body, words):
    client = words.get("client", "127.0.0.1")
    milter.ask(b"O", struct.pack(">III", 6, 0x1FF, 0x1FFFFF))
    milter.ask(b"C", b"client.test\0" + (b"4" + struct.pack(">H", 4711) + client.encode() + b"\0" if client else b"U"))
    login = {"{auth_authen}": words["login"]} if "login" in words else {}
    milter.macros(b"M", i="4TEST", **login)
    milter.ask(b"M", b"<%s>\0" % (words["envelope"] if "envelope" in words else sender_of(head)).encode())
    milter.macros(b"T", i="4TEST")
    milter.ask(b"T")
    for name, value in fields_of(head):
        milter.ask(b"L", name + b"\0" + value + b"\0")
    for at in range(0, len(body), 65535):
        milter.ask(b"B", body[at:at + 65535])
    if "wait" in words:
        open(words["wait"] + ".waiting", "w").close()
        while not os.path.exists(words["wait"]):
            time.sleep(0.1)
    milter.macros(b"E", i="4TEST")
    milter.send(b"E")


def sender_of(head):
    return re.search(rb"(?im)^from:.*?([^\s<,]+@[^\s>,]+)", head).group(1).decode()


def change(fields, data, adding):
    if adding:
        return fields + [tuple(data[:-1].split(b"\0", 1))]
    index = struct.unpack(">I", data[:4])[0]
    name, value = data[4:-1].split(b"\0", 1)
    places = [i for i, field in enumerate(fields) if field[0].lower() == name.lower()]
    if value or index > len(places):
        sys.exit("an odd change of %r %d" % (name, index))
    # deleted fields keep their place until the end, as in Postfix
    return [(n, None) if i == places[index - 1] else (n, v) for i, (n, v) in enumerate(fields)]


def finish(milter, fields, body):
    new = b""
    while True:
        answer, data = milter.read()
        if answer in ANSWERS:
            return ANSWERS[answer], fields, new or body
        if answer == b"y":
            return ("tempfail" if data.startswith(b"4") else "reject"), fields, body
        if answer == b"b":
            new += data
        elif answer in b"hm":
            fields = change(fields, data, answer == b"h")
        else:
            sys.exit("answered %r" % answer)


def main(port, name, *words):
    words = dict(word.split("=", 1) for word in words)
    with open(name, "rb") as file:
        head, _, body = file.read().partition(b"\n\n")
    body = body.replace(b"\n", b"\r\n")
    milter = Milter(port)
    talk(milter, head.lstrip(b"\n"), body, words)
    answer, fields, body = finish(milter, fields_of(head), body)
    milter.send(b"Q")
    print(answer)
    if "out" in words:
        with open(words["out"], "wb") as file:
            file.write(b"".join(n + b":" + v.replace(b"\n", b"\r\n") + b"\r\n" for n, v in fields if v is not None) + b"\r\n" + body)


if __name__ == "__main__":
    main(*sys.argv[1:])
