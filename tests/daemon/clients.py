# SPDX-License-Identifier: Apache-2.0
"""Tables of calls and answers, for clients.sh.

clients.py calls TABLE [NAME=VALUE...]     the calls, with @NAME@ replaced
clients.py compare TABLE ANSWERS           whether the last of the answers are as the table has it
clients.py made TABLE ANSWERS FOLDER/NAME [NAME=VALUE...]
                                           what was made by signing and encrypting, in files FOLDER/NAME-NUMBER: .p7s or .raw with .file,
                                           .value with .row and .text; and a table that has it verified and decrypted"""
import base64
import re
import sys


def rows(path):
    call = None
    for line in open(path, encoding="utf-8"):
        if line.startswith("= "):
            yield call, line[2:].rstrip("\n")
        elif line.strip() and not line.startswith("#"):
            call = line.rstrip("\n")


def replaced(call, words):
    for word in words:
        name, value = word.split("=", 1)
        call = call.replace("@%s@" % name, value)
    return call


def print_calls(table, *words):
    for call, _ in rows(table):
        print(replaced(call, words))


def answers_of(table, path):
    wanted = list(rows(table))
    answers = open(path, encoding="utf-8").read().split("\n")[:-1]
    return list(zip(wanted, answers[-len(wanted):]))


def compare(table, path):
    pairs = answers_of(table, path)
    bad = [(call, pattern, answer) for (call, pattern), answer in pairs if not re.fullmatch(pattern, answer)]
    for call, pattern, answer in bad:
        print("asked:    %s\nwanted:   %s\nanswered: %s\n" % (call, pattern, answer))
    print("%d answers, %d wrong" % (len(pairs), len(bad)))
    sys.exit(1 if bad or not pairs else 0)


def write(path, content):
    with open(path, "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())


def print_made(table, path, name, *words):
    for number, ((call, _), answer) in enumerate(answers_of(table, path)):
        asked, got, base = replaced(call, words).split("\t"), answer.split("\t"), "%s-%d" % (name, number)
        if got[0] != "ok":
            continue
        if asked[0] == "sign":
            raw = asked[3:] == ["form=raw"]
            write(base + (".raw" if raw else ".p7s"), base64.b64decode(got[1]))
            write(base + ".file", asked[2])
            if not raw:
                print("verify\t%s\t%s\t%s.p7s\n= ok\tCN=.*" % (asked[1], asked[2], base))
        elif asked[0] == "encrypt":
            write(base + ".value", got[1])
            write(base + ".row", asked[2])
            write(base + ".text", asked[3])
            print("decrypt\t%s\t%s\t%s\n= ok\t%s" % (asked[1], asked[2], got[1], re.escape(asked[3])))
        elif asked[0] == "encrypt-many":
            values = [value.split(":", 1)[1] for value in got[1:]]
            print("\t".join(["decrypt-many", asked[1]] + [word for pair in zip(asked[2::2], values) for word in pair]))
            print("= ok\t" + "\t".join("ok:" + re.escape(text) for text in asked[3::2]))


sys.stdout.reconfigure(encoding="utf-8")
{"calls": print_calls, "compare": compare, "made": print_made}[sys.argv[1]](*sys.argv[2:])
