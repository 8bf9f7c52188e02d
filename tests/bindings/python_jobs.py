# SPDX-License-Identifier: Apache-2.0
"""Every job both ways: what Python made, the command and others accept, and the other way round."""
import getpass
import hashlib
import io
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import zipfile

import signengine
from common import MESSAGE, Case, command, read, run, write
from signengine import EventKind, Form, JwsForm, Purpose, Revocation, SignengineError, Status, ZipState


class Signatures(Case):
    def test_cms(self):
        for content in (b"content", b"", b"\0" * 100000, "grüße".encode()):
            write("file", content)
            write("file.p7s", self.engine.sign("FileSigner", content))
            run("openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", "file.p7s", "-content", "file", "-CAfile", "ca.pem",
                "-purpose", "any", "-out", "out")
            self.assertEqual(read("out"), content)
            command("verify", "-d", "FileSigner", "file", "--signature", "file.p7s")
            command("sign", "-d", "FileSigner", "file", "-o", "theirs.p7s")
            signer = self.engine.verify("FileSigner", content, read("theirs.p7s"))
            self.assertEqual((signer.version, signer.algorithm, signer.subject, signer.revocation), (1, "SHA256withRSA", "CN=one", Revocation.UNCHECKED))
            self.assertGreater(signer.not_after, 4000000000)

    def test_openssl_signs(self):
        write("file", b"content")
        run("openssl", "cms", "-sign", "-binary", "-in", "file", "-signer", "one.pem", "-inkey", "one.key", "-md", "sha256", "-cades",
            "-outform", "DER", "-out", "by-openssl.p7s")
        self.assertEqual(self.engine.verify("FileSigner", b"content", read("by-openssl.p7s")).subject, "CN=one")

    def test_pem_time_and_trust(self):
        signature = self.engine.sign("FileSigner", b"x", pem=True, time=1750000000)
        self.assertTrue(signature.startswith(b"-----BEGIN CMS-----"))
        self.assertEqual(self.engine.verify("FileSigner", b"x", signature, trust="ca.pem").signing_time, 1750000000)
        self.refused(Status.REJECTED, self.engine.verify, "FileSigner", b"x", signature, trust="other.pem")

    def test_raw(self):
        write("file", b"content")
        run("openssl", "x509", "-in", "two.pem", "-noout", "-pubkey", "-out", "two.pub")
        write("raw", self.engine.sign("Files", b"content", form=Form.RAW))
        run("openssl", "dgst", "-sha256", "-verify", "two.pub", "-signature", "raw", "file")
        run("openssl", "dgst", "-sha256", "-sign", "two.key", "-out", "raw", "file")
        self.engine.verify("Files", b"content", read("raw"), form=Form.RAW)
        with self.engine.verifier_open("Files") as verifier:
            verifier.check(b"content", read("raw"))
            self.assertEqual(verifier.signer().subject, "CN=two")
            self.assertEqual(verifier.certificate(), run("openssl", "x509", "-in", "two.pem", "-outform", "DER"))
            self.assertEqual(verifier.key(), run("openssl", "pkey", "-pubin", "-in", "two.pub", "-outform", "DER"))
            self.refused(Status.REJECTED, verifier.check, b"other", read("raw"))
            self.refused(Status.FORMAT, verifier.check, b"content", b"")
        with signengine.Verifier(read("two.pem"), "SHA256withECDSA") as verifier:
            verifier.check(b"content", read("raw"))

    def test_digest(self):
        digest = hashlib.sha256(b"content").digest()
        self.engine.verify("Files", b"content", self.engine.sign("Files", b"", digest=digest))
        self.engine.verify("Files", b"", self.engine.sign("Files", b"content"), digest=digest)
        self.refused(Status.USAGE, self.engine.sign, "Files", b"", digest=digest[1:])

    def test_attached(self):
        signed = self.engine.sign("Files", b"content", form=Form.ATTACHED)
        verified = self.engine.verify_attached("Files", signed)
        self.assertEqual((verified.content, verified.signer.subject), (b"content", "CN=two"))
        write("signed", signed)
        command("verify", "-d", "Files", "signed", "-o", "out")
        self.assertEqual(read("out"), b"content")
        sink = io.BytesIO()
        self.engine.verify_attached_file("Files", "signed", sink)
        self.assertEqual(sink.getvalue(), b"content")
        self.assertEqual(self.engine.verify_attached("Files", self.engine.sign("Files", b"", form=Form.ATTACHED)).content, b"")

    def test_streams(self):
        content = os.urandom(3000000)
        write("big", content)
        out = io.BytesIO()
        with open("big", "rb") as file:
            self.engine.sign_stream("Files", file, out)
        with open("big", "rb") as file:
            self.engine.verify_stream("Files", file, out.getvalue())
        with open("big", "rb") as file:  # one descriptor, and a signature that comes later
            self.engine.verify_stream("Files", file.fileno(), io.BytesIO(out.getvalue()))
        with open("big", "rb") as file, open("big.p7m", "w+b") as signed, tempfile.TemporaryFile() as seen:
            self.engine.sign_stream("Files", file.fileno(), signed.fileno(), form=Form.ATTACHED)
            signed.seek(0)
            self.engine.verify_attached_stream("Files", signed, seen)
            seen.seek(0)
            self.assertEqual(seen.read(), content)

    def test_raw_writer(self):
        """One that takes less than it is given, as an unbuffered file may."""
        class Slow:
            taken = b""

            def write(self, data):
                self.taken += data[:1000]
                return len(data[:1000])

        slow = Slow()
        self.engine.sign_stream("Files", io.BytesIO(b"x" * 50000), slow, form=Form.ATTACHED)
        self.assertEqual(self.engine.verify_attached("Files", slow.taken).content, b"x" * 50000)

    def test_files(self):
        write("file", b"content")
        self.engine.sign_file("FileSigner", "file", b"file.p7s")
        command("verify", "-d", "FileSigner", "file", "--signature", "file.p7s")
        self.assertEqual(self.engine.verify_file("FileSigner", "file", "file.p7s").subject, "CN=one")
        self.refused(Status.IO, self.engine.verify_file, "FileSigner", "nowhere", "file.p7s")

    def test_find_signer(self):
        signer = self.engine.find_signer("Files")
        self.assertEqual((signer.key, signer.key_type, signer.digest), ("two", "EC-P-256", "SHA-256"))
        self.assertEqual(self.engine.find_signer("SignEmailDescriptor", addresses=["bob@example.org", "alice@example.org"]).address, "alice@example.org")
        self.refused(Status.POLICY, self.engine.find_signer, "SignEmailDescriptor", addresses=["bob@example.org"])
        self.engine.sign("SignEmailDescriptor", b"x", addresses=("alice@example.org",), purpose=Purpose.MAIL)

    def test_xml(self):
        document = b'<order xmlns="urn:o"><item Id="a">1</item></order>'
        signed = self.engine.sign("Files", document, form=Form.XML)
        write("signed.xml", signed)
        command("verify", "--xml", "-d", "Files", "signed.xml")
        run("xmlsec1", "--verify", "--trusted-pem", "ca.pem", "signed.xml")
        self.assertEqual(self.engine.verify_attached("Files", signed, form=Form.XML).content, document)
        write("order.xml", document)
        command("sign", "--xml", "-d", "Files", "order.xml", "-o", "theirs.xml")
        self.engine.verify_attached("Files", read("theirs.xml"), form=Form.XML)
        beside = self.engine.sign("Files", b"any", form=Form.XML_DETACHED, xml_uri="any.bin")
        self.engine.verify("Files", b"any", beside, form=Form.XML_DETACHED, xml_uri="any.bin")
        self.refused(Status.REJECTED, self.engine.verify, "Files", b"any", beside, form=Form.XML_DETACHED, xml_uri="other.bin")
        self.refused(Status.REJECTED, self.engine.verify_attached, "Files", signed.replace(b">1<", b">2<"), form=Form.XML)

    def test_time_stamp(self):
        url = os.environ["tsa_url"] + "/"
        signature = self.engine.sign("Files", b"x", tsa=url)
        signer = self.engine.verify("Files", b"x", signature, trust_tsa="ca.pem")
        self.assertEqual(signer.stamp_authority, "CN=tsa")
        self.assertGreater(signer.stamp_time, 0)
        self.refused(Status.REJECTED, self.engine.sign, "Files", b"x", tsa=url + "refuses")

    def test_revocation(self):
        look = {"crls": "nothing.crl", "required": True}
        self.refused(Status.IO, self.engine.verify, "Files", b"x", self.engine.sign("Files", b"x"), revocation=look)
        self.refused(Status.REJECTED, self.engine.verify, "Files", b"x", self.engine.sign("Files", b"x"), revocation={"required": True})
        token = self.engine.jwt_sign("Api", no_expiry=True)
        for verify in self.engine.jws_verify, self.engine.jwt_verify:
            wanted = {} if verify == self.engine.jws_verify else {"no_expiry": True}
            self.refused(Status.IO, verify, "Api", token, revocation=look, **wanted)
            self.refused(Status.REJECTED, verify, "Api", token, revocation={"required": True}, **wanted)
            self.assertIs(verify("Api", token, revocation={"max_age": 3}, **wanted).signer.revocation, Revocation.UNKNOWN)

    def test_evidence(self):
        url = os.environ["tsa_url"] + "/"
        for name in ("one", "two"):
            write(name + ".txt", name.encode())
        records = signengine.evidence_make([["one.txt"], [("called two", io.BytesIO(b"two"))]], tsa=url)
        self.assertEqual(len(records), 2)
        stamps = signengine.evidence_verify(["one.txt"], records[0], trust_tsa="ca.pem")
        self.assertEqual([(stamp.tree, stamp.authority) for stamp in stamps], [(1, "CN=tsa")])
        write("two.ers", records[1])
        command("evidence", "verify", "--trust-tsa", "ca.pem", "-r", "two.ers", "two.txt")
        renewed = signengine.evidence_renew([(["one.txt"], records[0])], {"trust_tsa": "ca.pem"}, tsa=url)
        self.assertEqual(len(signengine.evidence_verify(["one.txt"], renewed[0], trust_tsa="ca.pem")), 2)
        self.refused(Status.REJECTED, signengine.evidence_verify, ["two.txt"], records[0], trust_tsa="ca.pem")
        row = signengine.check_record("two.ers", days=-1)
        self.assertEqual((row.descriptor, row.version, row.subject, row.not_after), ("record two.ers", 0, "CN=tsa", stamps[0].not_after))
        self.assertTrue(signengine.check_record("two.ers", days=100000).warning)
        row = signengine.check_tsa(url)
        self.assertEqual((row.descriptor, row.status, row.subject), ("tsa " + url, Status.OK, "CN=tsa"))
        self.refused(Status.UNAVAILABLE, signengine.check_tsa, url, "1.2.3.99")
        self.refused(Status.IO, signengine.check_record, "nowhere.ers")

    def test_signed_configuration(self):
        signed = self.engine.config_sign("FileSigner", read("before.xml"), path="before.xml")
        self.assertEqual(signengine.config_verify(signed, "ca.pem", "before.xml").subject, "CN=one")
        write("trusted.xml", signed)
        with signengine.Engine("trusted.xml", trust_config="ca.pem") as engine:
            self.assertIn("descriptor EncryptedFields:2", [d.item for d in engine.config_diff(self.engine)])
        self.refused(Status.CONFIG, signengine.Engine, "before.xml", trust_config="ca.pem")
        self.refused(Status.FORMAT, signengine.config_verify, read("before.xml"), "ca.pem")


