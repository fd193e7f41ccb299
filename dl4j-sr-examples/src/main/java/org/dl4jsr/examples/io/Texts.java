package org.dl4jsr.examples.io;

import java.util.Locale;

/** Text that does not depend on the machine's language. */
public final class Texts {

    private Texts() {}

    /** {@code String.format} with the digits and marks of English. */
    public static String format(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }

    /**
     * {@code text} as a terminal may have it: control characters, which could move its cursor or more, are written as
     * Java's escapes, but for tabs and line feeds.
     */
    public static String printable(String text) {
        StringBuilder printable = new StringBuilder(text.length());
        text.chars().forEach(c -> {
            if (Character.isISOControl(c) && c != '\n' && c != '\t') {
                printable.append(format("\\u%04X", c));
            } else {
                printable.append((char) c);
            }
        });
        return printable.toString();
    }
}
