// SPDX-License-Identifier: Apache-2.0
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.signengine.History;
import org.signengine.SignengineException;
import org.signengine.Status;

/** Histories, both ways. */
final class Histories extends Case {
    private static int last;
    private final String store = "sqlite:history" + ++last + ".db";
    private final History history;

    Histories() {
        History.create(engine, store);
        history = History.open(engine, store);
    }

    @Override
    public void close() {
        history.close();
        super.close();
    }

    void testBothWays() throws Exception {
        byte[] odd = { 'c', 0, -1 };
        equal(history.append(bytes("card/1"), bytes("ordered")), 1L);
        equal(history.append(odd, new byte[0]), 2L);
        List<History.Record> records = List.of(new History.Record(bytes("card/1"), bytes("made")),
                new History.Record(bytes("card/2"), bytes("lost")));
        History.AppendParams once = new History.AppendParams().idempotencyKey("k").caller("tester");
        equal(history.append(records, once), new History.Appended(3, 2, false));
        holds(history.append(records, once).repeated());
        command("history", "verify", "--store", store);
        commandWith(bytes("theirs"), "history", "append", "--store", store, "--object", "card/3");
        History.Report report = history.verify();
        equal(List.of(report.entries(), report.findings(), report.closed()), List.of(5L, 0L, false));
        List<History.Entry> entries = new ArrayList<>();
        history.read(new History.Range(), entries::add);
        equal(entries.stream().map(History.Entry::seq).toList(), List.of(1L, 2L, 3L, 4L, 5L));
        equal(entries.stream().map(History.Entry::object).toArray(),
                new Object[] { bytes("card/1"), odd, bytes("card/1"), bytes("card/2"), bytes("card/3") });
        equal(entries.stream().map(entry -> string(entry.payload())).toList(), List.of("ordered", "", "made", "lost", "theirs"));
        List<Long> some = new ArrayList<>();
        history.read(new History.Range().object(bytes("card/1")), entry -> some.add(entry.seq()) && some.size() < 1);
        equal(some, List.of(1L));
        some.clear();
        History.Export export = history.export(new History.Range().first(4).last(5), entry -> some.add(entry.seq()));
        equal(some, List.of(4L, 5L));
        equal(export.seal(), history.head());
        equal(export.report().entries(), 5L);
        equal(History.chains(store).get(0).name(), "default");
        equal(History.chains(store).get(0).last(), 5L);
        equal(History.sealers(store, "default").get(0).descriptor(), "ObjectHistorySigner");
        equal(History.sealers(store, null).size(), 1);
    }

    void testProof() throws Exception {
        history.append(bytes("card/1"), bytes("ordered"));
        byte[] proof = history.prove(1);
        History.Proof found = History.verifyProof(proof, read("two.pem"));
        equal(List.of(found.seq(), string(found.object()), string(found.payload()), found.signer().subject(), found.chain()),
                List.of(1L, "card/1", "ordered", "CN=two", "default"));
        write("proof", proof);
        command("history", "verify-proof", "proof");
        refused(Status.REJECTED, () -> History.verifyProof(proof, read("three.pem")));
        refused(Status.FORMAT, () -> History.verifyProof(proof, new byte[0]));
        refused(Status.FORMAT, () -> History.verifyProof(new byte[0]));
    }

    void testFindings() throws Exception {
        for (int i = 0; i < 3; i++)
            history.append(bytes("o"), bytes("payload " + i));
        byte[] head = history.head();
        run("python3", "-c", "import sqlite3, sys\nwith sqlite3.connect(sys.argv[1]) as base:\n base.execute(\""
                + "UPDATE entry SET payload = x'00' "
                + "WHERE payload = CAST('payload 1' AS BLOB)\")", store.substring(7));
        SignengineException e = refused(Status.REJECTED, () -> history.verify(new History.VerifyParams().head(head).threads(1)));
        List<?> findings = (List<?>) e.results();
        equal(findings.size(), 1);
        History.Finding finding = (History.Finding) findings.get(0);
        equal(List.of(finding.kind(), finding.first(), finding.kind().toString()), List.of(History.Finding.Kind.CHANGED, 2L, "changed"));
    }

    void testMaintenance() throws Exception {
        for (int i = 0; i < 3; i++)
            history.append(bytes("o"), bytes("payload"));
        history.erase(2);
        List<Boolean> erased = new ArrayList<>();
        history.read(new History.Range(), entry -> erased.add(entry.erased() && entry.commitment().length > 0));
        equal(erased, List.of(false, true, false));
        refused(Status.USAGE, () -> history.prune(4000000000L));
        equal(history.prune(1000), 0L);
        history.resign();
        history.end();
        holds(history.verify().closed());
        thrown(SignengineException.class, () -> history.append(bytes("o"), bytes("late")));
    }

    /** A history keeps the engine as it was. */
    void testEngineGoesFirst() throws Exception {
        engine.close();
        equal(history.append(bytes("o"), bytes("p")), 1L);
        equal(history.verify().entries(), 1L);
    }

    void testProgress() throws Exception {
        List<Long> seen = new ArrayList<>();
        history.append(Collections.nCopies(5000, new History.Record(bytes("o"), bytes("p"))), new History.AppendParams());
        try (History watched = History.open(engine, store, new History.Options().progress((done, total) -> seen.add(done)))) {
            System.gc();
            watched.verify(new History.VerifyParams().threads(1));
            holds(!seen.isEmpty());
        }
        try (History stopped = History.open(engine, store, new History.Options().inspect(true).progress((done, total) -> false))) {
            refused(Status.CANCELLED, () -> stopped.verify(new History.VerifyParams().threads(1)));
        }
    }

    void testRefused() throws Exception {
        refused(Status.USAGE, () -> History.create(engine, store));
        thrown(SignengineException.class, () -> History.open(engine, "sqlite:nothing.db"));
        thrown(SignengineException.class, () -> History.open(engine, store, new History.Options().chain("other")));
        refused(Status.FORMAT, () -> history.verify(new History.VerifyParams().head(new byte[0])));
        refused(Status.FORMAT, () -> history.read(new History.Range().object(new byte[0]), entry -> true));
    }
}
