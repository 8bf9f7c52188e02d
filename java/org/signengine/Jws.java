// SPDX-License-Identifier: Apache-2.0
package org.signengine;

import com.sun.jna.Pointer;
import java.util.List;
import java.util.Map;

/** Signatures of the web (RFC 7515), and the public keys for those who verify them. */
public final class Jws {
    /** se_jws_form. */
    public enum Form {
        COMPACT, FLATTENED, GENERAL, UNKNOWN
    }

    /** One of many. payload: empty unless the status is OK. */
    public record Result(byte[] payload, Status status, int version) {
    }

    /** se_jws_sign_params. */
    public static final class SignParams extends Params<SignParams> {
        public SignParams() {
            super("se_jws_sign_params");
        }

        public SignParams version(int version) {
            return putNatural("version", version);
        }

        public SignParams form(Form form) {
            return put("form", form);
        }

        /** The payload is not part of it. */
        public SignParams detached(boolean detached) {
            return put("detached", detached);
        }

        public SignParams unencoded(boolean unencoded) {
            return put("unencoded", unencoded);
        }

        public SignParams certificates(boolean certificates) {
            return put("certificates", certificates);
        }

        public SignParams type(String type) {
            return put("type", type);
        }

        public SignParams keyId(String keyId) {
            return put("key_id", keyId);
        }

        /** Further members of the header. */
        public SignParams headers(Map<String, String> headers) {
            return put("headers", headers);
        }

        public SignParams tag(String tag) {
            return put("tag", tag);
        }
    }

    /** se_jws_verify_params. */
    public static final class VerifyParams extends Params<VerifyParams> {
        public VerifyParams() {
            super("se_jws_verify_params");
        }

        public VerifyParams version(int version) {
            return putNatural("version", version);
        }

        /** Of a detached one. */
        public VerifyParams payload(byte[] payload) {
            return put("payload", payload);
        }

        /** Of several signatures one good one is enough. */
        public VerifyParams any(boolean any) {
            return put("any", any);
        }

        public VerifyParams type(String type) {
            return put("type", type);
        }

        public VerifyParams keyId(String keyId) {
            return put("key_id", keyId);
        }

        public VerifyParams time(long time) {
            return put("time", time);
        }

        public VerifyParams tag(String tag) {
            return put("tag", tag);
        }

        public VerifyParams revocation(RevocationParams revocation) {
            return put("revocation", revocation);
        }
    }

    /** se_jwks_params. */
    public static final class KeyParams extends Params<KeyParams> {
        public KeyParams() {
            super("se_jwks_params");
        }

        public KeyParams version(int version) {
            return putNatural("version", version);
        }

        /** Only the current one of each descriptor. */
        public KeyParams current(boolean current) {
            return put("current", current);
        }
    }

    private Jws() {
    }

    public static byte[] sign(Engine engine, String descriptor, byte[] payload, SignParams params) {
        try (Call call = new Call()) {
            return call.make("se_jws_sign", engine, call.text(descriptor), call.bytes(payload), params.write(call));
        }
    }

    public static byte[] sign(Engine engine, String descriptor, byte[] payload) {
        return sign(engine, descriptor, payload, new SignParams());
    }

    public static Verified verify(Engine engine, String descriptor, byte[] jws, VerifyParams params) {
        try (Call call = new Call()) {
            Pointer struct = params.write(call), signer = call.struct("se_signer");
            struct.setPointer(params.offset("signer"), signer);
            byte[] payload = call.make("se_jws_verify", engine, call.text(descriptor), call.bytes(jws), struct);
            return new Verified(payload, Structs.reader(Signer.class).read(signer), 0);
        }
    }

    public static Verified verify(Engine engine, String descriptor, byte[] jws) {
        return verify(engine, descriptor, jws, new VerifyParams());
    }

    /**
     * payloads: of detached ones; null: they are inside. The first failure is thrown, and its results are what this returns otherwise.
     */
    public static List<Result> verifyMany(Engine engine, String descriptor, List<byte[]> tokens, List<byte[]> payloads,
            VerifyParams params) {
        return Batch.TOKENS.run("se_jws_verify_many", engine, descriptor, tokens, payloads, params);
    }

    /** The public keys of descriptors as a JWK set (RFC 7517); of no descriptors: of all. */
    public static byte[] keys(Engine engine, List<String> descriptors, KeyParams params) {
        try (Call call = new Call()) {
            return call.make("se_jwks", engine, call.texts(descriptors), (long) descriptors.size(), params.write(call));
        }
    }
}
