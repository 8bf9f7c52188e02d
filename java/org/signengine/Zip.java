// SPDX-License-Identifier: Apache-2.0
package org.signengine;

import com.sun.jna.Pointer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Zips, signed as JARs. */
public final class Zip {
    /** What verification found out about an entry: se_zip_state. */
    public enum State {
        SIGNED, SIGNATURE, FOLDER, UNSIGNED, NOT_COVERED, WEAK, CHANGED, EMPTY_FOLDER, UNKNOWN;

        /** The library's words for it, as "not signed". */
        @Override
        public String toString() {
            return Library.word("se_zip_state_text", this);
        }
    }

    /** se_zip_entry. */
    public record Entry(String name, long size, State state, boolean good) {
    }

    /** signatures: the name of the file of each, and who made it. */
    public record Report(Map<String, Signer> signatures, List<Entry> entries) {
    }

    /** se_zip_sign_params. */
    public static final class SignParams extends Params<SignParams> {
        public SignParams() {
            super("se_zip_sign_params");
        }

        public SignParams version(int version) {
            return putNatural("version", version);
        }

        public SignParams time(long time) {
            return put("time", time);
        }

        /** Leave the signatures that are there. */
        public SignParams keep(boolean keep) {
            return put("keep", keep);
        }

        public SignParams signatureName(String signatureName) {
            return put("signature_name", signatureName);
        }

        public SignParams tsa(String tsa) {
            return put("tsa", tsa);
        }

        public SignParams tsaPolicy(String tsaPolicy) {
            return put("tsa_policy", tsaPolicy);
        }

        /** Descriptor; the signed zip becomes a container for its certificate. */
        public SignParams encrypt(String encrypt) {
            return put("encrypt", encrypt);
        }

        public SignParams encryptVersion(int encryptVersion) {
            return putNatural("encrypt_version", encryptVersion);
        }

        /** Of that container. */
        public SignParams context(byte[] context) {
            return put("context", context);
        }

        public SignParams threads(int threads) {
            return putNatural("threads", threads);
        }

        public SignParams maxEntries(long maxEntries) {
            return putNatural("max_entries", maxEntries);
        }

        public SignParams maxTotal(long maxTotal) {
            return putNatural("max_total", maxTotal);
        }

        public SignParams maxRatio(long maxRatio) {
            return putNatural("max_ratio", maxRatio);
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
    }

    /** se_zip_verify_params. */
    public static final class VerifyParams extends Params<VerifyParams> {
        public VerifyParams() {
            super("se_zip_verify_params");
        }

        public VerifyParams time(long time) {
            return put("time", time);
        }

        /** PEM file of CA certificates. */
        public VerifyParams trust(Path trust) {
            return put("trust", trust);
        }

        public VerifyParams issuers(boolean issuers) {
            return put("issuers", issuers);
        }

        public VerifyParams trustTsa(Path trustTsa) {
            return put("trust_tsa", trustTsa);
        }

        public VerifyParams threads(int threads) {
            return putNatural("threads", threads);
        }

        public VerifyParams maxEntries(long maxEntries) {
            return putNatural("max_entries", maxEntries);
        }

        public VerifyParams maxTotal(long maxTotal) {
            return putNatural("max_total", maxTotal);
        }

        public VerifyParams maxRatio(long maxRatio) {
            return putNatural("max_ratio", maxRatio);
        }

        public VerifyParams progress(Progress progress) {
            return put("progress", progress);
        }

        public VerifyParams tag(String tag) {
            return put("tag", tag);
        }

        public VerifyParams version(int version) {
            return putNatural("version", version);
        }

        public VerifyParams revocation(RevocationParams revocation) {
            return put("revocation", revocation);
        }
    }

    private Zip() {
    }

    /** out: null is in place. */
    public static void sign(Engine engine, String descriptor, Path zip, Path out, SignParams params) {
        try (Call call = new Call()) {
            Pointer place = out == null ? null : call.path(out);
            call.run("se_zip_sign", place, engine, call.text(descriptor), call.path(zip), params.write(call));
        }
    }

    /** In place. */
    public static void sign(Engine engine, String descriptor, Path zip) {
        sign(engine, descriptor, zip, null, new SignParams());
    }

    /** The results of an exception are the report, as far as it goes. */
    public static Report verify(Engine engine, String descriptor, Path zip, VerifyParams params) {
        Report report = new Report(new LinkedHashMap<>(), new ArrayList<>());
        Struct.Reader<Signer> signers = Structs.reader(Signer.class);
        Struct.Reader<Entry> entries = Structs.reader(Entry.class);
        try (Call call = new Call()) {
            Pointer struct = params.write(call);
            struct.setPointer(params.offset("signature"), Callbacks.TWO);
            struct.setPointer(params.offset("entry"), Callbacks.ONE);
            struct.setPointer(params.offset("report_arg"), call.add((Callbacks.Told) what -> {
                if (what.length == 1)
                    report.entries.add(entries.read(what[0]));
                else
                    report.signatures.put(Struct.text(what[0]), signers.read(what[1]));
                return true;
            }));
            call.run("se_zip_verify", engine, call.text(descriptor), call.path(zip), struct);
            return report;
        } catch (SignengineException e) {
            throw e.with(report);
        }
    }

    public static Report verify(Engine engine, String descriptor, Path zip) {
        return verify(engine, descriptor, zip, new VerifyParams());
    }
}
