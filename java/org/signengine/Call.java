// SPDX-License-Identifier: Apache-2.0
package org.signengine;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/** One call of the library: the memory that it needs, which is wiped afterwards, and what a callback has thrown meanwhile. */
final class Call implements AutoCloseable {
    private static final int BLOCK = 8192;
    private static final int PIECE = 65536; // of a stream
    private static final Charset PATHS = Charset.forName(System.getProperty("sun.jnu.encoding", "UTF-8"));

    private final List<Memory> blocks = new ArrayList<>();
    private final List<Pointer> buffers = new ArrayList<>();
    private final List<Long> callbacks = new ArrayList<>();
    private final List<byte[]> pieces = new ArrayList<>();
    private long used;
    volatile Throwable raised; // by a callback

    // ---- memory ----

    /** Zeroes. */
    Pointer allocate(long size) {
        long place = (used + 7) / 8 * 8;
        if (blocks.isEmpty() || place + size > blocks.get(blocks.size() - 1).size()) {
            Memory block = Library.allocate(Math.max(size, BLOCK));
            block.clear();
            blocks.add(block);
            place = 0;
        }
        used = place + size;
        return blocks.get(blocks.size() - 1).share(place, size);
    }

    Pointer struct(String name) {
        return allocate(Structs.of(name).size);
    }

    /** count: of structs, one behind the other. */
    Pointer array(String name, int count) {
        return allocate(Math.max(1, (long) count * Structs.of(name).size));
    }

    /** An se_buf; it is released with the call. */
    Pointer buffer() {
        Pointer buffer = struct("se_buf");
        buffers.add(buffer);
        return buffer;
    }

    /** An se_buf inside a struct. */
    void release(Pointer buffer) {
        buffers.add(buffer);
    }

    // ---- arguments ----

    Pointer text(String text) {
        return string(text.getBytes(StandardCharsets.UTF_8));
    }

    Pointer path(Path path) {
        return string(path.toString().getBytes(PATHS));
    }

    private Pointer string(byte[] bytes) {
        for (byte b : bytes)
            if (b == 0)
                throw new IllegalArgumentException("a NUL in a string");
        Pointer place = allocate(bytes.length + 1L);
        place.write(0, bytes, 0, bytes.length);
        return place;
    }

    /** Never NULL, which would mean that there is none. */
    private Pointer copy(byte[] content) {
        if (content.length == 0)
            return Library.NOTHING;
        Pointer place = allocate(content.length);
        place.write(0, content, 0, content.length);
        return place;
    }

    Library.Bytes bytes(byte[] content) {
        return new Library.Bytes(struct("se_bytes"), copy(content), content.length);
    }

    /** Where C takes an empty content for none, it is a mistake that would ask for less than was meant. */
    Library.Bytes filled(byte[] content, String name) {
        return bytes(checkFilled(content, name));
    }

    private static byte[] checkFilled(byte[] content, String name) {
        if (content.length == 0)
            throw new SignengineException(Status.FORMAT, name + " is empty");
        return content;
    }

    void put(Pointer at, long offset, byte[] content) {
        at.setPointer(offset, copy(content));
        at.setLong(offset + 8, content.length);
    }

    void putFilled(Pointer at, long offset, byte[] content, String name) {
        put(at, offset, checkFilled(content, name));
    }

    Pointer texts(List<String> texts) {
        Pointer list = allocate(Math.max(1, texts.size() * 8L));
        for (int i = 0; i < texts.size(); i++)
            list.setPointer(i * 8L, text(texts.get(i)));
        return list;
    }

    Pointer pairs(Map<String, String> pairs) {
        Struct pair = Structs.of("se_pair");
        Pointer list = array("se_pair", pairs.size());
        long place = 0;
        for (Map.Entry<String, String> entry : pairs.entrySet()) {
            put(list, place, entry.getKey().getBytes(StandardCharsets.UTF_8));
            put(list, place + pair.offset("value"), entry.getValue().getBytes(StandardCharsets.UTF_8));
            place += pair.size;
        }
        return list;
    }

