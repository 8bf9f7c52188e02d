# SPDX-License-Identifier: Apache-2.0
"""The jar declares what the headers declare: each struct with all members at their places, each enum, each function. Layout.java tells."""
import glob
import os
import re
import unittest

from headers import ENUMS, FUNCTIONS, MEASURED, PREFIXES, STRUCTS, TEXT, is_callback, members

ENUM_PREFIXES = {
    "Status": "Status", "Form": "Form", "Purpose": "Purpose", "Accept": "VerifyParams$Accept", "Revocation": "Signer$Revocation",
    "RevocationSource": "Signer$RevocationSource", "JwsForm": "Jws$Form", "ZipState": "Zip$State", "EventKind": "Event$Kind",
    "FindingKind": "History$Finding$Kind", "VersionState": "Check$State", "CheckLevel": "Check$Level"}
KINDS = {"_Bool": "bool", "int": "int", "unsigned": "unsigned", "uint32_t": "unsigned", "int64_t": "long", "uint64_t": "ulong",
         "size_t": "ulong", "se_bytes": "bytes", "se_buf": "buf", "se_signer": "se_signer"}
with open("layout.txt", encoding="utf-8") as file:
    ROWS = [line.split() for line in file]


def rows(kind):
    return [row[1:] for row in ROWS if row[0] == kind]


class Layout(unittest.TestCase):
    def test_structs(self):
        self.assertGreater(len(STRUCTS), 50)
        self.assertEqual({name: (int(size),) for name, size in rows("struct")}, {name: MEASURED[name] for name in STRUCTS})

    def test_members(self):
        ours = [("%s.%s" % (struct, member), (int(offset), int(size))) for struct, member, _, offset, size in rows("member")]
        names = ["%s.%s" % (struct, member) for struct, all in STRUCTS.items() for member in all]
        self.assertGreater(len(names), 300)
        self.assertEqual(sorted(name for name, _ in ours), sorted(names))
        for name, place in ours:
            with self.subTest(member=name):
                self.assertEqual(place, MEASURED[name])
        for struct, all in STRUCTS.items():
            self.assertEqual([row[1] for row in rows("member") if row[0] == struct], all)

    def test_kinds(self):
        """A number where C has one of that kind, a bool, a pointer or an enum: the size alone does not tell."""
        for struct, member, kind, _, _ in rows("member"):
            body = " ".join(re.search(r"\bstruct\s+%s\s*\{([^}]*)\}" % struct, TEXT)[1].split())
            declaration = next(d.strip() for d in body.split(";") if member in members(d))
            array = re.search(r"\[(\w+)\]", declaration)
            base = re.match(r"(?:const )?(\w+)", declaration)[1]
            with self.subTest(struct=struct, member=member, declaration=declaration):
                if array:
                    self.assertEqual(kind, array[1])
                elif "*" in declaration or is_callback(declaration):
                    text = base == "char" and "const *" not in declaration
                    self.assertEqual(kind, "text" if text else "pointer")
                else:
                    self.assertEqual("bytes" if kind == "content" else kind, KINDS.get(base, "int"))

    def test_enums(self):
        ours = {name + "." + constant: (int(value),) for name, constant, value in rows("enum")
                if constant != "UNKNOWN" or name == "Signer$Revocation"}
        known = {"Signer$Revocation.UNKNOWN": MEASURED["SE_REVOCATION_UNKNOWN"]}
        for name, prefix in PREFIXES.items():
            for words in ENUMS.values():
                for word in words:
                    if word == "SE_OK" and name == "Status":
                        known["Status.OK"] = MEASURED[word]
                    elif word.startswith(prefix) and not any(word.startswith(o) and len(o) > len(prefix) for o in PREFIXES.values()):
                        known[ENUM_PREFIXES[name] + "." + word[len(prefix):]] = MEASURED[word]
        self.assertEqual(ours, known)
        self.assertEqual(len(known), sum(map(len, ENUMS.values())))

    def test_records(self):
        """What is told has all that C tells, but for counts and what is not for callers."""
        told = {"se_signer", "se_report", "se_event", "se_mail", "se_finding", "se_check_row", "se_check_finding", "se_zip_entry",
                "se_evidence_stamp", "se_access_row", "se_access_who", "se_access_what", "se_history_chain", "se_history_seals",
                "se_history_appended", "se_history_report", "se_history_entry", "se_history_proof"}
        found = {}
        for struct, component in rows("record"):
            found.setdefault(struct, []).append(component)
        self.assertEqual(told - set(found), set())
        for struct in told:
            self.assertEqual(found[struct], [m for m in STRUCTS[struct] if not m.endswith("_count")])

    def test_options(self):
        """What is asked can be asked for: each member has a method, or the class fills it by itself."""
        filled = {"size", "has_uid", "gids", "report", "report_arg", "event", "event_arg", "follows", "finding", "finding_arg", "signer",
                  "leeway_used", "signature", "later", "entry", "progress_arg"}
        asked = {struct: set() for struct in STRUCTS if STRUCTS[struct][0] == "size"}
        for struct, method in rows("option"):
            asked[struct].add(method)
        for struct, methods in asked.items():
            with self.subTest(struct=struct):
                wanted = {m for m in STRUCTS[struct] if not m.endswith("_count")} - filled
                if struct == "se_verify_params":
                    wanted -= {"content"}
                if struct == "se_use":
                    wanted -= {"operation"}
                self.assertEqual(wanted - methods, set())

    def test_functions(self):
        """Each is called somewhere."""
        text = ""
        for path in glob.glob(os.path.join(os.environ["top_srcdir"], "java/org/signengine/*.java")):
            with open(path, encoding="utf-8") as source:
                text += source.read()
        self.assertGreater(len(FUNCTIONS), 80)
        self.assertEqual([name for name in sorted(FUNCTIONS - {"se_source_fd", "se_sink_fd"}) if '"%s"' % name not in text], [])
        named = set(re.findall(r'"(se_\w+)"', text)) - set(STRUCTS) - {"se_history_", "se_finding_", "se_mail_"}
        self.assertEqual(sorted(named - FUNCTIONS), [])
