// SPDX-License-Identifier: Apache-2.0
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.signengine.Check;
import org.signengine.Container;
import org.signengine.ContainerParams;
import org.signengine.Engine;
import org.signengine.Evidence;
import org.signengine.Field;
import org.signengine.FieldParams;
import org.signengine.Form;
import org.signengine.Purpose;
import org.signengine.RevocationParams;
import org.signengine.SignParams;
import org.signengine.Signer;
import org.signengine.SignengineException;
import org.signengine.Status;
import org.signengine.Verifier;
import org.signengine.Verified;
import org.signengine.VerifyParams;

/** Signatures and values both ways: what Java made, the command and others accept, and the other way round. */
final class Jobs extends Case {
    private static final byte[] CONTENT = bytes("content");

    void testCms() throws Exception {
        for (byte[] content : List.of(CONTENT, new byte[0], new byte[100000], bytes("gr\u00fc\u00dfe"))) {
            Path file = write("file", content);
            write("file.p7s", engine.sign("FileSigner", content));
            run("openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", "file.p7s", "-content", "file", "-CAfile", "ca.pem",
                    "-purpose", "any", "-out", "out");
            equal(read("out"), content);
            command("verify", "-d", "FileSigner", "file", "--signature", "file.p7s");
            command("sign", "-d", "FileSigner", "file", "-o", "theirs.p7s");
            Signer signer = engine.verify("FileSigner", content, read("theirs.p7s"));
            equal(List.of(signer.version(), signer.algorithm(), signer.subject(), signer.revocation()),
                    List.of(1, "SHA256withRSA", "CN=one", Signer.Revocation.UNCHECKED));
            holds(signer.notAfter() > 4000000000L);
            engine.sign("FileSigner", file, Path.of("by-file.p7s"));
            equal(engine.verify("FileSigner", file, Path.of("by-file.p7s")).subject(), "CN=one");
        }
        refused(Status.IO, () -> engine.verify("FileSigner", Path.of("nowhere"), Path.of("file.p7s")));
    }

    void testOpensslSigns() throws Exception {
        write("file", CONTENT);
        run("openssl", "cms", "-sign", "-binary", "-in", "file", "-signer", "one.pem", "-inkey", "one.key", "-md", "sha256", "-cades",
                "-outform", "DER", "-out", "by-openssl.p7s");
        equal(engine.verify("FileSigner", CONTENT, read("by-openssl.p7s")).subject(), "CN=one");
    }

    void testPemTimeAndTrust() throws Exception {
        byte[] signature = engine.sign("FileSigner", CONTENT, new SignParams().pem(true).time(1750000000));
        holds(string(signature).startsWith("-----BEGIN CMS-----"));
        equal(engine.verify("FileSigner", CONTENT, signature, new VerifyParams().trust(Path.of("ca.pem"))).signingTime(), 1750000000L);
        refused(Status.REJECTED,
                () -> engine.verify("FileSigner", CONTENT, signature, new VerifyParams().trust(Path.of("other.pem"))));
    }

    void testRaw() throws Exception {
        write("file", CONTENT);
        run("openssl", "x509", "-in", "two.pem", "-noout", "-pubkey", "-out", "two.pub");
        write("raw", engine.sign("Files", CONTENT, new SignParams().form(Form.RAW)));
        run("openssl", "dgst", "-sha256", "-verify", "two.pub", "-signature", "raw", "file");
        run("openssl", "dgst", "-sha256", "-sign", "two.key", "-out", "raw", "file");
        byte[] raw = read("raw");
        engine.verify("Files", CONTENT, raw, new VerifyParams().form(Form.RAW));
        try (Verifier verifier = Verifier.open(engine, "Files", 0)) {
            verifier.check(CONTENT, raw);
            equal(verifier.signer().subject(), "CN=two");
            equal(verifier.certificate(), run("openssl", "x509", "-in", "two.pem", "-outform", "DER"));
            equal(verifier.key(), run("openssl", "pkey", "-pubin", "-in", "two.pub", "-outform", "DER"));
            refused(Status.REJECTED, () -> verifier.check(bytes("other"), raw));
            refused(Status.FORMAT, () -> verifier.check(CONTENT, new byte[0]));
        }
        try (Verifier verifier = Verifier.read(read("two.pem"), "SHA256withECDSA")) {
            verifier.check(CONTENT, raw);
        }
    }

