// SPDX-License-Identifier: Apache-2.0
package org.signengine;

import com.sun.jna.Pointer;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Evidence records: that files were there at a time (RFC 4998). No engine is needed. */
public final class Evidence {
    /** A file; with a content, `name` is what messages call it. */
    public record File(String name, InputStream content) {
        public static File of(Path path) {
            return new File(path.toString(), null);
        }
    }

    /** Files, and the record that is about them. */
    public record Recorded(List<File> files, byte[] record) {
    }

    /** A time stamp that has been found good: se_evidence_stamp. */
    public record Stamp(int tree, String digest, long time, long accuracyUs, String authority, long notAfter) {
    }

    /** se_evidence_params. */
    public static final class MakeParams extends Params<MakeParams> {
        public MakeParams() {
            super("se_evidence_params");
        }

        public MakeParams tsa(String tsa) {
            return put("tsa", tsa);
        }

        public MakeParams tsaPolicy(String tsaPolicy) {
            return put("tsa_policy", tsaPolicy);
        }

        /** "SHA-256", "SHA-384" or "SHA-512". */
        public MakeParams digest(String digest) {
            return put("digest", digest);
        }
    }

    /** se_evidence_verify_params. */
    public static final class VerifyParams extends Params<VerifyParams> {
        public VerifyParams() {
            super("se_evidence_verify_params");
        }

        /** PEM file of CA certificates that vouch for the authorities. */
        public VerifyParams trustTsa(Path trustTsa) {
            return put("trust_tsa", trustTsa);
        }

        public VerifyParams time(long time) {
            return put("time", time);
        }

        public VerifyParams revocation(RevocationParams revocation) {
            return put("revocation", revocation);
        }

        public VerifyParams partial(boolean partial) {
            return put("partial", partial);
        }
    }

    private Evidence() {
    }

    /** A record for each group of files, all under one time stamp. */
    public static List<byte[]> make(List<List<File>> groups, MakeParams params) {
        try (Call call = new Call()) {
            Pointer list = call.array("se_evidence", groups.size());
            for (int i = 0; i < groups.size(); i++)
                write(call, list, i, groups.get(i), null);
            call.run("se_evidence_make", list, (long) groups.size(), params.write(call));
            return made(list, groups.size());
        }
    }

    /** All with one new time stamp. */
    public static List<byte[]> renew(List<Recorded> records, VerifyParams trust, MakeParams params) {
        try (Call call = new Call()) {
            Pointer list = call.array("se_evidence", records.size());
            for (int i = 0; i < records.size(); i++)
                write(call, list, i, records.get(i).files, records.get(i).record);
            call.run("se_evidence_renew", list, (long) records.size(), params.write(call), trust.write(call));
            return made(list, records.size());
        }
    }

    /** The time stamps, oldest first. */
    public static List<Stamp> verify(Recorded record, VerifyParams params) {
        List<Stamp> found = new ArrayList<>();
        try (Call call = new Call()) {
            Pointer one = call.struct("se_evidence");
            write(call, one, 0, record.files, record.record);
            call.run("se_evidence_verify", one, params.write(call), Callbacks.ONE, call.collect(Stamp.class, found));
        }
        return found;
    }

    private static void write(Call call, Pointer list, int n, List<File> files, byte[] record) {
        Struct evidence = Structs.of("se_evidence"), file = Structs.of("se_evidence_file");
        Pointer row = list.share((long) n * evidence.size), array = call.array("se_evidence_file", files.size());
        for (int i = 0; i < files.size(); i++) {
            Pointer at = array.share((long) i * file.size);
            InputStream content = files.get(i).content;
            at.setPointer(0, content == null ? call.path(Path.of(files.get(i).name)) : call.text(files.get(i).name));
            if (content != null)
                at.setPointer(file.offset("in"), call.source(content));
        }
        row.setPointer(0, array);
        row.setLong(evidence.offset("count"), files.size());
        if (record != null)
            call.putFilled(row, evidence.offset("der"), record, "the record");
        call.release(row.share(evidence.offset("made")));
    }

    private static List<byte[]> made(Pointer list, int count) {
        Struct evidence = Structs.of("se_evidence");
        List<byte[]> records = new ArrayList<>();
        for (int i = 0; i < count; i++)
            records.add(Struct.bytes(list, (long) i * evidence.size + evidence.offset("made")));
        return records;
    }
}
