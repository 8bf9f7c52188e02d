// SPDX-License-Identifier: Apache-2.0
import com.sun.jna.Library;
import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.NativeLong;
import com.sun.jna.Pointer;
import com.sun.jna.Structure;
import com.sun.jna.Structure.FieldOrder;
import com.sun.jna.ptr.PointerByReference;
import java.nio.charset.StandardCharsets;

/**
 * Keys by libsignengine in this JVM, through JNA: a mapping of signengine.h, as far as it is needed here. jna.jar has to be in the
 * server's lib folder and in no application; see doc/tomcat.md.
 */
final class LibraryKeys implements Keys {
    interface Functions extends Library {
        int se_open(PointerByReference engine, String path, Pointer options, Failure error);

        void se_close(PointerByReference engine);

        int se_sign(Buffer out, Pointer engine, String descriptor, Bytes in, Pointer params, Failure error);

        int se_verify(Pointer signer, Pointer engine, String descriptor, Bytes in, VerifyParams params, Failure error);

        int se_encrypt(Buffer out, Pointer engine, String descriptor, Bytes in, Pointer params, Failure error);

        int se_decrypt(Buffer out, Pointer engine, String descriptor, Bytes in, Pointer params, Failure error);

        void se_buf_free(Buffer buffer);

        String se_status_name(int status);
    }

    /** se_bytes: passed by value, and alive as long as this object is. */
    @FieldOrder({ "data", "size" })
    public static class Bytes extends Structure implements Structure.ByValue {
        public Pointer data;
        public NativeLong size;
        private final Memory memory;

        Bytes(byte[] content) {
            memory = new Memory(Math.max(1, content.length));
            memory.write(0, content, 0, content.length);
            data = memory;
            size = new NativeLong(content.length);
        }

        void wipe() {
            memory.clear();
        }
    }

    /** se_buf */
    @FieldOrder({ "data", "size" })
    public static class Buffer extends Structure {
        public Pointer data;
        public NativeLong size;
    }

    /** The beginning of se_verify_params, which is enough: size says how much of it there is. */
    @FieldOrder({ "size", "version", "form", "data", "length" })
    public static class VerifyParams extends Structure {
        public NativeLong size;
        public int version, form;
        public Pointer data;
        public NativeLong length;

        VerifyParams(Bytes signature) {
            data = signature.data;
            length = signature.size;
            size = new NativeLong(size());
        }
    }

    /** se_error */
    @FieldOrder({ "status", "line", "file", "text" })
    public static class Failure extends Structure {
        public int status, line;
        public Pointer file;
        public byte[] text = new byte[1000];
    }

    private interface Call {
        int run(Buffer out, Bytes in, Failure error);
    }

    private final Functions library = Native.load("signengine", Functions.class);
    private final PointerByReference engine = new PointerByReference();

    LibraryKeys(String config) {
        Failure error = new Failure();
        check(library.se_open(engine, config, null, error), error);
    }

    @Override
    public byte[] sign(String descriptor, byte[] content) {
        return run(content, (out, in, error) -> library.se_sign(out, engine.getValue(), descriptor, in, null, error));
    }

    @Override
    public String verify(String descriptor, byte[] content, byte[] signature) {
        Bytes signed = new Bytes(signature);
        run(content, (out, in, error) -> library.se_verify(null, engine.getValue(), descriptor, in, new VerifyParams(signed), error));
        return "good signature";
    }

    @Override
    public String encrypt(String descriptor, byte[] content) {
        return new String(run(content, (out, in, error) -> library.se_encrypt(out, engine.getValue(), descriptor, in, null, error)),
                StandardCharsets.UTF_8);
    }

    @Override
    public byte[] decrypt(String descriptor, String value) {
        return run(value.getBytes(StandardCharsets.UTF_8),
                (out, in, error) -> library.se_decrypt(out, engine.getValue(), descriptor, in, null, error));
    }

    /** The last call: none may be in flight, which the server's unloadDelay takes care of. */
    @Override
    public void close() {
        library.se_close(engine);
    }

    private byte[] run(byte[] content, Call call) {
        Bytes in = new Bytes(content);
        Buffer out = new Buffer();
        Failure error = new Failure();

        try {
            check(call.run(out, in, error), error);
            return out.data == null ? new byte[0] : out.data.getByteArray(0, out.size.intValue());
        } finally {
            in.wipe();
            library.se_buf_free(out);
        }
    }

    private void check(int status, Failure error) {
        if (status != 0)
            throw new IllegalStateException(library.se_status_name(status) + ": " + Native.toString(error.text, "UTF-8"));
    }
}
