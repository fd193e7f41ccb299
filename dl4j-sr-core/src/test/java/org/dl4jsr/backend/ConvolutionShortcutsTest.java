package org.dl4jsr.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.factory.Nd4j;

/** Convolutions by our kernels are near those of ND4J's FLOAT code. */
class ConvolutionShortcutsTest {

    private static final int SIZE = 9;

    private final Random random = new Random(2);

    @ParameterizedTest
    @CsvSource({
        "3,1,0,1,0,true",
        "3,1,0,1,1,true",
        "4,2,1,1,0,false",
        "5,3,0,1,1,false",
        "2,1,3,4,0,true",
        "1,1,0,1,0,false"
    })
    void ofSequences(int size, int stride, int padding, int dilation, int same, boolean bias) {
        int width = 29;
        long out = same == 1
                ? (width + stride - 1) / stride
                : (width + 2 * padding - (size - 1) * dilation - 1) / stride + 1;
        INDArray x = Bf16Testing.random(random, 5, 6, width);
        INDArray weights = Bf16Testing.random(random, size, 6, 7);
        INDArray dy = Bf16Testing.random(random, 5, 7, out);
        INDArray[] forward =
                bias ? new INDArray[] {x, weights, Bf16Testing.random(random, 7)} : new INDArray[] {x, weights};
        INDArray[] backward = bias ? new INDArray[] {x, weights, forward[2], dy} : new INDArray[] {x, weights, dy};
        int[] arguments = {size, stride, padding, dilation, same, 0};
        assertNear(convolution("conv1d", arguments, wide(forward)), convolution("conv1d", arguments, forward));
        assertNear(convolution("conv1d_bp", arguments, wide(backward)), convolution("conv1d_bp", arguments, backward));
    }

    /** With 20 channels, more than a vector has in part, or with one, and a window of 3 by 2. */
    @ParameterizedTest
    @CsvSource({
        "20,1,1,0,1,0,false,true",
        "20,1,2,1,1,0,true,true",
        "20,1,1,0,2,1,true,false",
        "20,1,2,0,1,1,false,true",
        "20,2,1,1,1,0,true,true",
        "20,3,1,0,1,1,false,false",
        "1,3,1,0,1,1,false,true"
    })
    void depthwise(
            int channels, int multiplier, int stride, int padding, int dilation, int same, boolean last, boolean bias) {
        int[] arguments = {3, 2, stride, stride, padding, padding, dilation, dilation, same, last ? 1 : 0};
        INDArray x = images(channels, SIZE, SIZE, last);
        INDArray weights = Bf16Testing.random(random, 3, 2, channels, multiplier);
        INDArray ofChannels = Bf16Testing.random(random, channels * multiplier);
        INDArray dy = images(
                channels * multiplier,
                resultSize(3, stride, padding, dilation, same),
                resultSize(2, stride, padding, dilation, same),
                last);
        INDArray[] forward = bias ? new INDArray[] {x, weights, ofChannels} : new INDArray[] {x, weights};
        INDArray[] backward = bias ? new INDArray[] {x, weights, ofChannels, dy} : new INDArray[] {x, weights, dy};
        assertNear(
                convolution("depthwise_conv2d", arguments, wide(forward)),
                convolution("depthwise_conv2d", arguments, forward));
        assertNear(
                convolution("depthwise_conv2d_bp", arguments, wide(backward)),
                convolution("depthwise_conv2d_bp", arguments, backward));
    }

    /** Its depthwise part's result is rounded, which moves what follows by less than a unit in the last place. */
    @ParameterizedTest
    @CsvSource({"1,1,0,1,0,false,true", "1,2,1,1,0,true,true", "1,1,0,2,1,true,false", "2,1,0,1,1,false,true"})
    void separable(int multiplier, int stride, int padding, int dilation, int same, boolean last, boolean bias) {
        int[] arguments = {3, 2, stride, stride, padding, padding, dilation, dilation, same, last ? 1 : 0};
        INDArray x = images(20, SIZE, SIZE, last);
        INDArray weights = Bf16Testing.random(random, multiplier, 20, 3, 2).permute(2, 3, 1, 0);
        INDArray pointwise =
                Bf16Testing.random(random, 7, 20 * multiplier, 1, 1).permute(2, 3, 1, 0);
        INDArray ofChannels = Bf16Testing.random(random, 7);
        INDArray dy = images(
                7,
                resultSize(3, stride, padding, dilation, same),
                resultSize(2, stride, padding, dilation, same),
                last);
        INDArray[] forward =
                bias ? new INDArray[] {x, weights, pointwise, ofChannels} : new INDArray[] {x, weights, pointwise};
        INDArray[] backward = bias
                ? new INDArray[] {x, dy, weights, pointwise, ofChannels}
                : new INDArray[] {x, dy, weights, pointwise};
        assertAlike(convolution("sconv2d", arguments, wide(forward)), convolution("sconv2d", arguments, forward));
        assertAlike(
                convolution("sconv2d_bp", arguments, wide(backward)), convolution("sconv2d_bp", arguments, backward));
    }

