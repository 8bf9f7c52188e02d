// SPDX-License-Identifier: Apache-2.0
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import org.signengine.Engine;
import org.signengine.SignengineException;
import org.signengine.Status;

/**
 * What the tests of the binding share. They run in the folder that java.sh has filled; each method of a class that begins with "test" is a
 * case.
 */
abstract class Case implements AutoCloseable {
    static final byte[] MESSAGE = bytes("From: alice@example.org\nTo: bob@example.org\nSubject: x\n\nHello\n");

    interface Work {
        void run() throws Exception;
    }

    final Engine engine = Engine.open(Path.of("engine.xml"));

    @Override
    public void close() {
        engine.close();
    }

    /** The names of classes, each of which is run. */
    public static void main(String[] classes) throws Exception {
        int ran = 0, failed = 0;
        for (String name : classes) {
            Method[] methods = Class.forName(name).getDeclaredMethods();
            Arrays.sort(methods, Comparator.comparing(Method::getName));
            for (Method method : methods)
                if (method.getName().startsWith("test")) {
                    ran++;
                    try (Case one = (Case) Class.forName(name).getDeclaredConstructor().newInstance()) {
                        method.invoke(one);
                    } catch (InvocationTargetException e) {
                        failed++;
                        System.err.println(name + "." + method.getName());
                        e.getCause().printStackTrace();
                    }
                }
        }
        System.err.println("Ran " + ran + " tests, " + failed + " failed");
        System.exit(failed == 0 && ran > 0 ? 0 : 1);
    }

    // ---- claims ----

    static void equal(Object is, Object wanted) {
        if (!Objects.deepEquals(is, wanted))
            throw new AssertionError(show(is) + ", not " + show(wanted));
    }

    private static String show(Object object) {
        return object instanceof byte[] content ? "\"" + new String(content, StandardCharsets.UTF_8) + "\"" : String.valueOf(object);
    }

    static void holds(boolean condition, String... what) {
        if (!condition)
            throw new AssertionError("that does not hold" + String.join("", what));
    }

    /** Exactly this status, with a sentence; the exception for more questions. */
    static SignengineException refused(Status status, Work work) throws Exception {
        SignengineException e = thrown(SignengineException.class, work);
        equal(e.status(), status);
        equal(e.code(), status.ordinal());
        equal(e.getMessage(), e.text());
        holds(!e.text().isEmpty() && !e.text().contains("\n"), ": one line: ", e.text());
        return e;
    }

    static <T extends Throwable> T thrown(Class<T> type, Work work) throws Exception {
        try {
            work.run();
        } catch (Throwable e) {
            if (e.getClass() == type)
                return type.cast(e);
            throw new AssertionError("another exception: " + e, e);
        }
        throw new AssertionError("no exception");
    }

    // ---- files, and the tools of others ----

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    static String string(byte[] content) {
        return new String(content, StandardCharsets.UTF_8);
    }

    static Path write(String path, byte[] content) throws Exception {
        return Files.write(Path.of(path), content);
    }

    static byte[] read(String path) throws Exception {
        return Files.readAllBytes(Path.of(path));
    }

    /** A text of so many bytes. */
    static byte[] filled(int size) {
        byte[] content = new byte[size];
        Arrays.fill(content, (byte) 'x');
        return content;
    }

    static byte[] run(String... command) throws Exception {
        return runWith(new byte[0], command);
    }

    static byte[] runWith(byte[] input, String... command) throws Exception {
        Path in = Files.write(Path.of(".input"), input), messages = Path.of(".messages");
        Process process = new ProcessBuilder(command).redirectInput(in.toFile()).redirectError(messages.toFile()).start();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (InputStream stream = process.getInputStream()) {
            stream.transferTo(out);
        }
        int status = process.waitFor();
        if (status != 0)
            throw new AssertionError(String.join(" ", command) + ": status " + status + ": " + Files.readString(messages));
        return out.toByteArray();
    }

    static byte[] command(String... arguments) throws Exception {
        return commandWith(new byte[0], arguments);
    }

    static byte[] commandWith(byte[] input, String... arguments) throws Exception {
        List<String> words = new ArrayList<>(List.of(System.getenv("top_builddir") + "/signengine"));
        words.addAll(List.of(arguments));
        return runWith(input, words.toArray(new String[0]));
    }

    static Path vectors(String name) {
        return Path.of(System.getenv("top_srcdir"), "tests/vectors", name);
    }
}
