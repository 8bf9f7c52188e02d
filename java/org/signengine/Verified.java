// SPDX-License-Identifier: Apache-2.0
package org.signengine;

/** What was signed, and by whom: work with that content. leewayUsed: of tokens, in seconds. */
public record Verified(byte[] content, Signer signer, int leewayUsed) {
}