class Tokens(Case):
    def test_jws(self):
        for payload in (b"payload", b"", b"\0\xff"):
            token = self.engine.jws_sign("Api", payload, headers={"tenant": "a", "place": "ö"}, type="order")
            verified = self.engine.jws_verify("Api", token, type="order")
            self.assertEqual((verified.content, verified.signer.algorithm), (payload, "ES256"))
            write("token", token)
            self.assertEqual(command("jws", "verify", "-d", "Api", "-o", "-", "token"), payload)
            write("payload", payload)
            command("jws", "sign", "-d", "Api", "payload", "-o", "theirs")
            self.assertEqual(self.engine.jws_verify("Api", read("theirs").strip()).content, payload)

    def test_detached(self):
        """An empty payload is one: a token with another inside is not good for it."""
        with self.assertRaises(SignengineError):
            self.engine.jws_verify("Api", self.engine.jws_sign("Api", b"inside"), payload=b"")
        for payload in (b"payload", b""):
            token = self.engine.jws_sign("Api", payload, detached=True)
            self.assertEqual(self.engine.jws_verify("Api", token, payload=payload).content, payload)
            self.refused(Status.REJECTED, self.engine.jws_verify, "Api", token, payload=payload + b"x")

    def test_many(self):
        tokens = [self.engine.jws_sign("Api", b"%d" % i) for i in range(5)]
        rows = self.engine.jws_verify_many("Api", tokens)
        self.assertEqual([(row.payload, row.signer.algorithm) for row in rows], [(b"%d" % i, "ES256") for i in range(5)])
        self.assertEqual(self.engine.jws_verify_many("Api", []), [])
        tokens[2] = b"rubbish"
        error = self.refused(Status.FORMAT, self.engine.jws_verify_many, "Api", tokens)
        self.assertEqual([(row.payload, row.status) for row in error.results],
                         [(b"%d" % i if i != 2 else b"", Status.OK if i != 2 else Status.FORMAT) for i in range(5)])
        self.assertEqual([row.signer is None for row in error.results], [i == 2 for i in range(5)])
        detached = [self.engine.jws_sign("Api", b"%d" % i, detached=True, form=JwsForm.FLATTENED) for i in range(3)]
        self.assertEqual(len(self.engine.jws_verify_many("Api", detached, [b"0", b"1", b"2"])), 3)

    def test_jwt(self):
        token = self.engine.jwt_sign("Api", b'{"role":"clerk"}', issuer="me", audiences=["api", "web"], lifetime=600, make_id=True)
        verified = self.engine.jwt_verify("Api", token, issuer="me", audiences=["api"])
        claims = json.loads(verified.content)
        self.assertEqual((claims["role"], claims["aud"], claims["exp"] - claims["iat"]), ("clerk", ["api", "web"], 600))
        self.refused(Status.REJECTED, self.engine.jwt_verify, "Api", token, audiences=["others"])
        late = self.engine.jwt_verify("Api", token, audiences=["api"], time=claims["exp"] + 5, leeway=30)
        self.assertIn(late.leeway_used, (5, 6))
        self.refused(Status.REJECTED, self.engine.jwt_verify, "Api", token, audiences=["api"], time=claims["exp"] + 5)
        self.refused(Status.USAGE, self.engine.jwt_sign, "Api")
        write("token", token)
        command("jwt", "verify", "-d", "Api", "--issuer", "me", "--audience", "web", "token")

    def test_other_libraries(self):
        """python3-jwt reads ours, with the key of our JWK set, and we read its."""
        try:
            import jwt
        except ImportError:
            self.skipTest("python3-jwt is not installed")
        key = json.loads(self.engine.jwks("Api"))["keys"][0]
        token = self.engine.jwt_sign("Api", lifetime=60, subject="s")
        self.assertEqual(jwt.decode(token, jwt.PyJWK(key).key, algorithms=["ES256"])["sub"], "s")
        theirs = jwt.encode({"sub": "t", "exp": 4000000000}, read("two.key"), algorithm="ES256")
        self.assertEqual(json.loads(self.engine.jwt_verify("Api", theirs.encode()).content)["sub"], "t")

    def test_jwks(self):
        self.assertEqual(json.loads(self.engine.jwks()), json.loads(command("key", "jwks")))
        self.assertEqual(len(json.loads(self.engine.jwks("Api", "FileSigner", current=True))["keys"]), 2)
        self.refused(Status.NO_DESCRIPTOR, self.engine.jwks, "Nobody")


