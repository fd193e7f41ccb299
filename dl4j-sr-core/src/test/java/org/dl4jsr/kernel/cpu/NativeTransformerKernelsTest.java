package org.dl4jsr.kernel.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.Kernels;
import org.dl4jsr.kernel.reference.JavaGelu;
import org.dl4jsr.kernel.reference.JavaKernels;
import org.dl4jsr.kernel.reference.TestArray;
import org.dl4jsr.rounding.BFloat16;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The native transformer kernels agree with {@link JavaKernels} at every instruction set that this processor has, and
 * their bits do not depend on the number of threads.
 */
@EnabledIf("nativeLibraryLoads")
class NativeTransformerKernelsTest {

    private static final int[] WIDTHS = {1, 7, 16, 33, 64, 100};
    /** The last ones are large enough for several threads and blocks of rows. */
    private static final int[][] SHAPES = Stream.concat(
                    Arrays.stream(WIDTHS)
                            .boxed()
                            .flatMap(width -> Stream.of(new int[] {1, width}, new int[] {5, width})),
                    Stream.of(new int[] {130, 260}, new int[] {257, 129}))
            .toArray(int[][]::new);
    /** Of the largest value, on top of one rounding of the storage. */
    private static final double TOLERANCE = 2e-6;

    private final Random random = new Random(3);
    private final JavaKernels java = new JavaKernels(2);

    static boolean nativeLibraryLoads() {
        return CpuKernels.ofLevel(null, 0).kernels() instanceof NativeKernels;
    }

    static Stream<Arguments> kernelsAndTypes() {
        return Arrays.stream(InstructionSet.values())
                .skip(NativeLibrary.bestInstructionSet())
                .flatMap(set ->
                        Arrays.stream(FloatType.values()).map(type -> Arguments.of(new NativeKernels(set, 1), type)));
    }

    @ParameterizedTest
    @MethodSource("kernelsAndTypes")
    void layerNorm(NativeKernels kernels, FloatType type) {
        for (int[] shape : SHAPES) {
            int rows = shape[0];
            int width = shape[1];
            var x = random(type, rows * width);
            var gain = random(type, width);
            var bias = random(type, width);
            var mean = TestArray.empty(FloatType.FLOAT, rows);
            var rstd = TestArray.empty(FloatType.FLOAT, rows);
            assertAgree(kernels, TOLERANCE, k -> {
                var y = TestArray.empty(type, rows * width);
                k.layerNormForward(
                        type,
                        x.address(),
                        gain.address(),
                        bias.address(),
                        y.address(),
                        mean.address(),
                        rstd.address(),
                        rows,
                        width,
                        1e-5f);
                return new TestArray[] {y, mean.copy(), rstd.copy()};
            });
            var dy = random(type, rows * width);
            var residual = random(type, rows * width);
            assertAgree(kernels, TOLERANCE, k -> {
                var dx = TestArray.empty(type, rows * width);
                var dGain = TestArray.empty(type, width);
                var dBias = TestArray.empty(type, width);
                k.layerNormBackward(
                        type,
                        x.address(),
                        gain.address(),
                        mean.address(),
                        rstd.address(),
                        dy.address(),
                        0,
                        dx.address(),
                        dGain.address(),
                        dBias.address(),
                        rows,
                        width);
                var both = residual.copy();
                k.layerNormBackward(
                        type,
                        x.address(),
                        gain.address(),
                        mean.address(),
                        rstd.address(),
                        dy.address(),
                        both.address(),
                        both.address(),
                        dGain.address(),
                        dBias.address(),
                        rows,
                        width);
                return new TestArray[] {dx, both, dGain, dBias};
            });
        }
    }

    @ParameterizedTest
    @MethodSource("kernelsAndTypes")
    void gelu(NativeKernels kernels, FloatType type) {
        for (int[] shape : SHAPES) {
            int rows = shape[0];
            int width = shape[1];
            var x = TestArray.of(type, random.doubles(rows * width, -12, 12).toArray());
            assertAgree(kernels, 1e-7, k -> {
                var y = TestArray.empty(type, rows * width);
                k.geluForward(type, x.address(), y.address(), rows * width);
                return new TestArray[] {y};
            });
            var dy = random(type, rows * width);
            assertAgree(kernels, TOLERANCE, k -> {
                var dx = dy.copy();
                var dBias = TestArray.empty(type, width);
                k.geluBackward(type, x.address(), dx.address(), dx.address(), dBias.address(), rows, width);
                return new TestArray[] {dx, dBias};
            });
        }
    }

