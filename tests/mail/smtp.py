#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Both ends of an MTA.

smtp.py sink PORT FOLDER                  takes every message, each to a file of its own
smtp.py send PORT COUNT CONNECTIONS FROM  sends so many; prints how many got which answer, as "250 1000"
smtp.py one PORT ENVELOPE FILE            sends a file; prints the answer
smtp.py race PORT OTHER COUNT FROM        sends 10 kB by turns to either port; prints the median milliseconds of each until it is taken
"""
import collections
import os
import smtplib
import socketserver
import statistics
import sys
import threading
import time


class Taker(socketserver.StreamRequestHandler):
    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def take(self):
        lines = []
        while True:
            line = self.rfile.readline()
            if line in (b".\r\n", b""):
                break
            lines.append(line[1:] if line.startswith(b".") else line)
        with self.server.lock:
            self.server.count += 1
            name = os.path.join(self.server.folder, "%05d" % self.server.count)
        with open(name + ".part", "wb") as out:
            out.writelines(lines)
        os.rename(name + ".part", name + ".eml")

    def handle(self):
        self.say("220 sink")
        while True:
            line = self.rfile.readline()
            verb = line[:4].upper()
            if not line:
                return
            if verb == b"DATA":
                self.say("354 go on")
                self.take()
            if verb == b"QUIT":
                self.say("221 bye")
                return
            self.say("250 ok")


class Sink(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128


def sink(port, folder):
    with Sink(("127.0.0.1", int(port)), Taker) as server:
        server.lock, server.count, server.folder = threading.Lock(), 0, folder
        server.serve_forever()


def text(number, sender):
    body = "".join("Line %d of message %d, with an umlaut: \u00fc \r\nFrom here on \r\n" % (i, number) for i in range(20))
    return (
        "From: Sender <%s>\r\nTo: bob@elsewhere.test\r\nSubject: message %d\r\nMessage-ID: <%d@mail.test>\r\nMIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n%s" % (sender, number, number, body)
    ).encode()


def answer(client, sender, message):
    try:
        client.sendmail(sender, ["bob@elsewhere.test"], message, mail_options=["BODY=8BITMIME"])
        return 250
    except smtplib.SMTPResponseException as error:
        return error.smtp_code
    except smtplib.SMTPServerDisconnected:
        return 421


def send(port, count, connections, sender):
    numbers, answers, lock = iter(range(int(count))), collections.Counter(), threading.Lock()

    def work():
        with smtplib.SMTP("127.0.0.1", int(port), timeout=120) as client:
            while True:
                with lock:
                    number = next(numbers, None)
                if number is None:
                    return
                code = answer(client, sender, text(number, sender))
                with lock:
                    answers[code] += 1

    threads = [threading.Thread(target=work) for _ in range(int(connections))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print("\n".join("%d %d" % pair for pair in sorted(answers.items())))


def one(port, envelope, name):
    with open(name, "rb") as file, smtplib.SMTP("127.0.0.1", int(port), timeout=120) as client:
        message = file.read().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        print(answer(client, envelope, message))


def race(port, other, count, sender):
    clients = [smtplib.SMTP("127.0.0.1", int(p), timeout=120) for p in (port, other)]
    times = [[], []]
    for number in range(2 * int(count)):
        message = text(number, sender) + b"A line of text that makes the message longer, and nothing else.\r\n" * 140
        began = time.monotonic()
        code = answer(clients[number % 2], sender, message)
        times[number % 2].append(1000 * (time.monotonic() - began))
        if code != 250:
            sys.exit("answered %d" % code)
    print(*["%.3f" % statistics.median(t) for t in times])


if __name__ == "__main__":
    {"sink": sink, "send": send, "one": one, "race": race}[sys.argv[1]](*sys.argv[2:])
