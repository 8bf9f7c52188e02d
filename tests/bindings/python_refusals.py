# SPDX-License-Identifier: Apache-2.0
"""What is refused, with which status; and what never gets to the library: None, wrong types, numbers that C would cut."""
import errno
import io
import os
import pickle

import signengine
from common import MESSAGE, Case, write
from signengine import Form, SignengineError, Status


class Statuses(Case):
    def test_each(self):
        """One way to each status that a caller can bring about."""
        signature = self.engine.sign("Files", b"x")
        value = self.engine.encrypt("EncryptedFields", b"x")
        with signengine.Engine("before.xml") as before:
            self.refused(Status.NO_DESCRIPTOR, before.decrypt, "EncryptedFields", value)
        for status, function, *arguments in (
            (Status.USAGE, self.engine.jwt_sign, "Api", b""),
            (Status.CONFIG, signengine.Engine, write("bad.xml", b"<engineSignEncrypt><nonsense/></engineSignEncrypt>")),
            (Status.NO_DESCRIPTOR, self.engine.sign, "Nobody", b"x"),
            (Status.POLICY, self.engine.sign, "EncryptedFields", b"x"),
            (Status.FORMAT, self.engine.verify, "Files", b"x", b"rubbish"),
            (Status.FORMAT, self.engine.decrypt, "EncryptedFields", b"rubbish"),
            (Status.FORMAT, self.engine.decrypt, "EncryptedFields", b""),
            (Status.REJECTED, self.engine.verify, "Files", b"y", signature),
            (Status.REJECTED, self.engine.verify, "Strangers", b"x", signature),
            (Status.IO, self.engine.sign_file, "Files", "nowhere", "out"),
            (Status.IO, self.engine.sign_file, "Files", "engine.xml", "no/where"),
        ):
            with self.subTest(status=status, function=function.__name__):
                self.refused(status, function, *arguments)

    def test_stores(self):
        write("keys.xml", b"""<engineSignEncrypt><descriptors>
            <descriptor name='A'><type algorithm='SHA-256' key='a'/></descriptor>
            <descriptor name='B'><type algorithm='SHA-256' key='b'/></descriptor>
            </descriptors><keys>
            <key name='a'><type name='pem' locationValue='nothing.pem'/></key>
            <key name='b'><type name='HSM' locationValue='no/module.so' alias='b' pin.source='env:NO_SUCH_PIN'/></key>
            </keys></engineSignEncrypt>""")
        with signengine.Engine("keys.xml") as engine:
            for descriptor in "A", "B":
                with self.assertRaises(SignengineError) as raised:
                    engine.sign(descriptor, b"x")
                self.assertIn(raised.exception.status, (Status.KEY, Status.STORE, Status.ACCESS, Status.CONFIG))

    def test_cancelled(self):
        seen = []

        def progress(done, total):
            seen.append(total)
            return False

        write("large", b"x" * 3000000)
        with open("large", "rb") as file:
            self.refused(Status.CANCELLED, self.engine.sign_stream, "Files", file.fileno(), io.BytesIO(), form=Form.ATTACHED, progress=progress)
        self.assertEqual(seen, [3000000])

    def test_error(self):
        error = self.refused(Status.NO_DESCRIPTOR, self.engine.sign, "Nobody", b"x")
        self.assertEqual((str(error.status), error.results), ("no descriptor", None))
        self.assertIn("Nobody", error.text)
        copy = pickle.loads(pickle.dumps(error))
        self.assertEqual((copy.status, copy.text), (error.status, error.text))


