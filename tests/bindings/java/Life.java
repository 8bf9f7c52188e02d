// SPDX-License-Identifier: Apache-2.0
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CyclicBarrier;
import java.util.function.BooleanSupplier;
import org.signengine.Access;
import org.signengine.Config;
import org.signengine.Engine;
import org.signengine.Event;
import org.signengine.FieldParams;
import org.signengine.Form;
import org.signengine.History;
import org.signengine.Jws;
import org.signengine.Options;
import org.signengine.SignParams;
import org.signengine.SignengineException;
import org.signengine.Status;
import org.signengine.Verifier;

/** Threads, events, closing while others work, what is forgotten, and memory. */
final class Life extends Case {
    private static final int CALLS = Integer.parseInt(System.getenv("CALLS"));
    private static final long LIMIT = 4 << 20; // by which the process may grow, however many calls there are
    private static final Path CONFIG = Path.of("engine.xml");
    private static final byte[] X = bytes("x");

    /** A thread that keeps what came out of its work. */
    private static final class Worker extends Thread {
        private final Work work;
        private Throwable failure;

        Worker(Work work) {
            this.work = work;
            start();
        }

        @Override
        public void run() {
            try {
                work.run();
            } catch (Throwable e) {
                failure = e;
            }
        }

        void end() throws Exception {
            join();
            if (failure != null)
                throw new AssertionError(failure);
        }
    }

    private static boolean until(BooleanSupplier condition) throws Exception {
        for (int i = 0; i < 3000 && !condition.getAsBoolean(); i++)
            Thread.sleep(10);
        return condition.getAsBoolean();
    }

    // ---- threads ----

    void testThreads() throws Exception {
        List<Worker> workers = new ArrayList<>();
        for (int n = 0; n < 4; n++)
            workers.add(new Worker(() -> {
                for (int i = 0; i < 30; i++) {
                    byte[] content = bytes(Thread.currentThread().getName() + i);
                    engine.verify("Files", content, engine.sign("Files", content));
                    equal(engine.decrypt("EncryptedFields", engine.encrypt("EncryptedFields", content)), content);
                    refused(Status.FORMAT, () -> engine.verify("Files", content, bytes("rubbish")));
                }
            }));
        for (Worker worker : workers)
            worker.end();
    }

    void testCloseWaits() throws Exception {
        Engine other = Engine.open(CONFIG);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        PipedOutputStream writing = new PipedOutputStream();
        PipedInputStream reading = new PipedInputStream(writing);
        Worker call = new Worker(() -> other.sign("Files", reading, out));
        Thread.sleep(200);
        List<Worker> closing = List.of(new Worker(other::close), new Worker(other::close));
        Thread.sleep(200);
        thrown(IllegalStateException.class, () -> other.sign("Files", X));
        holds(call.isAlive() && closing.get(0).isAlive() && closing.get(1).isAlive());
        writing.write(bytes("content"));
        writing.close();
        call.end();
        for (Worker worker : closing)
            worker.end();
        engine.verify("Files", bytes("content"), out.toByteArray());
        other.close();
    }

    /** Many times, with calls that begin at any moment. */
    void testCloseAmongCalls() throws Exception {
        for (int n = 0; n < 20; n++) {
            Engine other = Engine.open(CONFIG);
            List<Worker> workers = new ArrayList<>();
            for (int i = 0; i < 3; i++)
                workers.add(new Worker(() -> thrown(IllegalStateException.class, () -> {
                    while (true)
                        other.sign("Files", X);
                })));
            Thread.sleep(10);
            other.close();
            for (Worker worker : workers)
                worker.end();
        }
    }

    void testCloseInside() throws Exception {
        InputStream closes = new InputStream() {
            @Override
            public int read() {
                engine.close();
                return -1;
            }
        };
        thrown(IllegalStateException.class, () -> engine.sign("Files", closes, new ByteArrayOutputStream()));
        engine.sign("Files", X);
    }

    void testClosed() throws Exception {
        History.create(engine, "sqlite:closed.db");
        History history = History.open(engine, "sqlite:closed.db");
        Verifier verifier = Verifier.open(engine, "Files", 0);
        Access access = Access.open(engine);
        Engine held = engine.hold();
        List<AutoCloseable> things = List.of(history, verifier, access, held);
        List<Work> calls = List.of(history::head, verifier::signer, access::list, () -> held.sign("Files", X));
        for (int i = 0; i < things.size(); i++) {
            calls.get(i).run();
            things.get(i).close();
            things.get(i).close();
            thrown(IllegalStateException.class, calls.get(i));
        }
    }

    // ---- events ----

