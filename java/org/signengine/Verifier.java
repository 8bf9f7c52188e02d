// SPDX-License-Identifier: Apache-2.0
package org.signengine;

import com.sun.jna.Pointer;

/** Raw signatures of one certificate, any number of them. */
public final class Verifier extends Owned {
    private Verifier(Pointer pointer) {
        super(pointer, "se_verifier_close", null);
    }

    /** That of a version of a descriptor; 0: the current one. */
    public static Verifier open(Engine engine, String descriptor, int version) {
        if (version < 0)
            throw new IllegalArgumentException("version is below 0");
        try (Call call = new Call()) {
            return new Verifier(call.open("se_verifier_open", engine, call.text(descriptor), version));
        }
    }

    /** certificate: in DER or PEM. */
    public static Verifier read(byte[] certificate, String algorithm) {
        try (Call call = new Call()) {
            return new Verifier(call.open("se_verifier_read", call.bytes(certificate), call.text(algorithm)));
        }
    }

    public Signer signer() {
        try (Call call = new Call()) {
            Pointer signer = call.struct("se_signer");
            Library.function("se_verifier_signer").invokeVoid(new Object[] { signer, enter() });
            leave();
            return Structs.reader(Signer.class).read(signer);
        }
    }

    /** In DER. */
    public byte[] certificate() {
        return bytes("se_verifier_certificate");
    }

    /** The SubjectPublicKeyInfo, in DER. */
    public byte[] key() {
        return bytes("se_verifier_key");
    }

    private byte[] bytes(String function) {
        Pointer verifier = enter();
        try {
            return ((Library.Bytes) Library.function(function).invoke(Library.Bytes.class, new Object[] { verifier })).copy();
        } finally {
            leave();
        }
    }

    public void check(byte[] content, byte[] signature) {
        try (Call call = new Call()) {
            call.run("se_verifier_check", this, call.bytes(content), call.filled(signature, "the signature"));
        }
    }
}
