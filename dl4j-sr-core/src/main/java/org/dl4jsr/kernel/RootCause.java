package org.dl4jsr.kernel;

/** Why something failed in the first place: errors of native libraries that do not load name it last. */
public final class RootCause {

    private RootCause() {}

    /** The last cause of {@code error}, itself where there is none. */
    public static Throwable of(Throwable error) {
        return error.getCause() == null ? error : of(error.getCause());
    }
}
