package org.dl4jsr.benchmarks.contract;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.rounding.BFloat16;

/**
 * What an array holds at first, and where it lies.
 *
 * @param type of the elements; FLOAT for INT32, too
 * @param bytes of the elements
 * @param offset elements from a 256-byte boundary to the first one
 */
public record Content(FloatType type, byte[] bytes, int offset) {

    /** Bytes before and after each array, which nobody may touch. */
    private static final int GUARD = 256;

    private static final byte GUARD_VALUE = 0x5A;

    /** Number of elements. */
    int length() {
        return bytes.length / type.bytes();
    }

    /** Bytes of {@link #guarded} before the first element. */
    int start() {
        return GUARD + offset * type.bytes();
    }

    /** The array between its guards. */
    byte[] guarded() {
        byte[] guarded = new byte[bytes.length + 2 * GUARD];
        Arrays.fill(guarded, 0, start(), GUARD_VALUE);
        System.arraycopy(bytes, 0, guarded, start(), bytes.length);
        Arrays.fill(guarded, start() + bytes.length, guarded.length, GUARD_VALUE);
        return guarded;
    }

    /** The first byte of the guards that was written, or -1. */
    int damage(byte[] guarded) {
        int end = start() + bytes.length;
        for (int at = 0; at < guarded.length; at = at + 1 == start() ? end : at + 1) {
            if (guarded[at] != GUARD_VALUE) {
                return at;
            }
        }
        return -1;
    }

    /** The elements of an array between guards. */
    double[] values(byte[] guarded) {
        var buffer = ByteBuffer.wrap(guarded, start(), bytes.length).order(ByteOrder.nativeOrder());
        double[] values = new double[length()];
        for (int i = 0; i < values.length; i++) {
            values[i] = type == FloatType.FLOAT ? buffer.getFloat() : BFloat16.toFloat(buffer.getShort());
        }
        return values;
    }

    /** Where byte {@code at} of an array between guards is, and its element, for messages. */
    String where(byte[] guarded, int at) {
        int element = Math.floorDiv(at - start(), type.bytes());
        var buffer = ByteBuffer.wrap(guarded).order(ByteOrder.nativeOrder());
        int from = start() + element * type.bytes();
        int bits = type == FloatType.FLOAT ? buffer.getInt(from) : buffer.getShort(from) & 0xFFFF;
        return "element " + element + " of " + length() + " is 0x" + Integer.toHexString(bits);
    }
}
