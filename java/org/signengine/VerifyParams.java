// SPDX-License-Identifier: Apache-2.0
package org.signengine;

import java.nio.file.Path;
import java.util.List;

/** se_verify_params; the signature, and where the content goes, are arguments of the methods. */
public final class VerifyParams extends Params<VerifyParams> {
    /** Whose signatures are accepted when no CAs are given: se_accept. */
    public enum Accept {
        VERSIONS, CERTIFICATES, ISSUERS, UNKNOWN
    }

    public VerifyParams() {
        super("se_verify_params");
    }

    public VerifyParams version(int version) {
        return putNatural("version", version);
    }

    /** Whether it is CMS, raw or XML: any of each kind. */
    public VerifyParams form(Form form) {
        return put("form", form);
    }

    /** When certificates must be valid, in seconds since 1970. */
    public VerifyParams time(long time) {
        return put("time", time);
    }

    /** PEM file of CA certificates; any signer below them is accepted. */
    public VerifyParams trust(Path file) {
        return put("trust", file);
    }

    public VerifyParams accept(Accept accept) {
        return put("accept", accept);
    }

    public VerifyParams trustTsa(Path file) {
        return put("trust_tsa", file);
    }

    public VerifyParams purpose(Purpose purpose) {
        return put("purpose", purpose);
    }

    public VerifyParams addresses(List<String> addresses) {
        return put("addresses", addresses);
    }

    public VerifyParams xmlId(String id) {
        return put("xml_id", id);
    }

    public VerifyParams xmlUri(String uri) {
        return put("xml_uri", uri);
    }

    public VerifyParams progress(Progress progress) {
        return put("progress", progress);
    }

    public VerifyParams digest(byte[] digest) {
        return put("digest", digest);
    }

    public VerifyParams tag(String tag) {
        return put("tag", tag);
    }

    public VerifyParams revocation(RevocationParams revocation) {
        return put("revocation", revocation);
    }
}
