// SPDX-License-Identifier: Apache-2.0
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.signengine.Config;
import org.signengine.Container;
import org.signengine.ContainerParams;
import org.signengine.Engine;
import org.signengine.Evidence;
import org.signengine.FieldParams;
import org.signengine.Form;
import org.signengine.History;
import org.signengine.Jws;
import org.signengine.Jwt;
import org.signengine.Mail;
import org.signengine.SignParams;
import org.signengine.SignengineException;
import org.signengine.Status;
import org.signengine.Verifier;
import org.signengine.VerifyParams;
import org.signengine.Zip;

/** What is refused, with which status; and what never gets to the library: null, a NUL, numbers below 0. */
final class Refusals extends Case {
    private static final byte[] X = bytes("x");

    /** One way to each status that a caller can bring about. */
    void testStatuses() throws Exception {
        byte[] signature = engine.sign("Files", X), value = engine.encrypt("EncryptedFields", X);
        try (Engine before = Engine.open(Path.of("before.xml"))) {
            refused(Status.NO_DESCRIPTOR, () -> before.decrypt("EncryptedFields", value));
        }
        Path bad = write("bad.xml", bytes("<engineSignEncrypt><nonsense/></engineSignEncrypt>"));
        refused(Status.USAGE, () -> Jwt.sign(engine, "Api", new byte[0], new Jwt.SignParams()));
        refused(Status.CONFIG, () -> Engine.open(bad));
        refused(Status.NO_DESCRIPTOR, () -> engine.sign("Nobody", X));
        refused(Status.NO_DESCRIPTOR, () -> engine.sign("", X));
        refused(Status.POLICY, () -> engine.sign("EncryptedFields", X));
        refused(Status.FORMAT, () -> engine.verify("Files", X, bytes("rubbish")));
        refused(Status.FORMAT, () -> engine.decrypt("EncryptedFields", bytes("rubbish")));
        refused(Status.FORMAT, () -> engine.decrypt("EncryptedFields", new byte[0]));
        refused(Status.REJECTED, () -> engine.verify("Files", bytes("y"), signature));
        refused(Status.REJECTED, () -> engine.verify("Strangers", X, signature));
        refused(Status.IO, () -> engine.sign("Files", Path.of("nowhere"), Path.of("out")));
        refused(Status.IO, () -> engine.sign("Files", Path.of("engine.xml"), Path.of("no/where")));
        refused(Status.USAGE, () -> engine.sign("Files", X, new SignParams().form(Form.UNKNOWN)));
    }

    void testStores() throws Exception {
        Path path = write("keys.xml", bytes("""
                <engineSignEncrypt><descriptors>
                <descriptor name='A'><type algorithm='SHA-256' key='a'/></descriptor>
                <descriptor name='B'><type algorithm='SHA-256' key='b'/></descriptor>
                </descriptors><keys>
                <key name='a'><type name='pem' locationValue='nothing.pem'/></key>
                <key name='b'><type name='HSM' locationValue='no/module.so' alias='b' pin.source='env:NO_SUCH_PIN'/></key>
                </keys></engineSignEncrypt>"""));
        try (Engine other = Engine.open(path)) {
            for (String descriptor : List.of("A", "B")) {
                SignengineException e = thrown(SignengineException.class, () -> other.sign(descriptor, X));
                holds(Set.of(Status.KEY, Status.STORE, Status.ACCESS, Status.CONFIG).contains(e.status()), e.toString());
            }
        }
    }

    void testCancelled() throws Exception {
        List<Long> seen = new ArrayList<>();
        SignParams stop = new SignParams().form(Form.ATTACHED).progress((done, total) -> !seen.add(total));
        refused(Status.CANCELLED, () -> engine.sign("Files", filled(3000000), stop));
        equal(seen, List.of(3000000L));
    }

