// SPDX-License-Identifier: Apache-2.0
package org.signengine;

import com.sun.jna.Pointer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;

/** Mail, signed as S/MIME (RFC 8551). */
public final class Mail {
    /** What was done, or found: se_mail. */
    public record Result(Signer signer, boolean passed, boolean opaque, boolean nested, boolean protect, String changed,
            boolean encrypted) {
    }

    /** se_mail_sign_params. */
    public static final class SignParams extends Params<SignParams> {
        public SignParams() {
            super("se_mail_sign_params");
        }

        public SignParams version(int version) {
            return putNatural("version", version);
        }

        public SignParams time(long time) {
            return put("time", time);
        }

        public SignParams sender(String sender) {
            return put("sender", sender);
        }

        public SignParams opaque(boolean opaque) {
            return put("opaque", opaque);
        }

        /** The header is signed too (RFC 9788). */
        public SignParams protect(boolean protect) {
            return put("protect", protect);
        }

        public SignParams again(boolean again) {
            return put("again", again);
        }

        public SignParams progress(Progress progress) {
            return put("progress", progress);
        }

        public SignParams tag(String tag) {
            return put("tag", tag);
        }

        public SignParams atAnyTime(boolean atAnyTime) {
            return put("at_any_time", atAnyTime);
        }

        public SignParams tsa(String tsa) {
            return put("tsa", tsa);
        }

        public SignParams tsaPolicy(String tsaPolicy) {
            return put("tsa_policy", tsaPolicy);
        }
    }

    /** se_mail_verify_params. */
    public static final class VerifyParams extends Params<VerifyParams> {
        public VerifyParams() {
            super("se_mail_verify_params");
        }

        public VerifyParams version(int version) {
            return putNatural("version", version);
        }

        public VerifyParams time(long time) {
            return put("time", time);
        }

        public VerifyParams sender(String sender) {
            return put("sender", sender);
        }

        /** PEM file of CA certificates. */
        public VerifyParams trust(Path trust) {
            return put("trust", trust);
        }

        public VerifyParams trustTsa(Path trustTsa) {
            return put("trust_tsa", trustTsa);
        }

        /** Gets what was signed; not to be used before verify() returns. */
        public VerifyParams content(OutputStream content) {
            return put("content", content);
        }

        /** Gets the header of the message. */
        public VerifyParams header(OutputStream header) {
            return put("header", header);
        }

        /** The header around what was inside a signature. */
        public VerifyParams outside(byte[] outside) {
            return put("outside", outside);
        }

        public VerifyParams progress(Progress progress) {
            return put("progress", progress);
        }

        public VerifyParams tag(String tag) {
            return put("tag", tag);
        }

        public VerifyParams revocation(RevocationParams revocation) {
            return put("revocation", revocation);
        }
    }

    private Mail() {
    }

    /** out: what it got before a failure is worthless. */
    public static Result sign(Engine engine, String descriptor, InputStream message, OutputStream out, SignParams params)
            throws IOException {
        try (Call call = new Call()) {
            Pointer done = call.struct("se_mail");
            call.run("se_mail_sign", call.sink(out), done, engine, call.text(descriptor), call.source(message), params.write(call));
            return Structs.reader(Result.class).read(done);
        }
    }

    /** The outermost signature. */
    public static Result verify(Engine engine, String descriptor, InputStream message, VerifyParams params) throws IOException {
        try (Call call = new Call()) {
            return call.find(Result.class, "se_mail_verify", engine, call.text(descriptor), call.source(message), params.write(call));
        }
    }

    public static List<Integer> findVersions(Engine engine, String descriptor, InputStream message) throws IOException {
        List<Integer> found = new ArrayList<>();
        try (Call call = new Call()) {
            call.run("se_mail_find_versions", engine, call.text(descriptor), call.source(message), Callbacks.VERSION,
                    call.add((IntConsumer) found::add));
        }
        return found;
    }

    /** The one mail address in the value of a From field. */
    public static String address(String from) {
        try (Call call = new Call()) {
            return new String(call.make("se_mail_address", call.text(from)), StandardCharsets.UTF_8);
        }
    }
}
