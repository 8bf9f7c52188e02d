// SPDX-License-Identifier: Apache-2.0
package org.signengine;

/** Who signed, as far as it has been verified; or who would sign: se_signer. Times are in seconds since 1970, 0: not said. */
public record Signer(int version, String algorithm, String subject, String issuer, String serial, long signingTime, long notAfter,
        String address, long stampTime, String stampAuthority, String stampIgnored, String key, String alias, String keyType,
        String digest, long stampAccuracyUs, Revocation revocation, RevocationSource revocationSource, String revocationTeller,
        long revocationUpdate, String revocationNote) {

    /** Whether the certificate was revoked. */
    public enum Revocation {
        UNCHECKED, GOOD, UNKNOWN
    }

    /** Who tells. */
    public enum RevocationSource {
        NOBODY, CRL, OCSP, UNKNOWN
    }
}
