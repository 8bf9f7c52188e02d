// SPDX-License-Identifier: Apache-2.0
package org.signengine;

/** Called now and then by long jobs, on the caller's thread; of a history for as long as it is open. */
@FunctionalInterface
public interface Progress {
    /** total: 0 when it is not known. False stops the job, with {@link Status#CANCELLED}. */
    boolean tell(long done, long total);
}
