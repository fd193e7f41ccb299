package org.dl4jsr.examples.io;

/** Sizes for people: 1 KiB is 1024 bytes. */
public final class Bytes {

    private static final String[] UNITS = {"B", "KiB", "MiB", "GiB", "TiB"};

    private Bytes() {}

    public static String format(long bytes) {
        double value = bytes;
        int unit = 0;
        while (value >= 1024 && unit < UNITS.length - 1) {
            value /= 1024;
            unit++;
        }
        return Texts.format(unit == 0 ? "%.0f %s" : "%.1f %s", value, UNITS[unit]);
    }
}
