// SPDX-License-Identifier: Apache-2.0
import java.io.*;
import java.net.*;
import java.nio.ByteBuffer;
import java.nio.channels.*;
import java.nio.file.*;
import java.util.*;
import java.util.concurrent.*;
import java.util.function.Function;
import java.util.stream.*;

import static java.nio.charset.StandardCharsets.UTF_8;

/**
 * signengined(8) from Java 17, with nothing but the JDK.
 *
 *     try (var engine = new Signengine(Path.of("/run/signengine/socket"), 60, 30)) {
 *         byte[] signature = engine.sign("FileSigner", content, Map.of());
 *     }
 *
 * Threads may share an object: each call in flight has a connection of its own, which is kept for the next.
 *
 *     java Signengine.java SOCKET [PATIENCE]     reads calls, one a line, as README.md has them
 */
public final class Signengine implements AutoCloseable {
    /** Why a call failed. */
    public static final class Failure extends IOException {
        private static final long serialVersionUID = 1;

        /** The word to branch on: "forbidden", "rejected", "unavailable" ... */
        public final String status;
        /** The status of HTTP; 0: there was no answer. */
        public final int code;
        /** What the service's audit calls this request, or null. */
        public final String requestId;
        /** Seconds after which to ask again; -1: that would not help. */
        public final int retryAfter;

        Failure(String status, String message, int code, String requestId, int retryAfter, Throwable cause) {
            super(message, cause);
            this.status = status;
            this.code = code;
            this.requestId = requestId;
            this.retryAfter = retryAfter;
        }
    }

    /** One of many: status is "ok", or why it failed, and then there is a message instead of a value. */
    public record Item<T>(String status, T value, String message) { }
    /** Context: what a value belongs to. */
    public record Plain(byte[] content, Map<String, String> context) { }
    public record Encrypted(String value, Map<String, String> context) { }
    public record Entry(String object, byte[] payload) { }
    public record Appended(long first, long count, boolean repeated) { }

    private record Answer(int code, String reason, Map<String, String> fields, byte[] body) { }

    private final ConcurrentLinkedDeque<Connection> kept = new ConcurrentLinkedDeque<>();
    private final UnixDomainSocketAddress socket;
    private final int timeout, patience;
    private final ScheduledThreadPoolExecutor clock = new ScheduledThreadPoolExecutor(1, task -> {
        var thread = new Thread(task, "signengine timeouts");
        thread.setDaemon(true);
        return thread;
    });

    /**
     * @param timeout  seconds for an answer
     * @param patience seconds that a call may wait in all where the service says Retry-After, as it does while a key store is away or a limit
     *                 is used up; what would take longer is thrown at once
     */
    public Signengine(Path socket, int timeout, int patience) {
        this.socket = UnixDomainSocketAddress.of(socket);
        this.timeout = timeout;
        this.patience = patience;
        clock.setRemoveOnCancelPolicy(true);
    }

    /** After the last call; where classes are loaded anew, as in Tomcat, nothing of these stays behind. */
    @Override public void close() {
        clock.shutdownNow();
        for (Connection c; (c = kept.poll()) != null; )
            c.close();
    }

    // ---- signatures; query: form=raw, version=1, tag=... ----

    /** The signature: CMS in DER, unless `form` says otherwise. */
    public byte[] sign(String descriptor, byte[] content, Map<String, String> query) throws Failure {
        return ask(target(descriptor, "sign", query), content, "Content-Type: application/octet-stream");
    }

    /** Who signed: subject, issuer, version ... What is not good throws "rejected". */
    public Map<?, ?> verify(String descriptor, byte[] content, byte[] signature, Map<String, String> query) throws Failure {
        return askJson(target(descriptor, "verify", query), Map.of("content", base64(content), "signature", base64(signature)));
    }

    // ---- values ----

    public String encrypt(String descriptor, Plain plain) throws Failure {
        return (String) askJson(target(descriptor, "encrypt", Map.of()), json(plain)).get("value");
    }

    public byte[] decrypt(String descriptor, Encrypted encrypted) throws Failure {
        return bytes(askJson(target(descriptor, "decrypt", Map.of()), json(encrypted)).get("content"));
    }