    void testException() throws Exception {
        SignengineException e = refused(Status.NO_DESCRIPTOR, () -> engine.sign("Nobody", X));
        equal(List.of(e.status().toString(), e.code()), List.of("no descriptor", 4));
        equal(e.results(), null);
        holds(e.text().contains("Nobody") && e.toString().contains("no descriptor"));
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        new ObjectOutputStream(out).writeObject(e);
        SignengineException copy = (SignengineException) new ObjectInputStream(new ByteArrayInputStream(out.toByteArray())).readObject();
        equal(List.of(copy.status(), copy.text()), List.of(e.status(), e.text()));
    }

    // ---- what never gets to the library ----

    void testNull() throws Exception {
        byte[] signature = engine.sign("Files", X);
        Path path = Path.of("engine.xml"), nowhere = null;
        InputStream in = stream(X), noStream = null;
        OutputStream out = new ByteArrayOutputStream();
        byte[] none = null;
        FieldParams fields = new FieldParams();
        Map<String, String> half = new HashMap<>();
        half.put("a", null);
        for (Work work : List.<Work>of(() -> Engine.open(null), () -> engine.sign(null, X), () -> engine.sign("Files", none),
                () -> engine.sign("Files", X, null), () -> engine.sign("Files", nowhere, path), () -> engine.sign("Files", path, null),
                () -> engine.sign("Files", noStream, out), () -> engine.sign("Files", in, null), () -> engine.verify(null, X, signature),
                () -> engine.verify("Files", none, signature), () -> engine.verify("Files", X, null),
                () -> engine.verify("Files", path, null),
                () -> engine.verify("Files", in, noStream, new VerifyParams()), () -> engine.verifyAttached("Files", none),
                () -> engine.encrypt("EncryptedFields", null), () -> engine.decrypt("EncryptedFields", null),
                () -> engine.encryptMany("EncryptedFields", null, null, fields),
                () -> engine.encryptMany("EncryptedFields", Arrays.asList(X, null), null, fields),
                () -> engine.decryptMany("EncryptedFields", List.of(X), Arrays.asList(none), fields),
                () -> engine.rekeyMany(null, List.of(), null, fields), () -> Jws.sign(engine, "Api", null),
                () -> Jws.verify(engine, "Api", null),
                () -> Jws.verifyMany(engine, "Api", Arrays.asList(none), null, new Jws.VerifyParams()),
                () -> Jwt.sign(engine, "Api", null, new Jwt.SignParams()), () -> Jwt.verify(engine, null, X),
                () -> Jws.keys(engine, Arrays.asList((String) null), new Jws.KeyParams()), () -> engine.findVersions("Files", none),
                () -> Container.encrypt(engine, "EncryptedFields", nowhere, path, new ContainerParams()),
                () -> Zip.sign(engine, "Files", null),
                () -> Zip.verify(engine, "Files", null), () -> Mail.sign(engine, "Files", null, out, new Mail.SignParams()),
                () -> Mail.verify(engine, "Files", null, new Mail.VerifyParams()), () -> History.create(engine, null),
                () -> History.open(engine, null), () -> Config.sign(engine, "Files", 0, null, null), () -> Engine.context(half),
                () -> Container.is(null), () -> Mail.address(null), () -> History.verifyProof(null), () -> History.chains(null),
                () -> Config.verify(null, null, path, new Config.VerifyParams()),
                () -> Config.verify(X, null, null, new Config.VerifyParams()),
                () -> Config.scramblePin(null, path), () -> Verifier.read(null, "SHA256withRSA"), () -> Verifier.read(X, null),
                () -> Evidence.make(List.of(List.of(new Evidence.File(null, null))), new Evidence.MakeParams()),
                () -> Verifier.open(engine, null, 0), () -> engine.findSigner(null)))
            thrown(NullPointerException.class, work);
    }

