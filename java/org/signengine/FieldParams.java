// SPDX-License-Identifier: Apache-2.0
package org.signengine;

/** se_field_params. */
public final class FieldParams extends Params<FieldParams> {
    public FieldParams() {
        super("se_field_params");
    }

    public FieldParams version(int version) {
        return putNatural("version", version);
    }

    /** The binary form, not text. */
    public FieldParams binary(boolean binary) {
        return put("binary", binary);
    }

    /** Where the value belongs, as {@link Engine#context} makes it; it decrypts only with the same. */
    public FieldParams context(byte[] context) {
        return put("context", context);
    }

    public FieldParams tag(String tag) {
        return put("tag", tag);
    }

    public FieldParams atAnyTime(boolean atAnyTime) {
        return put("at_any_time", atAnyTime);
    }

    /** Of many values: how many threads at the most; 0, as if nothing was said, is one for each core. */
    public FieldParams threads(int threads) {
        return putNatural("threads", threads);
    }
}