class Types(Case):
    def test_none(self):
        e = self.engine
        signature = e.sign("Files", b"x")
        for function, arguments in (
            (signengine.Engine, (None,)), (e.sign, (None, b"x")), (e.sign, ("Files", None)), (e.sign_file, ("Files", None, "out")),
            (e.sign_file, ("Files", "engine.xml", None)), (e.sign_stream, ("Files", None, io.BytesIO())), (e.sign_stream, ("Files", io.BytesIO(), None)),
            (e.verify, (None, b"x", signature)), (e.verify, ("Files", None, signature)), (e.verify, ("Files", b"x", None)),
            (e.verify_file, ("Files", "engine.xml", None)), (e.verify_stream, ("Files", io.BytesIO(), None)), (e.verify_attached, ("Files", None)),
            (e.encrypt, ("EncryptedFields", None)), (e.decrypt, ("EncryptedFields", None)), (e.encrypt_many, ("EncryptedFields", None)),
            (e.encrypt_many, ("EncryptedFields", [b"x", None])), (e.decrypt_many, ("EncryptedFields", [None])), (e.rekey_many, (None, [])),
            (e.jws_sign, ("Api", None)), (e.jws_verify, ("Api", None)), (e.jws_verify_many, ("Api", [None])), (e.jwt_sign, ("Api", None)),
            (e.jwt_verify, (None, b"x")), (e.jwks, (None,)), (e.find_versions, ("Files", None)), (e.find_versions_file, ("Files", None)),
            (e.container_encrypt_file, ("EncryptedFields", None, "out")), (e.container_decrypt_stream, ("EncryptedFields", io.BytesIO(), None)),
            (e.zip_sign, ("Files", None)), (e.zip_verify, ("Files", None)), (e.mail_sign, ("Files", None, io.BytesIO())),
            (e.mail_verify, ("Files", None)), (e.history_create, (None,)), (e.history_open, (None,)), (e.config_sign, ("Files", None)),
            (signengine.context, ({"a": None},)), (signengine.context, ({None: "a"},)), (signengine.is_container, (None,)),
            (signengine.mail_address, (None,)), (signengine.history_verify_proof, (None,)), (signengine.history_chains, (None,)),
            (signengine.config_verify, (None, "ca.pem")), (signengine.config_verify, (b"x", None)), (signengine.scramble_pin, (None, "pin.key")),
            (signengine.scramble_pins, (b"x", None)), (signengine.Verifier, (None, "SHA256withRSA")), (signengine.Verifier, (b"x", None)),
            (signengine.evidence_make, ([[None]],)), (signengine.evidence_verify, ([], None)), (e.verifier_open, (None,)), (e.find_signer, (None,)),
        ):
            with self.subTest(function=function.__qualname__, arguments=arguments), self.assertRaises(TypeError):
                function(*arguments)

    def test_none_as_option(self):
        """A setting that is missing must not be taken for the default: without `trust` others are trusted."""
        signature = self.engine.sign("Files", b"x")
        for options in {"trust": None}, {"time": None}, {"addresses": None}, {"tag": None}, {"revocation": None}, {"digest": None}, {"progress": None}:
            with self.subTest(options=options), self.assertRaises((TypeError, AttributeError)):
                self.engine.verify("Files", b"x", signature, **options)

    def test_wrong_types(self):
        e = self.engine
        for function, arguments, options in (
            (e.sign, ("Files", "text"), {}), (e.sign, ("Files", 5), {}), (e.sign, (b"Files", b"x"), {}), (e.sign, ("Files", [1, 2]), {}),
            (e.sign, ("Files", b"x"), {"version": "1"}), (e.sign, ("Files", b"x"), {"version": 1.0}), (e.sign, ("Files", b"x"), {"version": True}),
            (e.sign, ("Files", b"x"), {"pem": 1}), (e.sign, ("Files", b"x"), {"colour": "red"}), (e.sign, ("Files", b"x"), {"size": 8}),
            (e.sign, ("Files", b"x"), {"addresses": "alice@example.org"}), (e.sign, ("Files", b"x"), {"progress": 5}),
            (e.sign_stream, ("Files", "engine.xml", io.BytesIO()), {}), (e.encrypt_many, ("EncryptedFields", b"abc"), {}),
            (e.encrypt_many, ("EncryptedFields", "abc"), {}), (e.jws_sign, ("Api", b"x"), {"headers": {"a": 1}}),
        ):
            with self.subTest(function=function.__qualname__, arguments=arguments, options=options), self.assertRaises(TypeError):
                function(*arguments, **options)

    def test_numbers(self):
        """ctypes would cut them: version 2**32 + 1 is 1."""
        for options in {"version": 2 ** 32 + 1}, {"version": -1}, {"time": 2 ** 63}, {"least": 2 ** 32}:
            with self.subTest(options=options), self.assertRaises(OverflowError):
                self.engine.sign("Files", b"x", **options)
        self.assertRaises(OverflowError, self.engine.verifier_open, "Files", 2 ** 32 + 1)
        self.assertRaises(OverflowError, self.engine.sign_stream, "Files", 2 ** 32, io.BytesIO())
        self.refused(Status.USAGE, self.engine.sign, "Files", b"x", form=Form(99))

    def test_nul(self):
        """C would see what is before it."""
        self.assertRaises(ValueError, self.engine.sign, "Files\0x", b"x")
        self.assertRaises(ValueError, self.engine.sign_file, "Files", "engine.xml\0", "out")
        self.assertRaises(ValueError, self.engine.sign, "Files", b"x", tag="a\0b")
        self.assertRaises(ValueError, self.engine.encrypt_many, "EncryptedFields", [b"a"], [])

    def test_empty(self):
        """An empty bytes is a content; where C takes it for "not given", it is refused."""
        attached = self.engine.sign("Files", b"x", form=Form.ATTACHED)
        self.refused(Status.FORMAT, self.engine.verify, "Files", attached, b"")
        self.refused(Status.FORMAT, self.engine.verify, "Files", attached, bytearray())
        self.refused(Status.FORMAT, self.engine.verify_stream, "Files", io.BytesIO(attached), b"")
        self.refused(Status.FORMAT, self.engine.sign, "Files", b"", digest=b"")
        self.refused(Status.FORMAT, self.engine.verify_attached, "Files", b"")
        self.refused(Status.NO_DESCRIPTOR, self.engine.sign, "", b"x")
        self.engine.history_create("sqlite:empty.db")
        with self.engine.history_open("sqlite:empty.db") as history:
            self.refused(Status.FORMAT, history.verify, head=b"")
            self.refused(Status.FORMAT, history.read, print, object=b"")


