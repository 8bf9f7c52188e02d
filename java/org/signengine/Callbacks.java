// SPDX-License-Identifier: Apache-2.0
package org.signengine;

import com.sun.jna.Callback;
import com.sun.jna.CallbackReference;
import com.sun.jna.Pointer;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntConsumer;

/**
 * What the library calls. There is one C function of each kind, for all calls: its `arg` is the number of who is meant. A function for
 * each call would stay until the collector comes.
 */
final class Callbacks {
    private static final Map<Pointer, Callback> FUNCTIONS = new ConcurrentHashMap<>(); // else they would be collected
    private static final Map<Long, Who> ALL = new ConcurrentHashMap<>();
    private static final AtomicLong LAST = new AtomicLong();

    static final Pointer READ = function((ReadFunction) (arg, data, size) -> run(arg, -1, Reading.class, to -> to.read(data, size)));
    static final Pointer WRITE = function((WriteFunction) (arg, data, size) -> (int) run(arg, -1, Writing.class, to -> {
        to.write(data, size);
        return 0;
    }));
    static final Pointer PROGRESS = function(
            (ProgressFunction) (arg, done, total) -> (byte) run(arg, 0, Progress.class, to -> to.tell(done, total) ? 1 : 0));
    static final Pointer VERSION = function((VersionFunction) (arg, version) -> run(arg, 0, IntConsumer.class, to -> {
        to.accept(version);
        return 0;
    }));
    // where C expects nothing back, it does not look
    static final Pointer ONE = function((OneFunction) (arg, one) -> tell(arg, one));
    static final Pointer TWO = function((TwoFunction) (arg, one, two) -> tell(arg, one, two));
    static final Pointer THREE = function((ThreeFunction) (arg, one, two, three) -> tell(arg, one, two, three));
    static final Pointer FOUR = function((FourFunction) (arg, one, two, three, four) -> tell(arg, one, two, three, four));

    private Callbacks() {
    }

    // ---- kinds of functions ----

    interface ReadFunction extends Callback {
        long call(long arg, Pointer data, long size);
    }

    interface WriteFunction extends Callback {
        int call(long arg, Pointer data, long size);
    }

    interface ProgressFunction extends Callback {
        byte call(long arg, long done, long total);
    }

    interface VersionFunction extends Callback {
        void call(long arg, int version);
    }

    interface OneFunction extends Callback {
        byte call(long arg, Pointer one);
    }

    interface TwoFunction extends Callback {
        byte call(long arg, Pointer one, Pointer two);
    }

    interface ThreeFunction extends Callback {
        byte call(long arg, Pointer one, Pointer two, Pointer three);
    }

    interface FourFunction extends Callback {
        byte call(long arg, Pointer one, Pointer two, Pointer three, Pointer four);
    }

    // ---- whom they mean ----

    interface Reading {
        long read(Pointer data, long size) throws Exception;
    }

    interface Writing {
        void write(Pointer data, long size) throws Exception;
    }

    /** Told of something; false: no more. */
    interface Told {
        boolean tell(Pointer... what);
    }

    private interface Work<T> {
        long run(T to) throws Exception;
    }

    /** call: what is thrown comes out of it; null: it belongs to no call, and the thread's handler of uncaught exceptions gets it. */
    private record Who(Call call, Object object) {
        void failed(Throwable failure) {
            if (call != null) {
                call.raised = failure;
                return;
            }
            Thread thread = Thread.currentThread();
            thread.getUncaughtExceptionHandler().uncaughtException(thread, failure);
        }
    }

    static long add(Call call, Object object) {
        long arg = LAST.incrementAndGet();
        ALL.put(arg, new Who(call, object));
        return arg;
    }

    static void remove(long arg) {
        ALL.remove(arg);
    }

    static int count() {
        return ALL.size();
    }

    private static Pointer function(Callback callback) {
        Pointer pointer = CallbackReference.getFunctionPointer(callback);
        FUNCTIONS.put(pointer, callback);
        return pointer;
    }

    private static byte tell(long arg, Pointer... what) {
        return (byte) run(arg, 0, Told.class, to -> to.tell(what) ? 1 : 0);
    }

    /** The first exception ends what can be ended. */
    private static <T> long run(long arg, long failed, Class<T> kind, Work<T> work) {
        Who who = ALL.get(arg);
        if (who == null || who.call != null && who.call.raised != null)
            return failed;
        try {
            return work.run(kind.cast(who.object));
        } catch (Throwable failure) {
            who.failed(failure);
            return failed;
        }
    }
}
