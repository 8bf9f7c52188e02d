// SPDX-License-Identifier: Apache-2.0
package org.signengine;

import com.sun.jna.Pointer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What a configuration says, its signature, and its PINs. */
public final class Config {
    public record Property(String item, String property, String value) {
    }

    /** before, after: null when there is no such value on that side. */
    public record Difference(String item, String property, String before, String after) {
    }

    /** count: how many values were rewritten. */
    public record Scrambled(byte[] config, long count) {
    }

    /** se_config_verify_params. */
    public static final class VerifyParams extends Params<VerifyParams> {
        public VerifyParams() {
            super("se_config_verify_params");
        }

        public VerifyParams time(long time) {
            return put("time", time);
        }

        public VerifyParams revocation(RevocationParams revocation) {
            return put("revocation", revocation);
        }
    }

    private Config() {
    }

    public static String fingerprint(Engine engine) {
        try (Call call = new Call()) {
            Pointer out = call.allocate(65);
            call.run("se_fingerprint", out, engine);
            return out.getString(0, "UTF-8");
        }
    }

    public static List<Property> describe(Engine engine) {
        List<Property> found = new ArrayList<>();
        try (Call call = new Call()) {
            call.run("se_describe", engine, Callbacks.THREE, call.add((Callbacks.Told) what -> found
                    .add(new Property(Struct.text(what[0]), Struct.text(what[1]), Struct.text(what[2])))));
        }
        return found;
    }

    public static List<Difference> diff(Engine before, Engine after) {
        List<Difference> found = new ArrayList<>();
        try (Call call = new Call()) {
            call.run("se_config_diff", before, after, Callbacks.FOUR, call.add((Callbacks.Told) what -> found
                    .add(new Difference(Struct.text(what[0]), Struct.text(what[1]), Struct.text(what[2]), Struct.text(what[3])))));
        }
        return found;
    }

    /** version: 0 is the current one. path: where the configuration is; null: in the working directory. */
    public static byte[] sign(Engine engine, String descriptor, int version, byte[] config, Path path) {
        if (version < 0)
            throw new IllegalArgumentException("version is below 0");
        try (Call call = new Call()) {
            return call.make("se_config_sign", engine, call.text(descriptor), version, call.bytes(config),
                    path == null ? null : call.path(path));
        }
    }

    /** trust: PEM file of CA certificates. */
    public static Signer verify(byte[] config, Path path, Path trust, VerifyParams params) {
        try (Call call = new Call()) {
            return call.find(Signer.class, "se_config_verify", call.bytes(config), path == null ? null : call.path(path),
                    call.path(trust), params.write(call));
        }
    }

    /** Rewrites the plain pin.encrypted values of a configuration. */
    public static Scrambled scramblePins(byte[] config, Path pinKey) {
        try (Call call = new Call()) {
            Pointer out = call.buffer(), count = call.allocate(8);
            call.run("se_scramble_pins", out, count, call.bytes(config), call.path(pinKey));
            return new Scrambled(Struct.bytes(out, 0), count.getLong(0));
        }
    }

    public static String scramblePin(byte[] pin, Path pinKey) {
        try (Call call = new Call()) {
            return new String(call.make("se_scramble_pin", call.bytes(pin), call.path(pinKey)), StandardCharsets.UTF_8);
        }
    }

    /** Ends the hour in which a PIN that a token refused is not presented again. */
    public static void retryPins() {
        Library.function("se_retry_pins").invokeVoid(new Object[0]);
    }
}
