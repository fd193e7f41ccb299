package org.dl4jsr.kernel.reference;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Random;
import org.bytedeco.javacpp.BytePointer;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.Memory;

/** An array of raw memory for tests, between two guards that show writes out of bounds, at no round address. */
public final class TestArray {

    private static final int GUARD = 70;
    private static final byte GUARD_VALUE = 0x5A;

    private final FloatType type;
    private final int length;
    private final BytePointer memory;

    private TestArray(FloatType type, int length) {
        this.type = type;
        this.length = length;
        memory = new BytePointer((long) length * type.bytes() + 2 * GUARD);
        for (long i = 0; i < memory.capacity(); i++) {
            memory.put(i, GUARD_VALUE);
        }
    }

    /** {@code length} NaNs, so that what a kernel forgets to write shows. */
    public static TestArray empty(FloatType type, int length) {
        var array = new TestArray(type, length);
        for (int i = 0; i < length; i++) {
            array.set(i, Double.NaN);
        }
        return array;
    }

    /** The values, rounded to the type. */
    public static TestArray of(FloatType type, double... values) {
        var array = new TestArray(type, values.length);
        for (int i = 0; i < values.length; i++) {
            array.set(i, values[i]);
        }
        return array;
    }

    /** Normally distributed values. */
    public static TestArray random(FloatType type, int length, Random random) {
        return of(
                type,
                random.doubles(length).map(ignored -> random.nextGaussian()).toArray());
    }

    public static TestArray ofInts(int... values) {
        var array = new TestArray(FloatType.FLOAT, values.length);
        for (int i = 0; i < values.length; i++) {
            Memory.putInt(array.address() + 4L * i, values[i]);
        }
        return array;
    }

    public TestArray copy() {
        return of(type, values());
    }

    public FloatType type() {
        return type;
    }

    public int length() {
        return length;
    }

    public long address() {
        return memory.address() + GUARD;
    }

    public void set(int i, double value) {
        new FloatArray(type, address()).set(i, value);
    }

    public double get(int i) {
        return new FloatArray(type, address()).get(i);
    }

    /** The values; fails if a guard was overwritten. */
    public double[] values() {
        for (int i = 0; i < GUARD; i++) {
            assertEquals(GUARD_VALUE, memory.get(i), "written before the array");
            assertEquals(GUARD_VALUE, memory.get(memory.capacity() - 1 - i), "written behind the array");
        }
        double[] values = new double[length];
        for (int i = 0; i < length; i++) {
            values[i] = get(i);
        }
        return values;
    }
}
