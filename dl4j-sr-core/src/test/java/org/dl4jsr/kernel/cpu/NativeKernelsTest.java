package org.dl4jsr.kernel.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.bytedeco.javacpp.BytePointer;
import org.dl4jsr.kernel.AdamW;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.Kernels;
import org.dl4jsr.kernel.Optimizer;
import org.dl4jsr.kernel.OptimizerArrays;
import org.dl4jsr.kernel.OptimizerStep;
import org.dl4jsr.kernel.StepStatistics;
import org.dl4jsr.kernel.reference.JavaKernels;
import org.dl4jsr.rounding.StateRounding;
import org.dl4jsr.rounding.WeightWrite;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The native kernels give the bits of {@link JavaKernels}, at every instruction set that this processor has. */
@EnabledIf("nativeLibraryLoads")
class NativeKernelsTest {

    /** Every size up to 1000, and some of several blocks. */
    private static final int[] SIZES = IntStream.concat(
                    IntStream.rangeClosed(0, 1000), IntStream.of(4095, 4097, 20_001, 65_537))
            .toArray();

    /** Bytes before and after each array; each array starts anywhere in the first half of them, odd addresses too. */
    private static final int GUARD = 128;

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

    private final Random random = new Random(7);
    private final JavaKernels java = new JavaKernels(2);

    static boolean nativeLibraryLoads() {
        return CpuKernels.ofLevel(null, 0).kernels() instanceof NativeKernels;
    }

    static Stream<NativeKernels> kernels() {
        return Arrays.stream(InstructionSet.values())
                .skip(NativeLibrary.bestInstructionSet())
                .map(set -> new NativeKernels(set, 1));
    }

    @ParameterizedTest
    @MethodSource("kernels")
    void castsToBFloat16(NativeKernels kernels) {
        for (int size : SIZES) {
            assertSame(
                    kernels,
                    (k, a) -> {
                        k.toBFloat16(a[0], a[1], size);
                        return null;
                    },
                    values(FloatType.FLOAT, size),
                    new byte[2 * size]);
        }
    }

    @ParameterizedTest
    @MethodSource("kernels")
    void castsToFloat(NativeKernels kernels) {
        for (int size : SIZES) {
            assertSame(
                    kernels,
                    (k, a) -> {
                        k.toFloat(a[0], a[1], size);
                        return null;
                    },
                    anyBytes(2 * size),
                    new byte[4 * size]);
        }
    }

    @ParameterizedTest
    @MethodSource("kernels")
    void roundsStochastically(NativeKernels kernels) {
        for (int size : SIZES) {
            long element = element();
            assertSame(
                    kernels,
                    (k, a) -> {
                        k.stochasticRound(a[0], a[1], size, 0x123456789ABCDEFL, -3, element);
                        return null;
                    },
                    values(FloatType.FLOAT, size),
                    new byte[2 * size]);
        }
    }

