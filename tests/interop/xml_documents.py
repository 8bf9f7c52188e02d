# SPDX-License-Identifier: Apache-2.0
"""
Random XML documents, full of what readers and canonical forms may differ about; every signature of ours that is made over one must be
good for xmlsec1 and the JDK, every one of theirs that both call good must be good for us, and what is changed afterwards and still good
for us must be good for them.

  xml_documents.py SEED COUNT SECONDS XMLSIGN JAVA-CLASS-PATH

It works in the current folder, which holds engine.xml with the descriptor Files, one.key, one.p12 (1234), one.pem and ca.pem.
Prints what differs, then what was refused, by reason, and how much was compared; status 1 if anything differs.
"""
import collections
import os
import random
import re
import subprocess
import sys
import time

DSIG = "http://www.w3.org/2000/09/xmldsig#"
FORMS = ["document", "document-inclusive", "enveloping", "enveloping-inclusive", "id", "id-inclusive"]
ID_NAMES = ["Id", "ID", "id", "xml:id"]
TARGET_SPACES = ["", "urn:a", "http://example.org/b"]

FORMAT = 10  # SE_ERR_FORMAT
ODD = 0.006  # how often something is taken that is mostly refused


class Maker:
    """One document."""

    def __init__(self, rng):
        self.rng = rng
        self.id = None
        self.wanted_id = rng.choice(["t", "t1", "_x.y-z", "\u00e9t\u00e9"] if rng.random() > ODD else ["1", "a b", "x%20", "a'b", ""])

    def pick(self, ordinary, odd):
        return self.rng.choice(odd if self.rng.random() < ODD else ordinary)

    def local(self):
        return self.pick(["a", "b", "item", "A", "a-b", "a.b", "_", "a1", "\u00e9", "e\u0301", "\u03b1\u03b2", "\u4e2d\u6587", "xmlthing", "XML-a", "xmlnsx", "Signature"],
                         ["a:b", ":a", "a:", "\u2c00", "\u0370x", "\U00010000", "1a", "-a", "n" * 900, "n" * 1001, "xml", "a\u00b7b", "\u2070"])

    def space(self):
        return self.pick(["urn:a", "urn:b", "http://example.org/b", "http://example.org/B", "HTTP://x/", "urn:%41", "urn:a'b", "mailto:x@y", "http://[::1]/",
                          "a:", "urn:x#frag", "urn:a?b", "http://example.org/a;b,c=d", "z+.-9:x"],
                         ["urn:a&amp;b", "http://x/?a=1&#38;b", "rel", "./x", "#frag", "//host/x", "?q", ":x", "1:x", "urn:\u00e9", "urn:a b", " urn:a", "urn:a\t", "urn:&quot;", "urn:a|b",
                          "urn:&#65;", "urn:{a}", "urn:" + "u" * 990, "urn:" + "u" * 1000, "http://www.w3.org/XML/1998/namespace", "http://www.w3.org/2000/xmlns/", DSIG, "&lt;", "urn:a&gt;", "urn:^",
                          "urn:%zz", "urn:a\\b", "urn:`", "urn:\u2028", "http://x:y/", "a_b:c", "urn:[x]"])

    def text(self):
        pieces = ["x", " ", "\n", "\t", "\r\n", "\r", "&#13;", "&#xD;", "&#xA;", "&#9;", "&amp;", "&lt;", "&gt;", ">", "&quot;", "&apos;", '"', "'", "\u0085", "\u2028", "&#x85;", "&#x2028;",
                  "\ufeff", "e\u0301", "\u00e9", "\u212b", "\U0001f600", "&#x1F600;", "\ufdd0", "\U0001fffe", "\x7f", "&#x80;", "\u200b", "<![CDATA[<&>\r\n]]>", "<![CDATA[]]>", "<![CDATA[]]]]><![CDATA[>]]>",
                  "<!---->", "<!-- - c -->", "<?p?>", "<?p  a  ?>", "<?p a\rb?>", "<?p &amp; <?>", "<?xml-stylesheet href='x'?>", "]]", "]>"]
        odd = ["&#0;", "&#x1;", "&#xD800;", "&x;", "&", "]]>", "\x01", "\ufffe", "<?xml version='1.0'?>", "<?XML a?>", "<?a:b c?>", "<!-- -- -->", "&#x110000;", "<!x>", "\ufffd", "&#xFFFE;"]
        return "".join(self.pick(pieces, odd) if self.rng.random() < 0.9 else self.rng.choice(pieces) for _ in range(self.rng.choice([0, 0, 1, 2, 5])))

    def value(self):
        pieces = ["x", " ", "  ", "\n", "\t", "\r\n", "\r", "&#13;", "&#10;", "&#9;", "&#32;", "&amp;", "&lt;", "&gt;", ">", "&quot;", "\u0085", "\u2028", "\u00e9", "e\u0301", "\U0001f600", "&#x85;", "&amp;amp;", "&apos;", "'"]
        return "".join(self.pick(pieces, ["<", "&", "&x;", "\ufffe", "&#0;"]) for _ in range(self.rng.choice([0, 1, 1, 3])))

    def quoted(self, text):
        quote = self.rng.choice([q for q in "\"'" if q not in text])
        return quote + text + quote

    def declarations(self, scope):
        out = {}
        for _ in range(self.rng.choice([0, 0, 0, 1, 1, 2, 4])):
            prefix = self.pick(["", "", "p", "q", "r", "ds", "xmlfoo", "\u00e9", "P", "p-1"], ["xml", "xmlns", "", "n" * 300])
            space = "" if not prefix and self.rng.random() < 0.3 else self.space()
            if prefix == "xml" and self.rng.random() < 0.7:
                space = "http://www.w3.org/XML/1998/namespace"
            if self.rng.random() < ODD / 2:
                space = ""
            out[prefix] = space
        scope.update(out)
        return out

    def attributes(self, scope):
        out, seen = [], set()
        prefixes = [p for p in scope if p and p not in ("xml", "xmlns")]
        for _ in range(self.rng.choice([0, 0, 1, 2, 3, 6])):
            name = self.local().replace("Signature", "s")
            if prefixes and self.rng.random() < 0.4:
                prefix = self.rng.choice(prefixes)
                if (scope[prefix], name) in seen and self.rng.random() > ODD:
                    continue
                seen.add((scope[prefix], name))
                out.append((prefix + ":" + name, self.value()))
            elif name not in [n for n, _ in out] or self.rng.random() < ODD:
                out.append((name, self.value()))
        for name, values in ("xml:lang", ["de", "", "x y"]), ("xml:space", ["preserve", "default", "odd"]), ("xml:base", ["http://x/", "y", "../%20"]), ("xml:foo", ["1"]), ("xml:id", [" i ", "i-%d" % self.rng.randrange(10**6)]):
            if self.rng.random() < 0.05:
                out.append((name, self.rng.choice(values)))
        return out

    def element(self, scope, depth):
        scope = dict(scope)
        declared = self.declarations(scope)
        attributes = self.attributes(scope)
        prefixes = [p for p in scope if p not in ("xml", "xmlns")]
        prefix = self.rng.choice(prefixes) if prefixes and self.rng.random() < 0.5 else ""
        name = (prefix + ":" if prefix else "") + self.local()
        if self.rng.random() < ODD / 4:
            name = "undeclared:" + name
        if self.id is None and self.rng.random() < 0.3 or self.rng.random() < ODD / 4:
            space = self.rng.choice(TARGET_SPACES)
            declared[""] = scope[""] = space
            name, self.id = "target", self.wanted_id
            id_name = self.rng.choice(ID_NAMES)
            attributes = [a for a in attributes if a[0] not in ID_NAMES] + [(id_name, self.id)]
        words = [("xmlns:" + p if p else "xmlns", self.quoted(u)) for p, u in declared.items()] + [(n, self.quoted(v)) for n, v in attributes]
        self.rng.shuffle(words)
        tag = name + "".join(self.rng.choice([" ", " ", "\n ", "\r\n", "\t"]) + n + self.rng.choice(["=", "=", " = ", "\n="]) + v for n, v in words) + self.rng.choice(["", "", " "])
        if depth == 0 or self.rng.random() < 0.2:
            return "<" + tag + "/>" if self.rng.random() < 0.5 else "<%s></%s>" % (tag, name)
        inner = "".join(self.text() + self.element(scope, depth - 1) for _ in range(self.rng.choice([0, 1, 1, 2, 3]))) + self.text()
        return "<%s>%s</%s%s>" % (tag, inner, name, self.rng.choice(["", " ", "\n"]))

    def make(self):
        around = ["", "", "\n", "<!-- c -->", "<?p d?>", "\r\n", "<?p d?>\n<!-- c -->\n", "<?q?>"]
        declaration, codec = self.pick([("", "utf-8"), ('<?xml version="1.0"?>', "utf-8"), ("<?xml version='1.0' encoding='utf-8' ?>\n", "utf-8"), ('<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r\n', "utf-8")],
                                       [('<?xml version="1.1"?>', "utf-8"), ('<?xml version="1.5"?>', "utf-8"), ('<?xml encoding="UTF-8" version="1.0"?>', "utf-8"), ('<?xml encoding="UTF-8"?>', "utf-8"),
                                        ('<?xml version="1.0" encoding="UTF8"?>', "utf-8"), ('<?xml version="1.0" encoding="US-ASCII"?>', "utf-8"), ('<?xml version="1.0" encoding="ASCII"?>', "ascii"),
                                        ('<?xml version="1.0" encoding="ISO-8859-1"?>', "latin-1"), ('<?xml version="1.0" encoding="UTF-16"?>', "utf-16"), ('<?xml version="1.0" encoding="UTF-7"?>', "utf-7"),
                                        ('<?xml version="1.0" encoding="UTF-16"?>', "utf-8"), ('<?xml version="1.0" encoding="Cp037"?>', "cp037"), (' <?xml version="1.0"?>', "utf-8"), ('<?xml version="1.0" standalone="maybe"?>', "utf-8"),
                                        ("<?xml version='&#49;.0'?>", "utf-8"), ('<?XML version="1.0"?>', "utf-8"), ('<?xml version="1.0" encoding="x" encoding="UTF-8"?>', "utf-8")])
        dtd = self.pick([""], ["<!DOCTYPE a>", "<!DOCTYPE a [<!ENTITY x 'y'>]>", "<!DOCTYPE a [<!ATTLIST a b CDATA 'c' i NMTOKENS #IMPLIED>]>", "<!DOCTYPE a SYSTEM 'x.dtd'>"])
        mark = self.rng.choice(["", "", "", "\ufeff"] if codec == "utf-8" else [""])
        depth = 190 if self.rng.random() < ODD / 4 else self.rng.choice([0, 1, 2, 3, 4])
        body = self.element({"": ""}, depth if depth < 100 else 2)
        if depth > 100:
            count = self.rng.choice([150, 199, 210])
            body = "<d>" * count + body + "</d>" * count
        whole = mark + declaration + self.rng.choice(around) + dtd + self.rng.choice(around) + body + self.rng.choice(around)
        return whole.encode(codec, "xmlcharrefreplace" if codec not in ("utf-8", "utf-16", "utf-7") else "strict")


