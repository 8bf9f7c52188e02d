# SPDX-License-Identifier: Apache-2.0
"""slow.py SOCKET CASE: clients that take their time, come too often or send too much; prints what they get, a word or a line."""
import os
import re
import sys
import time

import asking

path, case = sys.argv[1:3]
HOST = b"Host: x\r\n"
LIVE = b"GET /health/live HTTP/1.1\r\n" + HOST + b"\r\n"


def post(name, size, fields=b""):
    return (b"POST /v1/descriptors/FileSigner/%s HTTP/1.1\r\n" % name + HOST + b"Content-Type: application/octet-stream\r\n" + fields
            + (b"Content-Length: %d\r\n" % size if size is not None else b"") + b"\r\n")


def connect():
    return asking.connect(path)


def read_all(s):
    got = b""
    try:
        while True:
            piece = s.recv(65536)
            if not piece:
                return got
            got += piece
    except OSError as e:
        return got + (b" " + e.strerror.encode() if e.strerror and e.errno != 104 else b"")


def read_answer(s):
    got = b""
    while b"\r\n\r\n" not in got:
        piece = s.recv(65536)
        if not piece:
            return "closed", got
        got += piece
    head, body = got.split(b"\r\n\r\n", 1)
    size = int(re.search(rb"Content-Length: (\d+)", head).group(1))
    while len(body) < size:
        body += s.recv(65536)
    return head.split()[1].decode(), head + b"\n" + body


def outcome(got):
    found = re.findall(rb"HTTP/1\.1 (\d+)", got)
    return " ".join(x.decode() for x in found) + (" closed" if found else "closed")


def drip(s, text, pause):
    """a byte now and then, until the daemon has had enough"""
    for i in range(len(text)):
        try:
            s.send(text[i:i + 1])
        except OSError:
            break
        time.sleep(pause)
    return outcome(read_all(s))


def slow_head():
    return drip(connect(), LIVE * 20, 0.1)


def silent():
    return outcome(read_all(connect()))


def slow_body():
    s = connect()
    s.sendall(post(b"echo", 1000))
    return drip(s, b"x" * 1000, 0.1)


def slow_chunks():
    s = connect()
    s.sendall(post(b"echo", None, b"Transfer-Encoding: chunked\r\n"))
    return drip(s, b"1\r\nx\r\n" * 200, 0.1)


def kept():
    s = connect()
    s.sendall(LIVE)
    return read_answer(s)[0] + " " + outcome(read_all(s))


def slow_second_head():
    s = connect()
    s.sendall(LIVE)
    first = read_answer(s)[0]
    return first + " " + drip(s, LIVE * 20, 0.1)


def long_job():
    s = connect()
    s.sendall(post(b"sleep?ms=4000", 0))
    return read_answer(s)[0]


def unread_answers():
    """asks and asks, and reads nothing: in the end it is cut off"""
    s = connect()
    s.setblocking(False)
    request, ended = post(b"echo", 60000) + b"x" * 60000, time.time() + 60
    rest = b""
    while time.time() < ended:
        try:
            rest = rest or request
            rest = rest[s.send(rest):]
        except BlockingIOError:
            time.sleep(0.05)
        except OSError:
            return "cut off"
    return "never"


def crowd(count):
    held = []
    for _ in range(count):
        s = connect()
        s.sendall(LIVE)
        held.append((s, read_answer(s)))
    return held


def too_many(count, wait_for):
    held = crowd(count)
    print(" ".join(answer[0] for _, answer in held), flush=True)
    s = connect()
    s.sendall(LIVE)
    status, text = read_answer(s)
    print(status, re.search(rb"Retry-After: \d+", text).group(0).decode(), text.split(b"\n")[-1].decode(), flush=True)
    while not os.path.exists(wait_for):
        time.sleep(0.02)
    for s, _ in held:
        s.close()
    return "done"


def idle(count, wait_for):
    """connects and says nothing; half of them has asked once"""
    import resource
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    held = []
    for i in range(count):
        s = connect()
        if i % 2:
            s.sendall(LIVE)
            if read_answer(s)[0] != "200":
                return "not served"
        held.append(s)
    print("open", flush=True)
    while not os.path.exists(wait_for):
        time.sleep(0.02)
    return "done"


