# SPDX-License-Identifier: Apache-2.0
"""What mutt shows of messages, all in one run of it: files on standard input, a line of JSON for each."""
import json
import os
import pty
import re
import sys
import tempfile
import time


def run(command, environment, limit):
    pid, terminal = pty.fork()
    if not pid:
        os.environ.update(environment)
        os.execvp(command[0], command)
    end = time.time() + limit
    os.set_blocking(terminal, False)
    while time.time() < end:
        try:
            if not os.read(terminal, 65536):
                break
        except BlockingIOError:
            time.sleep(0.02)
        except OSError:
            break
    else:
        os.kill(pid, 15)
    os.close(terminal)
    os.waitpid(pid, 0)


def main():
    names = sys.stdin.read().split()
    with tempfile.TemporaryDirectory() as folder:
        with open(folder + "/box", "wb") as out:
            for name in names:
                with open(name, "rb") as file:  # as it is delivered
                    message = re.sub(rb"\AFrom .*\n", b"", file.read().replace(b"\r\n", b"\n"))
                out.write(b"From x@example.org Mon Nov 30 10:00:00 2026\n" + message + b"\n")
        with open(folder + "/sink", "w") as out:
            out.write("#!/bin/sh\ncat >>%s/out\nprintf '\\001' >>%s/out\n" % (folder, folder))
        os.chmod(folder + "/sink", 0o700)
        with open(folder + "/rc", "w") as out:
            out.write("set resolve=no crypt_verify_sig=no pipe_decode=yes sort=mailbox-order wait_key=no quit=yes sleep_time=0\n"
                      "set read_inc=0 write_inc=0 move=no confirmappend=no\nunignore *\nunhdr_order *\n"
                      "push '%s<exit>'\n" % "".join("<jump>%d<enter><pipe-message>%s/sink<enter>" % (i + 1, folder) for i in range(len(names))))
        run(["mutt", "-n", "-F", folder + "/rc", "-R", "-f", folder + "/box"], {"HOME": folder, "TERM": "vt100", "LC_ALL": "C.UTF-8"},
            20 + len(names) / 10)
        try:
            with open(folder + "/out", "rb") as file:
                shown = file.read().decode("utf-8", "replace").split("\x01")
        except FileNotFoundError:
            shown = []
    for number, name in enumerate(names):
        head, _, body = (shown[number] if number < len(shown) - 1 else "nothing\n\n").partition("\n\n")
        sender = " ".join(re.findall(r"(?mi)^from: (.*(?:\n[ \t].*)*)", head))
        text = re.sub(r"(?m)^\[--.*--\]\n?", "", body)
        print(json.dumps({"judge": "mutt", "message": name, "from": [sender], "texts": [text]}))


main()
