// SPDX-License-Identifier: Apache-2.0
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.signengine.Engine;

/**
 * Keys by libsignengine in this JVM. signengine.jar and jna.jar have to be in the server's lib folder and in no application; see
 * doc/tomcat.md. A class of its own, for an application that asks the daemon does not need them.
 */
final class LibraryKeys implements Keys {
    private final Engine engine;

    LibraryKeys(String config) {
        engine = Engine.open(Path.of(config));
    }

    @Override
    public byte[] sign(String descriptor, byte[] content) {
        return engine.sign(descriptor, content);
    }

    @Override
    public String verify(String descriptor, byte[] content, byte[] signature) {
        return engine.verify(descriptor, content, signature).toString();
    }

    @Override
    public String encrypt(String descriptor, byte[] content) {
        return new String(engine.encrypt(descriptor, content), StandardCharsets.UTF_8);
    }

    @Override
    public byte[] decrypt(String descriptor, String value) {
        return engine.decrypt(descriptor, value.getBytes(StandardCharsets.UTF_8));
    }

    /** Waits for calls that are in flight. */
    @Override
    public void close() {
        engine.close();
    }
}
