// SPDX-License-Identifier: Apache-2.0
package org.signengine;

import com.sun.jna.Pointer;
import java.lang.ref.WeakReference;
import java.util.function.Consumer;

/**
 * A callback for as long as an object is open that keeps this. The list of callbacks does not keep it, for it may know that object, which
 * then would never be forgotten.
 */
final class Listener {
    private final Object to;
    private final long arg;

    private Listener(Object to, Object callback) {
        this.to = to;
        arg = Callbacks.add(null, callback);
        long number = arg;
        Owned.CLEANER.register(this, () -> Callbacks.remove(number));
    }

    static <T> Listener of(Class<T> type, Consumer<? super T> to) {
        WeakReference<Consumer<? super T>> weak = new WeakReference<>(to);
        Struct.Reader<T> reader = Structs.reader(type);
        return new Listener(to, (Callbacks.Told) what -> {
            Consumer<? super T> known = weak.get();
            if (known != null)
                known.accept(reader.read(what[0]));
            return true;
        });
    }

    static Listener of(Progress to) {
        WeakReference<Progress> weak = new WeakReference<>(to);
        return new Listener(to, (Progress) (done, total) -> {
            Progress known = weak.get();
            return known == null || known.tell(done, total);
        });
    }

    /** A function and its `arg`. */
    void write(Pointer at, long offset, Pointer function) {
        at.setPointer(offset, function);
        at.setPointer(offset + 8, new Pointer(arg));
    }

    @Override
    public String toString() {
        return "listener " + to;
    }
}