def change(rng, text):
    """A change of the text outside of the signature, which may matter or not."""
    start = text.find(b"<ds:Signature")
    head, tail = (text[:start], text[start:]) if start > 0 else (text, b"")
    changes = [
        lambda t: re.sub(rb"version=(.)1\.0", rb"version=\g<1>1.1", t, count=1),
        lambda t: b'<?xml version="1.1"?>' + t,
        lambda t: re.sub(rb"encoding=(.)[^'\"]*", rb"encoding=\g<1>ISO-8859-1", t, count=1),
        lambda t: t.replace(b">", b"><!-- new -->", 1),
        lambda t: t.replace(b"\n", b"\r\n"),
        lambda t: t.replace(b" ", b"  ", 1),
        lambda t: t.replace(b"/>", b"></x>", 1),
        lambda t: t.replace("\u0085".encode(), b"\n"),
        lambda t: t.replace("\u00e9".encode(), "e\u0301".encode(), 1),
        lambda t: t.replace(b"'", b'"'),
        lambda t: t.replace(b"<?p", b"<?q", 1),
        lambda t: t.replace(b"urn:a", b"urn:b", 1),
        lambda t: re.sub(rb" xmlns:(\w+)=", rb" xmlns:\g<1>x=", t, count=1),
        lambda t: re.sub(rb"&#x?\w+;", b"", t, count=1),
        lambda t: b"\xef\xbb\xbf" + t,
        lambda t: re.sub(rb"(<!DOCTYPE.*?>|)<(\w)", rb"<!DOCTYPE x [<!ATTLIST x y CDATA 'z'>]><\2", t, count=1),
        lambda t: re.sub(rb"<!--.*?-->", b"", t),
        lambda t: re.sub(rb"<!\[CDATA\[(\w*)\]\]>", rb"\1", t),
        lambda t: re.sub(rb"=\s*(['\"])", rb"=\1 ", t, count=1),
    ]
    return rng.choice(changes)(head) + tail


