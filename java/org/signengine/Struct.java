// SPDX-License-Identifier: Apache-2.0
package org.signengine;

import com.sun.jna.Pointer;
import java.lang.reflect.Constructor;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A struct of the headers: where its members are. Records are read from it by the names of their components, as "signingTime" is
 * signing_time; a list is a pointer, and the member behind it the count.
 */
final class Struct {
    /** One letter, a count of char, or the name of a struct that is inside. */
    private static final Map<String, Integer> SIZES = Map.ofEntries(Map.entry("bool", 1), Map.entry("int", 4), Map.entry("unsigned", 4),
            Map.entry("long", 8), Map.entry("ulong", 8), Map.entry("text", 8), Map.entry("pointer", 8), Map.entry("bytes", 16),
            Map.entry("content", 16), Map.entry("buf", 16));

    /** A member. `next`: the one behind it. */
    record Member(String name, String kind, int offset, int size) {
    }

    final String name;
    final Map<String, Member> members = new LinkedHashMap<>();
    final int size;

    /**
     * As "version:unsigned time:long": `long` and `ulong` are int64_t and uint64_t or size_t, `text` a const char *, `bytes` se_bytes that
     * are refused when they are empty, `content` those that may be.
     */
    Struct(String name, String declaration) {
        int end = 0, widest = 1;
        this.name = name;
        for (String member : declaration.strip().split("\\s+")) {
            String[] parts = member.split(":");
            Struct inside = Structs.ALL.get(parts[1]);
            int width = inside != null ? inside.size
                    : Character.isDigit(parts[1].charAt(0)) ? Integer.parseInt(parts[1]) : SIZES.get(parts[1]);
            int alignment = Character.isDigit(parts[1].charAt(0)) ? 1 : Math.min(width, 8);
            end = (end + alignment - 1) / alignment * alignment;
            members.put(parts[0], new Member(parts[0], parts[1], end, width));
            end += width;
            widest = Math.max(widest, alignment);
        }
        size = (end + widest - 1) / widest * widest;
    }

    Member member(String member) {
        return members.get(member);
    }

    long offset(String member) {
        return members.get(member).offset;
    }

    // ---- reading ----

    /** How a record is made of what is in a struct. */
    static final class Reader<T> {
        private final Constructor<T> constructor;
        private final RecordComponent[] components;
        private final Member[] from;
        private final Member[] counts;
        private final List<Reader<?>> rows = new ArrayList<>();
        final Struct struct;

        Reader(Class<T> type, Struct struct) {
            this.struct = struct;
            components = type.getRecordComponents();
            from = new Member[components.length];
            counts = new Member[components.length];
            Class<?>[] types = new Class<?>[components.length];
            List<Member> members = new ArrayList<>(struct.members.values());
            for (int i = 0; i < components.length; i++) {
                RecordComponent component = components[i];
                types[i] = component.getType();
                from[i] = struct.member(component.getName().replaceAll("([A-Z])", "_$1").toLowerCase(java.util.Locale.ROOT));
                Class<?> row = types[i];
                if (row == List.class) {
                    row = (Class<?>) ((ParameterizedType) component.getGenericType()).getActualTypeArguments()[0];
                    counts[i] = members.get(members.indexOf(from[i]) + 1);
                }
                rows.add(row.isRecord() ? Structs.reader(row) : null);
            }
            try {
                constructor = type.getDeclaredConstructor(types);
                constructor.setAccessible(true);
            } catch (ReflectiveOperationException e) {
                throw new AssertionError(e);
            }
        }

        T read(Pointer at) {
            Object[] values = new Object[from.length];
            for (int i = 0; i < values.length; i++)
                values[i] = value(at, i);
            try {
                return constructor.newInstance(values);
            } catch (ReflectiveOperationException e) {
                throw new AssertionError(e);
            }
        }

        private Object value(Pointer at, int i) {
            Class<?> type = components[i].getType();
            long offset = from[i].offset;
            if (type == int.class)
                return at.getInt(offset);
            if (type == long.class)
                return at.getLong(offset);
            if (type == boolean.class)
                return at.getByte(offset) != 0;
            if (type.isEnum())
                return Library.constant(type, at.getInt(offset));
            if (type == byte[].class)
                return bytes(at, offset);
            if (type == String.class)
                return from[i].kind.equals("text") ? text(at.getPointer(offset)) : at.getString(offset, "UTF-8");
            if (type == List.class)
                return list(at.getPointer(offset), at.getLong(counts[i].offset), rows.get(i));
            return rows.get(i).read(at.share(offset));
        }

        private static List<?> list(Pointer first, long count, Reader<?> row) {
            List<Object> list = new ArrayList<>();
            for (long n = 0; n < count; n++)
                list.add(row == null ? text(first.getPointer(n * 8)) : row.read(first.share(n * row.struct.size)));
            return List.copyOf(list);
        }
    }

    /** Of se_bytes and se_buf. */
    static byte[] bytes(Pointer at, long offset) {
        long size = at.getLong(offset + 8);
        return size == 0 ? new byte[0] : at.getPointer(offset).getByteArray(0, Math.toIntExact(size));
    }

    static String text(Pointer text) {
        return text == null ? null : text.getString(0, "UTF-8");
    }
}