class Values(Case):
    def test_fields(self):
        context = signengine.context({"table": "person", "row": "7"})
        self.assertEqual(context, signengine.context({"row": "7", "table": "person"}))
        for content in (b"1234", b"", "geheim €\0x".encode(), bytearray(b"1234"), memoryview(b"1234"), bytearray()):
            value = self.engine.encrypt("EncryptedFields", content, context=context)
            self.assertEqual(self.engine.decrypt("EncryptedFields", value, context=context), bytes(content))
            self.assertEqual(command("decrypt", "--context", "table=person", "--context", "row=7", stdin=value), bytes(content))
            theirs = command("encrypt", "--context", "table=person", "--context", "row=7", stdin=bytes(content)).strip()
            self.assertEqual(self.engine.decrypt("EncryptedFields", theirs, context=context), bytes(content))
            self.refused(Status.REJECTED, self.engine.decrypt, "EncryptedFields", value)
        self.assertEqual(self.engine.decrypt("EncryptedFields", self.engine.encrypt("EncryptedFields", b"x", binary=True)), b"x")

    def test_views(self):
        """A part of a larger memory, one with gaps, and one that may be written."""
        memory = bytearray(b"0123456789")
        for view in (memoryview(memory)[2:5], memoryview(memory)[::2], memoryview(b"0123456789")[::-1]):
            self.assertEqual(self.engine.decrypt("EncryptedFields", self.engine.encrypt("EncryptedFields", view)), bytes(view))
        memory.append(0)  # nothing holds it

    def test_many(self):
        contents, contexts = [b"%d" % i for i in range(300)] + [b""], [b"row %d" % i for i in range(301)]
        values = self.engine.encrypt_many("EncryptedFields", contents, contexts, threads=2)
        self.assertEqual(self.engine.decrypt_many("EncryptedFields", values, contexts), contents)
        for i in (0, 299, 300):
            self.assertEqual(self.engine.decrypt("EncryptedFields", values[i], context=contexts[i]), contents[i])
        contexts[7] = b"another row"
        error = self.refused(Status.REJECTED, self.engine.decrypt_many, "EncryptedFields", values, contexts)
        self.assertEqual([i for i, field in enumerate(error.results) if field.status], [7])
        self.assertEqual(error.results[7].value, b"")
        self.assertEqual([field.value for field in error.results if not field.status], contents[:7] + contents[8:])
        self.assertEqual(self.engine.encrypt_many("EncryptedFields", []), [])

    def test_rekey(self):
        with signengine.Engine("before.xml") as engine:
            values = engine.encrypt_many("EncryptedFields", [b"a", b"b"], [b"1", b"2"])
        values.append(self.engine.encrypt("EncryptedFields", b"c", context=b"3"))
        fields = self.engine.rekey_many("EncryptedFields", values, [b"1", b"2", b"3"])
        self.assertEqual([field.kept for field in fields], [False, False, True])
        self.assertEqual(fields[2].value, values[2])
        self.assertEqual(self.engine.decrypt_many("EncryptedFields", [field.value for field in fields], [b"1", b"2", b"3"]), [b"a", b"b", b"c"])
        self.assertEqual([self.engine.find_versions("EncryptedFields", value) for value in (values[0], fields[0].value)], [[1], [2]])

    def test_containers(self):
        content = os.urandom(1000000)
        write("plain", content)
        self.engine.container_encrypt_file("EncryptedFields", "plain", "sealed", context=b"c")
        self.assertTrue(signengine.is_container(read("sealed")[:4]))
        self.assertFalse(signengine.is_container(b"PK\3\4"))
        self.assertFalse(signengine.is_container(b""))
        self.engine.container_decrypt_file("EncryptedFields", "sealed", "opened", context=b"c")
        self.assertEqual(read("opened"), content)
        out, back = io.BytesIO(), io.BytesIO()
        self.engine.container_encrypt_stream("EncryptedFields", io.BytesIO(content), out)
        write("sealed", out.getvalue())
        command("zip", "decrypt", "-d", "EncryptedFields", "sealed", "-o", "opened")
        self.assertEqual(read("opened"), content)
        with open("sealed", "rb") as file:
            self.engine.container_decrypt_stream("EncryptedFields", file, back)
        self.assertEqual(back.getvalue(), content)
        self.assertEqual(self.engine.find_versions_stream("EncryptedFields", io.BytesIO(out.getvalue())), [2])
        self.assertEqual(self.engine.find_versions_file("EncryptedFields", "sealed"), [2])
        self.refused(Status.REJECTED, self.engine.container_decrypt_stream, "EncryptedFields", io.BytesIO(out.getvalue()[:-20]), io.BytesIO())

    def test_pins(self):
        text, count = signengine.scramble_pins(b"<a><type pin.encrypted='1234'/></a>", "pin.key")
        self.assertEqual(count, 1)
        self.assertNotIn(b"1234", text)
        self.assertTrue(signengine.scramble_pin(b"1234", "pin.key"))
        signengine.retry_pins()


