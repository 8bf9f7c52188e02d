# SPDX-License-Identifier: Apache-2.0
"""identity.py SOCKET: tricks about who asks. Each line is a trick and whom the daemon took the caller for, or what it answered."""
import array
import os
import re
import socket
import struct
import sys

import asking

path = sys.argv[1]
DAEMON, BIN = 1, 2
WHO = b"GET /v1/anybody HTTP/1.1\r\nHost: x\r\n%s\r\n"
SIGN = (b"POST /v1/descriptors/FileSigner/sleep HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\n"
        b"%sContent-Length: 0\r\n\r\n")


def connect():
    return asking.connect(path)


def ask(s, fields=b"", request=WHO):
    s.sendall(request % fields)
    got = b""
    while b"\r\n\r\n" not in got:
        got += s.recv(65536)
    head, body = got.split(b"\r\n\r\n", 1)
    size = int(re.search(rb"Content-Length: (\d+)", head).group(1))
    while len(body) < size:
        body += s.recv(65536)
    return body.split()[0].decode() if request == WHO and b" 200 " in head else head.split()[1].decode()


def become(uid, groups=()):
    os.setgroups(groups)
    os.setgid(uid)
    os.setuid(uid)


def child(work):
    """what `work` returns in a child, which may become another user"""
    reader, writer = os.pipe()
    if os.fork() == 0:
        try:
            os.write(writer, str(work()).encode())
        except BaseException as e:
            os.write(writer, repr(e).encode())
        os._exit(0)
    os.close(writer)
    said = b"".join(iter(lambda: os.read(reader, 4096), b""))
    os.wait()
    return said.decode()


def trick(name, work):
    print("%s: %s" % (name, work()), flush=True)


def as_user(uid, fields=b"", request=WHO, groups=()):
    def work():
        become(uid, groups)
        return ask(connect(), fields, request)
    return child(work)


def after_connecting():
    s = connect()

    def work():
        become(BIN)
        return ask(s)
    return child(work)


def passed_descriptor():
    ours, theirs = socket.socketpair()
    s = connect()
    ours.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [s.fileno()]))])

    def work():
        become(BIN)
        fds = array.array("i")
        fds.frombytes(theirs.recvmsg(1, socket.CMSG_LEN(4))[1][0][2][:4])
        passed = asking.Plain(fileno=fds[0])
        passed.settimeout(20)
        return ask(passed)
    return child(work)


def forged_credentials(uid):
    def work():
        become(BIN)
        s = connect()
        try:
            s.sendmsg([WHO % b""], [(socket.SOL_SOCKET, socket.SCM_CREDENTIALS, struct.pack("3i", os.getppid(), uid, uid))])
        except PermissionError:
            return "refused by the kernel, then " + ask(s)
        return "sent, then " + ask(s)
    return child(work)


def kept_connection():
    def work():
        become(DAEMON)
        s = connect()
        first = ask(s)
        if os.fork() == 0:
            os._exit(0)
        os.wait()
        return first + " " + ask(s)
    return child(work)


def many_groups():
    return as_user(BIN, request=SIGN, groups=list(range(70000, 71000)) + [60])


trick("as daemon", lambda: as_user(DAEMON))
trick("as bin", lambda: as_user(BIN))
trick("as root", lambda: ask(connect()))
trick("connected as root, then bin", after_connecting)
trick("a descriptor of root, passed to bin", passed_descriptor)
trick("credentials of root, forged by bin", lambda: forged_credentials(0))
trick("credentials of daemon, forged by bin", lambda: forged_credentials(DAEMON))
trick("a kept connection", kept_connection)
for line in (b"X-Remote-User: daemon", b"Remote-User: root", b"Authorization: Basic ZGFlbW9uOg==", b"X-Forwarded-For: 127.0.0.1",
             b"Forwarded: for=daemon", b"X-Client-Uid: 1", b"Cookie: uid=1", b"From: daemon"):
    trick("bin says " + line.decode(), lambda: as_user(BIN, line + b"\r\n"))
trick("root signs", lambda: ask(connect(), b"", SIGN))
trick("bin with the group games, among a thousand, signs", many_groups)
trick("bin without it signs", lambda: as_user(BIN, request=SIGN, groups=list(range(70000, 71000))))
trick("games signs", lambda: as_user(5, request=SIGN, groups=[60]))
trick("a user without a name", lambda: as_user(54321))
trick("a user without a name signs", lambda: as_user(54321, request=SIGN))
trick("the user -2 signs", lambda: as_user(65534, request=SIGN))