class Judges:
    def __init__(self, xmlsign, class_path):
        self.xmlsign, self.class_path = xmlsign, class_path
        self.ids = []
        for name in ID_NAMES[:3]:
            for space in TARGET_SPACES:
                self.ids += ["--id-attr:" + name, (space + ":" if space else "") + "target"]

    def ours(self, jobs):
        out = subprocess.run([self.xmlsign, "engine.xml", "Files"], input="".join(" ".join(j) + "\n" for j in jobs), capture_output=True, text=True, errors="replace")
        answers = [(int(line.split(" ", 1)[0]), line.split(" ", 1)[1]) for line in out.stdout.split("\n") if line]
        if len(answers) != len(jobs):
            sys.exit("xmlsign ended after %d of %d jobs: %d %s" % (len(answers), len(jobs), out.returncode, out.stderr))
        return answers

    def java(self, jobs):
        out = subprocess.run(["java", "-XX:TieredStopAtLevel=1", "-Xss8m", "-cp", self.class_path, "XmlDsig", "-"], input="".join(" ".join(j) + "\n" for j in jobs), capture_output=True, text=True, env=dict(os.environ, LC_ALL="C.UTF-8"))
        answers = [line.rsplit(": ", 1)[-1] if line.endswith((": good", ": bad")) else line for line in out.stdout.split("\n") if line]
        if len(answers) != len(jobs):
            sys.exit("java ended after %d of %d jobs: %s" % (len(answers), len(jobs), out.stderr[-500:]))
        return answers

    def xmlsec(self, file, identifier):
        """It refuses a document in which an ID that it was told of is there twice, whatever is signed."""
        ids = self.ids if identifier != "-" else ["--id-attr:Id", DSIG + ":Object"]
        out = subprocess.run(["xmlsec1", "--verify", "--trusted-pem", "ca.pem", *ids, file], capture_output=True, text=True, errors="replace")
        return "good" if out.returncode == 0 else "bad"

    def xmlsec_sign(self, template, out):
        return subprocess.run(["xmlsec1", "--sign", "--privkey-pem", "one.key,one.pem", *self.ids, "--output", out, template], capture_output=True).returncode == 0