def late_sender():
    """the one too many connects, waits, and only then sends"""
    held = crowd(int(sys.argv[3]))
    s = connect()
    time.sleep(0.1)
    try:
        s.sendall(LIVE)
    except OSError:
        pass
    got = outcome(read_all(s))
    return got + " " + str(len(held))


def busy_queue():
    """two that run, two that wait, and one more"""
    held = []
    for i in range(4):
        s = connect()
        s.sendall(post(b"sleep?ms=4000", 0, b"X-Request-Id: held-%d\r\n" % i))
        held.append(s)
        time.sleep(0.4)  # nothing shows that it waits
    one_more = connect()
    one_more.sendall(post(b"sleep?ms=1", 0))
    status, text = read_answer(one_more)
    one_more.sendall(LIVE)
    live = read_answer(one_more)[0]
    held.pop().close()  # it waits, and goes
    print(status, re.search(rb"Retry-After: \d+", text).group(0).decode(), "live", live)
    return " ".join(read_answer(s)[0] for s in held)


def large_body(size, fields=b""):
    s = connect()
    s.sendall(post(b"echo", size, fields))
    if fields:
        return outcome(read_all(s))
    try:
        s.sendall(b"x" * size)
    except OSError:
        pass
    return outcome(s.recv(65536))


def large_whole(size):
    """reads only when all of it is sent, as many clients do"""
    s = connect()
    s.sendall(post(b"echo", size))
    for _ in range(size // 1000000):
        try:
            s.sendall(b"x" * 1000000)
        except OSError as e:
            return "cut off: " + e.strerror
    return outcome(read_all(s))


def large_endless():
    """is answered, reads that, and never stops sending"""
    s = connect()
    s.sendall(post(b"echo", 1 << 40))
    status, begun = read_answer(s)[0], time.monotonic()
    try:
        while True:
            s.sendall(b"x" * 1000000)
    except OSError:
        return status + (" cut off in time" if 1 < time.monotonic() - begun < 10 else " cut off after %d s" % (time.monotonic() - begun))


def endless_chunks():
    s = connect()
    s.sendall(post(b"echo", None, b"Transfer-Encoding: chunked\r\n"))
    sent = 0
    try:
        while True:
            s.sendall(b"1000\r\n" + b"x" * 4096 + b"\r\n")
            sent += 4096
    except OSError:
        return "closed, not too late" if sent < 2 << 20 else "closed after %d" % sent


def many_bodies():
    """others hold all the room that there is for bodies"""
    held = []
    for _ in range(2):
        s = connect()
        s.sendall(post(b"echo", 64000) + b"x" * 60000)
        held.append(s)
    time.sleep(0.3)
    s = connect()
    s.sendall(post(b"echo", 60000) + b"x" * 60000)
    status = read_answer(s)[0]
    for h in held:
        h.close()
    while True:  # the room comes back
        s = connect()
        s.sendall(post(b"echo", 60000) + b"x" * 60000)
        if read_answer(s)[0] == "200":
            return status + " 200"
        time.sleep(0.05)


cases = {
    "slow-head": slow_head, "silent": silent, "slow-body": slow_body, "slow-chunks": slow_chunks, "kept": kept,
    "slow-second-head": slow_second_head, "long-job": long_job, "unread-answers": unread_answers, "late-sender": late_sender,
    "busy-queue": busy_queue, "endless-chunks": endless_chunks, "many-bodies": many_bodies,
    "too-many": lambda: too_many(int(sys.argv[3]), sys.argv[4]),
    "idle": lambda: idle(int(sys.argv[3]), sys.argv[4]),
    "large": lambda: large_body(int(sys.argv[3])),
    "large-whole": lambda: large_whole(int(sys.argv[3])), "large-endless": large_endless,
    "large-expected": lambda: large_body(int(sys.argv[3]), b"Expect: 100-continue\r\nConnection: close\r\n"),
}
print(cases[case]())