    @ParameterizedTest
    @MethodSource("kernels")
    void subtractsStochastically(NativeKernels kernels) {
        for (int size : SIZES) {
            for (var type : FloatType.values()) {
                long element = element();
                assertSame(
                        kernels,
                        (k, a) -> {
                            k.stochasticSubtract(a[0], type, a[1], size, -42, 7, element);
                            return null;
                        },
                        values(FloatType.BFLOAT16, size),
                        values(type, size));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("kernels")
    void sumsSquares(NativeKernels kernels) {
        for (int size : SIZES) {
            for (var type : FloatType.values()) {
                assertSame(kernels, (k, a) -> k.sumOfSquares(type, a[0], size), finiteValues(type, size));
                assertSame(kernels, (k, a) -> k.sumOfSquares(type, a[0], size), values(type, size));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("kernels")
    void stepsAdamW(NativeKernels kernels) {
        for (int size : SIZES) {
            stepAdamW(
                    kernels,
                    FloatType.BFLOAT16,
                    FloatType.BFLOAT16,
                    size,
                    WeightWrite.STOCHASTIC,
                    WeightWrite.NEAREST,
                    WeightWrite.KAHAN);
            stepAdamW(kernels, FloatType.BFLOAT16, FloatType.FLOAT, size, WeightWrite.MASTER);
            stepAdamW(kernels, FloatType.FLOAT, FloatType.FLOAT, size, WeightWrite.STOCHASTIC, WeightWrite.MASTER);
        }
    }

    private void stepAdamW(NativeKernels kernels, FloatType type, FloatType state, int size, WeightWrite... writes) {
        byte[] weights = values(type, size);
        byte[] gradient = values(type, size);
        byte[] m = finiteValues(state, size);
        byte[] v = squares(state, size);
        byte[] extra = finiteValues(state, size);
        for (var write : writes) {
            for (var stateRounding : StateRounding.values()) {
                long element = element();
                boolean wanted = random.nextBoolean();
                var step = AdamW.step(
                        1e-2, 0.9, 0.95, 1e-8, 0.1, 0.7, write, stateRounding, random.nextLong(), random.nextInt(1000));
                assertSame(
                        kernels,
                        (k, a) -> {
                            var statistics = wanted ? new StepStatistics() : null;
                            k.step(
                                    step,
                                    new OptimizerArrays(type, a[0], a[1], new long[] {a[2], a[3]}, a[4], size, element),
                                    statistics);
                            return wanted ? text(statistics) : null;
                        },
                        weights,
                        gradient,
                        m,
                        v,
                        extra);
            }
        }
    }

    /** Without a value that needs the careful path, since one among the elements of a pair switches it on. */
    @ParameterizedTest
    @MethodSource("kernels")
    void stepsAdamWOnOrdinaryValues(NativeKernels kernels) {
        for (int size : SIZES) {
            byte[] weights = finiteValues(FloatType.BFLOAT16, size);
            byte[] gradient = finiteValues(FloatType.BFLOAT16, size);
            byte[] m = finiteValues(FloatType.BFLOAT16, size);
            byte[] v = squares(FloatType.BFLOAT16, size);
            for (var stateRounding : StateRounding.values()) {
                long element = element();
                var step = AdamW.step(1e-2, 0.9, 0.95, 1e-8, 0.1, 1, WeightWrite.STOCHASTIC, stateRounding, -5, size);
                assertSame(
                        kernels,
                        (k, a) -> {
                            var statistics = new StepStatistics();
                            k.step(
                                    step,
                                    new OptimizerArrays(
                                            FloatType.BFLOAT16, a[0], a[1], new long[] {a[2], a[3]}, 0, size, element),
                                    statistics);
                            return text(statistics);
                        },
                        weights,
                        gradient,
                        m,
                        v);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("kernels")
    void refusesUnknownOptimizers(NativeKernels kernels) {
        var unknown = new Optimizer() {
            @Override
            public String name() {
                return "Unknown";
            }

            @Override
            public int moments() {
                return 1;
            }

            @Override
            public float[] scalars() {
                return new float[2];
            }

            @Override
            public float direction(float gradient, float[] moments) {
                return gradient;
            }
        };
        var step = new OptimizerStep(unknown, 1e-3f, 0, 1, WeightWrite.STOCHASTIC, StateRounding.STOCHASTIC, 1, 0);
        var arrays = new OptimizerArrays(FloatType.BFLOAT16, 0, 0, new long[] {0}, 0, 1, 0);
        var e = assertThrows(RuntimeException.class, () -> kernels.step(step, arrays, null));
        assertEquals("There is no native optimizer step Unknown_STOCHASTIC with 5 numbers", e.getMessage());
    }

    @Test
    void refusesBadThreads() {
        assertThrows(IllegalArgumentException.class, () -> new NativeKernels(InstructionSet.SCALAR, 0));
    }

    /** A kernel called on arrays of these addresses; what it returns, if anything. */
    private interface Call {
        Object run(Kernels kernels, long[] addresses);
    }

    /** Runs both kernels on copies of the arrays and compares results, all arrays and what lies around them. */
    private void assertSame(NativeKernels kernels, Call call, byte[]... arrays) {
        int[] offsets = random.ints(arrays.length, 0, GUARD / 2).toArray();
        byte[][] expected = surrounded(arrays, offsets);
        byte[][] original = surrounded(arrays, offsets);
        Object expectedResult = run(java, call, expected, offsets);
        for (int threads = 1; threads <= 3; threads++) {
            var threaded = new NativeKernels(kernels.instructionSet(), threads);
            byte[][] actual = Arrays.stream(original).map(byte[]::clone).toArray(byte[][]::new);
            Object result = run(threaded, call, actual, offsets);
            String where = threaded.description() + ", lengths in bytes "
                    + Arrays.toString(
                            Arrays.stream(arrays).mapToInt(a -> a.length).toArray());
            assertEquals(expectedResult, result, where);
            for (int i = 0; i < arrays.length; i++) {
                assertArrayEquals(expected[i], actual[i], where + ", array " + i);
            }
        }
    }

    private static byte[][] surrounded(byte[][] arrays, int[] offsets) {
        byte[][] surrounded = new byte[arrays.length][];
        for (int i = 0; i < arrays.length; i++) {
            surrounded[i] = new byte[arrays[i].length + GUARD];
            Arrays.fill(surrounded[i], (byte) 0x5A);
            System.arraycopy(arrays[i], 0, surrounded[i], offsets[i], arrays[i].length);
        }
        return surrounded;
    }

    private static Object run(Kernels kernels, Call call, byte[][] arrays, int[] offsets) {
        var memory = new BytePointer[arrays.length];
        long[] addresses = new long[arrays.length];
        for (int i = 0; i < arrays.length; i++) {
            memory[i] = new BytePointer(arrays[i]);
            addresses[i] = memory[i].address() + offsets[i];
        }
        Object result = call.run(kernels, addresses);
        for (int i = 0; i < arrays.length; i++) {
            memory[i].get(arrays[i]);
            memory[i].close();
        }
        return result;
    }

    private static String text(StepStatistics s) {
        return s.weights + " weights, " + s.stagnant + " stagnant, " + s.moved + " moved, squares " + s.squaredUpdate
                + " " + s.squaredWeight + " " + s.squaredGradient;
    }

    private long element() {
        return random.nextInt(4) == 0 ? (1L << 34) - random.nextInt(2000) : random.nextInt(1_000_000);
    }

    private byte[] anyBytes(int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    /** Mostly ordinary numbers, with specials, subnormals and any bits among them. */
    private byte[] values(FloatType type, int size) {
        return array(type, size, () -> switch (random.nextInt(12)) {
            case 0 -> SPECIALS[random.nextInt(SPECIALS.length)];
            case 1 -> Float.intBitsToFloat(random.nextInt());
            default -> (float) random.nextGaussian();
        });
    }

    private byte[] finiteValues(FloatType type, int size) {
        return array(type, size, () -> (float) (random.nextGaussian() * Math.scalb(1, random.nextInt(40) - 20)));
    }

    private byte[] squares(FloatType type, int size) {
        return array(type, size, () -> (float) Math.pow(random.nextGaussian(), 2));
    }

    private interface Source {
        float next();
    }

    private static byte[] array(FloatType type, int size, Source source) {
        var buffer = ByteBuffer.allocate(type.bytes() * size).order(ByteOrder.nativeOrder());
        for (int i = 0; i < size; i++) {
            if (type == FloatType.FLOAT) {
                buffer.putFloat(source.next());
            } else {
                buffer.putShort((short) (Float.floatToRawIntBits(source.next()) >>> 16));
            }
        }
        return buffer.array();
    }
}
