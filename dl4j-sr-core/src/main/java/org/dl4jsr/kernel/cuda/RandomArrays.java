package org.dl4jsr.kernel.cuda;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import java.util.function.DoubleSupplier;
import java.util.function.IntSupplier;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.cuda.KernelComparison.Content;
import org.dl4jsr.rounding.BFloat16;

/** Arrays for {@link KernelCheck}: contents of several kinds, which lie at 16-byte boundaries or anywhere. */
final class RandomArrays {

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
        1.00390625f,
        1.01171875f,
        3.4e38f,
        -3.4e38f,
        Float.MAX_VALUE,
        Float.POSITIVE_INFINITY,
        Float.NEGATIVE_INFINITY,
        Float.NaN,
        Float.intBitsToFloat(0xFFC12345),
        Float.intBitsToFloat(0x7F800001)
    };

    private final Random random;
    private final boolean aligned;

    RandomArrays(Random random) {
        this(random, false);
    }

    private RandomArrays(Random random, boolean aligned) {
        this.random = random;
        this.aligned = aligned;
    }

    /** As these, but all at 16-byte boundaries. */
    RandomArrays aligned() {
        return new RandomArrays(random, true);
    }

    /** Mostly ordinary numbers, with specials, subnormals and any bits among them. */
    Content anyValues(FloatType type, int size) {
        return of(type, size, () -> switch (random.nextInt(12)) {
            case 0 -> SPECIALS[random.nextInt(SPECIALS.length)];
            case 1 -> Float.intBitsToFloat(random.nextInt());
            default -> random.nextGaussian();
        });
    }

    /** Finite numbers of many sizes. */
    Content numbers(FloatType type, int size) {
        return of(type, size, () -> random.nextGaussian() * Math.scalb(1, random.nextInt(40) - 20));
    }

    /** Normally distributed. */
    Content normal(FloatType type, int size) {
        return of(type, size, random::nextGaussian);
    }

    Content zeros(FloatType type, int size) {
        return anywhere(type, new byte[type.bytes() * size]);
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
    Content ints(int size, IntSupplier values) {
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
}
