# SPDX-License-Identifier: Apache-2.0
"""append.py SOCKET CLIENTS ENTRIES: each client appends so many entries to the history `default`, every one with a key of its own,
and asks again with the same key until it is acknowledged. Prints object and entry number of each."""
import base64
import http.client
import json
import sys
import threading
import time

from asking import Connection

path, clients, entries = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
lock = threading.Lock()


def append(connection, name):
    body = json.dumps({"entries": [{"object": name, "payload": base64.b64encode(name.encode()).decode()}]})
    connection.request("POST", "/v1/histories/default/entries", body, {"Content-Type": "application/json", "Idempotency-Key": name})
    answer = connection.getresponse()
    text = answer.read()
    if answer.status not in (200, 201):
        if answer.status != 503:
            print("FAILED", answer.status, text.decode(), flush=True)
            sys.exit(1)
        raise OSError("503")
    return json.loads(text)["first"]


def work(client):
    connection = Connection(path)
    for n in range(entries):
        name = "object-%d-%d" % (client, n)
        while True:
            try:
                first = append(connection, name)
                break
            except (OSError, http.client.HTTPException):
                connection.close()
                connection = Connection(path)
                time.sleep(0.02)
        with lock:
            print(name, first, flush=True)
        time.sleep(0.02)


threads = [threading.Thread(target=work, args=(i,)) for i in range(clients)]
for t in threads:
    t.start()
for t in threads:
    t.join()
