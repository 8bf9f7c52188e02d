# SPDX-License-Identifier: Apache-2.0
"""signengine.py declares what the headers declare: each struct with all members at their places, each enum, each function."""
import ctypes
import enum
import re
import unittest

import signengine
from headers import ENUMS, FUNCTIONS, MEASURED, PREFIXES, STRUCTS, TEXT, is_callback, members


class Layout(unittest.TestCase):
    def test_structs(self):
        self.assertGreater(len(STRUCTS), 50)
        self.assertEqual(sorted(STRUCTS), sorted(signengine._STRUCTS))
        for name, struct in signengine._STRUCTS.items():
            with self.subTest(struct=name):
                self.assertEqual([row[0] for row in struct._fields_], STRUCTS[name])
                self.assertEqual((ctypes.sizeof(struct),), MEASURED[name])

    def test_members(self):
        for name, struct in signengine._STRUCTS.items():
            for member in STRUCTS[name]:
                with self.subTest(struct=name, member=member):
                    place = getattr(struct, member)
                    self.assertEqual((place.offset, place.size), MEASURED["%s.%s" % (name, member)])

    def test_kinds(self):
        """A number where C has one of that kind, a bool, a pointer or an enum: the size alone does not tell."""
        wanted = {"_Bool": "?", "int": "i", "unsigned": "I", "int64_t": "l", "uint64_t": "L", "size_t": "L", "uint32_t": "I", "se_status": "i"}
        seen = 0
        for name, struct in signengine._STRUCTS.items():
            body = " ".join(re.search(r"\bstruct\s+%s\s*\{([^}]*)\}" % name, TEXT)[1].split())
            for member, ctype in struct._fields_:
                declaration = next(d.strip() for d in body.split(";") if member in members(d))
                code = getattr(ctype, "_type_", None)
                if not isinstance(code, str):
                    continue
                kind, pointer = re.match(r"(?:const )?(\w+)", declaration)[1], "*" in declaration or is_callback(declaration)
                seen += 1
                with self.subTest(struct=name, member=member, declaration=declaration):
                    self.assertIn(code, "zP" if pointer else wanted.get(kind, "i"))
        self.assertGreater(seen, 300)

    def test_enums(self):
        ours = {name: kind for name, kind in vars(signengine).items() if isinstance(kind, type) and issubclass(kind, enum.Enum) and not name.startswith("_")}
        self.assertEqual(sorted(ours), sorted(PREFIXES))
        known = {}
        for name, kind in ours.items():
            for member in kind:
                word = "SE_OK" if member.name == "OK" else PREFIXES[name] + member.name
                known[word] = (member.value,)
        self.assertEqual(known, {word: MEASURED[word] for words in ENUMS.values() for word in words})

    def test_functions(self):
        """Each is called somewhere in the file."""
        with open(signengine.__file__, encoding="utf-8") as file:
            text = file.read()
        self.assertGreater(len(FUNCTIONS), 80)
        self.assertEqual([name for name in sorted(FUNCTIONS) if '"%s"' % name not in text], [])
        named = set(re.findall(r'"(se_\w+)"', text)) - set(STRUCTS) - {"se_history_", "se_finding_", "se_mail_"}
        self.assertEqual(sorted(named - FUNCTIONS), [])
        for name in FUNCTIONS:
            signengine._function(name)

    def test_changed(self):
        self.assertEqual(MEASURED["SE_MAIL_CHANGED"], MEASURED["se_mail.changed"][1:])

    def test_newer(self):
        """A status that this file does not know."""
        status = signengine.Status(99)
        self.assertEqual((int(status), status.name), (99, "UNKNOWN_99"))
        self.assertTrue(str(status))
        self.assertRaises(ValueError, signengine.Status, "ok")
