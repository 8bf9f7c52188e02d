# SPDX-License-Identifier: Apache-2.0
"""client.py SOCKET ACT...: a service that answers one request for each ACT, and ends.

  later:S     503 with Retry-After: S
  close       reads the request and closes
  ok          200 with the octets "signature"
  foreign     500 as a proxy says it
  head        the beginning of an answer, then closes
What was asked, its headers too, goes to standard output.
"""
import os
import socket
import sys

path, acts = sys.argv[1], sys.argv[2:]
listener = socket.socket(socket.AF_UNIX)
listener.bind(path + '.new')
listener.listen()
os.rename(path + '.new', path)  # whoever sees it can connect


def read_request(connection):
    got = b''
    while b'\r\n\r\n' not in got:
        piece = connection.recv(65536)
        if not piece:
            return None
        got += piece
    head, body = got.split(b'\r\n\r\n', 1)
    length = [int(line.split(b':')[1]) for line in head.split(b'\r\n') if line.lower().startswith(b'content-length:')]
    while length and len(body) < length[0]:
        body += connection.recv(65536)
    return head.decode()


def answer(status, body, *fields):
    return '\r\n'.join([f'HTTP/1.1 {status} X', f'Content-Length: {len(body)}', 'X-Request-Id: abc', *fields, '', body]).encode()


def act_on(connection, act):
    name, _, value = act.partition(':')
    if name == 'later':
        failure = '{"error":{"status":"unavailable","message":"the queue is full"},"requestId":"abc"}'
        connection.sendall(answer(503, failure, f'Retry-After: {value}'))
    elif name == 'ok':
        connection.sendall(answer(200, 'signature'))
    elif name == 'foreign':
        connection.sendall(answer(502, '<html>bad gateway</html>'))
    elif name == 'head':
        connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Le')
    return name in ('later', 'ok', 'foreign')


connection = None
while acts:
    if connection is None:
        connection, _ = listener.accept()
    request = read_request(connection)
    if request is None:
        connection = None
        continue
    print(request, flush=True)
    if not act_on(connection, acts.pop(0)):
        connection.close()
        connection = None
