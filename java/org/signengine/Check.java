// SPDX-License-Identifier: Apache-2.0
package org.signengine;

import com.sun.jna.Pointer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Whether keys and certificates are there, and what ends when. */
public final class Check {
    /** What a version does now: se_version_state. */
    public enum State {
        CURRENT, OLDER, WAITS, ENDED, VERIFIES, UNKNOWN;

        @Override
        public String toString() {
            return Library.word("se_version_state_name", this);
        }
    }

    /** How much a finding matters: se_check_level. */
    public enum Level {
        DATE, NOTE, WARNING, FAILURE, UNKNOWN;

        @Override
        public String toString() {
            return Library.word("se_check_level_name", this);
        }
    }

    /** se_check_finding. */
    public record Finding(Level level, String kind, String subject, long date, String text) {
    }

    /** What was found out about a descriptor: se_check_row. */
    public record Row(String descriptor, int version, String key, String store, String algorithm, String keyType, String subject,
            long notAfter, int daysLeft, String mechanism, Status status, boolean warning, String text, List<Finding> findings, State state,
            long from, long until, String mayLeave) {
    }

    /** se_check_options. */
    public static final class Options extends Params<Options> {
        public Options() {
            super("se_check_options");
        }

        /** Also sign and verify, or encrypt and decrypt, with each key. */
        public Options probe(boolean probe) {
            return put("probe", probe);
        }

        /** Warn when something has fewer days left; below 0: never. */
        public Options days(int days) {
            return put("days", days);
        }
    }

    private Check() {
    }

    /** The first descriptor that can't be used is an exception, whose results are all rows. */
    public static List<Row> run(Engine engine, Options options) {
        List<Row> rows = new ArrayList<>();
        try (Call call = new Call()) {
            call.run("se_check", engine, Callbacks.ONE, call.collect(Row.class, rows), options.write(call));
            return rows;
        } catch (SignengineException e) {
            throw e.with(rows);
        }
    }

    /** A time stamping authority, by any policy if that is null. One that can't be used is an exception, whose results are its row. */
    public static Row tsa(String url, String policy, Options options) {
        List<Row> rows = new ArrayList<>();
        try (Call call = new Call()) {
            call.run("se_check_tsa", call.text(url), policy == null ? Pointer.NULL : call.text(policy), Callbacks.ONE,
                    call.collect(Row.class, rows), options.write(call));
            return rows.get(0);
        } catch (SignengineException e) {
            throw e.with(rows);
        }
    }

    /** Until when the evidence record in that file has to be renewed; exceptions are as those of tsa(). */
    public static Row record(Path path, Options options) {
        List<Row> rows = new ArrayList<>();
        try (Call call = new Call()) {
            call.run("se_check_record", call.path(path), Callbacks.ONE, call.collect(Row.class, rows), options.write(call));
            return rows.get(0);
        } catch (SignengineException e) {
            throw e.with(rows);
        }
    }
}