class Callbacks(Case):
    """What they raise comes out of the call."""

    class Broken(Exception):
        pass

    def fail(self, *_):
        raise self.Broken

    def test_streams(self):
        class File:
            read = write = self.fail

        for function, arguments in (
            (self.engine.sign_stream, ("Files", File(), io.BytesIO())), (self.engine.sign_stream, ("Files", io.BytesIO(b"x"), File())),
            (self.engine.verify_attached_stream, ("Files", io.BytesIO(self.engine.sign("Files", b"x", form=Form.ATTACHED)), File())),
            (self.engine.container_encrypt_stream, ("EncryptedFields", File(), io.BytesIO())), (self.engine.mail_sign, ("Files", File(), io.BytesIO())),
            (self.engine.mail_sign, ("SignEmailDescriptor", io.BytesIO(MESSAGE), File())), (signengine.evidence_make, ([[("a", File())]],)),
        ):
            options = {"tsa": os.environ["tsa_url"]} if function is signengine.evidence_make else {}
            with self.subTest(function=function.__qualname__), self.assertRaises(self.Broken):
                function(*arguments, **options)

    def test_others(self):
        self.assertRaises(self.Broken, self.engine.sign, "Files", b"x" * 3000000, progress=self.fail)
        self.engine.history_create("sqlite:callbacks.db")
        with self.engine.history_open("sqlite:callbacks.db") as history:
            history.append(b"o", b"p")
            self.assertRaises(self.Broken, history.read, self.fail)
            self.assertRaises(self.Broken, history.export, self.fail)
            self.assertEqual(history.verify().entries, 1)
        self.assertRaises(KeyboardInterrupt, self.engine.sign_stream, "Files", type("F", (), {"read": self.interrupt})(), io.BytesIO())

    def interrupt(self, *_):
        raise KeyboardInterrupt

    def test_text_files(self):
        with open("engine.xml") as file:
            self.assertRaises(TypeError, self.engine.sign_stream, "Files", file, io.BytesIO())
        self.assertRaises(TypeError, self.engine.sign_stream, "Files", io.BytesIO(b"x"), io.StringIO())

    def test_descriptors(self):
        reading, writing = os.pipe()
        os.close(writing)
        os.close(reading)
        error = self.refused(Status.IO, self.engine.sign_stream, "Files", reading, io.BytesIO())
        self.assertIn(os.strerror(errno.EBADF), error.text)