    void testDigest() throws Exception {
        byte[] digest = MessageDigest.getInstance("SHA-256").digest(CONTENT);
        engine.verify("Files", CONTENT, engine.sign("Files", new byte[0], new SignParams().digest(digest)));
        engine.verify("Files", new byte[0], engine.sign("Files", CONTENT), new VerifyParams().digest(digest));
        refused(Status.USAGE, () -> engine.sign("Files", new byte[0], new SignParams().digest(new byte[31])));
    }

    void testAttached() throws Exception {
        SignParams attached = new SignParams().form(Form.ATTACHED);
        byte[] signed = engine.sign("Files", CONTENT, attached);
        Verified verified = engine.verifyAttached("Files", signed);
        equal(verified.content(), CONTENT);
        equal(verified.signer().subject(), "CN=two");
        write("signed", signed);
        command("verify", "-d", "Files", "signed", "-o", "out");
        equal(read("out"), CONTENT);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        engine.verifyAttached("Files", Path.of("signed"), out, new VerifyParams());
        equal(out.toByteArray(), CONTENT);
        equal(engine.verifyAttached("Files", engine.sign("Files", new byte[0], attached)).content(), new byte[0]);
    }

    void testStreams() throws Exception {
        byte[] content = new byte[3000000];
        new Random(1).nextBytes(content);
        ByteArrayOutputStream out = new ByteArrayOutputStream(), signed = new ByteArrayOutputStream(), seen = new ByteArrayOutputStream();
        engine.sign("Files", stream(content), out);
        engine.verify("Files", stream(content), out.toByteArray(), new VerifyParams());
        // a signature that comes later
        engine.verify("Files", stream(content), stream(out.toByteArray()), new VerifyParams());
        engine.sign("Files", stream(content), signed, new SignParams().form(Form.ATTACHED));
        engine.verifyAttached("Files", stream(signed.toByteArray()), seen, new VerifyParams());
        equal(seen.toByteArray(), content);
    }

    private static InputStream stream(byte[] content) {
        return new ByteArrayInputStream(content);
    }

    void testFindSigner() throws Exception {
        Signer signer = engine.findSigner("Files");
        equal(List.of(signer.key(), signer.keyType(), signer.digest()), List.of("two", "EC-P-256", "SHA-256"));
        SignParams both = new SignParams().addresses(List.of("bob@example.org", "alice@example.org"));
        equal(engine.findSigner("SignEmailDescriptor", both).address(), "alice@example.org");
        SignParams bob = new SignParams().addresses(List.of("bob@example.org"));
        refused(Status.POLICY, () -> engine.findSigner("SignEmailDescriptor", bob));
        engine.sign("SignEmailDescriptor", CONTENT, both.purpose(Purpose.MAIL));
    }

    void testXml() throws Exception {
        byte[] document = bytes("<order xmlns=\"urn:o\"><item Id=\"a\">1</item></order>");
        VerifyParams xml = new VerifyParams().form(Form.XML);
        byte[] signed = engine.sign("Files", document, new SignParams().form(Form.XML));
        write("signed.xml", signed);
        command("verify", "--xml", "-d", "Files", "signed.xml");
        run("xmlsec1", "--verify", "--trusted-pem", "ca.pem", "signed.xml");
        equal(engine.verifyAttached("Files", signed, xml).content(), document);
        write("order.xml", document);
        command("sign", "--xml", "-d", "Files", "order.xml", "-o", "theirs.xml");
        engine.verifyAttached("Files", read("theirs.xml"), xml);
        byte[] beside = engine.sign("Files", CONTENT, new SignParams().form(Form.XML_DETACHED).xmlUri("any.bin"));
        engine.verify("Files", CONTENT, beside, new VerifyParams().form(Form.XML_DETACHED).xmlUri("any.bin"));
        refused(Status.REJECTED,
                () -> engine.verify("Files", CONTENT, beside, new VerifyParams().form(Form.XML_DETACHED).xmlUri("other.bin")));
        refused(Status.REJECTED, () -> engine.verifyAttached("Files", bytes(string(signed).replace(">1<", ">2<")), xml));
    }

    void testTimeStamp() throws Exception {
        String url = System.getenv("tsa_url") + "/";
        byte[] signature = engine.sign("Files", CONTENT, new SignParams().tsa(url));
        Signer signer = engine.verify("Files", CONTENT, signature, new VerifyParams().trustTsa(Path.of("ca.pem")));
        equal(signer.stampAuthority(), "CN=tsa");
        holds(signer.stampTime() > 0);
        refused(Status.REJECTED, () -> engine.sign("Files", CONTENT, new SignParams().tsa(url + "refuses")));
    }

