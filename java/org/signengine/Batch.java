// SPDX-License-Identifier: Apache-2.0
package org.signengine;

import com.sun.jna.Pointer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** Calls with an array of structs that have an input, something beside it, an output and a status: se_field, se_jws. */
final class Batch<T> {
    static final Batch<Field> FIELDS = new Batch<>("se_field", "context", at -> new Field(Struct.bytes(at, offset("se_field", "out")),
            Library.constant(Status.class, at.getInt(offset("se_field", "status"))), at.getByte(offset("se_field", "kept")) != 0));
    static final Batch<Jws.Result> TOKENS = new Batch<>("se_jws", "payload", at -> new Jws.Result(Struct.bytes(at, offset("se_jws", "out")),
            Library.constant(Status.class, at.getInt(offset("se_jws", "status"))), at.getInt(offset("se_jws", "version"))));

    private final String struct;
    private final String beside;
    private final Function<Pointer, T> reader;

    private Batch(String struct, String beside, Function<Pointer, T> reader) {
        this.struct = struct;
        this.beside = beside;
        this.reader = reader;
    }

    private static long offset(String struct, String member) {
        return Structs.of(struct).offset(member);
    }

    List<T> run(String name, Engine engine, String descriptor, List<byte[]> values, List<byte[]> others, Params<?> params) {
        if (others != null && others.size() != values.size())
            throw new IllegalArgumentException(values.size() + " values, and " + others.size() + " for them");
        try (Call call = new Call()) {
            int size = Structs.of(struct).size;
            Pointer list = call.array(struct, values.size());
            for (int i = 0; i < values.size(); i++) {
                Pointer row = list.share((long) i * size);
                call.put(row, 0, values.get(i));
                if (others != null)
                    call.put(row, offset(struct, beside), others.get(i));
                call.release(row.share(offset(struct, "out")));
            }
            try {
                call.run(name, list, (long) values.size(), engine, call.text(descriptor), params.write(call));
            } catch (SignengineException e) {
                throw e.with(read(list, size, values.size()));
            }
            return read(list, size, values.size());
        }
    }

    private List<T> read(Pointer list, int size, int count) {
        List<T> results = new ArrayList<>();
        for (int i = 0; i < count; i++)
            results.add(reader.apply(list.share((long) i * size)));
        return results;
    }
}
