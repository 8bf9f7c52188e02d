# SPDX-License-Identifier: Apache-2.0
"""soak.py SOCKET REQUESTS CLIENTS COUNT-FILE KIND=WEIGHT...   for soak-campaign.sh: processes that keep their connections and ask all
kinds in turn, as often as their weights say, until so many requests are answered. The count is written to the file meanwhile. What fails
is printed, and how often; a connection that was closed before its next request was sent is no failure, and a 503 with Retry-After is asked
again, and counted.

Kinds: sign, token, verify, forged, encrypt, decrypt, batch, append, forbidden, metrics."""
import base64
import collections
import json
import multiprocessing
import os
import socket
import sys
import time

path, total, clients, count_path = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
schedule = [kind for kind, weight in (word.split("=") for word in sys.argv[5:]) for _ in range(int(weight))]
OCTETS, JSON = "application/octet-stream", "application/json"
CONTENT = b"what is signed\n" * 20


class Failed(Exception):
    pass


class Connection:
    """As much of HTTP/1.1 as the daemon's answers need, for http.client takes more time than the daemon does."""

    def __init__(self):
        self.socket, self.rest = None, b""

    def connect(self):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(90)
        self.socket.connect(path)
        self.rest = b""

    def close(self):
        if self.socket:
            self.socket.close()
        self.socket = None

    def read_until(self, enough):
        while enough(self.rest) < 0:
            piece = self.socket.recv(262144)
            if not piece:
                raise ConnectionResetError("closed in the middle" if self.rest else "closed")
            self.rest += piece
        return enough(self.rest)

    def exchange(self, request):
        self.socket.sendall(request)
        end = self.read_until(lambda text: text.find(b"\r\n\r\n"))
        head, self.rest = self.rest[:end].decode("latin-1").lower(), self.rest[end + 4:]
        length = int(head.split("\r\ncontent-length:", 1)[1].split("\r\n", 1)[0])
        self.read_until(lambda text: 0 if len(text) >= length else -1)
        body, self.rest = self.rest[:length], self.rest[length:]
        return int(head[9:12]), head, body

    def ask(self, request):
        """A kept connection may have been closed before the request came; a request may be sent again."""
        kept = self.socket is not None
        for last in (not kept, True):
            try:
                if not self.socket:
                    self.connect()
                status, head, body = self.exchange(request)
                if "\r\nconnection: close" in head:
                    self.close()
                return status, head, body
            except OSError as e:
                self.close()
                if last:
                    raise Failed("%s: %s" % (type(e).__name__, e))


def make_request(target, body, media, *fields):
    if body is None:
        return ("GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % target).encode()
    lines = ["POST %s HTTP/1.1" % target, "Host: x", "Content-Type: " + media, "Content-Length: %d" % len(body), *fields]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def text_of(content):
    return base64.b64encode(content).decode()


def descriptor(name, operation, body):
    return make_request("/v1/descriptors/%s/%s" % (name, operation), body if isinstance(body, bytes) else json.dumps(body).encode(),
                        OCTETS if isinstance(body, bytes) else JSON)


def prepare(connection):
    """What is asked for is made once, so that the daemon is busy, and not who asks it."""
    signature = connection.ask(descriptor("FileSigner", "sign", CONTENT))[2]
    context = {"table": "person", "row": "7"}
    value = json.loads(connection.ask(descriptor("Fields", "encrypt", {"content": text_of(CONTENT), "context": context}))[2])["value"]
    item = {"value": value, "context": context}
    signed = {"content": text_of(CONTENT), "signature": text_of(signature)}
    return {
        "sign": (200, descriptor("FileSigner", "sign", CONTENT)),
        "token": (200, descriptor("Token", "sign?form=raw", CONTENT)),
        "verify": (200, descriptor("FileSigner", "verify", signed)),
        "forged": (422, descriptor("FileSigner", "verify", {**signed, "content": text_of(b"another\n")})),
        "encrypt": (200, descriptor("Fields", "encrypt", {"content": text_of(CONTENT), "context": context})),
        "decrypt": (200, descriptor("Fields", "decrypt", item)),
        "batch": (200, descriptor("Fields", "decrypt", {"items": [item] * 50})),
        "forbidden": (403, descriptor("Other", "sign", CONTENT)),
        "metrics": (200, make_request("/metrics", None, None)),
    }


def make_append(name):
    body = json.dumps({"entries": [{"object": name, "payload": text_of(CONTENT)}]}).encode()
    return 201, make_request("/v1/histories/default/entries", body, JSON, "Idempotency-Key: " + name)


def ask_patiently(connection, request, results):
    until = time.monotonic() + 120
    while True:
        status, head, body = connection.ask(request)
        if status != 503 or time.monotonic() > until:
            return status, body
        results["503, asked again"] += 1
        time.sleep(int(head.split("\r\nretry-after:", 1)[1].split("\r\n", 1)[0]))


def work(client, share, counter, results_queue):
    connection, results = Connection(), collections.Counter()
    requests = prepare(connection)
    for n in range(share):
        kind = schedule[(n + client) % len(schedule)]
        wanted, request = requests.get(kind) or make_append("soak-%d-%d" % (client, n))
        try:
            status, body = ask_patiently(connection, request, results)
            results["%s %d" % (kind, status)] += 1
            if status != wanted and results["failed"] < 20:
                print("FAILED", kind, status, body[:300].decode("utf-8", "replace"), flush=True)
            results["failed"] += status != wanted
        except Failed as e:
            results["failed"] += 1
            if results["failed"] < 20:
                print("FAILED", kind, e, flush=True)
        if n % 100 == 99:
            with counter.get_lock():
                counter.value += 100
    results_queue.put(results)


def main():
    counter, results_queue, results = multiprocessing.Value("q", 0), multiprocessing.Queue(), collections.Counter()
    share = -(-total // clients // 100) * 100
    processes = [multiprocessing.Process(target=work, args=(i, share, counter, results_queue)) for i in range(clients)]
    for process in processes:
        process.start()
    while any(process.is_alive() for process in processes) and not results_queue.qsize() == clients:
        with open(count_path + ".new", "w") as file:
            file.write("%d\n" % counter.value)
        os.replace(count_path + ".new", count_path)
        time.sleep(0.2)
    for _ in processes:
        results += results_queue.get(timeout=60)
    failed = results.pop("failed", 0)
    for name, count in sorted(results.items()):
        print("%10d  %s" % (count, name))
    print("%d requests, %d failed" % (share * clients, failed))
    sys.exit(failed > 0)


main()
