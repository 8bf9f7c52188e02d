// SPDX-License-Identifier: Apache-2.0
package org.signengine;

import com.sun.jna.Pointer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.ref.Reference;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.IntConsumer;

/**
 * Signs and encrypts with keys that an engineSignEncrypt.xml names. Any number of threads may use one. The manual pages of libsignengine
 * say what the methods do: se_sign() is sign().
 */
public final class Engine extends Owned {
    private final List<Listener> listeners; // the library calls them until the engine is closed

    private Engine(Pointer pointer, List<Listener> listeners) {
        super(pointer, "se_close", null);
        this.listeners = listeners;
    }

    public static Engine open(Path configuration) {
        return open(configuration, new Options());
    }

    public static Engine open(Path configuration, Options options) {
        List<Listener> listeners = new ArrayList<>();
        try (Call call = new Call()) {
            Pointer struct = options.write(call);
            if (options.report != null)
                listen(struct, options.offset("report"), Listener.of(Report.class, options.report), listeners);
            if (options.event != null)
                listen(struct, options.offset("event"), Listener.of(Event.class, options.event), listeners);
            if (options.follows == null)
                return new Engine(call.open("se_open", call.path(configuration), struct), listeners);
            struct.setPointer(options.offset("follows"), options.follows.enter());
            try {
                return new Engine(call.open("se_open", call.path(configuration), struct), listeners);
            } finally {
                options.follows.leave();
            }
        } finally {
            Reference.reachabilityFence(listeners);
        }
    }

    private static void listen(Pointer struct, long offset, Listener listener, List<Listener> listeners) {
        listener.write(struct, offset, Callbacks.ONE);
        listeners.add(listener);
    }

    /** Loads the configuration again. */
    public void reload() {
        try (Call call = new Call()) {
            call.run("se_reload", this);
        }
    }

    /** The engine as it is now, whatever reload() does; it is closed by itself. */
    public Engine hold() {
        try (Call call = new Call()) {
            return new Engine(call.open("se_hold", this), listeners);
        }
    }

    List<Listener> listeners() {
        return listeners;
    }

    // ---- sign ----

    /** Who would sign. */
    public Signer findSigner(String descriptor, SignParams params) {
        try (Call call = new Call()) {
            return call.find(Signer.class, "se_find_signer", this, call.text(descriptor), params.write(call));
        }
    }

    public Signer findSigner(String descriptor) {
        return findSigner(descriptor, new SignParams());
    }

    public byte[] sign(String descriptor, byte[] content, SignParams params) {
        try (Call call = new Call()) {
            return call.make("se_sign", this, call.text(descriptor), call.bytes(content), params.write(call));
        }
    }

    public byte[] sign(String descriptor, byte[] content) {
        return sign(descriptor, content, new SignParams());
    }

    /** What `out` got before a failure is worthless. */
    public void sign(String descriptor, InputStream content, OutputStream out, SignParams params) throws IOException {
        try (Call call = new Call()) {
            call.run("se_sign_stream", call.sink(out), this, call.text(descriptor), call.source(content), params.write(call));
        }
    }

    public void sign(String descriptor, InputStream content, OutputStream out) throws IOException {
        sign(descriptor, content, out, new SignParams());
    }

    public void sign(String descriptor, Path content, Path out, SignParams params) {
        try (Call call = new Call()) {
            call.run("se_sign_file", call.path(out), this, call.text(descriptor), call.path(content), params.write(call));
        }
    }

    public void sign(String descriptor, Path content, Path out) {
        sign(descriptor, content, out, new SignParams());
    }

    // ---- verify: a signature that stands beside the content ----

    public Signer verify(String descriptor, byte[] content, byte[] signature, VerifyParams params) {
        try (Call call = new Call()) {
            Pointer struct = params.write(call);
            call.putFilled(struct, params.offset("signature"), signature, "the signature");
            return call.find(Signer.class, "se_verify", this, call.text(descriptor), call.bytes(content), struct);
        }
    }

    public Signer verify(String descriptor, byte[] content, byte[] signature) {
        return verify(descriptor, content, signature, new VerifyParams());
    }

    public Signer verify(String descriptor, InputStream content, byte[] signature, VerifyParams params) throws IOException {
        try (Call call = new Call()) {
            Pointer struct = params.write(call);
            call.putFilled(struct, params.offset("signature"), signature, "the signature");
            return call.find(Signer.class, "se_verify_stream", this, call.text(descriptor), call.source(content), struct);
        }
    }

    /** signature: it is read once the content has come to its end. */
    public Signer verify(String descriptor, InputStream content, InputStream signature, VerifyParams params) throws IOException {
        try (Call call = new Call()) {
            Pointer struct = params.write(call);
            struct.setPointer(params.offset("later"), call.source(signature));
            return call.find(Signer.class, "se_verify_stream", this, call.text(descriptor), call.source(content), struct);
        }
    }

