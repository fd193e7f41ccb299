package org.dl4jsr.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.factory.Nd4j;

/** Convolutions of volumes and transposed ones by our kernels are near those of ND4J's FLOAT code. */
class VolumeShortcutsTest {

    private static final int BATCH = 3;
    private static final int IN = 5;
    private static final int OUT = 4;
    private static final int[] SIZE = {2, 3, 2};
    private static final int[] GIVEN = {5, 6, 7};

    private final Random random = new Random(2);
    private final VolumeShortcuts shortcuts = new VolumeShortcuts(CpuDevice.INSTANCE);

    /** {@code permuted} is for weights in DL4J's order in memory. */
    @ParameterizedTest
    @CsvSource({
        "conv3dnew,3,1,0,1,0,false,true,true",
        "conv3dnew,3,2,1,1,0,true,false,false",
        "conv3dnew,3,1,0,2,1,false,true,false",
        "conv3dnew,3,3,0,1,1,true,true,true",
        "deconv2d,2,1,0,1,0,false,true,true",
        "deconv2d,2,2,1,1,0,true,false,false",
        "deconv2d,2,1,0,2,1,false,true,false",
        "deconv2d,2,2,0,1,1,true,true,true",
        "deconv3d,3,1,0,1,0,false,true,false",
        "deconv3d,3,2,1,1,0,true,false,true",
        "deconv3d,3,2,0,1,1,false,true,true"
    })
    void areNear(
            String op,
            int dimensions,
            int stride,
            int padding,
            int dilation,
            int same,
            boolean last,
            boolean bias,
            boolean permuted) {
        boolean transposed = op.startsWith("de");
        int[] arguments = arguments(dimensions, stride, padding, dilation, same, last);
        long[] sizes = new long[dimensions];
        for (int i = 0; i < dimensions; i++) {
            int window = (SIZE[i] - 1) * dilation + 1;
            sizes[i] = transposed
                    ? same == 1 ? GIVEN[i] * stride : (GIVEN[i] - 1) * stride + window - 2 * padding
                    : same == 1 ? (GIVEN[i] + stride - 1) / stride : (GIVEN[i] + 2 * padding - window) / stride + 1;
        }
        INDArray x =
                images(IN, Arrays.stream(GIVEN).limit(dimensions).asLongStream().toArray(), last);
        INDArray weights = weights(dimensions, transposed, permuted);
        INDArray ofChannels = Bf16Testing.random(random, OUT);
        INDArray dy = images(OUT, sizes, last);
        INDArray[] forward = bias ? new INDArray[] {x, weights, ofChannels} : new INDArray[] {x, weights};
        INDArray[] backward = bias ? new INDArray[] {x, weights, ofChannels, dy} : new INDArray[] {x, weights, dy};
        assertNear(exec(op, arguments, wide(forward)), run(op, arguments, forward, dy));
        INDArray[] gradients = bias ? new INDArray[] {x, weights, ofChannels} : new INDArray[] {x, weights};
        assertNear(exec(op + "_bp", arguments, wide(backward)), run(op + "_bp", arguments, backward, gradients));
    }

    /** Where the way round says no, ND4J's code runs, or throws. */
    @Test
    void othersAreLeftToNd4j() {
        INDArray x = images(IN, new long[] {5, 6}, false);
        INDArray weights = weights(2, true, false);
        INDArray y = Bf16Testing.random(random, BATCH, OUT, 6, 8);
        int[] usual = arguments(2, 1, 0, 1, 0, false);
        run("deconv2d", usual, new INDArray[] {x, weights}, y);
        assertRefused(usual, x.castTo(DataType.FLOAT), weights, y);
        assertRefused(usual, x, weights.castTo(DataType.FLOAT), y);
        assertRefused(usual, x, weights, y.castTo(DataType.FLOAT));
        assertRefused(usual, x, Bf16Testing.random(random, 2, 3, OUT, IN + 1), y);
        assertRefused(usual, x, weights, Bf16Testing.random(random, BATCH, OUT + 1, 6, 8));
        assertRefused(usual, x, weights, Bf16Testing.random(random, BATCH, OUT, 9, 8));
        int[] otherWeights = Arrays.copyOf(usual, 11);
        otherWeights[10] = 1;
        assertRefused(otherWeights, x, weights, y);
        int[] causal = usual.clone();
        causal[8] = 2;
        assertRefused(causal, x, weights, y);
        // windows of 1 with steps of 3 lie amid what they stand for, by ND4J's mode "same"
        int[] amid = {1, 1, 3, 3, 0, 0, 1, 1, 1, 0};
        assertRefused(
                amid, x, Bf16Testing.random(random, 1, 1, OUT, IN), Bf16Testing.random(random, BATCH, OUT, 15, 18));
    }