class Zips(Case):
    def make(self, name="a.zip"):
        with zipfile.ZipFile(name, "w") as file:
            file.writestr("one.txt", "one")
            file.writestr("two/three.txt", "three" * 1000)
        return name

    def test_zip(self):
        self.engine.zip_sign("FileSigner", self.make())
        command("zip", "verify", "-d", "FileSigner", "a.zip")
        report = self.engine.zip_verify("FileSigner", "a.zip", trust="ca.pem")
        self.assertEqual([signer.subject for _, signer in report.signatures], ["CN=one"])
        self.assertEqual({entry.name: entry.state for entry in report.entries if entry.state is ZipState.SIGNED},
                         {"one.txt": ZipState.SIGNED, "two/three.txt": ZipState.SIGNED})
        self.assertTrue(all(entry.good for entry in report.entries))
        with zipfile.ZipFile("a.zip") as file:
            self.assertEqual(file.read("one.txt"), b"one")
        command("zip", "sign", "-d", "FileSigner", self.make("b.zip"))
        self.engine.zip_verify("FileSigner", "b.zip")
        self.assertEqual(self.engine.find_versions_file("FileSigner", "b.zip"), [1])

    def test_changed(self):
        self.engine.zip_sign("FileSigner", self.make(), "signed.zip")
        with zipfile.ZipFile("signed.zip", "a") as file:
            file.writestr("more.txt", "more")
        error = self.refused(Status.REJECTED, self.engine.zip_verify, "FileSigner", "signed.zip")
        self.assertEqual([(entry.name, entry.state) for entry in error.results.entries if not entry.good], [("more.txt", ZipState.UNSIGNED)])
        self.assertEqual(str(ZipState.UNSIGNED), "not signed")
        self.refused(Status.REJECTED, self.engine.zip_verify, "FileSigner", self.make())

    def test_encrypted(self):
        self.engine.zip_sign("FileSigner", self.make(), "a.nx02", encrypt="EncryptedFields", context=b"c")
        self.engine.container_decrypt_file("EncryptedFields", "a.nx02", "back.zip", context=b"c")
        self.engine.zip_verify("FileSigner", "back.zip", max_entries=100)
        self.refused(Status.REJECTED, self.engine.container_decrypt_file, "EncryptedFields", "a.nx02", "back.zip")


