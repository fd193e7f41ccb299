package org.dl4jsr.kernel.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.function.BiConsumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.dl4jsr.kernel.Arithmetic;
import org.dl4jsr.kernel.ArrayKernels;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.Memory;
import org.dl4jsr.kernel.StridedArray;
import org.dl4jsr.kernel.Window;
import org.dl4jsr.kernel.reference.JavaArrayKernels;
import org.dl4jsr.kernel.reference.TestArray;
import org.dl4jsr.rounding.BFloat16;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The native array kernels give the bits of the Java ones, in any layout; those are checked against sums by hand. */
class ArrayKernelsTest {

    private final Random random = new Random(5);
    private final ArrayKernels java = new JavaArrayKernels();
    private final List<TestArray> memory = new ArrayList<>();

    static boolean nativeLibraryLoads() {
        return CpuKernels.ofLevel(null, 0).kernels() instanceof NativeKernels;
    }

    /** Every instruction set that this processor has, on one thread and on three. */
    static Stream<NativeArrayKernels> nativeKernels() {
        return Arrays.stream(InstructionSet.values())
                .skip(NativeLibrary.bestInstructionSet())
                .flatMap(
                        set -> Stream.of(1, 3).map(threads -> new NativeArrayKernels(new NativeKernels(set, threads))));
    }

    @ParameterizedTest
    @MethodSource("nativeKernels")
    @EnabledIf("nativeLibraryLoads")
    void arithmetic(ArrayKernels kernels) {
        for (int trial = 0; trial < 60; trial++) {
            Arithmetic operation = Arithmetic.values()[trial % 6];
            long[] shape = shape(trial);
            StridedArray a = values(shape);
            StridedArray b = broadcast(values(shape));
            float number = random.nextInt(5) == 0 ? 0 : (float) random.nextGaussian();
            assertSameBits(kernels, shape, (k, c) -> k.arithmetic(operation, a, b, c));
            assertSameBits(kernels, shape, (k, c) -> k.arithmetic(operation, a, number, c));
        }
    }

    @ParameterizedTest
    @MethodSource("nativeKernels")
    @EnabledIf("nativeLibraryLoads")
    void lookUps(ArrayKernels kernels) {
        TestArray values = TestArray.random(FloatType.BFLOAT16, 0x10000, random);
        TestArray slopes = TestArray.random(FloatType.FLOAT, 0x10000, random);
        for (int i = 0; i < 0x10000; i += 3) {
            slopes.set(i, 0);
        }
        for (int trial = 0; trial < 40; trial++) {
            long[] shape = shape(trial);
            StridedArray x = values(shape);
            StridedArray dy = values(shape);
            assertSameBits(kernels, shape, (k, y) -> k.lookUp(values.address(), x, y));
            assertSameBits(kernels, shape, (k, dx) -> k.multiplyLookUp(slopes.address(), true, x, dy, dx));
            assertSameBits(kernels, shape, (k, dx) -> k.multiplyLookUp(slopes.address(), false, x, dy, dx));
        }
    }

    @ParameterizedTest
    @MethodSource("nativeKernels")
    @EnabledIf("nativeLibraryLoads")
    void images(ArrayKernels kernels) {
        for (int trial = 0; trial < 60; trial++) {
            Window window = new Window(
                    1 + random.nextInt(4),
                    1 + random.nextInt(4),
                    1 + random.nextInt(3),
                    1 + random.nextInt(3),
                    random.nextInt(3),
                    random.nextInt(3),
                    1 + random.nextInt(2),
                    1 + random.nextInt(2));
            long batch = 1 + random.nextInt(3);
            long channels = 1 + random.nextInt(3);
            long rows = 1 + random.nextInt(trial < 50 ? 6 : 40);
            long columns = 1 + random.nextInt(trial < 50 ? 6 : 40);
            long[] image = {
                batch, channels, size(window.row(rows, window.height())), size(window.column(columns, window.width()))
            };
            long[] laidOut = {batch, channels, window.height(), window.width(), rows, columns};
            long[] pooled = {batch, channels, rows, columns};
            StridedArray x = values(image);
            StridedArray y = values(laidOut);
            StridedArray dy = values(pooled);
            assertSameBits(kernels, laidOut, (k, c) -> k.im2col(x, c, window));
            assertSameBits(kernels, image, (k, c) -> k.col2im(y, c, window));
            assertSameBits(kernels, pooled, (k, c) -> k.maxPool(x, c, window));
            assertSameBits(kernels, image, (k, c) -> k.maxPoolGradient(x, dy, c, window));
        }
    }

    private long size(long least) {
        return Math.max(1, least - random.nextInt(3));
    }