    // ---- callbacks ----

    /** For an `arg`. */
    Pointer add(Object object) {
        long arg = Callbacks.add(this, object);
        callbacks.add(arg);
        return new Pointer(arg);
    }

    <T> Pointer collect(Class<T> type, List<T> found) {
        return each(type, found::add);
    }

    /** each: false ends it. */
    <T> Pointer each(Class<T> type, Predicate<? super T> each) {
        Struct.Reader<T> reader = Structs.reader(type);
        return add((Callbacks.Told) what -> each.test(reader.read(what[0])));
    }

    Pointer source(InputStream in) {
        byte[] piece = piece(in);
        Pointer source = struct("se_source");
        source.setPointer(0, Callbacks.READ);
        source.setPointer(8, add((Callbacks.Reading) (data, size) -> {
            int count = in.read(piece, 0, (int) Math.min(size, piece.length));
            data.write(0, piece, 0, Math.max(count, 0));
            return Math.max(count, 0);
        }));
        return source;
    }

    Pointer sink(OutputStream out) {
        byte[] piece = piece(out);
        Pointer sink = struct("se_sink");
        sink.setPointer(0, Callbacks.WRITE);
        sink.setPointer(8, add((Callbacks.Writing) (data, size) -> {
            for (long done = 0; done < size; done += piece.length) {
                int count = (int) Math.min(size - done, piece.length);
                data.read(done, piece, 0, count);
                out.write(piece, 0, count);
            }
        }));
        return sink;
    }

    private byte[] piece(Object stream) {
        java.util.Objects.requireNonNull(stream);
        byte[] piece = new byte[PIECE];
        pieces.add(piece);
        return piece;
    }

    // ---- the call itself ----

    /** Arguments are as in C, but for the last, the error; an {@link Owned} stands for its pointer and is not closed meanwhile. */
    void run(String name, Object... arguments) {
        Pointer error = struct("se_error");
        Object[] all = Arrays.copyOf(arguments, arguments.length + 1);
        int status;
        int entered = 0;

        all[arguments.length] = error;
        try {
            for (; entered < arguments.length; entered++)
                if (arguments[entered] instanceof Owned owned)
                    all[entered] = owned.enter();
            status = Library.function(name).invokeInt(all);
        } finally {
            while (entered-- > 0)
                if (arguments[entered] instanceof Owned owned)
                    owned.leave();
        }
        if (raised != null)
            Call.<RuntimeException>raise(raised);
        if (status != 0)
            throw new SignengineException(status, error.getString(Structs.of("se_error").offset("text"), "UTF-8"));
    }

    /** What streams throw is declared by the methods that take streams. */
    @SuppressWarnings("unchecked")
    private static <T extends Throwable> void raise(Throwable failure) throws T {
        throw (T) failure;
    }

    /** A call that fills an se_buf, its first argument. */
    byte[] make(String name, Object... arguments) {
        Pointer out = buffer();
        Object[] all = new Object[arguments.length + 1];
        all[0] = out;
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        run(name, all);
        return Struct.bytes(out, 0);
    }

    /** A call that fills a struct, its first argument. */
    <T> T find(Class<T> type, String name, Object... arguments) {
        Struct.Reader<T> reader = Structs.reader(type);
        Object[] all = new Object[arguments.length + 1];
        all[0] = allocate(reader.struct.size);
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        run(name, all);
        return reader.read((Pointer) all[0]);
    }

    /** A call that makes something to be closed, its first argument. */
    Pointer open(String name, Object... arguments) {
        Object[] all = new Object[arguments.length + 1];
        Pointer place = allocate(8);
        all[0] = place;
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        run(name, all);
        return place.getPointer(0);
    }

    @Override
    public void close() {
        for (long callback : callbacks)
            Callbacks.remove(callback);
        for (Pointer buffer : buffers)
            Library.function("se_buf_free").invokeVoid(new Object[] { buffer });
        for (Memory block : blocks) {
            block.clear();
            block.close();
        }
        for (byte[] piece : pieces)
            Arrays.fill(piece, (byte) 0);
    }
}
