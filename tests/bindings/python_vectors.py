# SPDX-License-Identifier: Apache-2.0
"""The vectors that the tests of the C libraries have: tests/vectors, with the verdicts that they have there."""
import os

import signengine
from common import Case, SignengineError, Status, read, vectors, write
from signengine import Form


class Vectors(Case):
    def test_fields(self):
        """tests/interop/nx02.sh"""
        write("nx02.both", read(vectors("nx02/key.pem")) + read(vectors("nx02/certificate.pem")))
        count = 0
        with signengine.Engine("nx02.xml") as engine:
            for name in sorted(os.listdir(vectors("nx02"))):
                folder = os.path.join(vectors("nx02"), name)
                if not os.path.isdir(folder):
                    continue
                count += 1
                with self.subTest(vector=name):
                    value, context = read(folder + "/value"), read(folder + "/context")
                    self._one(engine, value, context, folder + "/plain")
        self.assertEqual(count, 49)

    def _one(self, engine, value, context, plain):
        container = signengine.is_container(value) and value[4:5] == b"\2"

        def decrypt():
            if not container:
                return engine.decrypt("V", value, context=context)
            write("vector.container", value)
            engine.container_decrypt_file("V", "vector.container", "vector.plain", context=context)
            return read("vector.plain")

        if os.path.exists(plain):
            self.assertEqual(decrypt(), read(plain))
        else:
            with self.assertRaises(SignengineError) as raised:
                decrypt()
            self.assertIn(raised.exception.status, (Status.REJECTED, Status.FORMAT, Status.NO_DESCRIPTOR))

    def test_jwe(self):
        """tests/interop/encrypt.sh: example A.1 of RFC 7516"""
        folder = vectors("jwe/rfc7516-a1")
        with signengine.Engine("jwe.xml") as engine:
            self.assertEqual(engine.decrypt("rfc", read(folder + "/value").strip()), read(folder + "/plain"))

    def test_proofs(self):
        """tests/history/vectors.sh"""
        folder, count = vectors("history/proofs"), 0
        for name in sorted(os.listdir(folder)):
            count += 1
            with self.subTest(proof=name):
                proof = read(os.path.join(folder, name))
                if name.startswith("good-"):
                    self.assertTrue(signengine.history_verify_proof(proof).fingerprint)
                else:
                    wanted = Status.FORMAT if name.startswith("refused-65-") else Status.REJECTED
                    self.refused(wanted, signengine.history_verify_proof, proof)
        self.assertGreaterEqual(count, 40)

    def test_configurations(self):
        """tests/unit/test_config_vectors.c: what is found in a configuration, line by line, or what the engine understands"""
        folder, refused, count = vectors("config"), 0, 0
        os.mkdir("configurations")  # where others can't read them
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir("configurations")
        for name in sorted(os.listdir(folder)):
            count += 1
            with self.subTest(configuration=name):
                found = []
                path, wanted = "engine.xml", read(os.path.join(folder, name, "expected")).decode()
                write(path, read(os.path.join(folder, name, "engine.xml")))
                try:
                    with signengine.Engine(path, report=found.append) as engine:
                        properties = engine.describe()
                except SignengineError as e:
                    self.assertIs(e.status, Status.CONFIG)
                    properties = []
                    refused += 1
                self.assertEqual({report.file for report in found} - {path}, set())
                lines = ["%d: %s%s" % (r.line, "" if r.error else "warning: ", r.text) for r in found]
                lines += ["%s | %s | %s" % (p.item, p.property, p.value) for p in properties]
                self.assertEqual("".join(line + "\n" for line in lines), wanted)
        self.assertGreaterEqual(refused, 70)
        self.assertGreaterEqual(count - refused, 10)

    def test_xml_attacks(self):
        """tests/cli/xml-attacks.sh"""
        folder, attacks, good = vectors("xml-attacks"), 0, 0
        with signengine.Engine("attacks.xml") as engine:
            for name in sorted(os.listdir(folder)):
                document = os.path.join(folder, name, "document.xml")
                if not os.path.exists(document):
                    continue
                with self.subTest(attack=name):
                    wanted, message = (read(os.path.join(folder, name, "expected")).decode() + "\n").split("\n")[:2]
                    descriptor, options = self._arguments(os.path.join(folder, name, "arguments"))
                    if wanted == "0":
                        good += 1
                        self.assertTrue(engine.verify_attached(descriptor, read(document), form=Form.XML, **options).content)
                        continue
                    attacks += 1
                    status = {"1": Status.REJECTED, "65": Status.FORMAT}[wanted]
                    error = self.refused(status, engine.verify_attached, descriptor, read(document), form=Form.XML, **options)
                    self.assertIn(message, error.text)
        self.assertGreaterEqual(attacks, 60)
        self.assertEqual(good, 3)

    def _arguments(self, path):
        words = read(path).decode().split() if os.path.exists(path) else []
        given = dict(zip(words[::2], words[1::2]))
        return given.get("-d", "Signer"), {"xml_id": given["--id"]} if "--id" in given else {}
