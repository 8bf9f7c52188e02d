#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""collect.py FOLDER: writes every mail message below FOLDER to NUMBER.eml here, From an address that the test's certificate names, the name
beside it kept.  Prints lines "NUMBER FILE"."""
import os
import re
import sys

number = 0
for folder, _, names in sorted(os.walk(sys.argv[1])):
    for name in sorted(names):
        with open(os.path.join(folder, name), "rb") as file:
            data = file.read()
        if len(data) > 5000000 or not re.search(rb"(?mi)^(from|received|subject|date|mime-version):", data[:20000]):
            continue
        eol = b"\r\n" if b"\r\n" in data[:2000] else b"\n"
        head, blank, body = data.partition(eol * 2)
        own = re.search(rb"(?mi)^from:[^\n]*(\n[ \t][^\n]*)*", head)
        if not own:
            head += eol + b"From: alice@example.org"
        elif len(re.findall(rb"(?<![\w=])[^\s<>,;:()\"@=]+@[^\s<>,;:()\"@=?]+", own.group(0))) == 1:
            changed = re.sub(rb"(?<![\w=])[^\s<>,;:()\"@=]+@[^\s<>,;:()\"@=?]+", b"alice@example.org", own.group(0))
            head = head.replace(own.group(0), changed, 1)
        number += 1
        with open("%d.eml" % number, "wb") as out:
            out.write(head + blank + body)
        print(number, os.path.relpath(os.path.join(folder, name), sys.argv[1]).replace(" ", "_"))
