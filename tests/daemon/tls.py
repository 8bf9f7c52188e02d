# SPDX-License-Identifier: Apache-2.0
"""tls.py HOST:PORT slow|many COUNT|kept NAME...|places: clients over TLS that are slow, many, or stay."""
import os
import socket
import ssl
import sys
import threading
import time

import asking

host, port = sys.argv[1].rsplit(":", 1)
REQUEST = b"GET /v1/anybody HTTP/1.1\r\nHost: x\r\n\r\n"


def plain():
    s = socket.create_connection((host, int(port)))
    s.settimeout(60)
    return s


def make_context(name):
    context = ssl.create_default_context(cafile="ca.pem")
    context.load_cert_chain(name + ".pem", name + ".key")
    context.sslsocket_class = asking.Tls
    return context


def connect(name="dns", context=None):
    if not context:
        context = make_context(name)
    return context.wrap_socket(plain(), server_hostname=host)


def ask(s):
    try:
        s.sendall(REQUEST)
        got = b""
        while not (b"\r\n\r\n" in got and got.endswith(b"accept 0\n")):
            more = s.recv(65536)
            if not more:
                return "closed"
            got += more
        return got.split()[1].decode()
    except (ssl.SSLError, OSError):
        return "closed"


def ends(s):
    try:
        while s.recv(4096):
            pass
    except ConnectionError:
        pass
    return "closed"


def slow():
    # a record that says it is a hello of 512 bytes
    half = [plain() for _ in range(30)]
    for s in half:
        s.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
    silent = [plain() for _ in range(30)]
    print("beside them:", ask(connect()))
    print("half a hello:", *{ends(s) for s in half})
    print("no hello:", *{ends(s) for s in silent})


def large():
    """is answered before it has sent all, and reads only then"""
    s = connect()
    s.sendall(b"POST /v1/descriptors/FileSigner/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\n"
              b"Content-Length: 30000000000\r\n\r\n")
    for _ in range(30):
        s.sendall(b"x" * 1000000)
    print(s.recv(65536).split()[1].decode())


def try_once(context):
    try:
        return ask(connect(context=context))
    except OSError:
        return "closed"


def many(count):
    context = make_context("dns")
    good, lock, all_there = [], threading.Lock(), threading.Barrier(count)

    def one():
        all_there.wait()
        result = "closed"
        while result == "closed":  # on a busy machine a handshake may be late
            result = try_once(context)
        with lock:
            good.append(result == "200")
    threads = [threading.Thread(target=one) for _ in range(count)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    print("%d handshakes: %d" % (count, sum(good)))


def kept(names):
    there = [(name, connect(name)) for name in names]
    assert all(ask(s) == "200" for name, s in there)
    print("ready", flush=True)
    while not os.path.exists("reloaded"):
        time.sleep(0.02)
    for name, s in there:
        print("%s: %s" % (name, ask(s)))


def is_open(s):
    s.settimeout(1)
    try:
        return "open" if s.recv(1) else "closed"
    except socket.timeout:
        return "open"
    except ConnectionError:
        return "closed"


def tried():
    try:
        s = connect()
        return ask(s), s
    except OSError:
        return "closed", None


def places():
    known = [tried() for _ in range(4)]
    print("known:", *(result for result, s in known))
    for result, s in known:
        if s:
            s.close()
    while True:
        result, s = tried()
        if result == "200":
            s.close()
            break
        time.sleep(0.02)
    # all four places of strangers but one for the daemon's own count may be taken: three of one address are
    strangers = []
    while len(strangers) < 3:
        s = plain()
        if is_open(s) == "open":
            strangers.append(s)
    print("strangers:", *(["open"] * 3), is_open(plain()))


if sys.argv[2] == "slow":
    slow()
elif sys.argv[2] == "large":
    large()
elif sys.argv[2] == "many":
    many(int(sys.argv[3]))
elif sys.argv[2] == "kept":
    kept(sys.argv[3:])
else:
    places()
