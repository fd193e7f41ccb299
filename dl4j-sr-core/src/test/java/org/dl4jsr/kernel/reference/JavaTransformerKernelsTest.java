package org.dl4jsr.kernel.reference;

import static org.dl4jsr.kernel.reference.TransformerReference.dot;
import static org.dl4jsr.kernel.reference.TransformerReference.gradient;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.Random;
import org.dl4jsr.kernel.Activation;
import org.dl4jsr.kernel.FloatType;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The Java kernels of a transformer against {@link TransformerReference}, gradients against central differences. */
class JavaTransformerKernelsTest {

    private static final int[][] SHAPES = {{1, 1}, {2, 7}, {5, 16}, {9, 33}};
    private static final float EPSILON = 1e-5f;
    /** Of the largest value: FP32 statistics that are stored between passes, and the differences' own error. */
    private static final double TOLERANCE = 1e-6;

    private final JavaTransformerKernels kernels = new JavaTransformerKernels(2);
    private final Random random = new Random(1);

    @ParameterizedTest
    @EnumSource
    void layerNorm(FloatType type) {
        for (int[] shape : SHAPES) {
            int rows = shape[0];
            int width = shape[1];
            var x = TestArray.random(type, rows * width, random);
            var gain = TestArray.random(type, width, random);
            var bias = TestArray.random(type, width, random);
            var y = TestArray.empty(type, rows * width);
            var mean = TestArray.empty(FloatType.FLOAT, rows);
            var rstd = TestArray.empty(FloatType.FLOAT, rows);
            kernels.layerNormForward(
                    type,
                    x.address(),
                    gain.address(),
                    bias.address(),
                    y.address(),
                    mean.address(),
                    rstd.address(),
                    rows,
                    width,
                    EPSILON);
            assertClose(TransformerReference.layerNorm(x.values(), gain.values(), bias.values(), EPSILON), y);

            var dy = TestArray.random(type, rows * width, random);
            var residual = TestArray.random(type, rows * width, random);
            var dx = TestArray.empty(type, rows * width);
            var dGain = TestArray.empty(type, width);
            var dBias = TestArray.empty(type, width);
            kernels.layerNormBackward(
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
            double[] expected = gradient(
                    x.values(),
                    v -> dot(dy.values(), TransformerReference.layerNorm(v, gain.values(), bias.values(), EPSILON)));
            assertClose(expected, dx);
            assertClose(
                    gradient(
                            gain.values(),
                            v -> dot(
                                    dy.values(),
                                    TransformerReference.layerNorm(x.values(), v, bias.values(), EPSILON))),
                    dGain);
            assertClose(
                    gradient(
                            bias.values(),
                            v -> dot(
                                    dy.values(),
                                    TransformerReference.layerNorm(x.values(), gain.values(), v, EPSILON))),
                    dBias);

            double[] added = residual.values();
            kernels.layerNormBackward(
                    type,
                    x.address(),
                    gain.address(),
                    mean.address(),
                    rstd.address(),
                    dy.address(),
                    residual.address(),
                    residual.address(),
                    dGain.address(),
                    dBias.address(),
                    rows,
                    width);
            assertClose(sum(expected, added), residual);
        }
    }

    @ParameterizedTest
    @EnumSource
    void gelu(FloatType type) {
        for (int[] shape : SHAPES) {
            int rows = shape[0];
            int width = shape[1];
            var x = TestArray.of(type, random.doubles(rows * width, -12, 12).toArray());
            var y = TestArray.empty(type, rows * width);
            kernels.activationForward(Activation.GELU, type, x.address(), y.address(), rows * width);
            assertClose(TransformerReference.gelu(x.values()), y);

            var dx = TestArray.random(type, rows * width, random);
            double[] dy = dx.values();
            var dBias = TestArray.empty(type, width);
            kernels.activationBackward(
                    Activation.GELU, type, x.address(), dx.address(), 0, dx.address(), dBias.address(), rows, width);
            double[] expected = gradient(x.values(), v -> dot(dy, TransformerReference.gelu(v)));
            assertClose(expected, dx);
            assertClose(columnSums(expected, width), dBias);
        }
    }

    @ParameterizedTest
    @EnumSource
    void geluOfHugeValuesIsTheValueOrZero(FloatType type) {
        var x = TestArray.of(type, 1e30, -1e30, 0, -200);
        var y = TestArray.empty(type, 4);
        kernels.activationForward(Activation.GELU, type, x.address(), y.address(), 4);
        assertArrayEquals(new double[] {x.get(0), -0.0, 0, -0.0}, y.values());
        var dx = TestArray.of(type, 1, 1, 1, 1);
        var dBias = TestArray.empty(type, 4);
        kernels.activationBackward(
                Activation.GELU, type, x.address(), dx.address(), 0, dx.address(), dBias.address(), 1, 4);
        assertArrayEquals(new double[] {1, 0, 0.5, 0}, dx.values());
    }

    @ParameterizedTest
    @EnumSource
    void biasGradient(FloatType type) {
        for (int[] shape : SHAPES) {
            var dy = TestArray.random(type, shape[0] * shape[1], random);
            var dBias = TestArray.empty(type, shape[1]);
            kernels.biasGradient(type, dy.address(), dBias.address(), shape[0], shape[1]);
            assertClose(columnSums(dy.values(), shape[1]), dBias);
        }
    }

    @ParameterizedTest
    @EnumSource
    void attention(FloatType type) {
        int[][] shapes = {{1, 1, 1, 1}, {2, 7, 3, 5}, {1, 20, 2, 16}};
        for (int[] shape : shapes) {
            int batch = shape[0];
            int time = shape[1];
            int heads = shape[2];
            int headWidth = shape[3];
            int length = batch * time * heads * headWidth;
            var qkv = TestArray.random(type, 3 * length, random);
            var out = TestArray.empty(type, length);
            var logSumExp = TestArray.empty(FloatType.FLOAT, batch * heads * time);
            kernels.attentionForward(
                    type, qkv.address(), out.address(), logSumExp.address(), batch, time, heads, headWidth);
            assertClose(TransformerReference.attention(qkv.values(), batch, time, heads, headWidth), out);

            var dOut = TestArray.random(type, length, random);
            var dQkv = TestArray.empty(type, 3 * length);
            kernels.attentionBackward(
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
            double[] expected = gradient(
                    qkv.values(),
                    v -> dot(dOut.values(), TransformerReference.attention(v, batch, time, heads, headWidth)));
            // the backward pass reads the output, which BF16 has rounded
            assertClose(expected, dQkv, type == FloatType.FLOAT ? TOLERANCE : 0x1p-8);
        }
    }

    @ParameterizedTest
    @EnumSource
    void embedding(FloatType type) {
        int batch = 2;
        int time = 3;
        int width = 5;
        int[] tokens = {3, 0, 3, 1, 3, 0};
        var ids = TestArray.ofInts(tokens);
        var tokenTable = TestArray.random(type, 4 * width, random);
        var positionTable = TestArray.random(type, time * width, random);
        var y = TestArray.empty(type, batch * time * width);
        kernels.embeddingForward(
                type, ids.address(), tokenTable.address(), positionTable.address(), y.address(), batch, time, width);
        var dy = TestArray.random(type, batch * time * width, random);
        double[] expected = new double[batch * time * width];
        double[] dTokens = new double[4 * width];
        double[] dPositions = new double[time * width];
        for (int row = 0; row < batch * time; row++) {
            for (int c = 0; c < width; c++) {
                int token = tokens[row] * width + c;
                int position = row % time * width + c;
                expected[row * width + c] = tokenTable.get(token) + positionTable.get(position);
                dTokens[token] += dy.get(row * width + c);
                dPositions[position] += dy.get(row * width + c);
            }
        }
        assertClose(expected, y);

        var dTokenTable = TestArray.empty(type, 4 * width);
        var dPositionTable = TestArray.empty(type, time * width);
        kernels.embeddingBackward(
                type,
                ids.address(),
                dy.address(),
                dTokenTable.address(),
                dPositionTable.address(),
                batch,
                time,
                width,
                4,
                false);
        assertClose(dTokens, dTokenTable);
        assertClose(dPositions, dPositionTable);

        var accumulated = TestArray.random(type, 4 * width, random);
        double[] before = accumulated.values();
        kernels.embeddingBackward(
                type,
                ids.address(),
                dy.address(),
                accumulated.address(),
                dPositionTable.address(),
                batch,
                time,
                width,
                4,
                true);
        assertClose(sum(before, dTokens), accumulated);
        assertClose(dPositions, dPositionTable);
    }

    @ParameterizedTest
    @EnumSource
    void crossEntropy(FloatType type) {
        float scale = 0.25f;
        for (int vocabulary : new int[] {1, 7, 64}) {
            int[] targets = {0, -1, vocabulary - 1, vocabulary / 2};
            int rows = targets.length;
            var logits = TestArray.random(type, rows * vocabulary, random);
            for (int i = 0; i < logits.length(); i++) {
                logits.set(i, 4 * logits.get(i));
            }
            double[] expectedLosses = new double[rows];
            double[] expected = new double[rows * vocabulary];
            for (int row = 0; row < rows; row++) {
                if (targets[row] >= 0) {
                    int target = targets[row];
                    double[] values = Arrays.copyOfRange(logits.values(), row * vocabulary, (row + 1) * vocabulary);
                    expectedLosses[row] = TransformerReference.crossEntropy(values, target);
                    double[] rowGradient = gradient(values, v -> scale * TransformerReference.crossEntropy(v, target));
                    System.arraycopy(rowGradient, 0, expected, row * vocabulary, vocabulary);
                }
            }
            var ids = TestArray.ofInts(targets);
            var losses = TestArray.empty(FloatType.FLOAT, rows);
            double[] before = logits.values();
            kernels.crossEntropy(type, logits.address(), ids.address(), losses.address(), 0, rows, vocabulary, scale);
            assertClose(expectedLosses, losses);
            assertArrayEquals(before, logits.values());

            kernels.crossEntropy(
                    type, logits.address(), ids.address(), losses.address(), logits.address(), rows, vocabulary, scale);
            assertClose(expectedLosses, losses);
            assertClose(expected, logits);
        }
    }

    @ParameterizedTest
    @EnumSource
    void crossEntropyOfHugeLogitsIsFinite(FloatType type) {
        var logits = TestArray.of(type, 1e30, -1e30, 0, 1e30);
        var losses = TestArray.empty(FloatType.FLOAT, 2);
        kernels.crossEntropy(
                type, logits.address(), TestArray.ofInts(0, 0).address(), losses.address(), logits.address(), 2, 2, 1);
        assertArrayEquals(new double[] {0, 1e30f}, losses.values(), 1e28);
        assertArrayEquals(new double[] {0, 0, -1, 1}, logits.values());
    }

    @ParameterizedTest
    @EnumSource
    void transpose(FloatType type) {
        for (int[] shape : SHAPES) {
            var x = TestArray.random(type, shape[0] * shape[1], random);
            var y = TestArray.empty(type, shape[0] * shape[1]);
            new JavaKernels(2).transpose(type, x.address(), y.address(), shape[0], shape[1]);
            for (int r = 0; r < shape[0]; r++) {
                for (int c = 0; c < shape[1]; c++) {
                    assertEquals(x.get(r * shape[1] + c), y.values()[c * shape[0] + r]);
                }
            }
        }
    }

    private static void assertClose(double[] expected, TestArray actual) {
        assertClose(expected, actual, TOLERANCE);
    }

    /** Each value within one rounding of its type (half an ulp) plus {@code tolerance} of the largest value. */
    private static void assertClose(double[] expected, TestArray actual, double tolerance) {
        double rounding = actual.type() == FloatType.FLOAT ? 0x1p-24 : 0x1p-8;
        double largest = Arrays.stream(expected).map(Math::abs).max().orElse(0);
        double[] values = actual.values();
        assertEquals(expected.length, values.length);
        for (int i = 0; i < expected.length; i++) {
            assertEquals(
                    expected[i],
                    values[i],
                    rounding * Math.abs(expected[i]) + tolerance * Math.max(largest, 1),
                    "index " + i);
        }
    }

    private static double[] columnSums(double[] matrix, int width) {
        double[] sums = new double[width];
        for (int i = 0; i < matrix.length; i++) {
            sums[i % width] += matrix[i];
        }
        return sums;
    }

    private static double[] sum(double[] a, double[] b) {
        double[] sum = new double[a.length];
        for (int i = 0; i < a.length; i++) {
            sum[i] = a[i] + b[i];
        }
        return sum;
    }
}
