// SPDX-License-Identifier: Apache-2.0
package org.signengine;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.RecordComponent;
import java.nio.file.Path;
import java.util.Locale;
import java.util.jar.JarFile;

/** Tells what the jar declares, for java_layout.py to compare with the headers. */
final class Layout {
    private Layout() {
    }

    public static void main(String[] arguments) throws Exception {
        Structs.ALL.values().forEach(struct -> {
            System.out.println("struct " + struct.name + " " + struct.size);
            struct.members.values().forEach(member -> System.out.println(
                    "member " + struct.name + " " + member.name() + " " + member.kind() + " " + member.offset() + " " + member.size()));
        });
        try (JarFile jar = new JarFile(Path.of(Engine.class.getProtectionDomain().getCodeSource().getLocation().toURI()).toFile())) {
            for (String name : jar.stream().map(entry -> entry.getName()).filter(name -> name.endsWith(".class")).toList())
                describe(Class.forName(name.replace(".class", "").replace('/', '.')));
        }
        // a constant of a newer library
        if (Library.constant(Status.class, 99) != Status.UNKNOWN || new SignengineException(99, "x").code() != 99)
            throw new AssertionError("an unknown status");
    }

    private static void describe(Class<?> type) throws Exception {
        String name = type.getName().replace("org.signengine.", "");
        if (type.isEnum())
            for (Object constant : type.getEnumConstants())
                System.out.println("enum " + name + " " + ((Enum<?>) constant).name() + " " + ((Enum<?>) constant).ordinal());
        if (type.isRecord() && Modifier.isPublic(type.getModifiers()) && Structs.of(Structs.nameOf(type)) != null)
            for (RecordComponent component : type.getRecordComponents())
                System.out.println("record " + Structs.nameOf(type) + " " + snake(component.getName()));
        if (type.getSuperclass() == Params.class) {
            Params<?> params = (Params<?>) (type == Access.Use.class ? new Access.Use("sign") : type.getConstructor().newInstance());
            for (Method method : type.getDeclaredMethods())
                if (Modifier.isPublic(method.getModifiers()))
                    System.out.println("option " + params.struct.name + " " + snake(method.getName()));
        }
    }

    private static String snake(String name) {
        return name.replaceAll("([A-Z])", "_$1").toLowerCase(Locale.ROOT);
    }
}