    void testRevocation() throws Exception {
        byte[] signature = engine.sign("Files", CONTENT);
        RevocationParams crls = new RevocationParams().crls(Path.of("nothing.crl"));
        refused(Status.IO, () -> engine.verify("Files", CONTENT, signature, new VerifyParams().revocation(crls)));
        RevocationParams required = new RevocationParams().required(true);
        refused(Status.REJECTED, () -> engine.verify("Files", CONTENT, signature, new VerifyParams().revocation(required)));
    }

    void testEvidence() throws Exception {
        Evidence.MakeParams make = new Evidence.MakeParams().tsa(System.getenv("tsa_url") + "/");
        Evidence.VerifyParams trust = new Evidence.VerifyParams().trustTsa(Path.of("ca.pem"));
        Path one = write("one.txt", bytes("one")), two = write("two.txt", bytes("two"));
        List<Evidence.File> first = List.of(Evidence.File.of(one)), second = List.of(new Evidence.File("called two", stream(bytes("two"))));
        List<byte[]> records = Evidence.make(List.of(first, second), make);
        equal(records.size(), 2);
        Evidence.Recorded recorded = new Evidence.Recorded(first, records.get(0));
        equal(Evidence.verify(recorded, trust).stream().map(stamp -> stamp.tree() + stamp.authority()).toList(), List.of("1CN=tsa"));
        write("two.ers", records.get(1));
        command("evidence", "verify", "--trust-tsa", "ca.pem", "-r", "two.ers", "two.txt");
        byte[] renewed = Evidence.renew(List.of(recorded), trust, make).get(0);
        equal(Evidence.verify(new Evidence.Recorded(first, renewed), trust).size(), 2);
        Evidence.Recorded wrong = new Evidence.Recorded(List.of(Evidence.File.of(two)), records.get(0));
        refused(Status.REJECTED, () -> Evidence.verify(wrong, trust));
        Check.Row row = Check.record(Path.of("two.ers"), new Check.Options().days(-1));
        equal(row.descriptor() + row.version() + row.subject() + row.warning(), "record two.ers0CN=tsafalse");
        equal(Check.record(Path.of("two.ers"), new Check.Options().days(100000)).warning(), true);
        equal(Check.tsa(System.getenv("tsa_url") + "/", null, new Check.Options()).subject(), "CN=tsa");
        refused(Status.UNAVAILABLE, () -> Check.tsa(System.getenv("tsa_url") + "/", "1.2.3.99", new Check.Options()));
        refused(Status.IO, () -> Check.record(Path.of("nowhere.ers"), new Check.Options()));
    }

    // ---- encrypted fields, containers ----

    void testFields() throws Exception {
        byte[] context = Engine.context(Map.of("table", "person", "row", "7"));
        FieldParams row = new FieldParams().context(context);
        String[] same = { "--context", "table=person", "--context", "row=7" };
        for (byte[] content : List.of(bytes("1234"), new byte[0], bytes("geheim \u20ac\0x"))) {
            byte[] value = engine.encrypt("EncryptedFields", content, row);
            equal(engine.decrypt("EncryptedFields", value, row), content);
            equal(commandWith(value, "decrypt", same[0], same[1], same[2], same[3]), content);
            byte[] theirs = commandWith(content, "encrypt", same[0], same[1], same[2], same[3]);
            equal(engine.decrypt("EncryptedFields", bytes(string(theirs).strip()), row), content);
            refused(Status.REJECTED, () -> engine.decrypt("EncryptedFields", value));
        }
        byte[] binary = engine.encrypt("EncryptedFields", CONTENT, new FieldParams().binary(true));
        equal(engine.decrypt("EncryptedFields", binary), CONTENT);
    }