    public Signer verify(String descriptor, Path content, Path signature, VerifyParams params) {
        try (Call call = new Call()) {
            return call.find(Signer.class, "se_verify_file", this, call.text(descriptor), call.path(content), call.path(signature),
                    params.write(call));
        }
    }

    public Signer verify(String descriptor, Path content, Path signature) {
        return verify(descriptor, content, signature, new VerifyParams());
    }

    // ---- verify: a signature with the content inside, CMS or, with one of the forms of XML, XML ----

    public Verified verifyAttached(String descriptor, byte[] signed, VerifyParams params) {
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        try (Call call = new Call()) {
            Pointer struct = params.write(call);
            struct.setPointer(params.offset("content"), call.sink(content));
            Signer signer = call.find(Signer.class, "se_verify", this, call.text(descriptor), call.bytes(signed), struct);
            return new Verified(content.toByteArray(), signer, 0);
        }
    }

    public Verified verifyAttached(String descriptor, byte[] signed) {
        return verifyAttached(descriptor, signed, new VerifyParams());
    }

    /** content: not to be used before this returns. */
    public Signer verifyAttached(String descriptor, InputStream signed, OutputStream content, VerifyParams params) throws IOException {
        try (Call call = new Call()) {
            Pointer struct = params.write(call);
            struct.setPointer(params.offset("content"), call.sink(content));
            return call.find(Signer.class, "se_verify_stream", this, call.text(descriptor), call.source(signed), struct);
        }
    }

    public Signer verifyAttached(String descriptor, Path signed, OutputStream content, VerifyParams params) throws IOException {
        try (Call call = new Call()) {
            Pointer struct = params.write(call);
            struct.setPointer(params.offset("content"), call.sink(content));
            return call.find(Signer.class, "se_verify_file", this, call.text(descriptor), call.path(signed), null, struct);
        }
    }

    // ---- encrypted fields ----

    public byte[] encrypt(String descriptor, byte[] content, FieldParams params) {
        try (Call call = new Call()) {
            return call.make("se_encrypt", this, call.text(descriptor), call.bytes(content), params.write(call));
        }
    }

    public byte[] encrypt(String descriptor, byte[] content) {
        return encrypt(descriptor, content, new FieldParams());
    }

    public byte[] decrypt(String descriptor, byte[] value, FieldParams params) {
        try (Call call = new Call()) {
            return call.make("se_decrypt", this, call.text(descriptor), call.bytes(value), params.write(call));
        }
    }

    public byte[] decrypt(String descriptor, byte[] value) {
        return decrypt(descriptor, value, new FieldParams());
    }

    /** The context of a value, from its parts, as "table" is "person" and "row" is "7". */
    public static byte[] context(Map<String, String> parts) {
        try (Call call = new Call()) {
            return call.make("se_context", call.pairs(parts), (long) parts.size());
        }
    }

    // ---- batches: the first failure is thrown, and its results are a Field for each ----

    /** contexts: one for each; null: none has one. */
    public List<byte[]> encryptMany(String descriptor, List<byte[]> contents, List<byte[]> contexts, FieldParams params) {
        return Batch.FIELDS.run("se_encrypt_many", this, descriptor, contents, contexts, params).stream().map(Field::value).toList();
    }

    public List<byte[]> decryptMany(String descriptor, List<byte[]> values, List<byte[]> contexts, FieldParams params) {
        return Batch.FIELDS.run("se_decrypt_many", this, descriptor, values, contexts, params).stream().map(Field::value).toList();
    }

    public List<Field> rekeyMany(String descriptor, List<byte[]> values, List<byte[]> contexts, FieldParams params) {
        return Batch.FIELDS.run("se_rekey_many", this, descriptor, values, contexts, params);
    }

    // ---- which version has made something ----

    public List<Integer> findVersions(String descriptor, byte[] content) {
        List<Integer> found = new ArrayList<>();
        try (Call call = new Call()) {
            call.run("se_find_versions", this, call.text(descriptor), call.bytes(content), Callbacks.VERSION,
                    call.add((IntConsumer) found::add));
        }
        return found;
    }

    public List<Integer> findVersions(String descriptor, InputStream content) throws IOException {
        List<Integer> found = new ArrayList<>();
        try (Call call = new Call()) {
            call.run("se_find_versions_stream", this, call.text(descriptor), call.source(content), Callbacks.VERSION,
                    call.add((IntConsumer) found::add));
        }
        return found;
    }

    /** Of a file, which may also be a zip. */
    public List<Integer> findVersions(String descriptor, Path file) {
        List<Integer> found = new ArrayList<>();
        try (Call call = new Call()) {
            call.run("se_find_versions_file", this, call.text(descriptor), call.path(file), Callbacks.VERSION,
                    call.add((IntConsumer) found::add));
        }
        return found;
    }
}