    /** 2x2 windows, two apart, on a 3x4 image with one column of padding. */
    @Test
    void imagesByHand() {
        StridedArray image = matrix(new double[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, 1, 1, 3, 4);
        var window = new Window(2, 2, 1, 2, 0, 1, 1, 1);
        StridedArray columns = matrix(new double[24], 1, 1, 2, 2, 2, 3);
        java.im2col(image, columns, window);
        assertValues(columns, 0, 2, 4, 0, 6, 8, 1, 3, 0, 5, 7, 0, 0, 6, 8, 0, 10, 12, 5, 7, 0, 9, 11, 0);
        StridedArray sums = matrix(new double[12], 1, 1, 3, 4);
        java.col2im(columns, sums, window);
        assertValues(sums, 1, 2, 3, 4, 10, 12, 14, 16, 9, 10, 11, 12);
        StridedArray greatest = matrix(new double[6], 1, 1, 2, 3);
        java.maxPool(image, greatest, window);
        assertValues(greatest, 5, 7, 8, 9, 11, 12);
        StridedArray gradient = matrix(new double[12], 1, 1, 3, 4);
        java.maxPoolGradient(image, greatest, gradient, window);
        assertValues(gradient, 0, 0, 0, 0, 5, 0, 7, 8, 9, 0, 11, 12);
    }

    /** 256 + 1 + 1 + ... sums in FP32, where BF16 would stay at 256. */
    @Test
    void sumsAreFp32() {
        double[] ones = new double[64];
        Arrays.fill(ones, 1);
        ones[0] = 256;
        StridedArray image = matrix(new double[1], 1, 1, 1, 1);
        java.col2im(matrix(ones, 1, 1, 8, 8, 1, 1), image, new Window(8, 8, 1, 1, 0, 0, 1, 1));
        assertValues(image, 256); // all but one element lie outside
        java.col2im(matrix(ones, 1, 1, 1, 1, 8, 8), image, new Window(1, 1, 1, 1, 0, 0, 1, 1));
        assertValues(image, 256);
        StridedArray row = matrix(new double[4], 1, 1, 1, 4);
        java.col2im(
                matrix(new double[] {256, 1, 1, 1, 1, 1, 1, 1}, 1, 1, 1, 4, 1, 2),
                row,
                new Window(1, 4, 1, 1, 0, 0, 1, 1));
        assertValues(row, 256, 2, 2, 2);
    }

    private StridedArray matrix(double[] values, long... shape) {
        TestArray array = TestArray.of(FloatType.BFLOAT16, values);
        memory.add(array);
        return new StridedArray(FloatType.BFLOAT16, 0, shape, descending(shape))
                .denseAt(array.address(), FloatType.BFLOAT16);
    }

    private static long[] descending(long[] shape) {
        return IntStream.range(0, shape.length).mapToLong(i -> shape.length - i).toArray();
    }

    private static void assertValues(StridedArray actual, double... expected) {
        double[] values = new double[expected.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = BFloat16.toFloat(Memory.getShort(actual.address() + 2L * i));
        }
        assertArrayEquals(expected, values);
    }

    /** Small ones of several dimensions, and long ones for several blocks and threads. */
    private long[] shape(int trial) {
        return trial % 4 == 0
                ? new long[] {1 + random.nextInt(3), 5000 + random.nextInt(20000)}
                : random.longs(1 + random.nextInt(4), 1, 20).toArray();
    }

    /** Of all magnitudes, with zeros, infinities, NaN and equal values, in a layout with gaps. */
    private StridedArray values(long[] shape) {
        StridedArray layout = layout(shape);
        TestArray array = memory.get(memory.size() - 1);
        for (int i = 0; i < array.length(); i++) {
            array.set(
                    i,
                    switch (random.nextInt(12)) {
                        case 0 -> 0;
                        case 1 -> -1;
                        case 2 -> Float.intBitsToFloat(random.nextInt());
                        default -> random.nextGaussian();
                    });
        }
        return layout;
    }

    /** Its dimensions in any order in memory, with gaps. */
    private StridedArray layout(long[] shape) {
        List<Integer> order =
                new ArrayList<>(IntStream.range(0, shape.length).boxed().toList());
        if (random.nextBoolean()) {
            Collections.shuffle(order, random);
        }
        long[] strides = new long[shape.length];
        long stride = random.nextInt(4) == 0 ? 2 : 1;
        for (int i = shape.length - 1; i >= 0; i--) {
            strides[order.get(i)] = stride;
            stride *= shape[order.get(i)] + (random.nextInt(4) == 0 ? 1 : 0);
        }
        TestArray array = TestArray.empty(FloatType.BFLOAT16, Math.toIntExact(stride));
        memory.add(array);
        return new StridedArray(FloatType.BFLOAT16, array.address(), shape, strides);
    }

    /** Some of its dimensions broadcast. */
    private StridedArray broadcast(StridedArray matrix) {
        long[] strides = Arrays.stream(matrix.strides())
                .map(stride -> random.nextInt(3) == 0 ? 0 : stride)
                .toArray();
        return new StridedArray(matrix.type(), matrix.address(), matrix.shape(), strides);
    }

    private void assertSameBits(ArrayKernels kernels, long[] shape, BiConsumer<ArrayKernels, StridedArray> kernel) {
        StridedArray layout = layout(shape);
        TestArray written = memory.get(memory.size() - 1);
        kernel.accept(java, layout);
        double[] expected = written.values();
        for (int i = 0; i < written.length(); i++) {
            written.set(i, Double.NaN);
        }
        kernel.accept(kernels, layout);
        double[] got = written.values();
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], got[i], "element " + i + " of " + layout);
        }
        memory.remove(written);
    }
}
