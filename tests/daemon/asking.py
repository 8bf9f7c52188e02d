# SPDX-License-Identifier: Apache-2.0
"""Connections of the tests' clients: what comes on them is kept in $ANSWERS_FOLDER, for answers.mjs.

connect(PATH)      a socket; `hostile` says that what is sent is meant to be no HTTP, so the answers need not be the document's
Connection(PATH)   for http.client
Plain, Tls         what to make other sockets of"""
import http.client
import os
import re
import socket
import ssl

REQUEST = re.compile(rb"([A-Z]+) (/\S*) HTTP/1\.[01]\r\n")
UNKNOWN = (b"?", b"?")
TIMEOUT = 60


class Transcript:
    """What was asked on a connection and is not answered, and what has come of an answer."""

    def __init__(self, hostile):
        self.hostile, self.sent, self.asked, self.got = hostile, b"", [], bytearray()

    def note_sent(self, piece):
        self.sent = self.sent[-65536:] + bytes(piece)
        for found in REQUEST.finditer(self.sent):
            self.asked.append(found.groups())
        self.sent = REQUEST.split(self.sent)[-1]

    def note_got(self, piece):
        self.got += piece
        while self.take_answer():
            pass

    def take_answer(self):
        end = self.got.find(b"\r\n\r\n")
        if end < 0:
            return False
        head = bytes(self.got[:end + 4])
        interim = head.startswith(b"HTTP/1.1 1")
        request = self.asked[0] if self.asked and not self.hostile else UNKNOWN
        length = re.search(rb"\r\nContent-Length: (\d+)", head)
        size = len(head) + (int(length.group(1)) if length and request[0] != b"HEAD" else 0)
        if len(self.got) < size:
            return False
        if not interim:
            del self.asked[:1]
            keep_answer(request, self.got[:size])
        del self.got[:size]
        return True


def keep_answer(request, answer):
    if "ANSWERS_FOLDER" in os.environ:
        # one write, so that other threads' answers are not among it
        with open("%s/python-%d.answers" % (os.environ["ANSWERS_FOLDER"], os.getpid()), "ab", buffering=0) as out:
            out.write(b"%s %s %d\n%s" % (*request, len(answer), answer))


class Recorded:
    """of a socket"""
    hostile = False

    def transcript(self):
        if "_transcript" not in self.__dict__:
            self._transcript = Transcript(self.hostile)
        return self._transcript

    def send(self, data, *flags):
        count = super().send(data, *flags)
        self.transcript().note_sent(data[:count])
        return count

    def recv(self, *args):
        piece = super().recv(*args)
        self.transcript().note_got(piece)
        return piece

    def recv_into(self, buffer, *args):
        count = super().recv_into(buffer, *args)
        self.transcript().note_got(buffer[:count])
        return count


class Plain(Recorded, socket.socket):
    def sendall(self, data, *flags):
        self.transcript().note_sent(data)  # an answer may come to a part of it
        super().sendall(data, *flags)


class Tls(Recorded, ssl.SSLSocket):
    """SSLContext.sslsocket_class; its sendall() calls send()"""


def connect(path, hostile=False):
    s = Plain(socket.AF_UNIX)
    s.hostile = hostile
    s.settimeout(TIMEOUT)
    s.connect(path)
    return s


class Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("signengined")
        self.path = path

    def connect(self):
        self.sock = connect(self.path)