    void testEvents() throws Exception {
        List<Event> events = Collections.synchronizedList(new ArrayList<>());
        Set<Long> threads = Collections.synchronizedSet(new java.util.HashSet<>());
        try (Engine other = Engine.open(CONFIG, new Options().event(event -> {
            events.add(event);
            threads.add(Thread.currentThread().getId());
        }))) {
            System.gc(); // nobody else keeps it
            CyclicBarrier gate = new CyclicBarrier(4);
            List<Worker> workers = new ArrayList<>();
            for (int i = 0; i < 4; i++)
                workers.add(new Worker(() -> {
                    gate.await();
                    other.sign("Files", bytes("content"), new SignParams().tag("t"));
                }));
            for (Worker worker : workers)
                worker.end();
            refused(Status.NO_DESCRIPTOR, () -> other.sign("Nobody", X));
        }
        List<Event> operations = events.stream().filter(event -> event.kind() == Event.Kind.OPERATION).toList();
        equal(operations.size(), 5);
        equal(threads.size(), 5);
        Event event = operations.get(0);
        equal(List.of(event.operation(), event.descriptor(), event.key(), event.version(), event.bytes(), event.tag(), event.status(),
                event.items()), List.of("sign", "Files", "two", 1, 7L, "t", Status.OK, 1L));
        holds(event.digest().startsWith("sha256:"));
        equal(List.of(operations.get(4).status(), operations.get(4).descriptor()), List.of(Status.NO_DESCRIPTOR, "Nobody"));
    }

    /** On a thread that Java did not start. */
    void testEventsOfTheLibrary() throws Exception {
        List<String> seen = Collections.synchronizedList(new ArrayList<>());
        Path watched = write("watched.xml", read("engine.xml"));
        try (Engine other = Engine.open(watched, new Options().watch(true).event(event -> seen.add(event.kind().name())))) {
            Files.move(write("watched.new", read("before.xml")), watched, StandardCopyOption.REPLACE_EXISTING);
            holds(until(() -> seen.contains("RELOADED")));
            other.sign("Files", X);
        }
    }

    void testEventThatFails() throws Exception {
        List<Throwable> told = Collections.synchronizedList(new ArrayList<>());
        Options options = new Options().event(event -> {
            throw new ArithmeticException();
        });
        Worker worker = new Worker(() -> {
            Thread.currentThread().setUncaughtExceptionHandler((thread, failure) -> told.add(failure));
            try (Engine other = Engine.open(CONFIG, options)) {
                other.sign("Files", X);
            }
        });
        worker.end();
        holds(told.get(0) instanceof ArithmeticException);
    }

    /** A history calls it after its engine was closed and forgotten. */
    void testEventOutlives() throws Exception {
        List<String> events = new ArrayList<>();
        History history = openHistory(events);
        System.gc();
        events.clear();
        history.append(X, X);
        holds(events.contains("sign"));
        history.close();
    }

    private static History openHistory(List<String> events) {
        try (Engine other = Engine.open(CONFIG, new Options().event(event -> events.add(event.operation())))) {
            History.create(other, "sqlite:events.db");
            return History.open(other, "sqlite:events.db");
        }
    }

    // ---- what is forgotten ----

    /** Of the process: an engine that watches its files has one of its own. */
    private static int threads() {
        return Path.of("/proc/self/task").toFile().list().length;
    }

    void testForgotten() throws Exception {
        int before = threads();
        for (int i = 0; i < 20; i++)
            forget();
        holds(threads() >= before + 15);
        holds(until(() -> {
            System.gc();
            return threads() <= before + 2;
        }), ": " + threads() + " threads, " + before + " before");
    }

    /** One whose callback knows the engine, too. */
    private static void forget() {
        Engine[] itself = new Engine[1];
        itself[0] = Engine.open(CONFIG, new Options().watch(true).event(event -> itself[0].hashCode()));
        itself[0].sign("Files", X);
        History.create(itself[0], "sqlite:forgotten" + System.nanoTime() + ".db");
    }

    /** Open engines and a thread that is inside at the end are no reason to crash. */
    void testEndOfProcess() throws Exception {
        run(ProcessHandle.current().info().command().orElseThrow(), "-cp", System.getProperty("java.class.path"), "Life$End");
    }

    static final class End {
        public static void main(String[] arguments) throws Exception {
            Engine open = Engine.open(CONFIG, new Options().watch(true).event(event -> {
            }));
            History.create(open, "sqlite:end.db");
            History.open(open, "sqlite:end.db").append(X, X);
            PipedInputStream reading = new PipedInputStream(new PipedOutputStream());
            Thread inside = new Thread(() -> {
                try {
                    open.sign("Files", reading, new ByteArrayOutputStream());
                } catch (java.io.IOException e) {
                    System.exit(1);
                }
            });
            inside.setDaemon(true);
            inside.start();
            Thread.sleep(200);
        }
    }

