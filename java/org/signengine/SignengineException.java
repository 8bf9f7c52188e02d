// SPDX-License-Identifier: Apache-2.0
package org.signengine;

/** A call has failed. */
public final class SignengineException extends RuntimeException {
    private static final long serialVersionUID = 1;
    private final Status status;
    private final int code;
    private transient Object results;

    SignengineException(int code, String text) {
        super(text);
        this.code = code;
        status = Library.constant(Status.class, code);
    }

    SignengineException(Status status, String text) {
        this(status.ordinal(), text);
    }

    SignengineException with(Object results) {
        this.results = results;
        return this;
    }

    /** What can be done about it. */
    public Status status() {
        return status;
    }

    /** The number of the status in C, also of one that this class does not know. */
    public int code() {
        return code;
    }

    /** One line, without secrets: what was looked for and what is there instead. The same as getMessage(). */
    public String text() {
        return getMessage();
    }

    /**
     * What came of each part: of a batch its list of {@link Field} or {@link Jws.Result}, of {@link Check#run} the list of rows, of
     * {@link Zip#verify} the {@link Zip.Report} as far as it goes, of {@link History#verify} the list of findings; else null.
     */
    public Object results() {
        return results;
    }

    @Override
    public String toString() {
        return getClass().getName() + ": " + status + ": " + getMessage();
    }
}
