// SPDX-License-Identifier: Apache-2.0
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.signengine.Container;
import org.signengine.ContainerParams;
import org.signengine.Mail;
import org.signengine.SignengineException;
import org.signengine.Status;
import org.signengine.Zip;

/** Zips and mail, both ways. */
final class Archives extends Case {
    private static Path make(String name) throws Exception {
        Path path = Path.of(name);
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(path))) {
            for (String entry : List.of("one.txt", "two/three.txt")) {
                zip.putNextEntry(new ZipEntry(entry));
                zip.write(bytes(entry));
            }
        }
        return path;
    }

    void testZip() throws Exception {
        Path zip = make("a.zip");
        Zip.sign(engine, "FileSigner", zip);
        command("zip", "verify", "-d", "FileSigner", "a.zip");
        byte[] said = run("jarsigner", "-verify", "-strict", "-keystore", trustStore(), "-storepass", "changeit", "a.zip");
        holds(string(said).contains("jar verified"));
        Zip.Report report = Zip.verify(engine, "FileSigner", zip, new Zip.VerifyParams().trust(Path.of("ca.pem")));
        equal(report.signatures().values().stream().map(signer -> signer.subject()).toList(), List.of("CN=one"));
        equal(report.entries().stream().filter(entry -> entry.state() == Zip.State.SIGNED).map(Zip.Entry::name).collect(Collectors.toSet()),
                java.util.Set.of("one.txt", "two/three.txt"));
        holds(report.entries().stream().allMatch(Zip.Entry::good));
        // Java's own opinion
        try (JarFile jar = new JarFile(zip.toFile())) {
            JarEntry entry = jar.getJarEntry("one.txt");
            equal(jar.getInputStream(entry).readAllBytes(), bytes("one.txt"));
            equal(entry.getCodeSigners().length, 1);
        }
        make("b.zip");
        command("zip", "sign", "-d", "FileSigner", "b.zip");
        Zip.verify(engine, "FileSigner", Path.of("b.zip"));
        equal(engine.findVersions("FileSigner", Path.of("b.zip")), List.of(1));
    }

    private static String trustStore() throws Exception {
        Files.deleteIfExists(Path.of("trust.p12"));
        run("keytool", "-importcert", "-noprompt", "-alias", "ca", "-file", "ca.pem", "-keystore", "trust.p12", "-storepass", "changeit");
        return "trust.p12";
    }

    void testChanged() throws Exception {
        Path signed = Path.of("signed.zip"), more = Path.of("more.zip");
        Zip.sign(engine, "FileSigner", make("c.zip"), signed, new Zip.SignParams());
        try (JarFile jar = new JarFile(signed.toFile()); ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(more))) {
            for (JarEntry entry : java.util.Collections.list(jar.entries())) {
                zip.putNextEntry(new ZipEntry(entry.getName()));
                jar.getInputStream(entry).transferTo(zip);
            }
            zip.putNextEntry(new ZipEntry("more.txt"));
        }
        SignengineException e = refused(Status.REJECTED, () -> Zip.verify(engine, "FileSigner", more));
        List<Zip.Entry> bad = ((Zip.Report) e.results()).entries().stream().filter(entry -> !entry.good()).toList();
        equal(bad.stream().map(Zip.Entry::name).toList(), List.of("more.txt"));
        equal(bad.get(0).state().toString(), "not signed");
        refused(Status.REJECTED, () -> Zip.verify(engine, "FileSigner", make("d.zip")));
    }

    void testEncrypted() throws Exception {
        Path sealed = Path.of("a.nx02"), back = Path.of("back.zip");
        Zip.sign(engine, "FileSigner", make("e.zip"), sealed, new Zip.SignParams().encrypt("EncryptedFields").context(bytes("c")));
        Container.decrypt(engine, "EncryptedFields", sealed, back, new ContainerParams().context(bytes("c")));
        Zip.verify(engine, "FileSigner", back, new Zip.VerifyParams().maxEntries(100));
        refused(Status.REJECTED, () -> Container.decrypt(engine, "EncryptedFields", sealed, back, new ContainerParams()));
        refused(Status.REJECTED, () -> Zip.verify(engine, "FileSigner", back, new Zip.VerifyParams().maxEntries(1)));
    }

    // ---- mail ----

    private static InputStream stream(byte[] content) {
        return new ByteArrayInputStream(content);
    }

    void testMail() throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream(), content = new ByteArrayOutputStream();
        ByteArrayOutputStream header = new ByteArrayOutputStream();
        Mail.Result done = Mail.sign(engine, "SignEmailDescriptor", stream(MESSAGE), out, new Mail.SignParams());
        equal(done.signer().address(), "alice@example.org");
        holds(!done.passed());
        write("signed.eml", out.toByteArray());
        command("mail", "verify", "signed.eml");
        run("openssl", "cms", "-verify", "-in", "signed.eml", "-CAfile", "ca.pem", "-out", "out");
        commandWith(MESSAGE, "mail", "sign", "-o", "theirs.eml");
        Mail.Result found = Mail.verify(engine, "SignEmailDescriptor", stream(read("theirs.eml")),
                new Mail.VerifyParams().content(content).header(header).trust(Path.of("ca.pem")));
        equal(List.of(found.signer().subject(), found.opaque(), found.changed()), List.of("CN=mail", false, ""));
        holds(content.toString().contains("Hello"));
        holds(header.toString().contains("Subject: x"));
        equal(Mail.findVersions(engine, "SignEmailDescriptor", stream(out.toByteArray())), List.of(1));
    }

    void testMailRefused() throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Mail.SignParams none = new Mail.SignParams();
        Mail.sign(engine, "SignEmailDescriptor", stream(MESSAGE), out, new Mail.SignParams().opaque(true).protect(true));
        holds(Mail.verify(engine, "SignEmailDescriptor", stream(out.toByteArray()), new Mail.VerifyParams()).protect());
        refused(Status.REJECTED, () -> Mail.verify(engine, "SignEmailDescriptor", stream(MESSAGE), new Mail.VerifyParams()));
        byte[] carol = bytes(string(MESSAGE).replace("alice", "carol"));
        refused(Status.POLICY, () -> Mail.sign(engine, "SignEmailDescriptor", stream(carol), new ByteArrayOutputStream(), none));
        refused(Status.FORMAT, () -> Mail.sign(engine, "SignEmailDescriptor", stream(new byte[0]), new ByteArrayOutputStream(), none));
    }

    void testAddress() throws Exception {
        equal(Mail.address("Alice <alice@Example.org>").toLowerCase(java.util.Locale.ROOT), "alice@example.org");
        refused(Status.FORMAT, () -> Mail.address(""));
    }
}
