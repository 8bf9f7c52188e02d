// SPDX-License-Identifier: Apache-2.0
import java.io.EOFException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.URLEncoder;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Base64;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Asks signengined on its Unix socket, with the JDK alone (from 16 on). Any number of threads may
 * use one; each call in flight has a connection, which is kept and used again.
 */
final class Signengine implements AutoCloseable {
    private static final Pattern TEXT = Pattern.compile("\"(status|message|requestId)\":\"((?:[^\"\\\\]|\\\\.)*)\"");

    private final UnixDomainSocketAddress address;
    private final ConcurrentLinkedDeque<SocketChannel> kept = new ConcurrentLinkedDeque<>();
    private volatile boolean closed;

    private record Answer(int code, byte[] body) {}

    Signengine(Path socket) {
        address = UnixDomainSocketAddress.of(socket);
    }

    /** A CMS signature in DER, without the content. */
    byte[] sign(String descriptor, byte[] content) throws IOException {
        return post(descriptor, "sign", "", content);
    }

    /** Who signed, in JSON; an exception with the status "rejected" if the signature is not good. */
    String verify(String descriptor, byte[] content, byte[] signature) throws IOException {
        String field = "Signengine-Signature: " + Base64.getEncoder().encodeToString(signature) + "\r\n";
        return new String(post(descriptor, "verify", field, content), StandardCharsets.UTF_8);
    }

    String encrypt(String descriptor, byte[] content) throws IOException {
        return new String(post(descriptor, "encrypt", "", content), StandardCharsets.UTF_8);
    }

    byte[] decrypt(String descriptor, String value) throws IOException {
        return post(descriptor, "decrypt", "", value.getBytes(StandardCharsets.UTF_8));
    }

    /** Calls in flight come to their end. */
    @Override
    public void close() throws IOException {
        closed = true;
        for (SocketChannel channel; (channel = kept.poll()) != null;)
            channel.close();
    }

    private byte[] post(String descriptor, String operation, String field, byte[] body) throws IOException {
        String target = "/v1/descriptors/" + URLEncoder.encode(descriptor, StandardCharsets.UTF_8).replace("+", "%20");
        String head = "POST " + target + "/" + operation + " HTTP/1.1\r\nHost: signengine\r\n"
                + "Content-Type: application/octet-stream\r\nContent-Length: " + body.length + "\r\n" + field + "\r\n";
        Answer answer = exchange(head.getBytes(StandardCharsets.US_ASCII), body);

        if (answer.code / 100 != 2)
            throw failure(answer);
        return answer.body;
    }

    // The daemon may just have closed a kept connection. All of these calls may be repeated, so they are: on a new one.
    private Answer exchange(byte[] head, byte[] body) throws IOException {
        for (SocketChannel channel; (channel = kept.poll()) != null;) {
            try {
                return exchange(channel, head, body);
            } catch (IOException e) {
                channel.close();
            }
        }
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            channel.connect(address);
            return exchange(channel, head, body);
        } catch (IOException e) {
            channel.close();
            throw e;
        }
    }

    private Answer exchange(SocketChannel channel, byte[] head, byte[] body) throws IOException {
        ByteBuffer[] out = { ByteBuffer.wrap(head), ByteBuffer.wrap(body) };
        ByteBuffer in = ByteBuffer.allocate(65536);
        String text;
        int end;

        while (out[0].hasRemaining() || out[1].hasRemaining())
            channel.write(out);
        do {
            if (channel.read(in) < 0)
                throw new EOFException("signengined has closed the connection");
            text = new String(in.array(), 0, in.position(), StandardCharsets.ISO_8859_1);
        } while ((end = text.indexOf("\r\n\r\n")) < 0);
        text = text.substring(0, end + 2);

        ByteBuffer rest = ByteBuffer.allocate(Integer.parseInt(field(text, "Content-Length", "0")));
        rest.put(in.array(), end + 4, in.position() - end - 4);
        while (rest.hasRemaining())
            if (channel.read(rest) < 0)
                throw new EOFException("signengined has closed the connection");
        if (closed || field(text, "Connection", "").equalsIgnoreCase("close"))
            channel.close();
        else
            kept.addFirst(channel);
        return new Answer(Integer.parseInt(text.substring(9, 12)), rest.array());
    }

    private static String field(String head, String name, String otherwise) {
        Matcher m = Pattern.compile("(?i)\r\n" + name + ":[ \t]*(.*?)[ \t]*\r\n").matcher(head);
        return m.find() ? m.group(1) : otherwise;
    }

    private static SignengineException failure(Answer answer) {
        String status = "failed", message = "signengined answers " + answer.code, requestId = "";

        for (Matcher m = TEXT.matcher(new String(answer.body, StandardCharsets.UTF_8)); m.find();)
            switch (m.group(1)) {
                case "status" -> status = m.group(2);
                case "message" -> message = m.group(2).replaceAll("\\\\(.)", "$1");
                default -> requestId = m.group(2);
            }
        return new SignengineException(status, message, requestId);
    }
}

/** What signengined refuses or can't do; "unavailable" is worth another try, see signengined(8). */
final class SignengineException extends IOException {
    final String status, requestId;

    SignengineException(String status, String message, String requestId) {
        super(message);
        this.status = status;
        this.requestId = requestId;
    }
}
