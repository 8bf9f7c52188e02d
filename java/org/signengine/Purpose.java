// SPDX-License-Identifier: Apache-2.0
package org.signengine;

/** What is signed: se_purpose. */
public enum Purpose {
    DESCRIPTOR, MAIL, ZIP, UNKNOWN
}
