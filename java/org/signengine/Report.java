// SPDX-License-Identifier: Apache-2.0
package org.signengine;

/** Something that a person should know about the configuration: se_report. */
public record Report(boolean error, String file, int line, String text) {
}