    public List<Item<String>> encryptMany(String descriptor, List<Plain> contents) throws Failure {
        var items = contents.stream().map(Signengine::json).toList();
        return items(askJson(target(descriptor, "encrypt", Map.of()), Map.of("items", items)), item -> (String) item.get("value"));
    }

    public List<Item<byte[]>> decryptMany(String descriptor, List<Encrypted> values) throws Failure {
        var items = values.stream().map(Signengine::json).toList();
        return items(askJson(target(descriptor, "decrypt", Map.of()), Map.of("items", items)), item -> bytes(item.get("content")));
    }

    // ---- histories ----

    /** All entries or none. key: of your choice for these entries, up to 64 visible ASCII characters. Asked again with it, after whatever failure,
     *  the service appends nothing twice. */
    public Appended append(String history, String key, List<Entry> entries) throws Failure {
        var list = entries.stream().map(e -> Map.of("object", e.object, "payload", base64(e.payload))).toList();
        var answer = askJson("/v1/histories/" + quote(history) + "/entries", Map.of("entries", list), "Idempotency-Key: " + key);
        return new Appended((Long) answer.get("first"), (Long) answer.get("count"), (Boolean) answer.get("repeated"));
    }

    // ---- how it is asked ----

    private Map<?, ?> askJson(String target, Object body, String... fields) throws Failure {
        var all = Stream.concat(Stream.of("Content-Type: application/json"), Stream.of(fields)).toArray(String[]::new);
        return (Map<?, ?>) Json.read(new String(ask(target, Json.write(body).getBytes(UTF_8), all), UTF_8));
    }

    private byte[] ask(String target, byte[] body, String... fields) throws Failure {
        for (long until = System.nanoTime() + patience * 1_000_000_000L; ; ) {
            var answer = exchange(target, body, fields);
            if (answer.code < 400)
                return answer.body;
            var failure = failure(answer);
            if (failure.retryAfter < 0 || System.nanoTime() + failure.retryAfter * 1_000_000_000L > until)
                throw failure;
            try {
                Thread.sleep(failure.retryAfter * 1000L);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw failure;
            }
        }
    }

    /** A kept connection may have been closed meanwhile: then once more, in the end on a new one. All calls of this class may be repeated; an append
     *  because of its key. */
    private Answer exchange(String target, byte[] body, String... fields) throws Failure {
        for (;;) {
            var connection = kept.poll();
            var old = connection != null;
            try {
                if (!old)
                    connection = new Connection(socket);
                var channel = connection.channel;
                // a channel of a Unix socket knows no timeouts, but may be closed by another thread
                var late = clock.schedule(() -> { channel.close(); return null; }, timeout, TimeUnit.SECONDS);
                var answer = connection.exchange(target, body, fields);
                if (late.cancel(false) && !"close".equals(answer.fields.get("connection")))
                    kept.push(connection);
                else
                    connection.close();
                if (clock.isShutdown())
                    close();
                return answer;
            } catch (IOException e) {
                if (connection != null)
                    connection.close();
                if (!old || e instanceof AsynchronousCloseException)
                    throw new Failure("unavailable", "no answer: " + e, 0, null, -1, e);
            }
        }
    }

    /** What is wrong with HTTP itself may be answered in HTML. */
    private static Failure failure(Answer answer) {
        var wait = Integer.parseInt(answer.fields.getOrDefault("retry-after", "-1"));
        try {
            var body = (Map<?, ?>) Json.read(new String(answer.body, UTF_8));
            var error = (Map<?, ?>) body.get("error");
            return new Failure((String) error.get("status"), (String) error.get("message"), answer.code, (String) body.get("requestId"), wait, null);
        } catch (IllegalArgumentException e) {
            return new Failure("internal", answer.reason, answer.code, answer.fields.get("x-request-id"), wait, null);
        }
    }

    private static final class Connection {
        final SocketChannel channel;
        private final InputStream in;

        Connection(UnixDomainSocketAddress socket) throws IOException {
            channel = SocketChannel.open(socket);
            in = new BufferedInputStream(Channels.newInputStream(channel));
        }

        void close() {
            try {
                channel.close();
            } catch (IOException e) {
                // it is gone either way
            }
        }

