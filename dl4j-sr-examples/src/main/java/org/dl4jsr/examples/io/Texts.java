package org.dl4jsr.examples.io;

import java.util.Locale;

/** Text that does not depend on the machine's language. */
public final class Texts {

    private Texts() {}

    /** {@code String.format} with the digits and marks of English. */
    public static String format(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }
}
