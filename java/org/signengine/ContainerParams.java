// SPDX-License-Identifier: Apache-2.0
package org.signengine;

/** se_container_params. */
public final class ContainerParams extends Params<ContainerParams> {
    public ContainerParams() {
        super("se_container_params");
    }

    public ContainerParams version(int version) {
        return putNatural("version", version);
    }

    /** What the file belongs to, as {@link Engine#context} makes it; it decrypts only with the same. */
    public ContainerParams context(byte[] context) {
        return put("context", context);
    }

    public ContainerParams progress(Progress progress) {
        return put("progress", progress);
    }

    public ContainerParams tag(String tag) {
        return put("tag", tag);
    }

    public ContainerParams atAnyTime(boolean atAnyTime) {
        return put("at_any_time", atAnyTime);
    }
}
