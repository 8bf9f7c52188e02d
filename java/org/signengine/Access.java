// SPDX-License-Identifier: Apache-2.0
package org.signengine;

import com.sun.jna.Pointer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;

/** Who may do what, as the access rows of the configuration say. */
public final class Access extends Owned {
    /** An allow: se_access_row. */
    public record Row(int number, int line, String name, List<String> operations, List<Who> who, List<What> what, int perMinute,
            int version) {
    }

    /** Whom a row is for; what it does not say is null: se_access_who. */
    public record Who(String user, String group, String subject, String issuer, String san, String sha256) {
    }

    /** A descriptor or a history; the other is null: se_access_what. */
    public record What(String descriptor, int version, String history) {
    }

    /** Who calls: se_caller. */
    public static final class Caller extends Params<Caller> {
        private int[] gids = {};

        public Caller() {
            super("se_caller");
        }

        public Caller uid(int uid) {
            return put("has_uid", true).put("uid", uid);
        }

        /** All, the primary one too. */
        public Caller gids(int... gids) {
            this.gids = gids.clone();
            return this;
        }

        /** In DER or PEM; its chain has been verified. */
        public Caller certificate(byte[] certificate) {
            return put("certificate", certificate);
        }

        /** The certificate that signed it. */
        public Caller issuer(byte[] issuer) {
            return put("issuer", issuer);
        }

        private Pointer writeAll(Call call) {
            Pointer struct = write(call), list = call.allocate(Math.max(1, gids.length * 4L));
            list.write(0, gids, 0, gids.length);
            struct.setPointer(offset("gids"), list);
            struct.setLong(offset("gid_count"), gids.length);
            return struct;
        }
    }

    /** What the caller wants: se_use. */
    public static final class Use extends Params<Use> {
        /** operation: "sign", "zip-verify", ... */
        public Use(String operation) {
            super("se_use");
            put("operation", operation);
        }

        public Use descriptor(String descriptor) {
            return put("descriptor", descriptor);
        }

        public Use version(int version) {
            return putNatural("version", version);
        }

        public Use history(String history) {
            return put("history", history);
        }
    }

    private Access(Pointer pointer) {
        super(pointer, "se_access_close", null);
    }

    public static Access open(Engine engine) {
        try (Call call = new Call()) {
            return new Access(call.open("se_access_open", engine, null, null));
        }
    }

    /** report: is told of each name that this machine does not know. */
    public static Access open(Engine engine, Consumer<? super Report> report) {
        Objects.requireNonNull(report);
        try (Call call = new Call()) {
            return new Access(call.open("se_access_open", engine, Callbacks.ONE, call.each(Report.class, one -> {
                report.accept(one);
                return true;
            })));
        }
    }

    /** The row that allows it; an exception with {@link Status#ACCESS}: none does. */
    public Row decide(Caller caller, Use use) {
        try (Call call = new Call()) {
            return call.find(Row.class, "se_access_decide", this, caller.writeAll(call), use.write(call));
        }
    }

    /** The rows that name this caller. */
    public List<Row> list(Caller caller) {
        return list(call -> caller.writeAll(call));
    }

    /** All rows. */
    public List<Row> list() {
        return list(call -> null);
    }

    private List<Row> list(java.util.function.Function<Call, Pointer> caller) {
        List<Row> found = new ArrayList<>();
        try (Call call = new Call()) {
            call.run("se_access_list", this, caller.apply(call), Callbacks.ONE, call.collect(Row.class, found));
        }
        return found;
    }

    /** The rows of the configuration, on whichever machine. */
    public static List<Row> rows(Engine engine) {
        List<Row> found = new ArrayList<>();
        try (Call call = new Call()) {
            call.run("se_access_rows", engine, Callbacks.ONE, call.collect(Row.class, found));
        }
        return found;
    }
}
