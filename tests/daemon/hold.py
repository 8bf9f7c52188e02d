# SPDX-License-Identifier: Apache-2.0
"""hold.py PATH KIND COMMAND...: what a service manager does for Accept=no: it holds the listening socket, starts the command when
somebody connects, and again after it has died. KIND is unix, or tcp (then PATH is a port), for what has to be refused. Prints the
daemon's process and what became of it; on SIGTERM it passes that on and ends. What the daemon notifies is printed too."""
import os
import select
import signal
import socket
import subprocess
import sys
import threading

path, kind, command = sys.argv[1], sys.argv[2], sys.argv[3:]
if kind == "unix":
    held = socket.socket(socket.AF_UNIX)
    held.bind(path)
    os.chmod(path, 0o666)
else:
    held = socket.socket()
    held.bind(("127.0.0.1", int(path)))
held.listen(1024)
notes = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notes.bind("\0signengined-test-%d" % os.getpid())
child, ending = None, False


def hear():
    while True:
        text = notes.recv(4096).decode()
        if not text.startswith("WATCHDOG"):
            print("notified " + " ".join(text.split()), flush=True)


def end(*_):
    global ending
    ending = True
    if child:
        child.terminate()
    else:
        os._exit(0)


def give():
    os.dup2(held.fileno(), 3)
    os.set_inheritable(3, True)


signal.signal(signal.SIGTERM, end)
threading.Thread(target=hear, daemon=True).start()
environment = dict(os.environ, LISTEN_FDS="1", NOTIFY_SOCKET="@signengined-test-%d" % os.getpid())
while not ending:
    select.select([held], [], [])
    child = subprocess.Popen(["sh", "-c", 'LISTEN_PID=$$; export LISTEN_PID; exec "$@"', "sh"] + command, preexec_fn=give,
                             close_fds=False, env=environment)
    print("started %d" % child.pid, flush=True)
    status = child.wait()
    child = None
    print("ended %d" % status, flush=True)
    if kind != "unix":
        break