    /** Every finite BF16 value: within 2^-17 or one unit in the last place, or both under 1e-33. */
    @ParameterizedTest
    @MethodSource("kernelsAndTypes")
    void geluOfAllValues(NativeKernels kernels, FloatType type) {
        double[] values = IntStream.range(0, 0x10000)
                .mapToObj(bits -> BFloat16.toFloat((short) bits))
                .filter(Float::isFinite)
                .mapToDouble(value -> value)
                .toArray();
        var x = TestArray.of(type, values);
        var expected = TestArray.empty(type, values.length);
        var actual = TestArray.empty(type, values.length);
        java.geluForward(type, x.address(), expected.address(), values.length);
        kernels.geluForward(type, x.address(), actual.address(), values.length);
        double relative = type == FloatType.FLOAT ? 0x1p-17 : 0x1p-7;
        for (int i = 0; i < values.length; i++) {
            assertEquals(
                    expected.get(i),
                    actual.get(i),
                    relative * Math.abs(expected.get(i)) + 1e-33,
                    "gelu(" + values[i] + ")");
        }
        double[] ones = new double[values.length];
        Arrays.fill(ones, 1);
        var dx = TestArray.of(type, ones);
        kernels.geluBackward(
                type,
                x.address(),
                dx.address(),
                dx.address(),
                TestArray.empty(type, values.length).address(),
                1,
                values.length);
        for (int i = 0; i < values.length; i++) {
            double derivative = JavaGelu.derivative(values[i]);
            assertEquals(
                    derivative,
                    dx.get(i),
                    (type == FloatType.FLOAT ? 0 : 0x1p-8) * Math.abs(derivative) + 0x1p-20,
                    "gelu'(" + values[i] + ")");
        }
    }

    @ParameterizedTest
    @MethodSource("kernelsAndTypes")
    void biasGradient(NativeKernels kernels, FloatType type) {
        for (int[] shape : SHAPES) {
            var dy = random(type, shape[0] * shape[1]);
            assertAgree(kernels, TOLERANCE, k -> {
                var dBias = TestArray.empty(type, shape[1]);
                k.biasGradient(type, dy.address(), dBias.address(), shape[0], shape[1]);
                return new TestArray[] {dBias};
            });
        }
    }

    @ParameterizedTest
    @MethodSource("kernelsAndTypes")
    void attention(NativeKernels kernels, FloatType type) {
        // BF16 probabilities and gradients of scores, whose errors partly cancel in the sums
        double tolerance = type == FloatType.FLOAT ? TOLERANCE : 0x1p-7;
        for (int time : WIDTHS) {
            for (int headWidth : new int[] {1, 7, 16, 33, 64, 80, 128}) {
                int batch = 2;
                int heads = 3;
                int length = batch * time * heads * headWidth;
                var qkv = random(type, 3 * length);
                var out = TestArray.empty(type, length);
                var logSumExp = TestArray.empty(FloatType.FLOAT, batch * heads * time);
                assertAgree(kernels, tolerance, k -> {
                    k.attentionForward(
                            type, qkv.address(), out.address(), logSumExp.address(), batch, time, heads, headWidth);
                    return new TestArray[] {out.copy(), logSumExp.copy()};
                });
                var dOut = random(type, length);
                assertAgree(kernels, tolerance, k -> {
                    var dQkv = TestArray.empty(type, 3 * length);
                    k.attentionBackward(
                            type,
                            qkv.address(),
                            out.address(),
                            logSumExp.address(),
                            dOut.address(),
                            dQkv.address(),
                            batch,
                            time,
                            heads,
                            headWidth);
                    return new TestArray[] {dQkv};
                });
            }
        }
    }

    /** Scores of hundreds: one probability is one, the others underflow. */
    @ParameterizedTest
    @MethodSource("kernelsAndTypes")
    void attentionOfHugeScores(NativeKernels kernels, FloatType type) {
        int time = 40;
        int headWidth = 32;
        var qkv = random(type, 3 * time * headWidth);
        for (int i = 0; i < qkv.length(); i++) {
            qkv.set(i, 30 * qkv.get(i));
        }
        assertAgree(kernels, type == FloatType.FLOAT ? 1e-4 : 0x1p-7, k -> {
            var out = TestArray.empty(type, time * headWidth);
            var logSumExp = TestArray.empty(FloatType.FLOAT, time);
            k.attentionForward(type, qkv.address(), out.address(), logSumExp.address(), 1, time, 1, headWidth);
            return new TestArray[] {out, logSumExp};
        });
    }

    @ParameterizedTest
    @MethodSource("kernelsAndTypes")
    void embedding(NativeKernels kernels, FloatType type) {
        for (int width : new int[] {1, 7, 16, 33, 100, 260}) {
            int batch = 3;
            int time = 50;
            int vocabulary = 40;
            var tokens = TestArray.ofInts(
                    random.ints(batch * time, 0, vocabulary - 3).toArray());
            var tokenTable = random(type, vocabulary * width);
            var positionTable = random(type, time * width);
            assertAgree(kernels, 0, k -> {
                var y = TestArray.empty(type, batch * time * width);
                k.embeddingForward(
                        type,
                        tokens.address(),
                        tokenTable.address(),
                        positionTable.address(),
                        y.address(),
                        batch,
                        time,
                        width);
                return new TestArray[] {y};
            });
            var dy = random(type, batch * time * width);
            for (boolean accumulate : new boolean[] {false, true}) {
                assertAgree(kernels, TOLERANCE, k -> {
                    var dTokenTable = accumulate ? tokenTable.copy() : TestArray.empty(type, vocabulary * width);
                    var dPositionTable = TestArray.empty(type, time * width);
                    k.embeddingBackward(
                            type,
                            tokens.address(),
                            dy.address(),
                            dTokenTable.address(),
                            dPositionTable.address(),
                            batch,
                            time,
                            width,
                            vocabulary,
                            accumulate);
                    return new TestArray[] {dTokenTable, dPositionTable};
                });
            }
        }
    }

