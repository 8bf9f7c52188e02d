# SPDX-License-Identifier: Apache-2.0
"""cluster.py load PORTAL CARDS CLIENTS: until the file `ended` is there, as many clients sign and encrypt on the socket PORTAL, and as
many append on CARDS, each call tried once. Prints `appended OBJECT ENTRY` for each entry, `FAILED ...` for each failed call, and counts.
cluster.py up ADMIN NAME: whether HAProxy, asked on its socket ADMIN, gives calls to all its servers of that name."""
import base64
import csv
import http.client
import json
import os
import socket
import sys
import threading
import time

lock = threading.Lock()
calls = failed = 0
slowest = 0.0


class Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("signengine")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(300)
        self.sock.connect(self.path)


def say(*words):
    with lock:
        print(*words, flush=True)


def ask(connection, target, body, fields={}):
    global calls, failed, slowest
    begun = time.monotonic()
    try:
        connection.request("POST", target, body, {"Content-Type": "application/octet-stream", **fields})
        answer = connection.getresponse()
        got = answer.read()
        wrong = None if answer.status in (200, 201) else "%d %s" % (answer.status, got[:200])
    except (OSError, http.client.HTTPException) as e:
        connection.close()
        got, wrong = None, repr(e)
    with lock:
        calls += 1
        failed += wrong is not None
        slowest = max(slowest, time.monotonic() - begun)
    if wrong:
        say("FAILED", target, wrong)
        time.sleep(0.1)
    return None if wrong else got


def use_keys(path, client):
    connection = Connection(path)
    descriptors = "/v1/descriptors/"
    n = 0
    while not os.path.exists("ended"):
        n += 1
        text = b"value %d of %d" % (n, client)
        ask(connection, descriptors + "FileSigner/sign", text)
        value = ask(connection, descriptors + "EncryptedFields/encrypt", text)
        if value and ask(connection, descriptors + "EncryptedFields/decrypt", value) not in (None, text):
            say("FAILED: something else was decrypted")


def append(path, client):
    connection = Connection(path)
    n = 0
    while not os.path.exists("ended"):
        n += 1
        name = "object-%d-%d" % (client, n)
        body = json.dumps({"entries": [{"object": name, "payload": base64.b64encode(name.encode()).decode()}]})
        got = ask(connection, "/v1/histories/cards/entries", body, {"Content-Type": "application/json", "Idempotency-Key": name})
        if got:
            say("appended", name, json.loads(got)["first"])


def load(portal, cards, clients):
    threads = [threading.Thread(target=work, args=(path, n)) for n in range(int(clients)) for work, path in ((use_keys, portal), (append, cards))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    say("counted %d calls, %d failed, the slowest took %.2f s" % (calls, failed, slowest))


def up(admin, name):
    s = socket.socket(socket.AF_UNIX)
    s.connect(admin)
    s.sendall(b"show stat\n")
    rows = csv.reader(s.makefile().read().splitlines())
    states = [row[17] for row in rows if len(row) > 17 and row[1] == name]
    return bool(states) and all(state.startswith("UP") for state in states)


if sys.argv[1] == "load":
    load(*sys.argv[2:])
else:
    sys.exit(not up(*sys.argv[2:]))
