// SPDX-License-Identifier: Apache-2.0
package org.signengine;

import com.sun.jna.Pointer;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/** Something of the library's that is closed: after the last call with it, or when it is forgotten. */
abstract class Owned implements AutoCloseable {
    static final Cleaner CLEANER = Cleaner.create();

    /** What must not keep the object itself, or it would never be forgotten. */
    private static final class State implements Runnable {
        final ReentrantReadWriteLock calls = new ReentrantReadWriteLock();
        final Pointer pointer;
        final String closing;
        final Pointer engine; // that is closed after it; or null
        volatile boolean closed;

        State(Pointer pointer, String closing, Pointer engine) {
            this.pointer = pointer;
            this.closing = closing;
            this.engine = engine;
        }

        @Override
        public void run() {
            closed = true;
            calls.writeLock().lock();
            try {
                Library.close(closing, pointer);
                if (engine != null)
                    Library.close("se_close", engine);
            } finally {
                calls.writeLock().unlock();
            }
        }
    }

    private final State state;
    private final Cleaner.Cleanable cleanable;

    Owned(Pointer pointer, String closing, Pointer engine) {
        state = new State(pointer, closing, engine);
        cleanable = CLEANER.register(this, state);
    }

    /** A call begins. Nobody waits for who wants to close it: such a call could be one that it waits for. */
    Pointer enter() {
        if (!state.closed && state.calls.readLock().tryLock()) {
            if (!state.closed)
                return state.pointer;
            state.calls.readLock().unlock();
        }
        throw new IllegalStateException("it is closed");
    }

    void leave() {
        state.calls.readLock().unlock();
        Reference.reachabilityFence(this);
    }

    /** Waits for the calls of other threads. May be called twice. */
    @Override
    public void close() {
        if (state.calls.getReadHoldCount() > 0)
            throw new IllegalStateException("close() inside a call of the same object");
        state.closed = true;
        state.calls.writeLock().lock();
        try {
            cleanable.clean();
        } finally {
            state.calls.writeLock().unlock();
        }
    }
}
