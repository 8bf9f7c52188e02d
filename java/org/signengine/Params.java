// SPDX-License-Identifier: Apache-2.0
package org.signengine;

import com.sun.jna.Pointer;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * What a call is asked for besides: a struct of the headers with the same members. What is not given has its default. Null is refused, for
 * a setting that is missing must not be taken for the default.
 */
abstract class Params<P extends Params<P>> {
    final Struct struct;
    private final Map<String, Object> values = new LinkedHashMap<>();

    Params(String name) {
        struct = Structs.of(name);
    }

    @SuppressWarnings("unchecked")
    final P put(String member, Object value) {
        values.put(member, Objects.requireNonNull(value, member));
        return (P) this;
    }

    final P put(String member, List<String> value) {
        return put(member, (Object) List.copyOf(value));
    }

    final P put(String member, Map<String, String> value) {
        return put(member, (Object) new LinkedHashMap<>(value));
    }

    /** Of uint64_t and unsigned. */
    final P putNatural(String member, Number value) {
        if (value.longValue() < 0)
            throw new IllegalArgumentException(member + " is below 0");
        return put(member, (Object) value);
    }

    final Object get(String member) {
        return values.get(member);
    }

    /** The struct, for the time of a call. */
    final Pointer write(Call call) {
        Pointer at = call.allocate(struct.size);
        at.setLong(0, struct.size);
        values.forEach((member, value) -> write(call, at, member, value));
        return at;
    }

    /** An offset of this struct. */
    final long offset(String member) {
        return struct.offset(member);
    }

    private void write(Call call, Pointer at, String member, Object value) {
        long offset = struct.offset(member);
        if (value instanceof Integer number)
            at.setInt(offset, number);
        else if (value instanceof Long number)
            at.setLong(offset, number);
        else if (value instanceof Boolean truth)
            at.setByte(offset, (byte) (truth ? 1 : 0));
        else if (value instanceof Enum<?> word)
            at.setInt(offset, word.ordinal());
        else if (value instanceof String text)
            at.setPointer(offset, call.text(text));
        else if (value instanceof Path path)
            at.setPointer(offset, call.path(path));
        else if (value instanceof byte[] content && struct.member(member).kind().equals("bytes"))
            call.putFilled(at, offset, content, member);
        else if (value instanceof byte[] content)
            call.put(at, offset, content);
        else if (value instanceof OutputStream out)
            at.setPointer(offset, call.sink(out));
        else if (value instanceof Params<?> others)
            at.setPointer(offset, others.write(call));
        else
            writePair(call, at, offset, value);
    }

    /** What needs the member behind it, too. */
    @SuppressWarnings("unchecked")
    private static void writePair(Call call, Pointer at, long offset, Object value) {
        if (value instanceof List<?> texts) {
            at.setPointer(offset, call.texts((List<String>) texts));
            at.setLong(offset + 8, texts.size());
        } else if (value instanceof Map<?, ?> pairs) {
            at.setPointer(offset, call.pairs((Map<String, String>) pairs));
            at.setLong(offset + 8, pairs.size());
        } else {
            at.setPointer(offset, Callbacks.PROGRESS);
            at.setPointer(offset + 8, call.add((Progress) value));
        }
    }
}
