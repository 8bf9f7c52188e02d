# SPDX-License-Identifier: Apache-2.0
"""xml-shapes.py SHAPE BYTES: an XML document of about that size, of a shape for which some step of signing might take quadratic time."""
import sys

DEPTH = 150


def nested(tag, attributes, inner, room):
    """DEPTH elements within each other, and in the innermost as many `inner` as there is room for."""
    starts = "".join("<%s%s>" % (tag, attributes(i)) for i in range(DEPTH))
    ends = "</%s>" % tag * DEPTH
    return "<r>" + starts + repeated(inner, room - len(starts) - len(ends)) + ends + "</r>"


def repeated(text, room):
    return text * (max(room, len(text)) // len(text))


def declarations(i):
    return "".join(' xmlns:p%d_%d="urn:%d" p%d_%d:a=""' % (i, j, j, i, j) for j in range(120))


def flat(prefixes, uri, inner, room):
    return "<r Id='e'%s>%s</r>" % ("".join(" xmlns:%s='%s'" % (p, uri(i)) for i, p in enumerate(prefixes)), repeated(inner, room))


def numbered(count, start):
    return ["%s%d" % (start, i) for i in range(count)]


def siblings(piece, room):
    """`piece` with a number each"""
    return "<r Id='e'>" + "".join(piece % i for i in range(room // len(piece % 100000))) + "</r>"


XMLDSIG = 'xmlns="http://www.w3.org/2000/09/xmldsig#"'
SIGNATURE = "<Signature " + XMLDSIG + "><SignedInfo><Reference URI='#x%d'/></SignedInfo></Signature>"
SHAPES = {
    "plain": lambda n: siblings("<entry number='%d'><name>someone</name><state>active</state></entry>", n),
    "namespaces-nested": lambda n: nested("e", declarations, '<b c=""/>', n),
    "namespaces-35": lambda n: flat(numbered(35, "p"), lambda i: "http://example.org/schema/%d" % i, "<p7:r p7:id='e7'><p8:t>a b c</p8:t></p7:r>", n),
    "namespaces-60": lambda n: flat(numbered(60, "p"), lambda i: "urn:%d" % i, "<a/>", n),
    "namespaces-250": lambda n: flat(numbered(250, "p"), lambda i: "urn:%d" % i, "<a/>", n),
    "prefixes-long": lambda n: flat(numbered(30, "p" * 900), lambda i: "urn:%d" % i, "<a/>", n),
    "uris-long": lambda n: flat(numbered(30, "p"), lambda i: "urn:" + "u" * 10000 + str(i), "<b %s/>" % " ".join("p%d:a=''" % i for i in range(30)), n),
    "uris-long-alike": lambda n: "<r>" + repeated("<a xmlns:p='urn:%s'><p:b/></a>" % ("u" * 900), n) + "</r>",
    "prefixed-nested": lambda n: "<z:r xmlns:z='urn:z'>" + nested("z:e", lambda i: "".join(" z:a%d=''" % j for j in range(250)), "<b/>", n) + "</z:r>",
    "redeclared": lambda n: siblings("<p:a xmlns:p='urn:%d'><p:b xmlns:p='urn:a'/></p:a>", n),
    "default-toggled": lambda n: "<r>" + repeated("<a xmlns='urn:a'><b xmlns=''><c xmlns='urn:a'/></b></a>", n) + "</r>",
    "attributes": lambda n: "<r>" + repeated("<a%s/>" % "".join(" a%d=''" % i for i in range(255, 0, -1)), n) + "</r>",
    "attributes-of-xml": lambda n: "<r>" + nested("e", lambda i: "".join(" xml:a%d_%d=''" % (i, j) for j in range(120)), "<b/>", n).replace("<b/>", "<b Id='e'/>", 1) + "</r>",
    "depth": lambda n: "<r>" + repeated("<a>" * 190 + "</a>" * 190, n) + "</r>",
    "ids": lambda n: siblings("<a Id='e%d'/>", n),
    "signatures": lambda n: siblings("<w>" + SIGNATURE + "</w>", n),
    "references": lambda n: "<r Id='e'><w><Signature " + XMLDSIG + "><SignedInfo>" + siblings("<Reference URI='#x%d'/>", n)[10:-4] + "</SignedInfo></Signature></w></r>",
    "characters": lambda n: "<r>" + repeated("<b/>" + "&#65;&amp;" * 5000, n) + "</r>",
    "value": lambda n: "<r a='" + repeated("&#65;&amp;&#10;x", n) + "'/>",
    "text": lambda n: "<r>" + repeated("text ", n) + "</r>",
    "cdata": lambda n: "<r>" + repeated("<![CDATA[a]]>b", n) + "</r>",
    "comments": lambda n: "<r>" + repeated("<!-- a -->b", n) + "</r>",
    "instructions": lambda n: "<r>" + repeated("<?a b?>\r\n", n) + "</r>" + repeated("<?a b?>", n // 10),
    "names-long": lambda n: siblings("<" + "n" * 900 + "%d/>", n),
    "names-900": lambda n: siblings("<" + "n" * 900 + " %d=''/>".replace("%d", "a%d"), n),
}

if __name__ == "__main__":
    if len(sys.argv) == 1:
        print("\n".join(SHAPES))
    else:
        sys.stdout.write(SHAPES[sys.argv[1]](int(sys.argv[2])))
