# SPDX-License-Identifier: Apache-2.0
"""Threads, forks, events, closing while others work, what is forgotten, and memory."""
import faulthandler
import gc
import io
import os
import sys
import threading
import time
import weakref

import signengine
from common import CONFIG, Case, read, write
from signengine import EventKind, Form, SignengineError, Status

CALLS = int(os.environ["CALLS"])
LIMIT = 2 << 20  # by which the process may grow, however many calls there are

if CALLS < 100000:
    faulthandler.dump_traceback_later(250, exit=True)


def threads():
    return len(os.listdir("/proc/self/task"))


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def started(function, *arguments):
    """A thread, whose `failure` is what came out of it."""
    def work():
        try:
            function(*arguments)
        except BaseException as e:
            thread.failure = e

    thread = threading.Thread(target=work)
    thread.failure = None
    thread.start()
    return thread


def until(condition):
    for _ in range(3000):
        if condition():
            return True
        time.sleep(0.01)
    return False


class Life(Case):
    def test_threads(self):
        def work():
            for i in range(30):
                content = os.urandom(50)
                self.engine.verify("Files", content, self.engine.sign("Files", content))
                assert self.engine.decrypt("EncryptedFields", self.engine.encrypt("EncryptedFields", content)) == content
                try:
                    self.engine.verify("Files", content, b"rubbish")
                except SignengineError as e:
                    assert e.status is Status.FORMAT

        for thread in [started(work) for _ in range(4)]:
            thread.join()
            self.assertIsNone(thread.failure)

    def test_lock_is_free(self):
        """The call waits for a pipe that is written by another thread of Python."""
        reading, writing = os.pipe()
        out = io.BytesIO()
        thread = started(self.engine.sign_stream, "Files", reading, out)
        time.sleep(0.1)
        self.assertTrue(thread.is_alive())
        os.write(writing, b"content")
        os.close(writing)
        thread.join()
        os.close(reading)
        self.assertIsNone(thread.failure)
        self.engine.verify("Files", b"content", out.getvalue())

    def test_close_waits(self):
        engine = signengine.Engine(CONFIG)
        reading, writing = os.pipe()
        out = io.BytesIO()
        calls = [started(engine.sign_stream, "Files", reading, out)]
        until(lambda: engine._handle._threads)
        closing = [started(engine.close) for _ in range(2)]
        self.assertTrue(until(lambda: engine._handle._closed))
        self.assertRaises(ValueError, engine.sign, "Files", b"x")
        time.sleep(0.2)
        self.assertTrue(all(thread.is_alive() for thread in calls + closing))
        os.write(writing, b"content")
        os.close(writing)
        for thread in calls + closing:
            thread.join()
            self.assertIsNone(thread.failure)
        os.close(reading)
        self.engine.verify("Files", b"content", out.getvalue())
        engine.close()

    def test_close_among_calls(self):
        """Many times, with calls that begin at any moment."""
        for _ in range(20):
            engine = signengine.Engine(CONFIG)

            def work():
                try:
                    while True:
                        engine.sign("Files", b"x")
                except ValueError:
                    pass

            workers = [started(work) for _ in range(3)]
            time.sleep(0.01)
            engine.close()
            for thread in workers:
                thread.join()
                self.assertIsNone(thread.failure)

    def test_close_inside(self):
        class File:
            def read(self, size):
                engine.close()

        with signengine.Engine(CONFIG) as engine:
            with self.assertRaisesRegex(RuntimeError, "inside a call"):
                engine.sign_stream("Files", File(), io.BytesIO())
            engine.sign("Files", b"x")

    def test_closed(self):
        history_store = "sqlite:closed.db"
        self.engine.history_create(history_store)
        things = [self.engine.history_open(history_store), self.engine.verifier_open("Files"), self.engine.access_open(), self.engine.hold()]
        calls = [lambda: things[0].head(), lambda: things[1].signer(), lambda: things[2].list(), lambda: things[3].sign("Files", b"x")]
        for thing, call in zip(things, calls):
            call()
            thing.close()
            thing.close()
            self.assertRaises(ValueError, call)

    # ---- forks ----

    def child(self, work):
        """What a child of a fork makes of it: its exit status."""
        process = os.fork()
        if process == 0:
            status = 1
            try:
                work()
                status = 0
            except BaseException as e:
                sys.__stderr__.write("child: %r\n" % e)
            finally:
                os._exit(status)
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])

    def test_fork(self):
        self.engine.sign("Files", b"x")

        def work():
            self.engine.verify("Files", b"x", self.engine.sign("Files", b"x"))
            self.engine.close()

        self.assertEqual(self.child(work), 0)
        self.engine.sign("Files", b"x")

    def test_fork_while_others_call(self):
        """The child closes: the call of a thread that it has not is none to wait for, nor is a lock of one."""
        stop = threading.Event()

        def busy():
            while not stop.is_set():
                self.engine.sign("Files", b"x")

        reading, writing = os.pipe()
        waiting = started(self.engine.sign_stream, "Files", reading, io.BytesIO())
        workers = [started(busy) for _ in range(3)]

        def work():
            self.engine.sign("Files", b"x")
            self.engine.close()

        statuses = [self.child(work) for _ in range(10)]
        stop.set()
        os.close(writing)
        for thread in workers + [waiting]:
            thread.join()
            self.assertIsNone(thread.failure)
        os.close(reading)
        self.assertEqual(statuses, [0] * 10)

    def test_fork_while_locked(self):
        """A thread that is just beginning a call, or ending one."""
        held, done = threading.Event(), threading.Event()

        def hold():
            with self.engine._handle._changed:
                held.set()
                done.wait()

        thread = started(hold)
        held.wait()
        status = self.child(lambda: self.engine.sign("Files", b"x"))
        done.set()
        thread.join()
        self.assertEqual(status, 0)

    def test_fork_with_history(self):
        self.engine.history_create("sqlite:fork.db")
        history = self.engine.history_open("sqlite:fork.db")
        history.append(b"o", b"p")

        def work():
            asked = []
            function, signengine._function = signengine._function, lambda name: asked.append(name) or function(name)
            self.refused(Status.USAGE, history.append, b"o", b"p")
            history.close()
            self.assertEqual([name for name in asked if "close" in name], [])
            with self.engine.history_open("sqlite:fork.db") as own:
                own.append(b"o", b"of the child")

        self.assertEqual(self.child(work), 0)
        self.assertEqual(history.append(b"o", b"p"), 3)
        history.close()

    # ---- events ----

    def test_events(self):
        events = []
        with signengine.Engine(CONFIG, event=lambda event: events.append((threading.get_ident(), event))) as engine:
            gate = threading.Barrier(4)

            def work():
                gate.wait()
                engine.sign("Files", b"content", tag="t")

            for thread in [started(work) for _ in range(4)]:
                thread.join()
                self.assertIsNone(thread.failure)
            self.refused(Status.NO_DESCRIPTOR, engine.sign, "Nobody", b"x")
        operations = [(ident, event) for ident, event in events if event.kind is EventKind.OPERATION]
        self.assertEqual(len(operations), 5)
        self.assertGreaterEqual(len({ident for ident, _ in operations[:4]}), 2)  # a number may be used again
        event = operations[0][1]
        self.assertEqual((event.operation, event.descriptor, event.key, event.version, event.bytes, event.tag, event.status, event.items),
                         ("sign", "Files", "two", 1, 7, "t", Status.OK, 1))
        self.assertTrue(event.digest.startswith("sha256:"))
        self.assertEqual((operations[4][1].status, operations[4][1].descriptor), (Status.NO_DESCRIPTOR, "Nobody"))
        self.assertEqual(str(EventKind.FAILED_OVER), "failed over")

    def test_events_of_the_library(self):
        """On a thread that Python did not start."""
        write("watched.xml", read(CONFIG))
        seen = []
        with signengine.Engine("watched.xml", watch=True, event=lambda event: seen.append((threading.get_ident(), event.kind))) as engine:
            write("watched.xml.new", read("before.xml"))
            os.rename("watched.xml.new", "watched.xml")
            self.assertTrue(until(lambda: any(kind is EventKind.RELOADED for _, kind in seen)))
            engine.sign("Files", b"x")
        self.assertNotEqual(seen[0][0], threading.get_ident())

    def test_event_that_fails(self):
        told, before = [], sys.unraisablehook
        sys.unraisablehook = lambda failure: told.append(failure.exc_type)
        try:
            with signengine.Engine(CONFIG, event=lambda event: 1 / 0) as engine:
                engine.sign("Files", b"x")
        finally:
            sys.unraisablehook = before
        self.assertIn(ZeroDivisionError, told)

    def test_event_outlives(self):
        """A history calls it after its engine was closed."""
        events = []
        engine = signengine.Engine(CONFIG, event=lambda event: events.append(event.operation))
        engine.history_create("sqlite:events.db")
        history = engine.history_open("sqlite:events.db")
        engine.close()
        del engine
        gc.collect()
        events.clear()
        history.append(b"o", b"p")
        self.assertIn("sign", events)
        history.close()

    # ---- what is forgotten ----

    def test_forgotten(self):
        before = threads()
        for _ in range(20):
            engine = signengine.Engine(CONFIG, watch=True)
            engine.sign("Files", b"x")
            self.assertEqual(threads() > before, True)
            gone = weakref.ref(engine)
            del engine
            self.assertIsNone(gone())
        self.assertTrue(until(lambda: threads() <= before), "%d threads, not %d" % (threads(), before))

    def test_forgotten_in_a_circle(self):
        before = threads()
        engine = signengine.Engine(CONFIG, watch=True)
        engine.itself = engine
        history = self.engine.history_create("sqlite:circle.db") or engine.history_open("sqlite:circle.db")
        history.itself = history
        del engine, history
        gc.collect()
        self.assertTrue(until(lambda: threads() <= before))

    def test_end_of_process(self):
        """Open engines, histories and a thread that is inside at the end are no reason to crash."""
        import subprocess
        program = """if True:
            import os, threading, time, io, signengine
            engine = signengine.Engine("engine.xml", watch=True, event=print)
            engine.history_create("sqlite:end.db")
            history = engine.history_open("sqlite:end.db")
            history.append(b"o", b"p")
            reading, writing = os.pipe()
            threading.Thread(target=engine.sign_stream, args=("Files", reading, io.BytesIO()), daemon=True).start()
            time.sleep(0.2)
            """
        done = subprocess.run([sys.executable, "-c", program], capture_output=True)
        self.assertEqual((done.returncode, done.stderr), (0, b""))

    # ---- memory ----

    def test_memory(self):
        """Every kind of call, in sizes that differ, without Python's collector: what is left in circles would be seen."""
        value = self.engine.encrypt("EncryptedFields", b"x")
        attached = self.engine.sign("Files", b"x" * 100, form=Form.ATTACHED)
        token = self.engine.jws_sign("Api", b"x")
        raw = self.engine.sign("Files", b"x", form=Form.RAW)
        self.engine.history_create("sqlite:memory.db")
        history = self.engine.history_open("sqlite:memory.db")
        history.append(b"o", bytes(5000))
        verifier = self.engine.verifier_open("Files")
        proof = history.prove(1)

        def fail(function, *arguments, **options):
            try:
                function(*arguments, **options)
            except (SignengineError, TypeError, ValueError, ZeroDivisionError):
                return
            raise AssertionError(function)

        jobs = [
            lambda i: self.engine.sign("Files", bytes(i % 5000)),
            lambda i: self.engine.sign("Files", bytearray(i % 5000), form=Form.RAW, addresses=["mail@example.org"] * (i % 3), tag="t")
            if not i % 3 else None,
            lambda i: verifier.check(b"x", raw),
            lambda i: verifier.signer(),
            lambda i: self.engine.encrypt("EncryptedFields", memoryview(bytearray(i % 3000)), context=b"c"),
            lambda i: self.engine.decrypt("EncryptedFields", value),
            lambda i: fail(self.engine.decrypt, "EncryptedFields", value, context=b"%d" % i),
            lambda i: self.engine.encrypt_many("EncryptedFields", [b"x"] * (i % 50), [b"c"] * (i % 50)),
            lambda i: fail(self.engine.decrypt_many, "EncryptedFields", [value] * (i % 50) + [b"rubbish"]),
            lambda i: self.engine.verify_attached("Files", attached),
            lambda i: self.engine.sign_stream("Files", io.BytesIO(bytes(i % 9000)), io.BytesIO(), progress=lambda done, total: True),
            lambda i: fail(self.engine.sign_stream, "Files", io.BytesIO(b"x"), io.StringIO()),
            lambda i: fail(self.engine.sign, "Files", bytes(3000000) if i % 20 == 0 else None, progress=lambda done, total: 1 // 0),
            lambda i: fail(self.engine.sign, "Nobody", b"x"),
            lambda i: fail(self.engine.sign, "Files", b"x", digest=b"x"),
            lambda i: self.engine.jws_verify("Api", token, key_id="k") if i < 0 else self.engine.jws_verify_many("Api", [token] * (i % 5)),
            lambda i: self.engine.describe() if i % 20 == 0 else signengine.context({"a": str(i), "b": "c"}),
            lambda i: self.engine.find_versions("EncryptedFields", value),
            lambda i: signengine.history_verify_proof(proof),
            lambda i: self.engine.hold().close(),
        ]

        def work(count):
            for i in range(count):
                jobs[i % len(jobs)](i)

        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)
        work(max(CALLS // 10, 2000))
        before, began = resident(), time.monotonic()
        work(CALLS)
        grown = resident() - before
        gc.enable()
        garbage = gc.collect()
        print("memory: %d calls in %.1f s, grown by %d kB, %d objects in circles" % (CALLS, time.monotonic() - began, grown >> 10, garbage), file=sys.__stdout__)
        verifier.close()
        history.close()
        self.assertLess(grown, LIMIT)
        self.assertLess(garbage, 1000)

    def test_engines(self):
        """Opened and closed: nothing stays."""
        def work(count):
            for _ in range(count):
                with signengine.Engine(CONFIG, event=lambda event: None, report=lambda report: None) as engine:
                    engine.sign("Files", b"x")

        work(50)
        before = resident()
        work(max(CALLS // 50, 40))
        grown = resident() - before
        print("memory: %d engines, grown by %d kB" % (max(CALLS // 50, 40), grown >> 10), file=sys.__stdout__)
        self.assertLess(grown, LIMIT)
