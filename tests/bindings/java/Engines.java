// SPDX-License-Identifier: Apache-2.0
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import org.signengine.Access;
import org.signengine.Check;
import org.signengine.Config;
import org.signengine.Engine;
import org.signengine.Event;
import org.signengine.Mail;
import org.signengine.Options;
import org.signengine.SignengineException;
import org.signengine.Status;

/** What an engine is, and says of itself. */
final class Engines extends Case {
    void testDescribe() throws Exception {
        equal(Config.fingerprint(engine), string(command("config", "fingerprint")).split("\\s")[0]);
        holds(Config.describe(engine).contains(new Config.Property("descriptor Files:1", "key", "two")));
        try (Engine before = Engine.open(Path.of("before.xml"))) {
            List<Config.Difference> differences = Config.diff(before, engine);
            equal(differences.stream().map(Config.Difference::item).collect(Collectors.toSet()),
                    java.util.Set.of("descriptor EncryptedFields:2", "access files"));
            holds(differences.stream().allMatch(one -> one.before() == null && one.after() != null));
        }
    }

    void testCheck() throws Exception {
        List<Check.Row> rows = Check.run(engine, new Check.Options().probe(true));
        equal(rows.stream().map(Check.Row::descriptor).toList().subList(0, 2), List.of("FileSigner", "Files"));
        holds(rows.stream().allMatch(row -> row.status() == Status.OK));
        holds(rows.stream().anyMatch(row -> !row.findings().isEmpty() && !row.findings().get(0).text().isEmpty()));
        equal(rows.stream().map(row -> row.state().toString()).collect(Collectors.toSet()), java.util.Set.of("current", "older"));
        Path lame = write("lame.xml", bytes(string(read("engine.xml")).replace("three.bundle", "nothing.bundle")));
        try (Engine other = Engine.open(lame)) {
            SignengineException e = thrown(SignengineException.class, () -> Check.run(other, new Check.Options()));
            List<Check.Row> bad = ((List<?>) e.results()).stream().map(Check.Row.class::cast)
                    .filter(row -> row.status() != Status.OK).toList();
            equal(bad.stream().map(Check.Row::descriptor).toList(), List.of("Strangers"));
            equal(bad.get(0).status(), e.status());
        }
    }

    void testAccess() throws Exception {
        int uid = Integer.parseInt(string(run("id", "-u")).strip());
        equal(Access.rows(engine).stream().map(Access.Row::name).toList(), List.of("files"));
        try (Access access = Access.open(engine, Objects::requireNonNull)) {
            Access.Use sign = new Access.Use("sign").descriptor("Files");
            Access.Caller me = new Access.Caller().uid(uid).gids(uid, uid + 1), other = new Access.Caller().uid(uid + 1);
            Access.Row row = access.decide(me, sign);
            equal(List.of(row.number(), row.name(), row.operations(), row.perMinute()), List.of(1, "files", List.of("sign", "verify"), 60));
            equal(row.who().get(0).user(), string(run("id", "-un")).strip());
            equal(row.who().get(0).group(), null);
            equal(row.what(), List.of(new Access.What("Files", 0, null)));
            refused(Status.ACCESS, () -> access.decide(me, new Access.Use("decrypt").descriptor("Files")));
            refused(Status.ACCESS, () -> access.decide(other, sign));
            refused(Status.ACCESS, () -> access.decide(new Access.Caller().certificate(Case.read("one.pem")), sign));
            refused(Status.USAGE, () -> access.decide(me, new Access.Use("dance")));
            equal(access.list().size(), 1);
            equal(access.list(me).size(), 1);
            equal(access.list(other), List.of());
        }
    }

    void testReload() throws Exception {
        List<Event> events = new ArrayList<>();
        Path changing = write("changing.xml", read("before.xml"));
        try (Engine reloaded = Engine.open(changing, new Options().event(events::add)); Engine held = reloaded.hold()) {
            write("changing.xml", read("engine.xml"));
            reloaded.reload();
            equal(reloaded.findVersions("EncryptedFields", reloaded.encrypt("EncryptedFields", bytes("x"))), List.of(2));
            equal(held.findVersions("EncryptedFields", held.encrypt("EncryptedFields", bytes("x"))), List.of(1));
            refused(Status.USAGE, held::reload);
            write("changing.xml", bytes("<engine"));
            refused(Status.CONFIG, reloaded::reload);
            reloaded.encrypt("EncryptedFields", bytes("x"));
        }
        holds(events.stream().anyMatch(event -> event.kind() == Event.Kind.RELOADED));
        Event refusal = events.stream().filter(event -> event.kind() == Event.Kind.RELOAD_REFUSED).findFirst().orElseThrow();
        equal(List.of(refusal.status(), refusal.operation()), List.of(Status.CONFIG, ""));
        equal(Event.Kind.FAILED_OVER.toString(), "failed over");
    }

    void testReports() throws Exception {
        List<String> found = new ArrayList<>();
        Path bad = write("bad.xml", bytes("<engineSignEncrypt><nonsense/></engineSignEncrypt>"));
        refused(Status.CONFIG, () -> Engine.open(bad, new Options().report(report -> found.add(report.file() + report.error()))));
        equal(found.get(0), "bad.xmltrue");
    }

    void testFollows() throws Exception {
        engine.sign("Files", bytes("x"));
        try (Engine next = Engine.open(Path.of("engine.xml"), new Options().follows(engine))) {
            engine.close();
            next.sign("Files", bytes("x"));
        }
        thrown(IllegalStateException.class, () -> Engine.open(Path.of("engine.xml"), new Options().follows(engine)));
    }

    void testPins() throws Exception {
        Path key = Path.of("pin.key");
        Config.Scrambled scrambled = Config.scramblePins(bytes("<a><type pin.encrypted='1234'/></a>"), key);
        equal(scrambled.count(), 1L);
        holds(!string(scrambled.config()).contains("1234"));
        holds(!Config.scramblePin(bytes("1234"), key).isEmpty());
        Config.retryPins();
    }

    /** In a process of its own: signing loads neither database nor GMime. */
    void testWhatIsLoaded() throws Exception {
        run(ProcessHandle.current().info().command().orElseThrow(), "-cp", System.getProperty("java.class.path"), "Engines$Loaded");
    }

    static final class Loaded {
        public static void main(String[] arguments) throws Exception {
            try (Engine engine = Engine.open(Path.of("engine.xml"))) {
                engine.sign("Files", bytes("x"));
            }
            String maps = Files.readString(Path.of("/proc/self/maps"));
            holds(maps.contains("libsignengine.so"));
            for (String name : List.of("libsqlite3", "libpq", "libgmime", "signengine-"))
                holds(!maps.contains(name), name);
            Mail.address("a@example.org");
            holds(Files.readString(Path.of("/proc/self/maps")).contains("libgmime"));
        }
    }
}