        Answer exchange(String target, byte[] body, String... fields) throws IOException {
            var head = "POST " + target + " HTTP/1.1\r\nHost: signengine\r\nContent-Length: " + body.length + "\r\n" + String.join("\r\n", fields) + "\r\n\r\n";
            var out = new ByteBuffer[] { ByteBuffer.wrap(head.getBytes(UTF_8)), ByteBuffer.wrap(body) };
            try {
                while (out[0].hasRemaining() || out[1].hasRemaining())
                    channel.write(out);
            } catch (IOException e) {
                if (out[0].hasRemaining())
                    throw e; // else: what is too large is answered before all of it was sent
            }
            return read();
        }

        private Answer read() throws IOException {
            var first = line();
            var fields = new HashMap<String, String>();
            for (String line; !(line = line()).isEmpty(); ) {
                var colon = line.indexOf(':');
                fields.put(line.substring(0, colon).toLowerCase(Locale.ROOT), line.substring(colon + 1).trim());
            }
            var body = new ByteArrayOutputStream();
            if (fields.containsKey("content-length"))
                piece(Integer.parseInt(fields.get("content-length")), body);
            else // chunks; nothing follows the last one
                for (int size = 1; size > 0; line())
                    piece(size = Integer.parseInt(line(), 16), body);
            return new Answer(Integer.parseInt(first.substring(9, 12)), first.substring(13), fields, body.toByteArray());
        }

        private void piece(int size, ByteArrayOutputStream body) throws IOException {
            var piece = in.readNBytes(size);
            if (piece.length < size)
                throw new EOFException("the answer was cut");
            body.write(piece);
        }

        private String line() throws IOException {
            var line = new StringBuilder();
            for (int c; (c = in.read()) != '\n'; line.append((char) c))
                if (c < 0)
                    throw new EOFException("the connection was closed");
            return line.toString().stripTrailing();
        }
    }

    private static String target(String descriptor, String operation, Map<String, String> query) {
        var words = query.entrySet().stream().map(e -> e.getKey() + "=" + quote(e.getValue())).collect(Collectors.joining("&"));
        return "/v1/descriptors/" + quote(descriptor) + "/" + operation + (words.isEmpty() ? "" : "?" + words);
    }

    private static String quote(String text) {
        return URLEncoder.encode(text, UTF_8).replace("+", "%20"); // a plus is a blank in forms only
    }

    private static String base64(byte[] content) {
        return Base64.getEncoder().encodeToString(content);
    }

    private static byte[] bytes(Object base64) {
        return Base64.getDecoder().decode((String) base64);
    }

    private static Map<String, Object> json(Plain plain) {
        return Map.of("content", base64(plain.content), "context", plain.context);
    }

    private static Map<String, Object> json(Encrypted encrypted) {
        return Map.of("value", encrypted.value, "context", encrypted.context);
    }

    private static <T> List<Item<T>> items(Map<?, ?> answer, Function<Map<?, ?>, T> value) {
        return ((List<?>) answer.get("items")).stream().map(o -> (Map<?, ?>) o).map(item -> "ok".equals(item.get("status"))
            ? new Item<>("ok", value.apply(item), null) : new Item<T>((String) item.get("status"), null, (String) item.get("message"))).toList();
    }

    /** As much of JSON (RFC 8259) as is asked and answered here: numbers are whole. If you have a library, take it instead. */
    private static final class Json {
        private final String text;
        private int at;

        private Json(String text) {
            this.text = text;
        }

        static String write(Object value) {
            if (value instanceof Map<?, ?> map)
                return map.entrySet().stream().map(e -> write(e.getKey()) + ":" + write(e.getValue())).collect(Collectors.joining(",", "{", "}"));
            if (value instanceof List<?> list)
                return list.stream().map(Json::write).collect(Collectors.joining(",", "[", "]"));
            return value.toString().chars().mapToObj(c -> c < ' ' || c == '"' || c == '\\' ? String.format("\\u%04x", c) : "" + (char) c)
                .collect(Collectors.joining("", "\"", "\""));
        }

        static Object read(String text) {
            var json = new Json(text);
            var value = json.value();
            if (json.next() != 0)
                throw new IllegalArgumentException("more than one value");
            return value;
        }

        /** What comes behind blanks; 0: the end. */
        private char next() {
            while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0)
                at++;
            return at < text.length() ? text.charAt(at) : 0;
        }

        private boolean take(char c) {
            if (next() != c)
                return false;
            at++;
            return true;
        }

