// SPDX-License-Identifier: Apache-2.0
package org.signengine;

import com.sun.jna.Pointer;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Predicate;

/**
 * A chain of entries that shows what was changed, removed or added. It keeps the engine as it is when it is opened, which may be closed
 * before. Any number of threads may use one.
 */
public final class History extends Owned {
    /** Something to remember: se_record. */
    public record Record(byte[] object, byte[] payload) {
    }

    /** se_history_appended. */
    public record Appended(long first, long count, boolean repeated) {
    }

    /** What is wrong, and where: se_finding. */
    public record Finding(Kind kind, long first, long last, long seal, String text) {
        public enum Kind {
            UNSEALED, CHANGED, REMOVED, INSERTED, REORDERED, TRUNCATED, FOREIGN, SIGNATURE, KEY, VERSION, ROLLED_BACK, UNKNOWN;

            /** The library's words for it, as "rolled back". */
            @Override
            public String toString() {
                return Library.word("se_finding_name", this);
            }
        }
    }

    /** What was verified: se_history_report. */
    public record Report(long first, long entries, long erased, long seals, long findings, boolean pruned, boolean closed) {
    }

    /** se_history_entry. */
    public record Entry(long seq, long timeUs, byte[] object, byte[] payload, byte[] salt, boolean erased, byte[] commitment) {
    }

    /** Entries, what was verified, and the last seal. */
    public record Export(Report report, byte[] seal) {
    }

    /** se_history_chain. */
    public record Chain(String name, long first, long last, long seals, boolean damaged) {
    }

    /** se_history_seals. */
    public record Seals(String chain, String descriptor, int version, long first, long last, boolean vouched, long firstUs, long lastUs) {
    }

    /** What a proof proves: se_history_proof. */
    public record Proof(String chain, long seq, long size, long timeUs, long sealedUs, byte[] object, byte[] payload, boolean erased,
            Signer signer, String fingerprint) {
    }

    /** se_history_options. */
    public static final class Options extends Params<Options> {
        private Progress progress;

        public Options() {
            super("se_history_options");
        }

        /** Called for as long as the history is open. */
        public Options progress(Progress progress) {
            this.progress = Objects.requireNonNull(progress);
            return this;
        }

        public Options chain(String chain) {
            return put("chain", chain);
        }

        /** Whose key seals. */
        public Options descriptor(String descriptor) {
            return put("descriptor", descriptor);
        }

        /** A chain that is not good is opened all the same. */
        public Options inspect(boolean inspect) {
            return put("inspect", inspect);
        }

        public Options dryRun(boolean dryRun) {
            return put("dry_run", dryRun);
        }
    }

    /** se_history_append_params. */
    public static final class AppendParams extends Params<AppendParams> {
        public AppendParams() {
            super("se_history_append_params");
        }

        public AppendParams idempotencyKey(String idempotencyKey) {
            return put("idempotency_key", idempotencyKey);
        }

        /** Whose key it is. */
        public AppendParams caller(String caller) {
            return put("caller", caller);
        }
    }

    /** se_history_verify_options. */
    public static final class VerifyParams extends Params<VerifyParams> {
        public VerifyParams() {
            super("se_history_verify_options");
        }

        /** A seal that was kept elsewhere. */
        public VerifyParams head(byte[] head) {
            return put("head", head);
        }

        public VerifyParams months(int months) {
            return putNatural("months", months);
        }

        public VerifyParams threads(int threads) {
            return putNatural("threads", threads);
        }
    }

    /** se_history_range. */
    public static final class Range extends Params<Range> {
        public Range() {
            super("se_history_range");
        }

        public Range first(long first) {
            return putNatural("first", first);
        }

        public Range last(long last) {
            return putNatural("last", last);
        }

        public Range from(long from) {
            return put("from", from);
        }

        public Range to(long to) {
            return put("to", to);
        }

        /** Only what is about it. */
        public Range object(byte[] object) {
            return put("object", object);
        }

        public Range unverified(boolean unverified) {
            return put("unverified", unverified);
        }
    }

    private final List<Listener> listeners;

    private History(Pointer pointer, Pointer engine, List<Listener> listeners) {
        super(pointer, "se_history_close", engine);
        this.listeners = listeners;
    }

    /** Makes a chain; the store too, if it is not there. */
    public static void create(Engine engine, String store, Options options) {
        try (Call call = new Call()) {
            Pointer struct = options.write(call);
            if (options.progress != null) {
                struct.setPointer(options.offset("progress"), Callbacks.PROGRESS);
                struct.setPointer(options.offset("progress_arg"), call.add(options.progress));
            }
            call.run("se_history_create", engine, call.text(store), struct);
        }
    }

    public static void create(Engine engine, String store) {
        create(engine, store, new Options());
    }

    public static History open(Engine engine, String store, Options options) {
        List<Listener> listeners = new ArrayList<>(engine.listeners());
        try (Call call = new Call()) {
            Pointer struct = options.write(call), place = call.text(store);
            if (options.progress != null) {
                Listener progress = Listener.of(options.progress);
                progress.write(struct, options.offset("progress"), Callbacks.PROGRESS);
                listeners.add(progress);
            }
            Pointer held = call.open("se_hold", engine);
            try {
                return new History(call.open("se_history_open", held, place, struct), held, listeners);
            } catch (Throwable e) {
                Library.close("se_close", held);
                throw e;
            }
        } finally {
            Reference.reachabilityFence(listeners);
        }
    }

