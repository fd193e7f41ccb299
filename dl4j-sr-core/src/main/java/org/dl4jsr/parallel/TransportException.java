package org.dl4jsr.parallel;

/**
 * The ranks can no longer go on together: one has left, is too slow, or a message is damaged. The step under way has
 * not been taken, or not by all; go on from a checkpoint.
 */
public final class TransportException extends RuntimeException {

    private static final long serialVersionUID = 1;

    /** What happened, and to which rank. */
    public TransportException(String message) {
        super(message);
    }

    /** What happened, to which rank, and why. */
    public TransportException(String message, Throwable cause) {
        super(message, cause);
    }
}