class Letters(Case):
    def test_mail(self):
        out = io.BytesIO()
        done = self.engine.mail_sign("SignEmailDescriptor", io.BytesIO(MESSAGE), out)
        self.assertEqual((done.signer.address, done.passed), ("alice@example.org", False))
        write("signed.eml", out.getvalue())
        command("mail", "verify", "signed.eml")
        run("openssl", "cms", "-verify", "-in", "signed.eml", "-CAfile", "ca.pem", "-out", "out")
        command("mail", "sign", "-o", "theirs.eml", stdin=MESSAGE)
        content, header = io.BytesIO(), io.BytesIO()
        with open("theirs.eml", "rb") as file:
            found = self.engine.mail_verify("SignEmailDescriptor", file, content=content, header=header, trust="ca.pem")
        self.assertEqual((found.signer.subject, found.opaque, found.changed), ("CN=mail", False, ""))
        self.assertIn(b"Hello", content.getvalue())
        self.assertIn(b"Subject: x", header.getvalue())
        self.assertEqual(self.engine.mail_find_versions("SignEmailDescriptor", io.BytesIO(out.getvalue())), [1])

    def test_refused(self):
        out = io.BytesIO()
        self.engine.mail_sign("SignEmailDescriptor", io.BytesIO(MESSAGE), out, opaque=True, protect=True)
        self.assertTrue(self.engine.mail_verify("SignEmailDescriptor", io.BytesIO(out.getvalue())).protect)
        self.refused(Status.REJECTED, self.engine.mail_verify, "SignEmailDescriptor", io.BytesIO(MESSAGE))
        self.refused(Status.POLICY, self.engine.mail_sign, "SignEmailDescriptor", io.BytesIO(MESSAGE.replace(b"alice", b"carol")), io.BytesIO())
        self.refused(Status.FORMAT, self.engine.mail_sign, "SignEmailDescriptor", io.BytesIO(b""), io.BytesIO())

    def test_address(self):
        self.assertEqual(signengine.mail_address("Alice <alice@Example.org>").lower(), "alice@example.org")
        self.refused(Status.FORMAT, signengine.mail_address, "")