    public static History open(Engine engine, String store) {
        return open(engine, store, new Options());
    }

    // ---- append and verify ----

    /** Its number in the chain. */
    public long append(byte[] object, byte[] payload) {
        try (Call call = new Call()) {
            Pointer seq = call.allocate(8);
            call.run("se_history_append", seq, this, call.bytes(object), call.bytes(payload));
            return seq.getLong(0);
        }
    }

    /** All of them or none. */
    public Appended append(List<Record> records, AppendParams params) {
        try (Call call = new Call()) {
            Struct record = Structs.of("se_record");
            Pointer list = call.array("se_record", records.size());
            for (int i = 0; i < records.size(); i++) {
                call.put(list, (long) i * record.size, records.get(i).object);
                call.put(list, (long) i * record.size + record.offset("payload"), records.get(i).payload);
            }
            return call.find(Appended.class, "se_history_append_many", this, list, (long) records.size(), params.write(call));
        }
    }

    /** The last seal, if it is good. */
    public byte[] head() {
        try (Call call = new Call()) {
            return call.make("se_history_head", this);
        }
    }

    /** The results of an exception are the findings. */
    public Report verify(VerifyParams params) {
        List<Finding> found = new ArrayList<>();
        try (Call call = new Call()) {
            Pointer struct = params.write(call);
            struct.setPointer(params.offset("finding"), Callbacks.ONE);
            struct.setPointer(params.offset("finding_arg"), call.collect(Finding.class, found));
            return call.find(Report.class, "se_history_verify", this, struct);
        } catch (SignengineException e) {
            throw e.with(found);
        }
    }

    public Report verify() {
        return verify(new VerifyParams());
    }

    // ---- read ----

    /** each: gets every entry; false: no more. */
    public void read(Range range, Predicate<? super Entry> each) {
        try (Call call = new Call()) {
            call.run("se_history_read", this, range.write(call), Callbacks.ONE, call.each(Entry.class, each));
        }
    }

    /** read(), with what was verified and the last seal. */
    public Export export(Range range, Predicate<? super Entry> each) {
        try (Call call = new Call()) {
            Pointer report = call.struct("se_history_report"), seal = call.buffer();
            call.run("se_history_export", report, seal, this, range.write(call), Callbacks.ONE, call.each(Entry.class, each));
            return new Export(Structs.reader(Report.class).read(report), Struct.bytes(seal, 0));
        }
    }

    /** That an entry belongs to the chain. */
    public byte[] prove(long seq) {
        try (Call call = new Call()) {
            return call.make("se_history_prove", this, seq);
        }
    }

    // ---- maintenance ----

    public void erase(long seq) {
        try (Call call = new Call()) {
            call.run("se_history_erase", this, seq);
        }
    }

    /** before: in seconds since 1970. Up to which entry they were dropped. */
    public long prune(long before) {
        try (Call call = new Call()) {
            Pointer dropped = call.allocate(8);
            call.run("se_history_prune", dropped, this, before);
            return dropped.getLong(0);
        }
    }

    public void resign() {
        try (Call call = new Call()) {
            call.run("se_history_resign", this);
        }
    }

    /** Nothing can be added any more. */
    public void end() {
        try (Call call = new Call()) {
            call.run("se_history_end", this);
        }
    }

    // ---- what needs no engine ----

    public static List<Chain> chains(String store) {
        List<Chain> found = new ArrayList<>();
        try (Call call = new Call()) {
            call.run("se_history_chains", call.text(store), Callbacks.ONE, call.collect(Chain.class, found));
        }
        return found;
    }

    /** chain: null is all. */
    public static List<Seals> sealers(String store, String chain) {
        List<Seals> found = new ArrayList<>();
        try (Call call = new Call()) {
            Pointer name = chain == null ? null : call.text(chain);
            call.run("se_history_sealers", call.text(store), name, Callbacks.ONE, call.collect(Seals.class, found));
        }
        return found;
    }

    /** certificate: whose seal it has to be. */
    public static Proof verifyProof(byte[] proof, byte[] certificate) {
        try (Call call = new Call()) {
            return verifyProof(call, proof, call.filled(certificate, "the certificate"));
        }
    }

    /** By the certificate that the proof brings; whose that is has to be known otherwise. */
    public static Proof verifyProof(byte[] proof) {
        try (Call call = new Call()) {
            return verifyProof(call, proof, call.bytes(new byte[0]));
        }
    }

    private static Proof verifyProof(Call call, byte[] proof, Library.Bytes certificate) {
        Struct.Reader<Proof> reader = Structs.reader(Proof.class);
        Pointer out = call.struct("se_history_proof");
        try {
            call.run("se_history_verify_proof", out, call.bytes(proof), certificate);
            return reader.read(out);
        } finally {
            Library.function("se_history_proof_free").invokeVoid(new Object[] { out });
        }
    }
}