    @ParameterizedTest
    @MethodSource("kernelsAndTypes")
    void crossEntropy(NativeKernels kernels, FloatType type) {
        for (int vocabulary : new int[] {1, 7, 16, 33, 256, 1000, 50_304}) {
            int rows = 7;
            int[] targets = random.ints(rows, 0, vocabulary).toArray();
            targets[2] = -1;
            var ids = TestArray.ofInts(targets);
            var logits = random(type, rows * vocabulary);
            for (int i = 0; i < logits.length(); i++) {
                logits.set(i, 8 * logits.get(i));
            }
            assertAgree(kernels, TOLERANCE, k -> {
                var losses = TestArray.empty(FloatType.FLOAT, rows);
                var dLogits = TestArray.empty(type, rows * vocabulary);
                k.crossEntropy(
                        type,
                        logits.address(),
                        ids.address(),
                        losses.address(),
                        dLogits.address(),
                        rows,
                        vocabulary,
                        0.125f);
                return new TestArray[] {losses, dLogits};
            });
            assertAgree(kernels, TOLERANCE, k -> {
                var losses = TestArray.empty(FloatType.FLOAT, rows);
                var inPlace = logits.copy();
                k.crossEntropy(type, logits.address(), ids.address(), losses.address(), 0, rows, vocabulary, 1);
                k.crossEntropy(
                        type,
                        inPlace.address(),
                        ids.address(),
                        losses.address(),
                        inPlace.address(),
                        rows,
                        vocabulary,
                        1);
                return new TestArray[] {losses, inPlace};
            });
        }
    }

    @ParameterizedTest
    @MethodSource("kernelsAndTypes")
    void nanIsNotSwallowed(NativeKernels kernels, FloatType type) {
        double[] values = random.doubles(40).toArray();
        values[11] = Double.NaN;
        var x = TestArray.of(type, values);
        var y = TestArray.empty(type, 40);
        kernels.geluForward(type, x.address(), y.address(), 40);
        assertEquals(Double.NaN, y.get(11));
        var losses = TestArray.empty(FloatType.FLOAT, 1);
        kernels.crossEntropy(type, x.address(), TestArray.ofInts(3).address(), losses.address(), 0, 1, 40, 1);
        assertEquals(Double.NaN, losses.get(0));
        var out = TestArray.empty(type, 20);
        var qkv = random(type, 60);
        qkv.set(5 * 6 + 2, Double.NaN); // in the sixth key
        kernels.attentionForward(
                type,
                qkv.address(),
                out.address(),
                TestArray.empty(FloatType.FLOAT, 10).address(),
                1,
                10,
                1,
                2);
        assertTrue(Arrays.stream(out.values()).skip(10).allMatch(Double::isNaN));
        assertTrue(Arrays.stream(out.values()).limit(10).noneMatch(Double::isNaN));
    }

    @ParameterizedTest
    @MethodSource("kernelsAndTypes")
    void transpose(NativeKernels kernels, FloatType type) {
        for (int[] shape : SHAPES) {
            var x = random(type, shape[0] * shape[1]);
            assertAgree(kernels, 0, k -> {
                var y = TestArray.empty(type, shape[0] * shape[1]);
                k.transpose(type, x.address(), y.address(), shape[0], shape[1]);
                return new TestArray[] {y};
            });
        }
    }

    private TestArray random(FloatType type, int length) {
        return TestArray.random(type, length, random);
    }

    /**
     * Each value of an operation's results within one rounding of its type plus {@code tolerance} of the array's
     * largest value, and the same bits with one, two and three threads.
     */
    private void assertAgree(NativeKernels kernels, double tolerance, Operation operation) {
        var expected = operation.run(java);
        var actual = operation.run(kernels);
        for (int a = 0; a < expected.length; a++) {
            double[] expectedValues = expected[a].values();
            double[] values = actual[a].values();
            double rounding = expected[a].type() == FloatType.FLOAT ? 0x1p-22 : 0x1p-7;
            double largest = Arrays.stream(expectedValues).map(Math::abs).max().orElse(0);
            for (int i = 0; i < values.length; i++) {
                assertEquals(
                        expectedValues[i],
                        values[i],
                        rounding * Math.abs(expectedValues[i]) + tolerance * largest + Double.MIN_VALUE,
                        kernels.description() + ", result " + a + ", index " + i);
            }
        }
        for (int threads = 2; threads <= 3; threads++) {
            var threaded = new NativeKernels(kernels.instructionSet(), threads);
            var again = operation.run(threaded);
            for (int a = 0; a < actual.length; a++) {
                assertArrayEquals(actual[a].values(), again[a].values(), threads + " threads, result " + a);
            }
        }
    }

    private interface Operation {
        /** Runs on the kernels and returns the results. */
        TestArray[] run(Kernels kernels);
    }
}
