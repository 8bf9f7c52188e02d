// SPDX-License-Identifier: Apache-2.0
package org.signengine;

/** What the caller can do about a failure: se_status of signengine.h. */
public enum Status {
    OK, MEMORY, USAGE, CONFIG, NO_DESCRIPTOR, POLICY, KEY, STORE, ACCESS, UNAVAILABLE, FORMAT, REJECTED, IO, CANCELLED, CRYPTO,
    /** What a newer library says. */
    UNKNOWN;

    /** The library's word for it, as "no descriptor". */
    @Override
    public String toString() {
        return Library.word("se_status_name", this);
    }
}
