# SPDX-License-Identifier: Apache-2.0
"""load.py SOCKET CLIENTS TARGET STOP-FILE: clients that keep their connections and ask until the file is there. Prints how often
each status came, with the text of an error, or what else happened; one try each, but for a kept connection that was closed before its
next request."""
import collections
import json
import os
import sys
import threading
import time

from asking import Connection

path, clients, target, stop = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
counts, lock = collections.Counter(), threading.Lock()


def ask_on():
    connection = Connection(path)
    while not os.path.exists(stop):
        try:
            connection.request("POST", target, b"hello", {"Content-Type": "application/octet-stream"})
            answer = connection.getresponse()
            text = answer.read()
            result = answer.status if answer.status == 200 else (answer.status, json.loads(text)["error"]["message"])
        except Exception as e:
            result = type(e).__name__
            connection.close()
            connection = Connection(path)
        with lock:
            counts[result] += 1
        time.sleep(0.02)


threads = [threading.Thread(target=ask_on) for _ in range(clients)]
for t in threads:
    t.start()
for t in threads:
    t.join()
print(dict(counts))
