# SPDX-License-Identifier: Apache-2.0
"""signengined(8) from Python, with nothing but the standard library.

    with Signengine() as engine:
        signature = engine.sign("FileSigner", content)

An object keeps one connection: have one for each thread.

    python3 signengine.py SOCKET [PATIENCE]     reads calls, one a line, as README.md has them
"""
import base64
import http.client
import json
import socket
import sys
import time
from urllib.parse import quote, urlencode


class SignengineError(Exception):
    """Why a call failed.

    status       the word to branch on: "forbidden", "rejected", "unavailable" ...
    code         the status of HTTP, 0 if there was no answer
    request_id   what the service's audit calls this request, or None
    retry_after  seconds after which to ask again, or None
    """

    def __init__(self, status, message, code=0, request_id=None, retry_after=None):
        super().__init__(message)
        self.status, self.code, self.request_id, self.retry_after = status, code, request_id, retry_after


class _Connection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("signengine", timeout=timeout)  # the host's name is not looked at
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Signengine:
    """timeout: seconds without a sign of life. patience: seconds that a call may wait in all where the service says
    Retry-After, as it does while a key store is away or a limit is used up; what would take longer is raised at once."""

    def __init__(self, path="/run/signengine/socket", timeout=60, patience=30):
        self._connection, self._patience = _Connection(path, timeout), patience

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._connection.close()

    # ---- signatures; query: form="raw", version=1, tag="..." ----

    def sign(self, descriptor, content, **query):
        """The signature, as bytes: CMS in DER, unless `form` says otherwise."""
        return self._ask(_target(descriptor, "sign", query), content, "application/octet-stream")

    def verify(self, descriptor, content, signature, **query):
        """Who signed, as a dict. What is not good raises "rejected"."""
        return self._ask_json(_target(descriptor, "verify", query), {"content": _base64(content), "signature": _base64(signature)})

    # ---- values; context: a dict of strings, that they belong to ----

    def encrypt(self, descriptor, content, context=None):
        return self._ask_json(_target(descriptor, "encrypt"), {"content": _base64(content), "context": context or {}})["value"]

    def decrypt(self, descriptor, value, context=None):
        answer = self._ask_json(_target(descriptor, "decrypt"), {"value": value, "context": context or {}})
        return base64.b64decode(answer["content"])

    def encrypt_many(self, descriptor, contents):
        """Pairs of content and context; for each its value, or the SignengineError that it failed with, which is not raised."""
        items = [{"content": _base64(content), "context": context} for content, context in contents]
        answer = self._ask_json(_target(descriptor, "encrypt"), {"items": items})
        return [_item(item, lambda: item["value"]) for item in answer["items"]]

    def decrypt_many(self, descriptor, values):
        """Pairs of value and context; the contents likewise."""
        items = [{"value": value, "context": context} for value, context in values]
        answer = self._ask_json(_target(descriptor, "decrypt"), {"items": items})
        return [_item(item, lambda: base64.b64decode(item["content"])) for item in answer["items"]]

    # ---- histories ----

    def append(self, history, key, entries):
        """Pairs of object and payload, all or none of them. key: of your choice for these entries, up to 64 visible ASCII characters.
        Asked again with it, after whatever failure, the service appends nothing twice. A dict: first, count, repeated."""
        body = {"entries": [{"object": name, "payload": _base64(payload)} for name, payload in entries]}
        return self._ask_json("/v1/histories/%s/entries" % quote(history, safe=""), body, {"Idempotency-Key": key})

    # ---- how it is asked ----

    def _ask_json(self, target, body, fields=None):
        return json.loads(self._ask(target, json.dumps(body).encode(), "application/json", fields))

    def _ask(self, target, body, media, fields=None):
        until = time.monotonic() + self._patience
        while True:
            answer, text = self._exchange(target, body, {"Content-Type": media, **(fields or {})})
            if answer.status < 400:
                return text
            failure = _failure(answer, text)
            if failure.retry_after is None or time.monotonic() + failure.retry_after > until:
                raise failure
            time.sleep(failure.retry_after)

    def _exchange(self, target, body, fields):
        """A kept connection may have been closed meanwhile: then once more on a new one. All calls of this class may be repeated; an
        append because of its key."""
        kept = self._connection.sock is not None
        try:
            return self._send(target, body, fields)
        except (OSError, http.client.HTTPException) as e:
            self._connection.close()
            if not kept or not isinstance(e, ConnectionError):
                raise SignengineError("unavailable", "no answer: %s" % (str(e) or type(e).__name__)) from e
        return self._exchange(target, body, fields)

    def _send(self, target, body, fields):
        try:
            self._connection.request("POST", target, body, fields)
        except BrokenPipeError:
            pass  # what is too large is answered before all of it was sent
        answer = self._connection.getresponse()
        return answer, answer.read()


def _target(descriptor, operation, query=None):
    target = "/v1/descriptors/%s/%s" % (quote(descriptor, safe=""), operation)
    return target + "?" + urlencode(query, quote_via=quote) if query else target


def _base64(content):
    return base64.b64encode(content).decode()


def _item(item, value):
    return value() if item["status"] == "ok" else SignengineError(item["status"], item["message"])


def _failure(answer, text):
    """What is wrong with HTTP itself may be answered in HTML."""
    wait = answer.getheader("Retry-After")
    try:
        body = json.loads(text)
        error, request_id = body["error"], body["requestId"]
    except (ValueError, KeyError):
        error, request_id = {"status": "internal", "message": answer.reason}, answer.getheader("X-Request-Id")
    return SignengineError(error["status"], error["message"], answer.status, request_id, int(wait) if wait else None)


# ---- calls, one a line ----

def _read(path):
    with open(path, "rb") as file:
        return file.read()


def _row(number):
    return {"table": "person", "row": number}


def _show(results):
    return ["%s:%s" % (r.status, r) if isinstance(r, SignengineError) else "ok:" + (r if isinstance(r, str) else r.decode()) for r in results]


def _appended(answer):
    return [answer["first"], answer["count"], str(answer["repeated"]).lower()]


CALLS = {
    "sign": lambda e, d, file, *query: [_base64(e.sign(d, _read(file), **dict(q.split("=", 1) for q in query)))],
    "verify": lambda e, d, file, signature: [e.verify(d, _read(file), _read(signature))["subject"]],
    "encrypt": lambda e, d, row, text: [e.encrypt(d, text.encode(), _row(row))],
    "decrypt": lambda e, d, row, value: [e.decrypt(d, value, _row(row)).decode()],
    "encrypt-many": lambda e, d, *w: _show(e.encrypt_many(d, [(t.encode(), _row(r)) for r, t in zip(w[::2], w[1::2])])),
    "decrypt-many": lambda e, d, *w: _show(e.decrypt_many(d, [(v, _row(r)) for r, v in zip(w[::2], w[1::2])])),
    "append": lambda e, h, key, name, text: _appended(e.append(h, key, [(name, text.encode())])),
}


def main():
    with Signengine(sys.argv[1], patience=float(sys.argv[2]) if len(sys.argv) > 2 else 30) as engine:
        for line in sys.stdin:
            name, *words = line.rstrip("\n").split("\t")
            try:
                print("ok", *CALLS[name](engine, *words), sep="\t", flush=True)
            except SignengineError as e:
                print("failed", e.status, e.code, e.request_id or "-", e, sep="\t", flush=True)


if __name__ == "__main__":
    main()
