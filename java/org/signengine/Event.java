// SPDX-License-Identifier: Apache-2.0
package org.signengine;

/** Something that happened: se_event. */
public record Event(Kind kind, String key, int replica, Status status, String text, String operation, String descriptor, int version,
        long bytes, long durationUs, String requestSent, String requestAnswered, long items, long failed, String digest, String tag,
        int sessions) {

    public enum Kind {
        OPERATION, KEY_LOST, KEY_HEALED, KEY_RENEWED, FAILED_OVER, FAILED_BACK, KEY_SLOWED, RELOADED, RELOAD_REFUSED, VERSION_SWITCHED,
        VERSION_LATE, UNKNOWN;

        /** The library's words for it, as "failed over". */
        @Override
        public String toString() {
            return Library.word("se_event_name", this);
        }
    }
}