class Histories(Case):
    def setUp(self):
        super().setUp()
        self.store = "sqlite:%s.db" % self._testMethodName
        self.engine.history_create(self.store)
        self.history = self.engine.history_open(self.store)
        self.addCleanup(self.history.close)

    def test_both_ways(self):
        self.assertEqual(self.history.append(b"card/1", b"ordered"), 1)
        self.assertEqual(self.history.append(b"card/\0\xff", b""), 2)
        appended = self.history.append_many([(b"card/1", b"made"), (b"card/2", b"lost")], idempotency_key="k", caller="tester")
        self.assertEqual((appended.first, appended.count, appended.repeated), (3, 2, False))
        self.assertTrue(self.history.append_many([(b"card/1", b"made"), (b"card/2", b"lost")], idempotency_key="k", caller="tester").repeated)
        command("history", "verify", "--store", self.store)
        command("history", "append", "--store", self.store, "--object", "card/3", stdin=b"theirs")
        report = self.history.verify()
        self.assertEqual((report.entries, report.findings, report.closed), (5, 0, False))
        entries = []
        self.history.read(entries.append)
        self.assertEqual([(e.seq, e.object, e.payload) for e in entries],
                         [(1, b"card/1", b"ordered"), (2, b"card/\0\xff", b""), (3, b"card/1", b"made"), (4, b"card/2", b"lost"), (5, b"card/3", b"theirs")])
        some = []
        self.history.read(lambda e: some.append(e.seq) or len(some) < 1, object=b"card/1")
        self.assertEqual(some, [1])
        exported = []
        report, seal = self.history.export(exported.append, first=4, last=5)
        self.assertEqual([e.seq for e in exported], [4, 5])
        self.assertEqual(seal, self.history.head())
        chain, = signengine.history_chains(self.store)
        self.assertEqual((chain.name, chain.first, chain.last), ("default", 1, 5))
        self.assertEqual([s.descriptor for s in signengine.history_sealers(self.store, "default")], ["ObjectHistorySigner"])

    def test_proof(self):
        self.history.append(b"card/1", b"ordered")
        proof = self.history.prove(1)
        found = signengine.history_verify_proof(proof, read("two.pem"))
        self.assertEqual((found.seq, found.object, found.payload, found.signer.subject, found.chain), (1, b"card/1", b"ordered", "CN=two", "default"))
        write("proof", proof)
        command("history", "verify-proof", "proof")
        self.refused(Status.REJECTED, signengine.history_verify_proof, proof, read("three.pem"))
        self.refused(Status.FORMAT, signengine.history_verify_proof, proof, b"")
        self.refused(Status.FORMAT, signengine.history_verify_proof, b"")

    def test_findings(self):
        for i in range(3):
            self.history.append(b"o", b"payload %d" % i)
        head = self.history.head()
        base = sqlite3.connect(self.store[7:])
        base.execute("UPDATE entry SET payload = x'00' WHERE payload = CAST('payload 1' AS BLOB)")
        base.commit()
        base.close()
        error = self.refused(Status.REJECTED, self.history.verify, head=head, threads=1)
        self.assertEqual([(f.kind, f.first) for f in error.results], [(signengine.FindingKind.CHANGED, 2)])
        self.assertEqual(str(error.results[0].kind), "changed")

    def test_maintenance(self):
        for i in range(3):
            self.history.append(b"o", b"payload")
        self.history.erase(2)
        erased = []
        self.history.read(lambda e: erased.append((e.erased, bool(e.commitment))))
        self.assertEqual(erased, [(False, False), (True, True), (False, False)])
        self.refused(Status.USAGE, self.history.prune, 4000000000)
        self.assertEqual(self.history.prune(1000), 0)
        self.history.resign()
        self.history.end()
        self.assertTrue(self.history.verify().closed)
        with self.assertRaises(SignengineError):
            self.history.append(b"o", b"late")

    def test_engine_goes_first(self):
        """A history keeps the engine as it was."""
        self.engine.close()
        self.assertEqual(self.history.append(b"o", b"p"), 1)
        self.assertEqual(self.history.verify().entries, 1)

    def test_refused(self):
        self.refused(Status.USAGE, self.engine.history_create, self.store)
        with self.assertRaises(SignengineError):
            self.engine.history_open("sqlite:nothing.db")
        with self.assertRaises(SignengineError):
            self.engine.history_open(self.store, chain="other")


