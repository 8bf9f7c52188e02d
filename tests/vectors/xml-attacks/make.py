#!/usr/bin/env python3
"""Makes the folders beside this file anew, with new keys that are thrown away: each has document.xml, maybe `arguments` of
`signengine verify --xml`, and `expected`, whose lines are the exit status and a part of the message.

Whatever does not attack the signature itself is signed well.  The texts are written in their canonical form, so that hashing needs no
XML library.
"""
import base64
import hashlib
import hmac
import os
import shutil
import subprocess
import sys
import tempfile

DS = "http://www.w3.org/2000/09/xmldsig#"
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
ENVELOPED = DS + "enveloped-signature"
HERE = os.path.dirname(os.path.abspath(__file__))
NAMESPACE = f' xmlns:ds="{DS}"'


def openssl(*arguments, data=None):
    return subprocess.run(["openssl", *arguments], input=data, check=True, capture_output=True).stdout


def make_certificate(name, issuer, kind, *extensions):
    if kind == "rsa":
        openssl("genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", name + ".key")
    else:
        openssl("genpkey", "-quiet", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", name + ".key")
    command = ["req", "-x509", "-new", "-key", name + ".key", "-subj", "/CN=" + name, "-days", "36500", "-config", "/dev/null",
               "-out", name + ".pem"]
    for extension in extensions:
        command += ["-addext", extension]
    if issuer:
        command += ["-CA", issuer + ".pem", "-CAkey", issuer + ".key"]
    openssl(*command)


def b64(data):
    return base64.b64encode(data).decode()


def certificate_text(name):
    return b64(openssl("x509", "-in", name + ".pem", "-outform", "DER"))


def key_info(name="signer"):
    return f"<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{certificate_text(name)}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"


def method(element, algorithm, inner=""):
    return f'<ds:{element} Algorithm="{algorithm}">{inner}</ds:{element}>'


def digest_of(text, hash_name="sha256"):
    return b64(hashlib.new(hash_name, text.encode()).digest())


def reference(content, uri='URI=""', transforms=(ENVELOPED, EXCLUSIVE), digest=SHA256, hash_name="sha256", value=None, type_=""):
    chain = "".join(t if t.startswith("<") else method("Transform", t) for t in transforms)
    chain = f"<ds:Transforms>{chain}</ds:Transforms>" if chain else ""
    value = value if value is not None else digest_of(content, hash_name)
    attributes = (" " + type_ if type_ else "") + (" " + uri if uri else "")
    return f"<ds:Reference{attributes}>{chain}{method('DigestMethod', digest)}<ds:DigestValue>{value}</ds:DigestValue></ds:Reference>"


def signed_info(references, c14n=EXCLUSIVE, algorithm=MORE + "rsa-sha256", parameter=""):
    return ("<ds:SignedInfo>" + method("CanonicalizationMethod", c14n) + method("SignatureMethod", algorithm, parameter) + references +
            "</ds:SignedInfo>")


def canonical(info):
    return info.replace("<ds:SignedInfo", "<ds:SignedInfo" + NAMESPACE, 1)


def value_of(info, signer="signer", hash_name="sha256"):
    return b64(openssl("dgst", "-" + hash_name, "-sign", signer + ".key", data=canonical(info).encode()))


def signature(info, value=None, keys=None, objects="", **how):
    value = value if value is not None else value_of(info, **how)
    keys = keys if keys is not None else key_info()
    return f"<ds:Signature{NAMESPACE}>{info}<ds:SignatureValue>{value}</ds:SignatureValue>{keys}{objects}</ds:Signature>"


ORDER = "<order><item>1</item></order>"


def order(sig, content=ORDER):
    return content.replace("</order>", sig + "</order>")


def put(name, document, status, message, arguments=""):
    folder = os.path.join(HERE, name)
    os.makedirs(folder)
    data = document if isinstance(document, bytes) else document.encode()
    with open(os.path.join(folder, "document.xml"), "wb") as f:
        f.write(data)
    with open(os.path.join(folder, "expected"), "w", encoding="utf-8") as f:
        f.write(f"{status}\n{message}\n" if message else f"{status}\n")
    if arguments:
        with open(os.path.join(folder, "arguments"), "w", encoding="utf-8") as f:
            f.write(arguments + "\n")


def good(**how):
    return signature(signed_info(reference(ORDER)), **how)


def wrapping():
    """The eight forms of "On Breaking SAML: Be Whoever You Want to Be" (Somorovsky and others, 2012)."""
    def subject(name):
        return f"<Subject>{name}</Subject>"

    def by_id(identity, content):
        return signature(signed_info(reference(content, f'URI="#{identity}"')))

    def response(identity, inner):
        return f'<Response ID="{identity}">{inner}</Response>'

    def assertion(identity, inner):
        return f'<Assertion ID="{identity}">{inner}</Assertion>'

    whole = response("r", assertion("a", subject("alice")))
    over_response = by_id("r", whole)
    part = assertion("a", subject("alice"))
    over_part = by_id("a", part)
    evil = assertion("evil", subject("mallory"))
    put("good-response", whole.replace("</Response>", over_response + "</Response>"), 0, "", "")
    put("good-assertion", response("r", assertion("a", subject("alice") + over_part)), 0, "", "--id a")

    def within(sig, inner):
        return sig.replace("</ds:Signature>", inner + "</ds:Signature>")

    elsewhere = "the signature is about '#r'"
    put("wrapping-1", response("evil", evil + within(over_response, whole)), 1, "in <Signature> is not accepted")
    put("wrapping-2", response("evil", evil + whole + over_response), 1, elsewhere)
    put("wrapping-3", response("r", evil + assertion("a", subject("alice") + over_part)), 65, "no signature over the element", "--id evil")
    put("wrapping-4", response("r", assertion("evil", subject("mallory") + assertion("a", subject("alice") + over_part))), 65,
        "no signature over the element", "--id evil")
    put("wrapping-5", response("r", assertion("evil", subject("mallory") + over_part) + part), 1, "the signature is about '#a'",
        "--id evil")
    put("wrapping-6", response("r", assertion("evil", subject("mallory") + within(over_part, part))), 1, "in <Signature> is not accepted",
        "--id evil")
    put("wrapping-7", response("r", "<Extensions>" + assertion("a", subject("mallory")) + "</Extensions>" +
                               assertion("a", subject("alice") + over_part)), 1, "several elements have the ID 'a'", "--id a")
    put("wrapping-8", response("r", assertion("evil", subject("mallory") + within(over_part, f"<ds:Object>{part}</ds:Object>"))), 1,
        "the signature is about '#a'", "--id evil")
    put("wrapping-object-by-its-id", response("r", assertion("evil", subject("mallory") +
                                              within(over_part, f"<ds:Object>{part}</ds:Object>"))), 1, "is a part of a signature",
        "--id a")
    put("wrapping-whole-document", response("r", evil + assertion("a", subject("alice") + over_part)), 1,
        "no signature covers the whole document")
    put("id-in-two-spellings", f'<r><x Id="a">mallory</x>{assertion("a", subject("alice") + over_part)}</r>', 1,
        "several elements have the ID 'a'", "--id a")
    put("id-of-xml-and-ours", f'<r><x xml:id="a">mallory</x>{assertion("a", subject("alice") + over_part)}</r>', 1,
        "several elements have the ID 'a'", "--id a")
    put("id-missing", response("r", assertion("a", subject("alice") + over_part)), 1, "no element has the ID 'b'", "--id b")
    put("signature-deeper", response("r", assertion("a", subject("alice") + over_response)), 1, "no signature covers the whole document")
    put("two-signatures-over-one-id", response("r", part + "<x>" + over_part + "</x><y>" + over_part + "</y>"), 1, "several signatures over",
        "--id a")
    put("signature-within-but-not-child", response("r", assertion("a", subject("alice") + "<x>" + over_part + "</x>")), 1,
        "somewhere inside of what it signs", "--id a")


def references():
    def sign(ref, **how):
        return order(signature(signed_info(ref, **how)))

    put("reference-to-a-file", sign(reference("", 'URI="file:///etc/hostname"', ())), 1, "nothing is fetched")
    put("reference-to-the-network", sign(reference("", 'URI="http://127.0.0.1:9/"', ())), 1, "nothing is fetched")
    put("reference-beside", sign(reference("", 'URI="document.xml"', ())), 1, "nothing is fetched")
    put("reference-by-xpointer", sign(reference(ORDER, 'URI="#xpointer(/)"')), 1, "XPointer")
    put("reference-by-xpointer-id", sign(reference(ORDER, "URI=\"#xpointer(id('a'))\"")), 1, "XPointer")
    put("reference-without-uri", sign(reference(ORDER, "")), 1, "has no URI")
    put("reference-to-a-manifest", sign(reference(ORDER, type_=f'Type="{DS}Manifest"')), 1, "of the type")
    put("references-two", sign(reference(ORDER) + reference(ORDER)), 1, "several References")
    put("references-none", sign(""), 65, "<Reference> is missing")
    put("reference-to-the-signature", order(signature(signed_info(reference("", 'URI="#s"'))).replace(
        "<ds:Signature ", '<ds:Signature Id="s" ')), 1, "the signature is about '#s'")
    put("reference-not-enveloped", sign(reference(ORDER, transforms=(EXCLUSIVE,))), 1, "does not leave itself out")
    put("transform-xslt", sign(reference(ORDER, transforms=(ENVELOPED, method(
        "Transform", "http://www.w3.org/TR/1999/REC-xslt-19991116",
        '<xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform" version="1.0"></xsl:stylesheet>')))), 1, "xslt")
    put("transform-xpath", sign(reference(ORDER, transforms=(ENVELOPED, method(
        "Transform", "http://www.w3.org/TR/1999/REC-xpath-19991116", "<ds:XPath>not(self::item)</ds:XPath>")))), 1, "xpath")
    put("transform-xpath-filter", sign(reference(ORDER, transforms=(ENVELOPED, method(
        "Transform", "http://www.w3.org/2002/06/xmldsig-filter2")))), 1, "filter2")
    put("transform-base64", sign(reference(ORDER, transforms=(ENVELOPED, DS + "base64"))), 1, "base64")
    put("transforms-none-in-list", sign(reference(ORDER, transforms=("<!---->",))), 1, "comment")
    put("transforms-three", sign(reference(ORDER, transforms=(ENVELOPED, EXCLUSIVE, INCLUSIVE))), 1, "in <Transforms> is not accepted")
    put("transform-with-comments", sign(reference(ORDER, transforms=(ENVELOPED, EXCLUSIVE + "WithComments"))), 1, "without comments")
    put("transform-prefixes-too-many", sign(reference(ORDER, transforms=(ENVELOPED, method(
        "Transform", EXCLUSIVE, f'<ec:InclusiveNamespaces xmlns:ec="{EXCLUSIVE}" PrefixList="{"a " * 40}"></ec:InclusiveNamespaces>')))), 1,
        "more than 32 prefixes")
    put("c14n-with-comments", sign(reference(ORDER), c14n=INCLUSIVE + "#WithComments"), 1, "without comments")
    put("c14n-unknown", sign(reference(ORDER), c14n="http://example.com/empty"), 1, "not accepted")


def algorithms():
    public = openssl("pkey", "-in", "signer.key", "-pubout", "-outform", "DER")

    def by_hmac(name, parameter=""):
        info = signed_info(reference(ORDER), algorithm=name, parameter=parameter)
        return info, b64(hmac.new(public, canonical(info).encode(), "sha256").digest())

    info, value = by_hmac(MORE + "hmac-sha256")
    put("hmac-with-the-public-key", order(signature(info, value)), 1, "HMAC")
    info, value = by_hmac(MORE + "hmac-sha256", "<ds:HMACOutputLength>8</ds:HMACOutputLength>")
    put("hmac-truncated", order(signature(info, value[:4])), 1, "HMAC")
    info = signed_info(reference(ORDER), algorithm=DS + "rsa-sha1")
    put("signature-sha1", order(signature(info, hash_name="sha1")), 1, "too weak")
    info = signed_info(reference(ORDER), algorithm=MORE + "rsa-md5")
    put("signature-md5", order(signature(info, hash_name="md5")), 1, "too weak")
    info = signed_info(reference(ORDER, digest=DS + "sha1", hash_name="sha1"))
    put("digest-sha1", order(signature(info)), 1, "too weak")
    info = signed_info(reference(ORDER, digest=MORE + "md5", hash_name="md5"))
    put("digest-md5", order(signature(info)), 1, "too weak")
    info = signed_info(reference(ORDER), algorithm=MORE + "rsa-sha512")
    put("signature-other-than-the-descriptor", order(signature(info, hash_name="sha512")), 1, "the descriptor says SHA256withRSA")
    info = signed_info(reference(ORDER), algorithm=MORE + "ecdsa-sha256")
    put("signature-ecdsa-for-an-rsa-key", order(signature(info)), 1, "SHA256withECDSA")
    put("ecdsa-of-zeroes", order(signature(info, b64(bytes(64)), key_info("curve"))), 1, "the SignatureValue is not the signer's",
        "-d Curve")
    put("ecdsa-too-short", order(signature(info, b64(bytes(63)), key_info("curve"))), 1, "63 bytes, 64 would be right", "-d Curve")
    info = signed_info(reference(ORDER), parameter="<ds:Parameter></ds:Parameter>")
    put("signature-method-with-a-parameter", order(signature(info)), 1, "in <SignatureMethod> is not accepted")


def keys():
    value = "<ds:KeyInfo><ds:KeyValue><ds:RSAKeyValue><ds:Modulus>AQAB</ds:Modulus><ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue>" \
            "</ds:KeyValue></ds:KeyInfo>"
    retrieval = f'<ds:KeyInfo><ds:RetrievalMethod Type="{DS}X509Data" URI="http://127.0.0.1:9/"></ds:RetrievalMethod></ds:KeyInfo>'
    put("key-in-key-value", order(good(signer="stranger", keys=value)), 1, "the SignatureValue is not the signer's")
    put("key-to-be-fetched", order(good(keys=retrieval)), 1, "keys are not fetched")
    put("certificate-of-a-stranger", order(good(signer="stranger", keys=key_info("stranger"))), 1,
        "a certificate that the descriptor does not have: CN=stranger")
    put("certificate-of-another", order(good(signer="stranger")), 1, "the SignatureValue is not the signer's")
    both = key_info("stranger").replace("</ds:X509Data>", f"<ds:X509Certificate>{certificate_text('signer')}</ds:X509Certificate></ds:X509Data>")
    put("certificates-two-signed-by-the-wrong-one", order(good(signer="stranger", keys=both)), 1, "the SignatureValue is not the signer's")
    many = "<ds:X509Certificate>" + certificate_text("signer") + "</ds:X509Certificate>"
    put("certificates-too-many", order(good(keys=f"<ds:KeyInfo><ds:X509Data>{many * 17}</ds:X509Data></ds:KeyInfo>")), 1,
        "more than 16 certificates")
    put("certificate-broken", order(good(keys="<ds:KeyInfo><ds:X509Data><ds:X509Certificate>AAAA</ds:X509Certificate></ds:X509Data>"
                                              "</ds:KeyInfo>")), 65, "not a certificate")


def shapes():
    info = signed_info(reference(ORDER))
    digest = digest_of(ORDER)
    put("content-changed", order(good()).replace("<item>1<", "<item>2<"), 1, "the content is not what was signed")
    put("content-added-behind", order(good()).replace("</ds:Signature>", "</ds:Signature><item>2</item>"), 1, "not what was signed")
    put("signed-info-changed", order(signature(info.replace(digest, digest_of("<order></order>")), value_of(info)),
                                     "<order></order>"), 1, "the SignatureValue is not the signer's")
    put("signatures-two", order(good() + good()), 1, "several signatures beside each other")
    put("signed-info-twice", order(good().replace("<ds:SignatureValue>", info + "<ds:SignatureValue>")), 65,
        "<SignedInfo> where <SignatureValue> should be")
    put("signed-info-second-in-object", order(good(objects=f"<ds:Object>{info}</ds:Object>")), 1, "an Object that it does not sign")
    put("comment-in-digest-value", order(good().replace(digest, digest[:10] + "<!---->" + digest[10:])), 1, "must hold one text")
    put("digest-value-in-two-texts", order(good().replace(digest, f"<!--{digest_of('<order></order>')}-->{digest}")), 1,
        "must hold one text")
    put("cdata-in-digest-value", order(good().replace(digest, f"<![CDATA[{digest}]]>")), 1, "must hold one text")
    put("comment-in-signature-value", order(good().replace("</ds:SignatureValue>", "<!-- --></ds:SignatureValue>")), 1,
        "must hold one text")
    put("instruction-in-signed-info", order(good().replace("<ds:Reference", "<?x y?><ds:Reference", 1)), 1, "between its elements")
    put("text-in-signature", order(good().replace("<ds:KeyInfo>", "text<ds:KeyInfo>")), 1, "between its elements")
    put("attribute-unknown", order(good().replace("<ds:SignedInfo>", '<ds:SignedInfo x="y">')), 1, "has the attribute 'x'")
    put("element-of-another-namespace", order(good().replace("<ds:SignatureValue>", '<ds:x xmlns:ds="urn:x"></ds:x><ds:SignatureValue>')),
        65, "<x> where <SignatureValue> should be")
    put("digest-value-cut", order(signature(signed_info(reference(ORDER, value=digest[:4])))), 1, "not what was signed")
    put("digest-value-empty", order(signature(signed_info(reference(ORDER, value="")))), 1, "must hold one text")
    put("signature-value-empty", order(signature(info, "")), 1, "must hold one text")
    put("signature-value-cut", order(signature(info, value_of(info)[:-8])), 1, "the SignatureValue is not the signer's")
    put("signature-value-no-base64", order(signature(info, "%%%%")), 65, "SignatureValue")
    put("signature-none", ORDER, 65, "no XML signature")


def documents():
    laughs = "".join(f'<!ENTITY l{i + 1} "{f"&l{i};" * 10}">' for i in range(9))
    put("doctype-bomb", f'<!DOCTYPE order [<!ENTITY l0 "ha">{laughs}]>' + order(good()).replace("1<", "&l9;<"), 65, "DOCTYPE")
    put("doctype-external-entity", '<!DOCTYPE order [<!ENTITY x SYSTEM "file:///etc/hostname">]>' + order(good()).replace("1<", "&x;<"), 65,
        "DOCTYPE")
    put("doctype-default-attribute", "<!DOCTYPE order [<!ATTLIST order Id ID 'a'>]>" + order(good()), 65, "DOCTYPE")
    put("doctype-on-the-network", '<!DOCTYPE order SYSTEM "http://127.0.0.1:9/x.dtd">' + order(good()), 65, "DOCTYPE")
    put("too-deep", "<order>" * 300 + good() + "</order>" * 300, 65, "nested more than 200 deep")
    put("too-many-attributes", order(good(), "<order " + " ".join(f'a{i}="x"' for i in range(300)) + "></order>"), 65,
        "more than 256 attributes")
    put("prefix-undeclared", order(good()).replace("<item>", "<x:item>").replace("</item>", "</x:item>"), 65, "malformed XML")
    put("namespace-relative", order(good()).replace("<item>", '<item xmlns="relative">'), 65, "no canonical form")
    put("encoding-utf-16", order(good()).encode("utf-16"), 65, "UTF-16")
    put("encoding-declared", '<?xml version="1.0" encoding="ISO-8859-1"?>' + order(good()), 65, "ISO-8859-1")
    put("not-closed", order(good())[:-3], 65, "")
    put("second-root", order(good()) + ORDER, 65, "malformed XML")
    put("no-xml", "just text", 65, "")


def main():
    for name in os.listdir(HERE):
        if os.path.isdir(os.path.join(HERE, name)):
            shutil.rmtree(os.path.join(HERE, name))
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        make_certificate("ca", None, "rsa", "basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign")
        make_certificate("signer", "ca", "rsa", "basicConstraints=CA:FALSE", "keyUsage=critical,digitalSignature")
        make_certificate("curve", "ca", "ec", "basicConstraints=CA:FALSE", "keyUsage=critical,digitalSignature")
        make_certificate("stranger", None, "rsa", "basicConstraints=CA:FALSE", "keyUsage=critical,digitalSignature")
        for name in ("ca", "signer", "curve"):
            shutil.copy(name + ".pem", HERE)
        put("good-document", order(good()), 0, "")
        for part in (wrapping, references, algorithms, keys, shapes, documents):
            part()


sys.exit(main())
