// SPDX-License-Identifier: Apache-2.0
package org.signengine;

/** One of a batch. value: empty unless the status is OK. kept: it was encrypted under that version already. */
public record Field(byte[] value, Status status, boolean kept) {
}
