# SPDX-License-Identifier: Apache-2.0
"""signengine.py declares what the headers declare: each struct with all members at their places, each enum, each function."""
import ctypes
import enum
import os
import re
import shlex
import subprocess
import unittest

import signengine

SOURCE = os.path.join(os.environ["top_srcdir"], "src")
HEADERS = ("signengine", "signengine-history", "signengine-mail")
COMPILER = shlex.split(os.environ.get("CC", "cc"))
PREFIXES = {"Status": "SE_ERR_", "VersionState": "SE_VERSION_", "CheckLevel": "SE_CHECK_", "Form": "SE_FORM_", "Purpose": "SE_PURPOSE_",
            "Accept": "SE_ACCEPT_", "Revocation": "SE_REVOCATION_", "RevocationSource": "SE_REVOCATION_BY_", "JwsForm": "SE_JWS_",
            "ZipState": "SE_ZIP_", "EventKind": "SE_EVENT_", "FindingKind": "SE_FINDING_"}


def preprocess():
    """The text of our headers, without comments, macros and the system's."""
    text = ""
    for header in HEADERS:
        output = subprocess.run([*COMPILER, "-E", "-I" + SOURCE, os.path.join(SOURCE, header + ".h")], capture_output=True, check=True).stdout.decode()
        ours = False
        for line in output.splitlines():
            if line.startswith("#"):
                ours = '/%s.h"' % header in line
            elif ours:
                text += line + "\n"
    return text


def members(body):
    """Names of members; a member is a name before its array's size, or the pointer to a function."""
    for declaration in filter(str.strip, body.split(";")):
        pointer = re.search(r"\(\s*\*\s*(\w+)\s*\)", declaration)
        if pointer:
            yield pointer[1]
            continue
        for name in declaration.split(","):
            yield re.search(r"(\w+)\s*(\[[^]]*\])?\s*$", name)[1]


def is_callback(declaration):
    return re.match(r"se_\w+_fn\b", declaration) is not None


TEXT = preprocess()
STRUCTS = {name: list(members(body)) for name, body in re.findall(r"\bstruct\s+(se_\w+)\s*\{([^}]*)\}", TEXT)}
ENUMS = {name: re.findall(r"\b(SE_[A-Z0-9_]+)", body) for name, body in re.findall(r"\benum\s+(se_\w+)\s*\{([^}]*)\}", TEXT)}
FUNCTIONS = set(re.findall(r"\b(se_\w+)\(", TEXT))


def measure():
    """What a compiler makes of it: sizes, offsets, values."""
    lines = []
    for struct, names in STRUCTS.items():
        lines.append('    printf("%s %%zu\\n", sizeof(struct %s));' % (struct, struct))
        lines += ['    printf("%s.%s %%zu %%zu\\n", offsetof(struct %s, %s), sizeof(((struct %s *)0)->%s));' % (struct, n, struct, n, struct, n) for n in names]
    lines += ['    printf("%s %%d\\n", (int)%s);' % (name, name) for names in ENUMS.values() for name in names]
    lines.append('    printf("SE_MAIL_CHANGED %d\\n", SE_MAIL_CHANGED);')
    with open("layout.c", "w") as file:
        file.write("".join("#include <%s.h>\n" % header for header in HEADERS) + "#include <stdio.h>\nint main(void)\n{\n" + "\n".join(lines) + "\n}\n")
    subprocess.run([*COMPILER, "-I" + SOURCE, "-o", "layout", "layout.c"], check=True)
    output = subprocess.run(["./layout"], capture_output=True, check=True, env={}).stdout.decode()
    return {line.split()[0]: tuple(map(int, line.split()[1:])) for line in output.splitlines()}


MEASURED = measure()


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
