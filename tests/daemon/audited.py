# SPDX-License-Identifier: Apache-2.0
"""Whether each use has its record.

audited.py ask SOCKET CLIENTS STOP-FILE   clients that keep their connections and ask until the file is there; each fourth request is
                                          for what is not allowed. A line "ID STATUS" for each answer.
audited.py compare ANSWERS strict|faulty FILE...   the records in the files, lines of JSON. "strict": each answer has one, and only
                                          one, that says the same, and no number is missing. "faulty": each answer that was good has."""
import collections
import http.client
import json
import os
import sys
import threading
import time

from asking import Connection


def ask_on(client, stop, lock):
    connection, number = Connection(sys.argv[2]), 0
    # the folder goes when the test has ended without a word
    while not os.path.exists(stop) and os.path.exists(os.path.dirname(stop)):
        number += 1
        name, request_id = ("Other" if number % 4 == 0 else "FileSigner"), "c-%d-%d-%d" % (os.getpid(), client, number)
        try:
            connection.request("POST", "/v1/descriptors/%s/sign?form=raw" % name, b"hello",
                               {"Content-Type": "application/octet-stream", "X-Request-Id": request_id})
            answer = connection.getresponse()
            answer.read()
            status = str(answer.status)
        except (OSError, http.client.HTTPException) as e:
            status = type(e).__name__
            connection.close()
            connection = Connection(sys.argv[2])
        with lock:
            print(request_id, status, flush=True)
        time.sleep(0.01)


def ask():
    lock = threading.Lock()
    threads = [threading.Thread(target=ask_on, args=(i, sys.argv[4], lock)) for i in range(int(sys.argv[3]))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


def compare():
    answers = dict(line.split() for line in open(sys.argv[2]))
    strict = sys.argv[3] == "strict"
    records = [json.loads(line) for path in sys.argv[4:] for line in open(path)]
    found = collections.defaultdict(list)
    for record in records:
        if record["requestId"] in answers:
            found[record["requestId"]].append(record["result"])
    wanted = {"200": ["ok"], "403": ["forbidden"]}
    for request_id, status in answers.items():
        got = found[request_id]
        # what a sink took too late is not handed out, and another record says so
        once = len([result for result in got if result != "unrecorded"]) <= 1
        if (got != wanted.get(status)) if strict or status == "200" else not once:
            sys.exit("%s was answered %s, and recorded %s" % (request_id, status, got))
    numbers = sorted(record["n"] for record in records)
    if strict and numbers != list(range(1, len(numbers) + 1)):
        sys.exit("numbers are missing, or there twice: %d, up to %d" % (len(numbers), numbers[-1]))
    print(dict(collections.Counter(answers.values())), len(records), "records")


{"ask": ask, "compare": compare}[sys.argv[1]]()
