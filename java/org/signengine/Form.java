// SPDX-License-Identifier: Apache-2.0
package org.signengine;

/** What a signature looks like: se_form. */
public enum Form {
    DETACHED, ATTACHED, RAW, XML, XML_ENVELOPING, XML_DETACHED, UNKNOWN
}
