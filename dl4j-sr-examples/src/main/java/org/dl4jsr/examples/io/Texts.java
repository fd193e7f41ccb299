package org.dl4jsr.examples.io;

import java.io.IOException;
import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.DecimalFormat;
import java.text.DecimalFormatSymbols;
import java.time.Duration;
import java.util.Locale;

/** Text that does not depend on the machine's language, and that does a terminal no harm. */
public final class Texts {

    /** The first of Unicode's pictures of control characters, in their order. */
    private static final char PICTURES = '\u2400';

    private static final double SMALLEST_PLAIN = 1e-4;

    private Texts() {}

    /** {@code String.format} with the digits and marks of English. */
    public static String format(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }

    /** A setting to three digits, as people write it: 0.002, 1e-8. */
    public static String number(double value) {
        if (!Double.isFinite(value)) {
            return String.valueOf(value);
        }
        if (value != 0 && Math.abs(value) < SMALLEST_PLAIN) {
            return new DecimalFormat("0.##E0", DecimalFormatSymbols.getInstance(Locale.ROOT))
                    .format(value)
                    .replace('E', 'e');
        }
        return new BigDecimal(value)
                .round(new MathContext(3))
                .stripTrailingZeros()
                .toPlainString();
    }

    /** {@code count} of what {@code one} is called: 1 step, 2,000 steps. */
    public static String count(long count, String one) {
        return format("%,d %s%s", count, one, count == 1 ? "" : one.endsWith("s") ? "es" : "s");
    }

    /** Hours, minutes and seconds: 0:02:30. */
    public static String time(Duration time) {
        return format("%d:%02d:%02d", time.toHours(), time.toMinutesPart(), time.toSecondsPart());
    }

    /** A file in UTF-8, which must be a regular one: a pipe would never end. What is not UTF-8 is replaced. */
    public static String read(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new IOException(
                    file.getFileName() + (Files.exists(file) ? " is no regular file" : " does not exist"));
        }
        return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
    }

    /** {@code text} with pictures in place of the control characters that would make a terminal do something. */
    public static String printable(String text) {
        StringBuilder printable = new StringBuilder(text);
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            boolean lineEnd = c == '\n' || c == '\r' && i + 1 < text.length() && text.charAt(i + 1) == '\n';
            if (Character.isISOControl(c) && !lineEnd && c != '\t') {
                printable.setCharAt(i, picture(c));
            }
        }
        return printable.toString();
    }

    /** {@link #printable} in one line. */
    public static String oneLine(String text) {
        return printable(text).replace('\n', picture('\n')).replace('\r', picture('\r'));
    }

    /** {@code argument} as it has to be written in a shell's command line. */
    public static String quoted(String argument) {
        return argument.matches("[\\w./:@%+=,-]+") ? argument : "'" + argument.replace("'", "'\\''") + "'";
    }

    private static char picture(char control) {
        if (control == '\u007f') {
            return '\u2421';
        }
        return control < ' ' ? (char) (PICTURES + control) : '\ufffd';
    }
}