def template(text, form, identifier):
    """`text` with an empty signature for xmlsec1 as the last child of what is signed; None where that can't be done by replacing text."""
    c14n = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315" if "inclusive" in form else "http://www.w3.org/2001/10/xml-exc-c14n#"
    uri = "#" + identifier if form.startswith("id") else ""
    signature = ("<Signature xmlns='%s'><SignedInfo><CanonicalizationMethod Algorithm='%s'/><SignatureMethod Algorithm='http://www.w3.org/2001/04/xmldsig-more#rsa-sha256'/>"
                 "<Reference URI='%s'><Transforms><Transform Algorithm='%senveloped-signature'/><Transform Algorithm='%s'/></Transforms><DigestMethod Algorithm='http://www.w3.org/2001/04/xmlenc#sha256'/>"
                 "<DigestValue/></Reference></SignedInfo><SignatureValue/><KeyInfo><X509Data><X509Certificate/></X509Data></KeyInfo></Signature>") % (DSIG, c14n, uri, DSIG, c14n)
    ends = list(re.finditer(rb"</target\s*>" if uri else rb"</[^<>]*>", text))
    if not ends or uri and len(ends) > 1:
        return None
    return text[:ends[-1].start()] + signature.encode() + text[ends[-1].start():]


class Campaign:
    def __init__(self, rng, judges):
        self.rng, self.judges = rng, judges
        self.refused, self.counts, self.differences = collections.Counter(), collections.Counter(), 0
        self.repeated = set()  # of this round: the JDK writes xml:lang and its like twice, where an ancestor has it too

    def differ(self, what, file):
        self.differences += 1
        os.makedirs("kept", exist_ok=True)
        with open(file, "rb") as f:
            text = f.read()
        with open("kept/%d.xml" % self.differences, "wb") as f:
            f.write(text)
        print("DIFFERS: %s: %s" % (what, ascii(text[:400].decode("utf-8", "replace"))), flush=True)

    def compare(self, files, label):
        """files: [(file, id or "-")]; what is good for us must be good for the others"""
        ours = self.judges.ours([("verify", identifier, file) for file, identifier in files])
        java = self.judges.java([("verify", file, "signed-object" if "enveloping" in file else identifier) for file, identifier in files])
        for (file, identifier), (status, why), theirs in zip(files, ours, java):
            xmlsec = self.judges.xmlsec(file, identifier) if status == 0 or label == "theirs" else "-"
            self.counts["%s: %s" % (label, "good" if status == 0 else "not good")] += 1
            if status == 0 and xmlsec == "good" and theirs == "bad" and file in self.repeated:
                self.counts["%s: bad for the JDK, which repeats an attribute" % label] += 1
            elif status == 0 and (theirs != "good" or xmlsec != "good"):
                self.differ("%s, good for us, xmlsec1: %s, Java: %s" % (label, xmlsec, theirs), file)
            elif label == "ours" and status:
                self.differ("signed by us, and refused: %s" % why, file)
            elif label == "theirs" and status and theirs == "good" and xmlsec == "good":
                self.refused["%s: %s" % (label, reason(why))] += 1
                if "is not what was signed" in why or "SignatureValue" in why:
                    self.differ("good for xmlsec1 and Java, and not for us: " + why, file)

    def round(self, count):
        makers = [Maker(self.rng) for _ in range(count)]
        jobs, forms = [], []
        for i, maker in enumerate(makers):
            with open("d%d.xml" % i, "wb") as f:
                f.write(maker.make())
            form = self.rng.choice(FORMS)
            while form.startswith("id") and (not maker.id or " " in maker.id):
                form = self.rng.choice(FORMS)
            forms.append((form, maker.id if form.startswith("id") else "-"))
            jobs.append(("sign", form.replace("id", "document"), forms[-1][1], "d%d.xml" % i, "s%d-%s.xml" % (i, form)))
        signed = []
        self.repeated.clear()
        for (verb, form, identifier, source, out), (status, why) in zip(jobs, self.judges.ours(jobs)):
            self.counts["documents"] += 1
            if status == 0:
                signed.append((out, identifier))
            else:
                self.refused[reason(why)] += 1
                if "of which inclusive canonical forms differ" in why:
                    self.repeated |= {other + out[1:] for other in "xj"}
                if status != FORMAT:
                    self.differ("refused with %d: %s" % (status, why), source)
        self.compare(signed, "ours")
        self.changed(signed)
        self.theirs(forms)

    def changed(self, signed):
        files = []
        for file, identifier in signed:
            with open(file, "rb") as f:
                text = f.read()
            other = change(self.rng, text)
            if other != text:
                files.append(("c" + file, identifier))
                with open(files[-1][0], "wb") as f:
                    f.write(other)
        self.compare(files, "changed")

    def theirs(self, forms):
        files = []
        for i, (form, identifier) in enumerate(forms):
            if form.startswith("enveloping") or i % 3:
                continue
            with open("d%d.xml" % i, "rb") as f:
                text = template(f.read(), form, identifier)
            if text:
                with open("t.xml", "wb") as f:
                    f.write(text)
                if self.judges.xmlsec_sign("t.xml", "x%d-%s.xml" % (i, form)):
                    files.append(("x%d-%s.xml" % (i, form), identifier))
        c14n = {True: "http://www.w3.org/TR/2001/REC-xml-c14n-20010315", False: "http://www.w3.org/2001/10/xml-exc-c14n#"}
        jobs = [("sign", "one.p12", "d%d.xml" % i, "j%d-%s.xml" % (i, form), "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "http://www.w3.org/2001/04/xmlenc#sha256",
                 c14n["inclusive" in form], identifier) for i, (form, identifier) in enumerate(forms) if not form.startswith("enveloping")]
        files += [(job[3], job[7]) for job, answer in zip(jobs, self.judges.java(jobs)) if answer == "good"]
        self.compare(files, "theirs")


def reason(why):
    why = re.sub(r"^.*key 'one': |^.*version \d+: ", "", why)
    return re.sub(r"line \d+|'[^']*'|<[^>]*>|\d+", "_", why)[:90]


def main():
    seed, count, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    campaign = Campaign(random.Random(seed), Judges(sys.argv[4], sys.argv[5]))
    end = time.time() + seconds
    while True:
        campaign.round(count)
        if time.time() >= end:
            break
    for why, times in campaign.refused.most_common():
        print("refused %5d  %s" % (times, ascii(why)))
    for what, times in sorted(campaign.counts.items()):
        print("%6d %s" % (times, what))
    print("%6d differences (seed %d)" % (campaign.differences, seed))
    sys.exit(campaign.differences > 0)


if __name__ == "__main__":
    main()