    private void assertRefused(int[] arguments, INDArray x, INDArray weights, INDArray y) {
        long[] integers = Arrays.stream(arguments).asLongStream().toArray();
        INDArray before = y.dup();
        assertFalse(shortcuts.run("deconv2d", List.of(x, weights), List.of(y), integers, new double[0]));
        assertEquals(before, y);
    }

    private static int[] arguments(int dimensions, int stride, int padding, int dilation, int same, boolean last) {
        int[] arguments = new int[4 * dimensions + 2];
        System.arraycopy(SIZE, 0, arguments, 0, dimensions);
        Arrays.fill(arguments, dimensions, 2 * dimensions, stride);
        Arrays.fill(arguments, 2 * dimensions, 3 * dimensions, padding);
        Arrays.fill(arguments, 3 * dimensions, 4 * dimensions, dilation);
        arguments[4 * dimensions] = same;
        arguments[4 * dimensions + 1] = last ? 1 : 0;
        return arguments;
    }

    private INDArray images(int channels, long[] sizes, boolean last) {
        long[] shape = new long[sizes.length + 2];
        shape[0] = BATCH;
        shape[last ? sizes.length + 1 : 1] = channels;
        System.arraycopy(sizes, 0, shape, last ? 1 : 2, sizes.length);
        return Bf16Testing.random(random, shape);
    }

    private INDArray weights(int dimensions, boolean transposed, boolean permuted) {
        int second = transposed ? OUT : IN;
        int first = transposed ? IN : OUT;
        if (dimensions == 2) {
            return permuted
                    ? Bf16Testing.random(random, first, second, SIZE[0], SIZE[1])
                            .permute(2, 3, 1, 0)
                    : Bf16Testing.random(random, SIZE[0], SIZE[1], second, first);
        }
        return permuted
                ? Bf16Testing.random(random, first, second, SIZE[0], SIZE[1], SIZE[2])
                        .permute(2, 3, 4, 1, 0)
                : Bf16Testing.random(random, SIZE[0], SIZE[1], SIZE[2], second, first);
    }

    /** The results of the way round, which has to be there, in arrays like these. */
    private INDArray[] run(String op, int[] arguments, INDArray[] inputs, INDArray... results) {
        INDArray[] outputs = Arrays.stream(results).map(INDArray::dup).toArray(INDArray[]::new);
        long[] integers = Arrays.stream(arguments).asLongStream().toArray();
        assertEquals(true, shortcuts.run(op, List.of(inputs), List.of(outputs), integers, new double[0]), op);
        return outputs;
    }

    private static INDArray[] exec(String name, int[] arguments, INDArray[] inputs) {
        return Nd4j.exec(DynamicCustomOp.builder(name)
                .addInputs(inputs)
                .addIntegerArguments(arguments)
                .build());
    }

    private static INDArray[] wide(INDArray[] arrays) {
        return Arrays.stream(arrays).map(array -> array.castTo(DataType.FLOAT)).toArray(INDArray[]::new);
    }

    /** Within half a unit in the last place, and the rounding of FP32 sums of some hundred terms below 1. */
    private static void assertNear(INDArray[] expected, INDArray[] got) {
        assertEquals(expected.length, got.length);
        for (int k = 0; k < got.length; k++) {
            assertEquals(DataType.BFLOAT16, got[k].dataType());
            assertEquals(expected[k].length(), got[k].length());
            for (long i = 0; i < got[k].length(); i++) {
                double value = expected[k].getDouble(i);
                assertEquals(value, got[k].getDouble(i), 0x1p-8 * Math.abs(value) + 0x1p-14, k + ", element " + i);
            }
        }
    }
}
