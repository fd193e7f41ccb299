package org.dl4jsr.kernel.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.Matmul;
import org.dl4jsr.kernel.StridedArray;
import org.dl4jsr.kernel.reference.JavaMatmul;
import org.dl4jsr.kernel.reference.TestArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;

/** Large products, whole tiles and parts of them, against Java's. */
@EnabledIf("hasInstructions")
class NativeMatmulTest {

    private final Random random = new Random(1);
    private int products;

    static boolean hasInstructions() {
        return CpuKernels.levels().contains(InstructionSet.AVX512BF16.label());
    }

    @Test
    void transposedFactors() {
        for (boolean left : new boolean[] {false, true}) {
            for (boolean right : new boolean[] {false, true}) {
                check(134, 130, 301, left, right, FloatType.FLOAT, false, false);
                check(161, 518, 77, left, right, FloatType.BFLOAT16, true, true);
            }
        }
    }

    /** More words than are summed at a time, and more panels than are packed at a time. */
    @Test
    void longSumsOfManyColumns() {
        check(128, 2052, 1060, false, false, FloatType.FLOAT, true, true);
        check(131, 2052, 1060, true, true, FloatType.BFLOAT16, false, false);
    }

    /** The transposed product of the transposed factors, by several callers at once. */
    @Test
    void contiguousColumnsOfResultsOnThreadsOfJava() {
        var a = matrix(FloatType.BFLOAT16, 301, 130, false, 5);
        var b = matrix(FloatType.BFLOAT16, 130, 259, false, 2);
        var c = matrix(FloatType.BFLOAT16, 301, 259, true, 0);
        new JavaMatmul(2).multiply(a.matrix, b.matrix, c.matrix);
        double[] expected = c.values();
        var matmul = matmul(2);
        List<Matrix> results = Stream.generate(() -> matrix(FloatType.BFLOAT16, 301, 259, true, 0))
                .limit(6)
                .toList();
        results.parallelStream().forEach(result -> matmul.multiply(a.matrix, b.matrix, result.matrix));
        assertEquals(0, products);
        for (Matrix result : results) {
            assertArrayEquals(expected, result.values(), 0x1p-5);
        }
    }

    /** What it cannot do, or what does not pay, is another's. */
    @Test
    void othersMultiplyTheRest() {
        var a = matrix(FloatType.BFLOAT16, 600, 301, false, 0);
        var b = matrix(FloatType.BFLOAT16, 301, 300, false, 0);
        var c = matrix(FloatType.FLOAT, 600, 300, false, 0);
        Matmul matmul = matmul(1);
        matmul.multiply(a.matrix, b.matrix, c.matrix); // an odd number of terms
        assertEquals(1, products);
        var even = matrix(FloatType.BFLOAT16, 600, 300, false, 2);
        var square = matrix(FloatType.BFLOAT16, 300, 300, false, 0);
        matmul.multiply(even.matrix, square.matrix, c.matrix, 0.5f, 0, null, null);
        assertEquals(2, products);
        matmul.multiply(even.matrix, square.matrix, c.matrix, 1, 0.5f, null, null);
        assertEquals(3, products);
        var few = matrix(FloatType.BFLOAT16, 100, 300, false, 0);
        var fewResults = matrix(FloatType.FLOAT, 100, 300, false, 0);
        matmul.multiply(few.matrix, square.matrix, fewResults.matrix);
        assertEquals(4, products);
        matmul.multiply(even.matrix, square.matrix, c.matrix, 1, 1, null, null);
        assertEquals(4, products);
    }

    private void check(
            int m,
            int k,
            int n,
            boolean transposedLeft,
            boolean transposedRight,
            FloatType type,
            boolean bias,
            boolean residual) {
        var a = matrix(FloatType.BFLOAT16, m, k, transposedLeft, 6);
        var b = matrix(FloatType.BFLOAT16, k, n, transposedRight, 3);
        var c = matrix(type, m, n, false, 5);
        var row = matrix(type, 1, n, false, 0); // in variables: what is collected frees its memory
        var added = matrix(type, m, n, false, 5);
        var product = new Arguments(a, b, c, bias ? row : null, residual ? added : null);
        product.multiply(new JavaMatmul(2));
        double[] expected = c.values();
        double rounding = type == FloatType.FLOAT ? 0x1p-22 : 0x1p-7;
        double[] first = null;
        for (int threads = 1; threads <= 3; threads++) {
            product.multiply(matmul(threads));
            double[] got = c.values();
            for (int i = 0; i < got.length; i++) {
                assertEquals(expected[i], got[i], Math.abs(expected[i]) * rounding + k * 1e-6, "element " + i);
            }
            first = first == null ? got : first;
            assertArrayEquals(first, got, "on " + threads + " threads");
        }
        assertEquals(0, products);
    }

    /** Counts what goes to others, which do nothing. */
    private Matmul matmul(int threads) {
        return new NativeMatmul(new NativeKernels(InstructionSet.AVX512BF16, threads), new Matmul() {
            @Override
            public String description() {
                return "nothing";
            }

            @Override
            public void multiply(
                    StridedArray a,
                    StridedArray b,
                    StridedArray c,
                    float alpha,
                    float beta,
                    StridedArray bias,
                    StridedArray residual) {
                products++;
            }
        });
    }

    private record Arguments(Matrix a, Matrix b, Matrix c, Matrix bias, Matrix residual) {

        void multiply(Matmul matmul) {
            matmul.multiply(
                    a.matrix,
                    b.matrix,
                    c.matrix,
                    1,
                    0,
                    bias == null ? null : bias.matrix,
                    residual == null ? null : residual.matrix);
        }
    }

    private record Matrix(StridedArray matrix, TestArray memory) {

        double[] values() {
            return memory.values();
        }
    }

    /** Random values with so many elements between rows, or columns. */
    private Matrix matrix(FloatType type, int rows, int columns, boolean transposed, int gap) {
        long stride = (transposed ? rows : columns) + gap;
        var memory = TestArray.random(type, (int) ((transposed ? columns : rows) * stride), random);
        long[] strides = transposed ? new long[] {1, stride} : new long[] {stride, 1};
        return new Matrix(new StridedArray(type, memory.address(), new long[] {rows, columns}, strides), memory);
    }
}
