// SPDX-License-Identifier: Apache-2.0
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.signengine.Config;
import org.signengine.Engine;
import org.signengine.Jws;
import org.signengine.Jwt;
import org.signengine.Options;
import org.signengine.SignengineException;
import org.signengine.Status;
import org.signengine.Verified;

/** Signatures and tokens of the web, both ways. */
final class Tokens extends Case {
    private static final Jws.VerifyParams NONE = new Jws.VerifyParams();

    void testJws() throws Exception {
        for (byte[] payload : List.of(bytes("payload"), new byte[0], new byte[] { 0, -1 })) {
            byte[] token = Jws.sign(engine, "Api", payload,
                    new Jws.SignParams().headers(Map.of("tenant", "a", "place", "\u00f6")).type("order"));
            Verified verified = Jws.verify(engine, "Api", token, new Jws.VerifyParams().type("order"));
            equal(verified.content(), payload);
            equal(verified.signer().algorithm(), "ES256");
            write("token", token);
            equal(command("jws", "verify", "-d", "Api", "-o", "-", "token"), payload);
            write("payload", payload);
            command("jws", "sign", "-d", "Api", "payload", "-o", "theirs");
            equal(Jws.verify(engine, "Api", bytes(string(read("theirs")).strip())).content(), payload);
        }
    }

    /** An empty payload is one: a token with another inside is not good for it. */
    void testDetached() throws Exception {
        thrown(SignengineException.class,
                () -> Jws.verify(engine, "Api", Jws.sign(engine, "Api", bytes("inside")), new Jws.VerifyParams().payload(new byte[0])));
        for (byte[] payload : List.of(bytes("payload"), new byte[0])) {
            byte[] token = Jws.sign(engine, "Api", payload, new Jws.SignParams().detached(true));
            equal(Jws.verify(engine, "Api", token, new Jws.VerifyParams().payload(payload)).content(), payload);
            refused(Status.REJECTED, () -> Jws.verify(engine, "Api", token, new Jws.VerifyParams().payload(bytes(string(payload) + "x"))));
        }
    }

    void testMany() throws Exception {
        List<byte[]> tokens = new ArrayList<>(), detached = new ArrayList<>(), payloads = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            payloads.add(bytes(String.valueOf(i)));
            tokens.add(Jws.sign(engine, "Api", payloads.get(i)));
            detached.add(Jws.sign(engine, "Api", payloads.get(i), new Jws.SignParams().detached(true).form(Jws.Form.FLATTENED)));
        }
        equal(Jws.verifyMany(engine, "Api", tokens, null, NONE).stream().map(Jws.Result::payload).toArray(), payloads.toArray());
        equal(Jws.verifyMany(engine, "Api", detached, payloads, NONE).get(4).version(), 1);
        tokens.set(2, bytes("rubbish"));
        SignengineException e = refused(Status.FORMAT, () -> Jws.verifyMany(engine, "Api", tokens, null, NONE));
        List<?> results = (List<?>) e.results();
        for (int i = 0; i < 5; i++) {
            equal(((Jws.Result) results.get(i)).status(), i == 2 ? Status.FORMAT : Status.OK);
            equal(((Jws.Result) results.get(i)).payload(), i == 2 ? new byte[0] : payloads.get(i));
        }
    }

    void testJwt() throws Exception {
        byte[] token = Jwt.sign(engine, "Api", bytes("{\"role\":\"clerk\"}"),
                new Jwt.SignParams().issuer("me").audiences(List.of("api", "web")).lifetime(600).makeId(true));
        Jwt.VerifyParams api = new Jwt.VerifyParams().audiences(List.of("api"));
        String claims = string(Jwt.verify(engine, "Api", token, api.issuer("me")).content());
        holds(claims.contains("\"role\":\"clerk\""), claims);
        long expiry = number(claims, "exp");
        equal(expiry - number(claims, "iat"), 600L);
        refused(Status.REJECTED, () -> Jwt.verify(engine, "Api", token, new Jwt.VerifyParams().audiences(List.of("others"))));
        refused(Status.REJECTED, () -> Jwt.verify(engine, "Api", token));
        refused(Status.REJECTED, () -> Jwt.verify(engine, "Api", token, api.time(expiry + 5)));
        holds(List.of(5, 6).contains(Jwt.verify(engine, "Api", token, api.leeway(30)).leewayUsed()));
        refused(Status.USAGE, () -> Jwt.sign(engine, "Api", new byte[0], new Jwt.SignParams()));
        write("token", token);
        command("jwt", "verify", "-d", "Api", "--issuer", "me", "--audience", "web", "token");
        command("jwt", "sign", "-d", "Api", "--expires", "60s", "--subject", "t", "-o", "theirs.jwt");
        byte[] theirs = bytes(string(read("theirs.jwt")).strip());
        equal(Jwt.verify(engine, "Api", theirs, new Jwt.VerifyParams().subject("t")).signer().subject(), "CN=two");
    }

    private static long number(String claims, String name) {
        Matcher found = Pattern.compile("\"" + name + "\":\\s*(\\d+)").matcher(claims);
        holds(found.find(), name);
        return Long.parseLong(found.group(1));
    }

    void testKeys() throws Exception {
        Jws.KeyParams none = new Jws.KeyParams();
        equal(string(Jws.keys(engine, List.of(), none)).strip(), string(command("key", "jwks")).strip());
        String two = string(Jws.keys(engine, List.of("Api", "FileSigner"), new Jws.KeyParams().current(true)));
        equal(two.split("\"kid\"").length, 3);
        refused(Status.NO_DESCRIPTOR, () -> Jws.keys(engine, List.of("Nobody"), none));
    }

    void testSignedConfiguration() throws Exception {
        byte[] signed = Config.sign(engine, "FileSigner", 0, read("before.xml"), Path.of("before.xml"));
        Config.VerifyParams none = new Config.VerifyParams();
        equal(Config.verify(signed, Path.of("before.xml"), Path.of("ca.pem"), none).subject(), "CN=one");
        Path trusted = write("trusted.xml", signed);
        Options trust = new Options().trustConfig(Path.of("ca.pem"));
        Engine.open(trusted, trust).close();
        refused(Status.CONFIG, () -> Engine.open(Path.of("before.xml"), trust));
        refused(Status.FORMAT, () -> Config.verify(read("before.xml"), null, Path.of("ca.pem"), none));
    }
}
