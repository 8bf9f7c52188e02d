// SPDX-License-Identifier: Apache-2.0
package org.signengine;

import java.nio.file.Path;
import java.util.Objects;
import java.util.function.Consumer;

/** How an engine is opened: se_options. */
public final class Options extends Params<Options> {
    Consumer<? super Report> report;
    Consumer<? super Event> event;
    Engine follows;

    public Options() {
        super("se_options");
    }

    /** Called for every error and warning of the configuration, for as long as the engine is open. */
    public Options report(Consumer<? super Report> report) {
        this.report = Objects.requireNonNull(report);
        return this;
    }

    /** Called for as long as the engine is open, from any thread; it must not use the engine. */
    public Options event(Consumer<? super Event> event) {
        this.event = Objects.requireNonNull(event);
        return this;
    }

    /** File with the key that unscrambles PINs. */
    public Options pinKey(Path file) {
        return put("pin_key", file);
    }

    /** PEM file of CA certificates that vouch for the configuration. */
    public Options trustConfig(Path file) {
        return put("trust_config", file);
    }

    /** The engine is loaded again when the configuration changes. */
    public Options watch(boolean watch) {
        return put("watch", watch);
    }

    /** Another engine, which this one takes the place of. */
    public Options follows(Engine engine) {
        follows = Objects.requireNonNull(engine);
        return this;
    }

    public Options configRevocation(RevocationParams revocation) {
        return put("config_revocation", revocation);
    }
}
