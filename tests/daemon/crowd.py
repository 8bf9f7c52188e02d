# SPDX-License-Identifier: Apache-2.0
"""crowd.py SOCKET beside IDLE SLOW TRIES   12 clients sign, without others and beside so many that say nothing, or a byte now and then.
                                         Prints what that costs; tries again while it is more than a fifth of the time.
crowd.py SOCKET fill COUNT GO-FILE TARGET...   takes all connections there are, waits for the file, and then asks for each target on
                                         connections that it had before."""
import http.client
import os
import re
import select
import socket
import statistics
import sys
import threading
import time

path = sys.argv[1]
SIGN = "/v1/descriptors/FileSigner/sign?form=raw"
LIVE = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
BUSY, SECONDS = 12, 0.7


class Connection(http.client.HTTPConnection):
    def connect(self):
        self.sock = connect()


def connect():
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(60)
    while True:
        try:
            s.connect(path)
            return s
        except BlockingIOError:  # the backlog is full
            time.sleep(0.01)


def ask(connection, method, target):
    connection.request(method, target, b"hello" if method == "POST" else None, {"Content-Type": "application/octet-stream"} if method == "POST" else {})
    answer = connection.getresponse()
    return answer.status, answer.read()


def metrics():
    text = ask(Connection("signengined"), "GET", "/metrics")[1].decode()
    return {name: float(value) for name, value in re.findall(r"^(process_\w+|signengine_connections\{.*\}) ([0-9.]+)$", text, re.M)}


# ---- beside ----

def hold_crowd(idle, slow, ready, end):
    """half of the idle ones have asked for something before"""
    held = []
    for i in range(idle):
        s = connect()
        if i % 2:
            s.sendall(LIVE)
            if not s.recv(4096).startswith(b"HTTP/1.1 200"):
                os._exit(1)
        held.append(s)
    late = [connect() for _ in range(slow)]
    os.write(ready, b"x")
    text, at = LIVE[:-2] + b"X-Slow: " + b"x" * 8000, 0
    while not select.select([end], [], [], 0.2)[0]:
        for s in late:
            s.send(text[at:at + 1])
        at += 1
    os._exit(0)


class Crowd:
    def __init__(self, idle, slow):
        (self.ready, ready), (end, self.end) = os.pipe(), os.pipe()
        self.child = os.fork()
        if not self.child:
            os.close(self.end)
            hold_crowd(idle, slow, ready, end)
        os.close(ready)
        os.close(end)
        if os.read(self.ready, 1) != b"x":
            sys.exit("the others were not let in")

    def leave(self):
        os.close(self.end)
        os.waitpid(self.child, 0)


def sign_for(seconds):
    """seconds each call took, and the processor's time of the daemon for one"""
    took, statuses, lock = [], set(), threading.Lock()

    def work():
        connection, until, mine = Connection("signengined"), time.time() + seconds, []
        while time.time() < until:
            begun = time.perf_counter()
            status = ask(connection, "POST", SIGN)[0]
            mine.append(time.perf_counter() - begun)
            with lock:
                statuses.add(status)
        with lock:
            took.extend(mine)

    before = metrics()["process_cpu_seconds_total"]
    threads = [threading.Thread(target=work) for _ in range(BUSY)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if statuses != {200}:
        sys.exit("answered: %s" % statuses)
    return statistics.median(took), (metrics()["process_cpu_seconds_total"] - before) / len(took)


def beside(idle, slow, tries):
    sign_for(0.2)
    for _ in range(tries):
        alone, before = sign_for(SECONDS), metrics()
        crowd = Crowd(idle, slow)
        crowded, after = sign_for(SECONDS), metrics()
        crowd.leave()
        ratio, memory = crowded[0] / alone[0], after["process_resident_memory_bytes"] - before["process_resident_memory_bytes"]
        print("%d idle and %d slow: %d connections, latency %.2f ms and %.2f ms, ratio %.2f; processor %.0f and %.0f us a call; %.1f MB more, %.1f kB each"
              % (idle, slow, after['signengine_connections{listener="unix"}'], alone[0] * 1e3, crowded[0] * 1e3, ratio, alone[1] * 1e6, crowded[1] * 1e6,
                 memory / 1e6, memory / 1e3 / (idle + slow)), flush=True)
        if ratio <= 1.2:
            print("within a fifth")
            return


# ---- fill ----

def fill(count, go, targets):
    kept = [Connection("signengined") for _ in targets]
    for c in kept:
        ask(c, "GET", "/health/live")
    held, refused = [], 0
    for _ in range(count):
        s = connect()
        try:
            s.sendall(LIVE)
            answer = s.recv(4096)
        except OSError:  # refused, and closed before it has asked
            answer = b"HTTP/1.1 503"
        if answer.startswith(b"HTTP/1.1 200"):
            held.append(s)
        elif not answer or answer.startswith(b"HTTP/1.1 503"):
            refused += 1
            s.close()
        else:
            sys.exit("answered: %r" % answer)
    print(len(held) + len(kept), "held", refused, "refused", flush=True)
    while not os.path.exists(go):
        time.sleep(0.02)
    for c, target in zip(kept, targets):
        print(target, ask(c, "POST", target)[0], flush=True)


if sys.argv[2] == "beside":
    beside(*map(int, sys.argv[3:6]))
else:
    fill(int(sys.argv[3]), sys.argv[4], sys.argv[5:])