    void testMany() throws Exception {
        List<byte[]> contents = new ArrayList<>(), contexts = new ArrayList<>();
        FieldParams none = new FieldParams().threads(2);
        for (int i = 0; i <= 300; i++) {
            contents.add(bytes(i == 300 ? "" : String.valueOf(i)));
            contexts.add(bytes("row " + i));
        }
        List<byte[]> values = engine.encryptMany("EncryptedFields", contents, contexts, none);
        equal(engine.decryptMany("EncryptedFields", values, contexts, none).toArray(), contents.toArray());
        for (int i : List.of(0, 299, 300))
            equal(engine.decrypt("EncryptedFields", values.get(i), new FieldParams().context(contexts.get(i))), contents.get(i));
        contexts.set(7, bytes("another row"));
        SignengineException e = refused(Status.REJECTED, () -> engine.decryptMany("EncryptedFields", values, contexts, none));
        List<?> results = (List<?>) e.results();
        for (int i = 0; i <= 300; i++) {
            equal(((Field) results.get(i)).status(), i == 7 ? Status.REJECTED : Status.OK);
            equal(((Field) results.get(i)).value(), i == 7 ? new byte[0] : contents.get(i));
        }
        equal(engine.encryptMany("EncryptedFields", List.of(), null, none), List.of());
        thrown(IllegalArgumentException.class, () -> engine.encryptMany("EncryptedFields", contents, List.of(), none));
    }

    void testRekey() throws Exception {
        List<byte[]> contents = List.of(bytes("a"), bytes("b"), bytes("c")), contexts = List.of(bytes("1"), bytes("2"), bytes("3"));
        FieldParams none = new FieldParams();
        List<byte[]> values;
        try (Engine before = Engine.open(Path.of("before.xml"))) {
            values = new ArrayList<>(before.encryptMany("EncryptedFields", contents.subList(0, 2), contexts.subList(0, 2), none));
        }
        values.add(engine.encrypt("EncryptedFields", contents.get(2), new FieldParams().context(contexts.get(2))));
        List<Field> fields = engine.rekeyMany("EncryptedFields", values, contexts, none);
        equal(fields.stream().map(Field::kept).toList(), List.of(false, false, true));
        equal(fields.get(2).value(), values.get(2));
        List<byte[]> rekeyed = fields.stream().map(Field::value).toList();
        equal(engine.decryptMany("EncryptedFields", rekeyed, contexts, none).toArray(), contents.toArray());
        equal(engine.findVersions("EncryptedFields", values.get(0)), List.of(1));
        equal(engine.findVersions("EncryptedFields", rekeyed.get(0)), List.of(2));
    }

    void testContainers() throws Exception {
        byte[] content = new byte[1000000];
        new Random(2).nextBytes(content);
        ContainerParams none = new ContainerParams(), context = new ContainerParams().context(bytes("c"));
        Path plain = write("plain", content), sealed = Path.of("sealed"), opened = Path.of("opened");
        Container.encrypt(engine, "EncryptedFields", plain, sealed, context);
        holds(Container.is(java.util.Arrays.copyOf(read("sealed"), 4)));
        holds(!Container.is(bytes("PK\3\4")));
        holds(!Container.is(new byte[0]));
        Container.decrypt(engine, "EncryptedFields", sealed, opened, context);
        equal(read("opened"), content);
        ByteArrayOutputStream out = new ByteArrayOutputStream(), back = new ByteArrayOutputStream();
        Container.encrypt(engine, "EncryptedFields", stream(content), out, none);
        write("sealed", out.toByteArray());
        Files.delete(opened);
        command("zip", "decrypt", "-d", "EncryptedFields", "sealed", "-o", "opened");
        equal(read("opened"), content);
        Container.decrypt(engine, "EncryptedFields", stream(out.toByteArray()), back, none);
        equal(back.toByteArray(), content);
        equal(engine.findVersions("EncryptedFields", stream(out.toByteArray())), List.of(2));
        equal(engine.findVersions("EncryptedFields", sealed), List.of(2));
        byte[] cut = java.util.Arrays.copyOf(out.toByteArray(), out.size() - 20);
        refused(Status.REJECTED, () -> Container.decrypt(engine, "EncryptedFields", stream(cut), new ByteArrayOutputStream(), none));
    }

    /** Java's own opinion. */
    void testJavaVerifies() throws Exception {
        java.security.Signature check = java.security.Signature.getInstance("SHA256withECDSA");
        String pem = string(read("two.pem"));
        byte[] der = Base64.getMimeDecoder()
                .decode(pem.substring(pem.indexOf("-----BEGIN CERTIFICATE-----") + 27, pem.indexOf("-----END CERTIFICATE-----")));
        check.initVerify(java.security.cert.CertificateFactory.getInstance("X.509").generateCertificate(stream(der)));
        check.update(CONTENT);
        holds(check.verify(engine.sign("Files", CONTENT, new SignParams().form(Form.RAW))));
    }
}
