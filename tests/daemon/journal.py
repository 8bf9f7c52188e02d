# SPDX-License-Identifier: Apache-2.0
"""journal.py SOCKET FILE: takes what systemd's journal would, one message after the other, and appends its MESSAGE to the file."""
import os
import socket
import sys

s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o666)
out = open(sys.argv[2], "wb", buffering=0)
while True:
    message = s.recv(65536)
    begin = message.index(b"MESSAGE\n") + len(b"MESSAGE\n")  # then the size, and so many bytes
    size = int.from_bytes(message[begin:begin + 8], "little")
    out.write(message[begin + 8:begin + 8 + size] + b"\n")
