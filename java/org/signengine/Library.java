// SPDX-License-Identifier: Apache-2.0
package org.signengine;

import com.sun.jna.Function;
import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import com.sun.jna.Structure;
import com.sun.jna.Structure.FieldOrder;
import java.security.AccessController;
import java.security.PrivilegedAction;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The functions of the three libraries. Each library is loaded once it is needed: who only signs loads neither database nor GMime. */
final class Library {
    private static final int LOCAL_AND_NOW = 2; // RTLD_LOCAL | RTLD_NOW
    private static final Map<String, Function> FUNCTIONS = new ConcurrentHashMap<>();

    /** What an empty content points to. It is never released: so JNA's thread that cleans up stays the one that was started here. */
    static final Memory NOTHING;

    static {
        NOTHING = startThreads();
        if (Native.POINTER_SIZE != 8 || Native.LONG_SIZE != 8)
            throw new UnsatisfiedLinkError("signengine for Java needs a 64-bit system like Linux");
    }

    private Library() {
    }

    /**
     * JNA starts threads: one cleans up, another waits for a program that lists libraries. A thread keeps the context class loader, and
     * the classes on the stack, of the application by which it was started.
     */
    @SuppressWarnings("removal") // nothing else leaves those classes out
    private static Memory startThreads() {
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        thread.setContextClassLoader(Library.class.getClassLoader());
        try {
            return AccessController.doPrivileged((PrivilegedAction<Memory>) () -> {
                NativeLibrary.getProcess();
                return allocate(8);
            });
        } finally {
            thread.setContextClassLoader(before);
        }
    }

    /** se_bytes, which is passed by value. */
    @FieldOrder({ "data", "size" })
    public static final class Bytes extends Structure implements Structure.ByValue {
        public Pointer data;
        public long size;

        public Bytes() {
        }

        Bytes(Pointer place, Pointer data, long size) {
            super(place);
            this.data = data;
            this.size = size;
        }

        byte[] copy() {
            return size == 0 ? new byte[0] : data.getByteArray(0, Math.toIntExact(size));
        }
    }

    static Function function(String name) {
        return FUNCTIONS.computeIfAbsent(name, Library::find);
    }

    private static Function find(String name) {
        String library = name.startsWith("se_history_") || name.startsWith("se_finding_") ? "libsignengine-history.so.0"
                : name.startsWith("se_mail_") ? "libsignengine-mail.so.0" : "libsignengine.so.0";
        return NativeLibrary.getInstance(library, Map.of(com.sun.jna.Library.OPTION_OPEN_FLAGS, LOCAL_AND_NOW)).getFunction(name);
    }

    /** The library's word for a constant. */
    static String word(String function, Enum<?> constant) {
        return function(function).invokePointer(new Object[] { constant.ordinal() }).getString(0, "UTF-8");
    }

    /** All memory is from here, so that the first is {@link #NOTHING}. */
    static Memory allocate(long size) {
        return new Memory(size);
    }

    /** Of a pointer that C sets to NULL. */
    static void close(String function, Pointer pointer) {
        try (Memory place = allocate(8)) {
            place.setPointer(0, pointer);
            function(function).invokeVoid(new Object[] { place });
        }
    }

    /** The last constant of each enum is for what a newer library says. */
    static <E> E constant(Class<E> words, int value) {
        E[] all = words.getEnumConstants();
        return all[value >= 0 && value < all.length ? value : all.length - 1];
    }
}
