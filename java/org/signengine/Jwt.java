// SPDX-License-Identifier: Apache-2.0
package org.signengine;

import com.sun.jna.Pointer;
import java.util.List;

/** Tokens of the web (RFC 7519). */
public final class Jwt {
    /** se_jwt_sign_params. */
    public static final class SignParams extends Params<SignParams> {
        public SignParams() {
            super("se_jwt_sign_params");
        }

        public SignParams version(int version) {
            return putNatural("version", version);
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

        public SignParams issuer(String issuer) {
            return put("issuer", issuer);
        }

        public SignParams subject(String subject) {
            return put("subject", subject);
        }

        public SignParams audiences(List<String> audiences) {
            return put("audiences", audiences);
        }

        /** In seconds from now. */
        public SignParams lifetime(long lifetime) {
            return put("lifetime", lifetime);
        }

        public SignParams notBefore(long notBefore) {
            return put("not_before", notBefore);
        }

        public SignParams makeId(boolean makeId) {
            return put("make_id", makeId);
        }

        public SignParams noExpiry(boolean noExpiry) {
            return put("no_expiry", noExpiry);
        }

        public SignParams tag(String tag) {
            return put("tag", tag);
        }
    }

    /** se_jwt_verify_params. */
    public static final class VerifyParams extends Params<VerifyParams> {
        public VerifyParams() {
            super("se_jwt_verify_params");
        }

        public VerifyParams version(int version) {
            return putNatural("version", version);
        }

        public VerifyParams type(String type) {
            return put("type", type);
        }

        public VerifyParams keyId(String keyId) {
            return put("key_id", keyId);
        }

        public VerifyParams issuer(String issuer) {
            return put("issuer", issuer);
        }

        public VerifyParams subject(String subject) {
            return put("subject", subject);
        }

        public VerifyParams id(String id) {
            return put("id", id);
        }

        public VerifyParams audiences(List<String> audiences) {
            return put("audiences", audiences);
        }

        /** In seconds. */
        public VerifyParams leeway(int leeway) {
            return putNatural("leeway", leeway);
        }

        public VerifyParams noExpiry(boolean noExpiry) {
            return put("no_expiry", noExpiry);
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

    private Jwt() {
    }

    /** claims: an object of JSON, or empty. */
    public static byte[] sign(Engine engine, String descriptor, byte[] claims, SignParams params) {
        try (Call call = new Call()) {
            return call.make("se_jwt_sign", engine, call.text(descriptor), call.bytes(claims), params.write(call));
        }
    }

    /** The claims, as they were signed. */
    public static Verified verify(Engine engine, String descriptor, byte[] token, VerifyParams params) {
        try (Call call = new Call()) {
            Pointer struct = params.write(call), signer = call.struct("se_signer"), leeway = call.allocate(4);
            struct.setPointer(params.offset("signer"), signer);
            struct.setPointer(params.offset("leeway_used"), leeway);
            byte[] claims = call.make("se_jwt_verify", engine, call.text(descriptor), call.bytes(token), struct);
            return new Verified(claims, Structs.reader(Signer.class).read(signer), leeway.getInt(0));
        }
    }

    public static Verified verify(Engine engine, String descriptor, byte[] token) {
        return verify(engine, descriptor, token, new VerifyParams());
    }
}
