package org.dl4jsr.kernel.reference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.dl4jsr.kernel.ArrayKernels;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.Memory;
import org.dl4jsr.kernel.StridedArray;
import org.dl4jsr.kernel.Window;
import org.dl4jsr.rounding.BFloat16;
import org.junit.jupiter.api.Test;

/** The Java array kernels against sums by hand. */
class JavaArrayKernelsTest {

    private final ArrayKernels java = new JavaArrayKernels();
    private final List<TestArray> memory = new ArrayList<>();

    /** 2x2 windows, two apart, on a 3x4 image with one column of padding. */
    @Test
    void imagesByHand() {
        StridedArray image = array(new double[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, 1, 1, 3, 4);
        var window = new Window(2, 2, 1, 2, 0, 1, 1, 1);
        StridedArray columns = array(new double[24], 1, 1, 2, 2, 2, 3);
        java.im2col(image, columns, window);
        assertValues(columns, 0, 2, 4, 0, 6, 8, 1, 3, 0, 5, 7, 0, 0, 6, 8, 0, 10, 12, 5, 7, 0, 9, 11, 0);
        StridedArray sums = array(new double[12], 1, 1, 3, 4);
        java.col2im(columns, sums, window);
        assertValues(sums, 1, 2, 3, 4, 10, 12, 14, 16, 9, 10, 11, 12);
        StridedArray greatest = array(new double[6], 1, 1, 2, 3);
        java.maxPool(image, greatest, window);
        assertValues(greatest, 5, 7, 8, 9, 11, 12);
        StridedArray gradient = array(new double[12], 1, 1, 3, 4);
        java.maxPoolGradient(image, greatest, gradient, window);
        assertValues(gradient, 0, 0, 0, 0, 5, 0, 7, 8, 9, 0, 11, 12);
    }

    /** Means of all that is in a window, or of its size; and their shares. */
    @Test
    void averagesByHand() {
        StridedArray image = array(new double[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, 1, 1, 3, 4);
        var window = new Window(2, 2, 1, 2, 0, 1, 1, 1);
        StridedArray averages = array(new double[6], 1, 1, 2, 3);
        java.averagePool(image, averages, window, false);
        assertValues(averages, 3, 4.5, 6, 7, 8.5, 10);
        StridedArray withPadding = array(new double[6], 1, 1, 2, 3);
        java.averagePool(image, withPadding, window, true);
        assertValues(withPadding, 1.5, 4.5, 3, 3.5, 8.5, 5);
        StridedArray gradient = array(new double[12], 1, 1, 3, 4);
        StridedArray ofAverages = array(new double[] {2, 4, 8, 16, 32, 64}, 1, 1, 2, 3);
        java.averagePoolGradient(ofAverages, gradient, window, false);
        assertValues(gradient, 1, 1, 1, 4, 9, 9, 9, 36, 8, 8, 8, 32);
        java.averagePoolGradient(ofAverages, gradient, window, true);
        assertValues(gradient, 0.5, 1, 1, 2, 4.5, 9, 9, 18, 4, 8, 8, 16);
    }

    /** 256 + 1 + 1 + ... sums in FP32, where BF16 would stay at 256. */
    @Test
    void sumsAreFp32() {
        double[] ones = new double[64];
        Arrays.fill(ones, 1);
        ones[0] = 256;
        StridedArray image = array(new double[1], 1, 1, 1, 1);
        java.col2im(array(ones, 1, 1, 8, 8, 1, 1), image, new Window(8, 8, 1, 1, 0, 0, 1, 1));
        assertValues(image, 256); // all but one element lie outside
        java.col2im(array(ones, 1, 1, 1, 1, 8, 8), image, new Window(1, 1, 1, 1, 0, 0, 1, 1));
        assertValues(image, 256);
        StridedArray row = array(new double[4], 1, 1, 1, 4);
        java.col2im(
                array(new double[] {256, 1, 1, 1, 1, 1, 1, 1}, 1, 1, 1, 4, 1, 2),
                row,
                new Window(1, 4, 1, 1, 0, 0, 1, 1));
        assertValues(row, 256, 2, 2, 2);
    }

    private StridedArray array(double[] values, long... shape) {
        TestArray array = TestArray.of(FloatType.BFLOAT16, values);
        memory.add(array);
        return StridedArray.rowMajor(FloatType.BFLOAT16, array.address(), shape);
    }

    private static void assertValues(StridedArray actual, double... expected) {
        double[] values = new double[expected.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = BFloat16.toFloat(Memory.getShort(actual.address() + 2L * i));
        }
        assertArrayEquals(expected, values);
    }
}
