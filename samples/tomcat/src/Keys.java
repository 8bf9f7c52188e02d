// SPDX-License-Identifier: Apache-2.0
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/** What an application does with keys: by the daemon (recommended), or by the library in this JVM. */
interface Keys extends AutoCloseable {
    byte[] sign(String descriptor, byte[] content) throws Exception;

    /** What is known of the signer; an exception if the signature is not good. */
    String verify(String descriptor, byte[] content, byte[] signature) throws Exception;

    String encrypt(String descriptor, byte[] content) throws Exception;

    byte[] decrypt(String descriptor, String value) throws Exception;

    @Override
    void close() throws IOException;

    /**
     * By the library if the JVM was started with -Dsignengine.config=FILE; otherwise by the daemon, whose socket may be another
     * one by -Dsignengine.socket=PATH.
     */
    static Keys open() {
        String config = System.getProperty("signengine.config");
        return config != null ? new LibraryKeys(config)
                : daemon(new Signengine(Path.of(System.getProperty("signengine.socket", "/run/signengine/socket")), 60, 30));
    }

    private static Keys daemon(Signengine daemon) {
        return new Keys() {
            @Override
            public byte[] sign(String descriptor, byte[] content) throws Exception {
                return daemon.sign(descriptor, content, Map.of());
            }

            @Override
            public String verify(String descriptor, byte[] content, byte[] signature) throws Exception {
                return daemon.verify(descriptor, content, signature, Map.of()).toString();
            }

            @Override
            public String encrypt(String descriptor, byte[] content) throws Exception {
                return daemon.encrypt(descriptor, new Signengine.Plain(content, Map.of()));
            }

            @Override
            public byte[] decrypt(String descriptor, String value) throws Exception {
                return daemon.decrypt(descriptor, new Signengine.Encrypted(value, Map.of()));
            }

            @Override
            public void close() {
                daemon.close();
            }
        };
    }
}
