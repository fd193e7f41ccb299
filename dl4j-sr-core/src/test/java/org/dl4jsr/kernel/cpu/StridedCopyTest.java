package org.dl4jsr.kernel.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.bytedeco.javacpp.BytePointer;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.Memory;
import org.dl4jsr.kernel.StridedArray;
import org.dl4jsr.rounding.BFloat16;
import org.junit.jupiter.api.Test;

class StridedCopyTest {

    private static final StridedCopy COPIES =
            new StridedCopy(CpuKernels.ofLevel(null, 0).kernels());

    private final Random random = new Random(1);

    /** Random bits, so all kinds of NaN are among them: equal types keep them, casts are those of the specification. */
    @Test
    void everyElementArrivesAsItsTypeHasIt() {
        for (int trial = 0; trial < 2000; trial++) {
            long[] shape = random.longs(random.nextInt(5), 1, 7).toArray();
            for (int i = random.nextInt(3); i > 0 && shape.length > 0; i--) {
                shape[random.nextInt(shape.length)] = 40 + random.nextInt(10); // long enough for the kernels
            }
            var from = FloatType.values()[random.nextInt(2)];
            var to = FloatType.values()[random.nextInt(2)];
            try (var sourceMemory = new BytePointer(1L << 22);
                    var targetMemory = new BytePointer(1L << 22)) {
                StridedArray source = strided(from, sourceMemory.address(), shape);
                StridedArray target = strided(to, targetMemory.address(), shape);
                long[] index = new long[shape.length];
                for (long i = 0;
                        i < StridedArray.rowMajor(FloatType.FLOAT, 0, shape).length();
                        i++, next(index, shape)) {
                    put(source, index, random.nextInt());
                }
                COPIES.copy(source, target);
                for (long i = 0;
                        i < StridedArray.rowMajor(FloatType.FLOAT, 0, shape).length();
                        i++, next(index, shape)) {
                    assertEquals(cast(get(source, index), from, to), get(target, index));
                }
            }
        }
    }

    @Test
    void denseLikeKeepsTheOrderOfDimensions() {
        var view = new StridedArray(FloatType.FLOAT, 0, new long[] {3, 1, 4, 5}, new long[] {1, 7, 30, 5});
        StridedArray dense = view.denseAt(64, FloatType.BFLOAT16);
        assertEquals(1, dense.strides()[0]);
        assertEquals(15, dense.strides()[2]);
        assertEquals(3, dense.strides()[3]);
        assertEquals(64, dense.address());
    }

    @Test
    void shapesMustAgree() {
        var e = assertThrows(
                IllegalArgumentException.class,
                () -> COPIES.copy(
                        StridedArray.rowMajor(FloatType.FLOAT, 0, 2, 3),
                        StridedArray.rowMajor(FloatType.FLOAT, 0, 3, 2)));
        assertTrue(e.getMessage().contains("FLOAT [2, 3] to FLOAT [3, 2]"), e.getMessage());
    }

    private StridedArray strided(FloatType type, long address, long[] shape) {
        long[] strides = new long[shape.length];
        long stride = random.nextInt(4) == 0 ? 2 : 1;
        boolean reverse = random.nextBoolean();
        for (int i = 0; i < shape.length; i++) {
            int dimension = reverse ? shape.length - 1 - i : i;
            strides[dimension] = stride;
            stride = stride * shape[dimension] + (random.nextInt(4) == 0 ? 1 : 0);
        }
        return new StridedArray(type, address, shape, strides);
    }

    private static int cast(int bits, FloatType from, FloatType to) {
        if (from == to) {
            return bits;
        }
        return from == FloatType.BFLOAT16 ? bits << 16 : BFloat16.fromFloat(Float.intBitsToFloat(bits));
    }

    private static void next(long[] index, long[] shape) {
        for (int i = index.length - 1; i >= 0 && ++index[i] == shape[i]; i--) {
            index[i] = 0;
        }
    }

    private static int get(StridedArray array, long[] index) {
        long address = address(array, index);
        return array.type() == FloatType.FLOAT ? Memory.getInt(address) : Memory.getShort(address);
    }

    private static void put(StridedArray array, long[] index, int bits) {
        if (array.type() == FloatType.FLOAT) {
            Memory.putInt(address(array, index), bits);
        } else {
            Memory.putShort(address(array, index), (short) bits);
        }
    }

    private static long address(StridedArray array, long[] index) {
        long offset = 0;
        for (int i = 0; i < index.length; i++) {
            offset += index[i] * array.strides()[i];
        }
        return array.address() + offset * array.type().bytes();
    }
}