    /** A setting that is missing must not be taken for the default: without `trust` others are trusted. */
    void testNullAsOption() throws Exception {
        for (Work work : List.<Work>of(() -> new VerifyParams().trust(null), () -> new VerifyParams().addresses(null),
                () -> new VerifyParams().tag(null), () -> new VerifyParams().revocation(null), () -> new VerifyParams().digest(null),
                () -> new VerifyParams().progress(null), () -> new VerifyParams().form(null), () -> new FieldParams().context(null),
                () -> new SignParams().addresses(Arrays.asList((String) null)), () -> new Jws.SignParams().headers(null)))
            thrown(NullPointerException.class, work);
    }

    /** C would take them for large ones, and see of a text what is before a NUL. */
    void testNumbersAndNul() throws Exception {
        for (Work work : List.<Work>of(() -> new SignParams().version(-1), () -> new SignParams().least(-1),
                () -> Verifier.open(engine, "Files", -1),
                () -> Config.sign(engine, "Files", -1, X, null), () -> new Zip.VerifyParams().maxTotal(-1),
                () -> new History.Range().first(-1),
                () -> engine.sign("Files\0x", X), () -> engine.sign("Files", X, new SignParams().tag("a\0b")),
                () -> engine.encryptMany("EncryptedFields", List.of(X), List.of(), new FieldParams())))
            thrown(IllegalArgumentException.class, work);
    }

    /** An empty content is one; where C takes it for "not given", it is refused. */
    void testEmpty() throws Exception {
        byte[] attached = engine.sign("Files", X, new SignParams().form(Form.ATTACHED)), empty = {};
        refused(Status.FORMAT, () -> engine.verify("Files", attached, empty));
        refused(Status.FORMAT, () -> engine.verify("Files", stream(attached), empty, new VerifyParams()));
        refused(Status.FORMAT, () -> engine.sign("Files", empty, new SignParams().digest(empty)));
        refused(Status.FORMAT, () -> engine.verifyAttached("Files", empty));
    }

    // ---- what callbacks throw comes out of the call ----

    private static InputStream stream(byte[] content) {
        return new ByteArrayInputStream(content);
    }

    void testStreamsThatFail() throws Exception {
        IOException broken = new IOException("broken");
        InputStream in = new InputStream() {
            @Override
            public int read() throws IOException {
                throw broken;
            }
        };
        OutputStream out = new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                throw broken;
            }
        };
        byte[] attached = engine.sign("Files", X, new SignParams().form(Form.ATTACHED));
        for (Work work : List.<Work>of(() -> engine.sign("Files", in, new ByteArrayOutputStream()),
                () -> engine.sign("Files", stream(X), out),
                () -> engine.verifyAttached("Files", stream(attached), out, new VerifyParams()),
                () -> Container.encrypt(engine, "EncryptedFields", in, new ByteArrayOutputStream(), new ContainerParams()),
                () -> Mail.sign(engine, "SignEmailDescriptor", in, new ByteArrayOutputStream(), new Mail.SignParams()),
                () -> Mail.sign(engine, "SignEmailDescriptor", stream(MESSAGE), out, new Mail.SignParams()),
                () -> Evidence.make(List.of(List.of(new Evidence.File("a", in))), new Evidence.MakeParams().tsa(System.getenv("tsa_url")))))
            equal(thrown(IOException.class, work), broken);
    }

    void testOthersThatFail() throws Exception {
        SignParams fails = new SignParams().progress((done, total) -> {
            throw new ArithmeticException();
        });
        thrown(ArithmeticException.class, () -> engine.sign("Files", filled(3000000), fails));
        History.create(engine, "sqlite:callbacks.db");
        try (History history = History.open(engine, "sqlite:callbacks.db")) {
            history.append(X, X);
            thrown(StackOverflowError.class, () -> history.read(new History.Range(), entry -> {
                throw new StackOverflowError();
            }));
            thrown(ArithmeticException.class, () -> history.export(new History.Range(), entry -> {
                throw new ArithmeticException();
            }));
            equal(history.verify().entries(), 1L);
        }
    }
}