        private Object value() {
            if (take('{')) {
                var map = new LinkedHashMap<String, Object>();
                for (var more = !take('}'); more; more = separator('}')) {
                    var name = (String) value();
                    if (!take(':'))
                        throw new IllegalArgumentException("no colon at " + at);
                    map.put(name, value());
                }
                return map;
            }
            if (take('[')) {
                var list = new ArrayList<Object>();
                for (var more = !take(']'); more; more = separator(']'))
                    list.add(value());
                return list;
            }
            return take('"') ? string() : word();
        }

        private boolean separator(char end) {
            if (take(','))
                return true;
            if (take(end))
                return false;
            throw new IllegalArgumentException("neither , nor " + end + " at " + at);
        }

        private String string() {
            var value = new StringBuilder();
            for (char c; at < text.length() && (c = text.charAt(at++)) != '"'; )
                value.append(c == '\\' ? escaped() : c);
            return value.toString();
        }

        private char escaped() {
            char c = text.charAt(at++);
            if (c == 'u')
                return (char) Integer.parseInt(text.substring(at, at += 4), 16);
            var plain = "bfnrt".indexOf(c);
            return plain < 0 ? c : "\b\f\n\r\t".charAt(plain);
        }

        private Object word() {
            int from = at;
            while (at < text.length() && Character.isLetterOrDigit(text.charAt(at)) || at == from && next() == '-')
                at++;
            var word = text.substring(from, at);
            return switch (word) {
                case "true" -> true;
                case "false" -> false;
                case "null" -> null;
                default -> Long.valueOf(word);
            };
        }
    }

    // ---- calls, one a line ----

    private static Map<String, String> place(String row) {
        return Map.of("table", "person", "row", row);
    }

    /** ROW TEXT ROW TEXT ... behind the descriptor */
    private static <T> List<T> pairs(String[] words, java.util.function.BiFunction<String, String, T> make) {
        return IntStream.range(1, words.length / 2).mapToObj(i -> make.apply(words[i * 2], words[i * 2 + 1])).toList();
    }

    private static <T> String show(List<Item<T>> items, Function<T, String> text) {
        return items.stream().map(i -> i.status + ":" + (i.message == null ? text.apply(i.value) : i.message)).collect(Collectors.joining("\t"));
    }

    private static String text(byte[] bytes) {
        return new String(bytes, UTF_8);
    }

    private String call(String[] w) throws IOException {
        return switch (w[0]) {
            case "sign" -> base64(sign(w[1], Files.readAllBytes(Path.of(w[2])),
                Stream.of(w).skip(3).map(q -> q.split("=", 2)).collect(Collectors.toMap(q -> q[0], q -> q[1]))));
            case "verify" -> (String) verify(w[1], Files.readAllBytes(Path.of(w[2])), Files.readAllBytes(Path.of(w[3])), Map.of()).get("subject");
            case "encrypt" -> encrypt(w[1], new Plain(w[3].getBytes(UTF_8), place(w[2])));
            case "decrypt" -> text(decrypt(w[1], new Encrypted(w[3], place(w[2]))));
            case "encrypt-many" -> show(encryptMany(w[1], pairs(w, (row, text) -> new Plain(text.getBytes(UTF_8), place(row)))), value -> value);
            case "decrypt-many" -> show(decryptMany(w[1], pairs(w, (row, value) -> new Encrypted(value, place(row)))), Signengine::text);
            case "append" -> {
                var appended = append(w[1], w[2], List.of(new Entry(w[3], w[4].getBytes(UTF_8))));
                yield appended.first + "\t" + appended.count + "\t" + appended.repeated;
            }
            default -> throw new IllegalArgumentException(w[0]);
        };
    }

    public static void main(String[] args) throws IOException {
        var in = new BufferedReader(new InputStreamReader(System.in, UTF_8));
        var out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, UTF_8);
        try (var engine = new Signengine(Path.of(args[0]), 60, args.length > 1 ? Integer.parseInt(args[1]) : 30)) {
            for (String line; (line = in.readLine()) != null; )
                try {
                    out.println("ok\t" + engine.call(line.split("\t", -1)));
                } catch (Failure e) {
                    out.println(String.join("\t", "failed", e.status, "" + e.code, e.requestId == null ? "-" : e.requestId, e.getMessage()));
                }
        }
    }
}