class Engines(Case):
    def test_describe(self):
        self.assertEqual(self.engine.fingerprint(), command("config", "fingerprint").decode().split()[0])
        found = {(p.item, p.property): p.value for p in self.engine.describe()}
        self.assertEqual(found["descriptor Files:1", "key"], "two")
        with signengine.Engine("before.xml") as before:
            differences = before.config_diff(self.engine)
        self.assertEqual({d.item for d in differences}, {"descriptor EncryptedFields:2", "access files"})
        self.assertTrue(all(d.before is None and isinstance(d.after, str) for d in differences))

    def test_check(self):
        rows = self.engine.check(probe=True)
        self.assertEqual([row.descriptor for row in rows][:2], ["FileSigner", "Files"])
        self.assertEqual({str(row.status) for row in rows}, {"ok"})
        self.assertTrue(any(row.findings for row in rows))
        self.assertEqual({str(row.state) for row in rows}, {"current", "older"})
        write("lame.xml", read("engine.xml").replace(b"three.bundle", b"nothing.bundle"))
        with signengine.Engine("lame.xml") as engine, self.assertRaises(SignengineError) as raised:
            engine.check()
        self.assertEqual([row.descriptor for row in raised.exception.results if row.status], ["Strangers"])
        self.assertIs(raised.exception.status, next(row.status for row in raised.exception.results if row.status))

    def test_access(self):
        self.assertEqual([row.name for row in self.engine.access_rows()], ["files"])
        with self.engine.access_open() as access:
            row = access.decide("sign", descriptor="Files", uid=os.getuid(), gids=os.getgroups())
            self.assertEqual((row.number, row.name, row.operations, row.per_minute), (1, "files", ("sign", "verify"), 60))
            self.assertEqual((row.who[0].user, row.who[0].group), (getpass.getuser(), None))
            self.assertEqual((row.what[0].descriptor, row.what[0].history), ("Files", None))
            self.refused(Status.ACCESS, access.decide, "decrypt", descriptor="Files", uid=os.getuid())
            self.refused(Status.ACCESS, access.decide, "sign", descriptor="Files", uid=os.getuid() + 1)
            self.refused(Status.ACCESS, access.decide, "sign", descriptor="Files", certificate=read("one.pem"))
            self.refused(Status.USAGE, access.decide, "dance", uid=0)
            self.assertEqual(len(access.list()), 1)
            self.assertEqual(access.list(uid=os.getuid() + 1), ())

    def test_reload(self):
        write("changing.xml", read("before.xml"))
        events = []
        with signengine.Engine("changing.xml", event=events.append) as engine, engine.hold() as held:
            write("changing.xml", read("engine.xml"))
            engine.reload()
            self.assertEqual(engine.find_versions("EncryptedFields", engine.encrypt("EncryptedFields", b"x")), [2])
            self.assertEqual(held.find_versions("EncryptedFields", held.encrypt("EncryptedFields", b"x")), [1])
            self.refused(Status.USAGE, held.reload)
            write("changing.xml", b"<engine")
            self.refused(Status.CONFIG, engine.reload)
            engine.encrypt("EncryptedFields", b"x")
        kinds = [event.kind for event in events]
        self.assertIn(EventKind.RELOADED, kinds)
        self.assertIn(EventKind.RELOAD_REFUSED, kinds)
        refusal = next(event for event in events if event.kind is EventKind.RELOAD_REFUSED)
        self.assertEqual((refusal.status, refusal.operation), (Status.CONFIG, ""))

    def test_follows(self):
        self.engine.sign("Files", b"x")
        with signengine.Engine("engine.xml", follows=self.engine) as engine:
            self.engine.close()
            engine.sign("Files", b"x")

    def test_what_is_loaded(self):
        """In a process of its own: signing loads neither database nor GMime."""
        program = """if True:
            import signengine
            with signengine.Engine("engine.xml") as engine:
                engine.sign("Files", b"x")
                maps = open("/proc/self/maps").read()
                assert "libsignengine.so" in maps
                assert not any(name in maps for name in ("libsqlite3", "libpq", "libgmime", "signengine-")), maps
                signengine.mail_address("a@example.org")
                assert "libgmime" in open("/proc/self/maps").read()
            """
        done = subprocess.run([sys.executable, "-c", program], capture_output=True)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
