// SPDX-License-Identifier: Apache-2.0
package org.signengine;

import java.util.List;

/** se_sign_params. */
public final class SignParams extends Params<SignParams> {
    public SignParams() {
        super("se_sign_params");
    }

    public SignParams version(int version) {
        return putNatural("version", version);
    }

    public SignParams form(Form form) {
        return put("form", form);
    }

    /** CMS in PEM armour. */
    public SignParams pem(boolean pem) {
        return put("pem", pem);
    }

    /** The signingTime, in seconds since 1970. */
    public SignParams time(long time) {
        return put("time", time);
    }

    /** URL of a time stamping authority; or several, with blanks between them. */
    public SignParams tsa(String urls) {
        return put("tsa", urls);
    }

    public SignParams tsaPolicy(String oid) {
        return put("tsa_policy", oid);
    }

    public SignParams purpose(Purpose purpose) {
        return put("purpose", purpose);
    }

    /** Mail addresses, one of which the certificate must name. */
    public SignParams addresses(List<String> addresses) {
        return put("addresses", addresses);
    }

    public SignParams xmlId(String id) {
        return put("xml_id", id);
    }

    public SignParams xmlUri(String uri) {
        return put("xml_uri", uri);
    }

    public SignParams xmlInclusive(boolean inclusive) {
        return put("xml_inclusive", inclusive);
    }

    public SignParams progress(Progress progress) {
        return put("progress", progress);
    }

    /** Of the content, which is empty then. */
    public SignParams digest(byte[] digest) {
        return put("digest", digest);
    }

    public SignParams tag(String tag) {
        return put("tag", tag);
    }

    public SignParams begun(long time) {
        return put("begun", time);
    }

    public SignParams least(int version) {
        return putNatural("least", version);
    }

    public SignParams atAnyTime(boolean atAnyTime) {
        return put("at_any_time", atAnyTime);
    }
}