    // ---- memory ----

    private static long resident() {
        System.gc();
        try {
            Thread.sleep(300); // what the collector found is released by a thread
            return Long.parseLong(Files.readString(Path.of("/proc/self/statm")).split(" ")[1]) * 4096;
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    /** Every kind of call, in sizes that differ. */
    void testMemory() throws Exception {
        byte[] value = engine.encrypt("EncryptedFields", X), raw = engine.sign("Files", X, new SignParams().form(Form.RAW));
        byte[] attached = engine.sign("Files", filled(100), new SignParams().form(Form.ATTACHED));
        byte[] token = Jws.sign(engine, "Api", X);
        FieldParams none = new FieldParams();
        History.create(engine, "sqlite:memory.db");
        History history = History.open(engine, "sqlite:memory.db");
        history.append(X, filled(5000));
        byte[] proof = history.prove(1);
        Verifier verifier = Verifier.open(engine, "Files", 0);
        int[] n = new int[1];
        SignParams fails = new SignParams().progress((done, total) -> {
            throw new ArithmeticException();
        });
        List<Work> jobs = List.of(() -> engine.sign("Files", filled(n[0] % 5000)),
                () -> engine.sign("Files", filled(n[0] % 5000), new SignParams().form(Form.RAW).tag("t")), () -> verifier.check(X, raw),
                verifier::signer, verifier::key, () -> engine.encrypt("EncryptedFields", filled(n[0] % 3000), new FieldParams().context(X)),
                () -> engine.decrypt("EncryptedFields", value),
                () -> refused(Status.REJECTED,
                        () -> engine.decrypt("EncryptedFields", value, new FieldParams().context(bytes("c" + n[0])))),
                () -> engine.encryptMany("EncryptedFields", Collections.nCopies(n[0] % 50, X), Collections.nCopies(n[0] % 50, X), none),
                () -> thrown(SignengineException.class, () -> engine.decryptMany("EncryptedFields", List.of(value, X), null, none)),
                () -> engine.verifyAttached("Files", attached),
                () -> engine.sign("Files", new ByteArrayInputStream(filled(n[0] % 9000)), new ByteArrayOutputStream(),
                        new SignParams().progress((done, total) -> true)),
                () -> thrown(NullPointerException.class, () -> engine.sign("Files", (byte[]) null)),
                () -> thrown(ArithmeticException.class, () -> engine.sign("Files", filled(n[0] % 20 == 0 ? 3000000 : 2000000), fails)),
                () -> refused(Status.NO_DESCRIPTOR, () -> engine.sign("Nobody", X)),
                () -> refused(Status.USAGE, () -> engine.sign("Files", X, new SignParams().digest(X))),
                () -> Jws.verifyMany(engine, "Api", Collections.nCopies(n[0] % 5, token), null, new Jws.VerifyParams()),
                () -> engine.findVersions("EncryptedFields", value), () -> History.verifyProof(proof), () -> engine.hold().close());
        work(jobs, n, Math.max(CALLS / 2, 4000));
        long before = resident(), began = System.nanoTime();
        work(jobs, n, CALLS);
        long grown = resident() - before;
        System.out.printf("memory: %d calls in %.1f s, grown by %d kB%n", CALLS, (System.nanoTime() - began) / 1e9, grown >> 10);
        history.close();
        verifier.close();
        holds(grown < LIMIT);
    }

    private static void work(List<Work> jobs, int[] n, int count) throws Exception {
        for (int i = 0; i < count; i++) {
            n[0] = i;
            jobs.get(i % jobs.size()).run();
        }
    }

    /** Opened and closed, and closed by nobody: nothing stays. */
    void testEngines() throws Exception {
        int count = Math.max(CALLS / 50, 40);
        for (int i = 0; i < 2000; i++) // as many as are forgotten before the collector comes
            openOne(i);
        long before = resident();
        for (int i = 0; i < count; i++)
            openOne(i);
        long grown = resident() - before;
        System.out.printf("memory: %d engines, grown by %d kB%n", count, grown >> 10);
        holds(grown < LIMIT);
    }

    private static void openOne(int i) throws Exception {
        Engine other = Engine.open(CONFIG, new Options().event(event -> event.hashCode()).report(report -> report.hashCode()));
        other.sign("Files", X);
        Config.describe(other);
        if (i % 2 == 0)
            other.close();
    }
}
