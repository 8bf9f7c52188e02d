// SPDX-License-Identifier: Apache-2.0
package org.signengine;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;

/** Encrypted files of any size. */
public final class Container {
    private Container() {
    }

    public static void encrypt(Engine engine, String descriptor, InputStream content, OutputStream out,
            ContainerParams params) throws IOException {
        try (Call call = new Call()) {
            call.run("se_container_encrypt_stream", call.sink(out), engine, call.text(descriptor), call.source(content),
                    params.write(call));
        }
    }

    /** out: it appears, or is replaced, when all is done. */
    public static void encrypt(Engine engine, String descriptor, Path content, Path out, ContainerParams params) {
        try (Call call = new Call()) {
            call.run("se_container_encrypt_file", call.path(out), engine, call.text(descriptor), call.path(content), params.write(call));
        }
    }

    /** out: not to be used before this returns. */
    public static void decrypt(Engine engine, String descriptor, InputStream container, OutputStream out,
            ContainerParams params) throws IOException {
        try (Call call = new Call()) {
            call.run("se_container_decrypt_stream", call.sink(out), engine, call.text(descriptor), call.source(container),
                    params.write(call));
        }
    }

    /** out: it appears, or is replaced, when all is done. */
    public static void decrypt(Engine engine, String descriptor, Path container, Path out, ContainerParams params) {
        try (Call call = new Call()) {
            call.run("se_container_decrypt_file", call.path(out), engine, call.text(descriptor), call.path(container), params.write(call));
        }
    }

    /** Whether a file that begins so is taken for a container; four bytes are enough. */
    public static boolean is(byte[] beginning) {
        try (Call call = new Call()) {
            return (Library.function("se_is_container").invokeInt(new Object[] { call.bytes(beginning) }) & 0xff) != 0;
        }
    }
}