    /** ND4J's own code leaves the second part out there, and fails where the shapes do not agree without it. */
    @Test
    void separableOfOneChannel() {
        int[] arguments = {3, 2, 1, 1, 0, 0, 1, 1, 0, 0};
        int[] points = {1, 1, 1, 1, 0, 0, 1, 1, 0, 0};
        INDArray x = images(1, SIZE, SIZE, false);
        INDArray weights = Bf16Testing.random(random, 3, 2, 1, 5);
        INDArray pointwise = Bf16Testing.random(random, 1, 1, 5, 7);
        INDArray bias = Bf16Testing.random(random, 7);
        INDArray dy = images(7, resultSize(3, 1, 0, 1, 0), resultSize(2, 1, 0, 1, 0), false);
        INDArray[] wide = wide(new INDArray[] {x, weights, pointwise, bias, dy});
        INDArray between = convolution("depthwise_conv2d", arguments, new INDArray[] {wide[0], wide[1]})[0];
        assertAlike(
                convolution("conv2d", points, new INDArray[] {between, wide[2], wide[3]}),
                convolution("sconv2d", arguments, new INDArray[] {x, weights, pointwise, bias}));
        INDArray[] ofPoints = convolution("conv2d_bp", points, new INDArray[] {between, wide[2], wide[3], wide[4]});
        INDArray[] ofWindows =
                convolution("depthwise_conv2d_bp", arguments, new INDArray[] {wide[0], wide[1], ofPoints[0]});
        assertAlike(
                new INDArray[] {ofWindows[0], ofWindows[1], ofPoints[1], ofPoints[2]},
                convolution("sconv2d_bp", arguments, new INDArray[] {x, dy, weights, pointwise, bias}));
    }

    /** As a column of a matrix. */
    @Test
    void biasWithGaps() {
        INDArray bias = Bf16Testing.random(random, 40, 2).getColumn(1);
        INDArray[] sequences = {Bf16Testing.random(random, 2, 6, SIZE), Bf16Testing.random(random, 3, 6, 40), bias};
        assertNear(
                convolution("conv1d", new int[] {3, 1, 0, 1, 0, 0}, wide(sequences)),
                convolution("conv1d", new int[] {3, 1, 0, 1, 0, 0}, sequences));
        int[] arguments = {3, 2, 1, 1, 0, 0, 1, 1, 0, 0};
        INDArray[] depthwise = {images(20, SIZE, SIZE, false), Bf16Testing.random(random, 3, 2, 20, 2), bias};
        assertNear(
                convolution("depthwise_conv2d", arguments, wide(depthwise)),
                convolution("depthwise_conv2d", arguments, depthwise));
    }

    private INDArray images(int channels, int height, int width, boolean last) {
        return last
                ? Bf16Testing.random(random, 4, height, width, channels)
                : Bf16Testing.random(random, 4, channels, height, width);
    }

    private static int resultSize(int window, int stride, int padding, int dilation, int same) {
        return same == 1
                ? (SIZE + stride - 1) / stride
                : (SIZE + 2 * padding - (window - 1) * dilation - 1) / stride + 1;
    }

    private static INDArray[] convolution(String name, int[] arguments, INDArray[] inputs) {
        return Nd4j.exec(DynamicCustomOp.builder(name)
                .addInputs(inputs)
                .addIntegerArguments(arguments)
                .build());
    }

    private static INDArray[] wide(INDArray[] arrays) {
        return Arrays.stream(arrays).map(array -> array.castTo(DataType.FLOAT)).toArray(INDArray[]::new);
    }

    /** Within half a unit in the last place, and the rounding of FP32 sums of up to 145 terms below 1. */
    private static void assertNear(INDArray[] expected, INDArray[] got) {
        assertEquals(expected.length, got.length);
        for (int k = 0; k < got.length; k++) {
            assertEquals(DataType.BFLOAT16, got[k].dataType());
            for (long i = 0; i < got[k].length(); i++) {
                double value = expected[k].getDouble(i);
                assertEquals(value, got[k].getDouble(i), 0x1p-8 * Math.abs(value) + 0x1p-14, "element " + i);
            }
        }
    }

    private static void assertAlike(INDArray[] expected, INDArray[] got) {
        assertEquals(expected.length, got.length);
        for (int k = 0; k < got.length; k++) {
            assertEquals(DataType.BFLOAT16, got[k].dataType());
            double error = got[k].castTo(DataType.FLOAT).distance2(expected[k])
                    / expected[k].norm2Number().doubleValue();
            assertTrue(error < 0x1p-8, "result " + k + " is off by " + error);
        }
    }
}
