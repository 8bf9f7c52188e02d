// SPDX-License-Identifier: Apache-2.0
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.signengine.Config;
import org.signengine.Container;
import org.signengine.ContainerParams;
import org.signengine.Engine;
import org.signengine.FieldParams;
import org.signengine.Form;
import org.signengine.History;
import org.signengine.Options;
import org.signengine.Report;
import org.signengine.SignengineException;
import org.signengine.Status;
import org.signengine.VerifyParams;

/** The vectors that the tests of the C libraries have: tests/vectors, with the verdicts that they have there. */
final class Vectors extends Case {
    private static List<Path> sorted(Path folder) throws Exception {
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().toList();
        }
    }

    /** tests/interop/nx02.sh */
    void testFields() throws Exception {
        write("nx02.both", bytes(Files.readString(vectors("nx02/key.pem")) + Files.readString(vectors("nx02/certificate.pem"))));
        int count = 0;
        try (Engine other = Engine.open(Path.of("nx02.xml"))) {
            for (Path folder : sorted(vectors("nx02")))
                if (Files.isDirectory(folder)) {
                    count++;
                    field(other, folder);
                }
        }
        equal(count, 49);
    }

    private static void field(Engine other, Path folder) throws Exception {
        byte[] value = Files.readAllBytes(folder.resolve("value")), context = Files.readAllBytes(folder.resolve("context"));
        boolean container = Container.is(value) && value.length > 4 && value[4] == 2;
        byte[] plain;
        try {
            if (container) {
                Container.decrypt(other, "V", Case.write("vector.in", value), Path.of("vector.out"),
                        new ContainerParams().context(context));
                plain = Case.read("vector.out");
            } else
                plain = other.decrypt("V", value, new FieldParams().context(context));
        } catch (SignengineException e) {
            holds(!Files.exists(folder.resolve("plain")), folder + ": " + e);
            holds(Set.of(Status.REJECTED, Status.FORMAT, Status.NO_DESCRIPTOR).contains(e.status()), folder + ": " + e);
            return;
        }
        holds(Files.exists(folder.resolve("plain")), folder + " was accepted");
        equal(plain, Files.readAllBytes(folder.resolve("plain")));
    }

    /** tests/interop/encrypt.sh: example A.1 of RFC 7516 */
    void testJwe() throws Exception {
        try (Engine other = Engine.open(Path.of("jwe.xml"))) {
            equal(other.decrypt("rfc", bytes(Files.readString(vectors("jwe/rfc7516-a1/value")).strip())),
                    Files.readAllBytes(vectors("jwe/rfc7516-a1/plain")));
        }
    }

    /** tests/history/vectors.sh */
    void testProofs() throws Exception {
        int count = 0;
        for (Path path : sorted(vectors("history/proofs"))) {
            String name = path.getFileName().toString();
            byte[] proof = Files.readAllBytes(path);
            count++;
            if (name.startsWith("good-"))
                equal(History.verifyProof(proof).fingerprint().length(), 64);
            else
                refused(name.startsWith("refused-65-") ? Status.FORMAT : Status.REJECTED, () -> History.verifyProof(proof));
        }
        holds(count >= 40);
    }

    /** tests/unit/test_config_vectors.c: what is found in a configuration, line by line, or what the engine understands */
    void testConfigurations() throws Exception {
        int count = 0, refused = 0;
        Path path = Path.of("configurations/engine.xml");
        Files.createDirectory(path.getParent()); // where others can't read them
        for (Path folder : sorted(vectors("config"))) {
            List<Report> found = new ArrayList<>();
            StringBuilder lines = new StringBuilder();
            List<Config.Property> properties = List.of();
            Files.write(path, Files.readAllBytes(folder.resolve("engine.xml")));
            count++;
            try (Engine other = Engine.open(path, new Options().report(found::add))) {
                properties = Config.describe(other);
            } catch (SignengineException e) {
                equal(e.status(), Status.CONFIG);
                refused++;
            }
            for (Report report : found) {
                equal(report.file(), path.toString());
                lines.append(report.line()).append(": ").append(report.error() ? "" : "warning: ").append(report.text()).append('\n');
            }
            for (Config.Property one : properties)
                lines.append(one.item()).append(" | ").append(one.property()).append(" | ").append(one.value()).append('\n');
            // there the engine is opened in its folder
            String told = lines.toString().replace("configurations/engine.xml", "engine.xml").replace("configurations/", "./");
            equal(told, Files.readString(folder.resolve("expected")));
        }
        holds(refused >= 70 && count - refused >= 10);
    }

    /** tests/cli/xml-attacks.sh */
    void testXmlAttacks() throws Exception {
        int attacks = 0, good = 0;
        try (Engine other = Engine.open(Path.of("attacks.xml"))) {
            for (Path folder : sorted(vectors("xml-attacks"))) {
                if (!Files.exists(folder.resolve("document.xml")))
                    continue;
                byte[] document = Files.readAllBytes(folder.resolve("document.xml"));
                String[] expected = (Files.readString(folder.resolve("expected")) + "\n\n").split("\n", -1);
                Path arguments = folder.resolve("arguments");
                List<String> words = Files.exists(arguments) ? List.of(Files.readString(arguments).strip().split("\\s+")) : List.of();
                String descriptor = words.contains("-d") ? words.get(words.indexOf("-d") + 1) : "Signer";
                VerifyParams xml = new VerifyParams().form(Form.XML);
                if (words.contains("--id"))
                    xml.xmlId(words.get(words.indexOf("--id") + 1));
                if (expected[0].equals("0")) {
                    good++;
                    holds(other.verifyAttached(descriptor, document, xml).content().length > 0);
                    continue;
                }
                attacks++;
                SignengineException e = refused(expected[0].equals("1") ? Status.REJECTED : Status.FORMAT,
                        () -> other.verifyAttached(descriptor, document, xml));
                holds(e.text().contains(expected[1]), folder + ": " + e.text());
            }
        }
        holds(attacks >= 60);
        equal(good, 3);
    }
}
