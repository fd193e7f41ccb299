package org.dl4jsr.benchmarks.contract;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Random;
import java.util.function.DoubleSupplier;
import java.util.function.IntSupplier;
import java.util.stream.IntStream;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.rounding.BFloat16;

/** Arrays for the cases: contents of several kinds, which lie at 256-byte boundaries or anywhere. */
public final class RandomArrays {

    private static final float[] SPECIALS = {
        0f,
        -0f,
        Float.MIN_VALUE,
        -Float.MIN_VALUE,
        1e-40f,
        -3e-39f,
        Float.MIN_NORMAL,
        1f,
        -1f,
        0x1.01p0f,
        0x1.03p0f,
        Float.intBitsToFloat(0x7F7FC99E), // 3.4e38
        Float.intBitsToFloat(0xFF7FC99E),
        Float.MAX_VALUE,
        Float.POSITIVE_INFINITY,
        Float.NEGATIVE_INFINITY,
        Float.NaN,
        Float.intBitsToFloat(0xFFC12345),
        Float.intBitsToFloat(0x7F800001)
    };

    private final Random random;
    private final boolean aligned;

    /** Arrays of these random numbers. */
    public RandomArrays(Random random) {
        this(random, false);
    }

    private RandomArrays(Random random, boolean aligned) {
        this.random = random;
        this.aligned = aligned;
    }

    /** As these, but all at 256-byte boundaries. */
    RandomArrays aligned() {
        return new RandomArrays(random, true);
    }

    /** What the arrays are drawn from, for the other choices of a case. */
    Random random() {
        return random;
    }

    /** Mostly ordinary numbers, with specials, subnormals and any bits among them. */
    Content anyValues(FloatType type, int size) {
        return of(type, size, this::anyValue);
    }

    /** One of {@link #anyValues}. */
    double anyValue() {
        return switch (random.nextInt(12)) {
            case 0 -> SPECIALS[random.nextInt(SPECIALS.length)];
            case 1 -> Float.intBitsToFloat(random.nextInt());
            default -> random.nextGaussian();
        };
    }

    /** Finite numbers of many sizes. */
    Content numbers(FloatType type, int size) {
        return of(type, size, () -> random.nextGaussian() * Math.scalb(1f, random.nextInt(40) - 20));
    }

    /** Normally distributed. */
    public Content normal(FloatType type, int size) {
        return of(type, size, random::nextGaussian);
    }

    /** For results: what a kernel forgets to write shows as NaN. */
    Content unwritten(FloatType type, int size) {
        return of(type, size, () -> Double.NaN);
    }

    /** All BF16 values but infinities and NaN. */
    Content allNumbers(FloatType type) {
        double[] numbers = IntStream.range(0, 0x10000)
                .mapToDouble(bits -> BFloat16.toFloat((short) bits))
                .filter(Double::isFinite)
                .toArray();
        var each = Arrays.stream(numbers).iterator();
        return of(type, numbers.length, each::nextDouble);
    }

    Content of(FloatType type, int size, DoubleSupplier values) {
        var buffer = ByteBuffer.allocate(type.bytes() * size).order(ByteOrder.nativeOrder());
        for (int i = 0; i < size; i++) {
            float value = (float) values.getAsDouble();
            if (type == FloatType.FLOAT) {
                buffer.putFloat(value);
            } else {
                buffer.putShort(BFloat16.fromFloat(value));
            }
        }
        return anywhere(type, buffer.array());
    }

    /** INT32. */
    public Content ints(int size, IntSupplier values) {
        var buffer = ByteBuffer.allocate(Integer.BYTES * size).order(ByteOrder.nativeOrder());
        for (int i = 0; i < size; i++) {
            buffer.putInt(values.getAsInt());
        }
        return anywhere(FloatType.FLOAT, buffer.array());
    }

    private Content anywhere(FloatType type, byte[] bytes) {
        return new Content(type, bytes, aligned || random.nextBoolean() ? 0 : random.nextInt(16));
    }

    /** Moved, mostly, to where the element's random bits and 16-byte boundaries go together, as in a network. */
    Content at(long element, Content array) {
        return new Content(
                array.type(), array.bytes(), random.nextInt(8) > 0 ? (int) (element % 8) : random.nextInt(16));
    }

    /** Such an array of any strides: its dimensions in any order in memory, with gaps here and there. */
    StridedContent strided(FloatType type, DoubleSupplier values, long... shape) {
        var order = new ArrayList<>(IntStream.range(0, shape.length).boxed().toList());
        if (random.nextBoolean()) {
            Collections.shuffle(order, random);
        }
        long[] strides = new long[shape.length];
        long stride = random.nextInt(8) == 0 ? 3 : 1;
        for (int i = shape.length - 1; i >= 0; i--) {
            strides[order.get(i)] = stride;
            stride *= shape[order.get(i)];
            stride += random.nextInt(4) == 0 ? 5 : 0;
        }
        return new StridedContent(of(type, Math.toIntExact(stride), values), shape, strides);
    }
}
