package org.dl4jsr.kernel.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.bytedeco.dnnl.engine;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.KernelSet;
import org.dl4jsr.kernel.Kernels;
import org.dl4jsr.kernel.Matmul;
import org.dl4jsr.kernel.StridedArray;
import org.dl4jsr.kernel.reference.JavaMatmul;
import org.dl4jsr.kernel.reference.TestArray;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every {@link Matmul} against a product in double. */
class MatmulTest {

    private static final KernelSet SET = CpuKernels.ofLevel(null, 0);
    private static final Kernels KERNELS = SET.kernels();

    /** Half a BF16 ulp, relative. */
    private static final double BFLOAT16_ROUNDING = 0x1p-8;

    static Stream<Matmul> implementations() {
        return Stream.of(
                new JavaMatmul(2),
                SET.matmul(),
                new OneDnnMatmul(KERNELS, false, true),
                new WideningMatmul(new OneDnnMatmul(KERNELS, false), new StridedCopy(KERNELS)));
    }

    @ParameterizedTest
    @MethodSource("implementations")
    void anyShapesStridesAndFactors(Matmul matmul) {
        var random = new Random(1);
        for (int trial = 0; trial < 250; trial++) {
            check(matmul, randomProduct(random));
        }
    }

    /** Large enough for a to be transposed or aligned, and for b to be reordered or aligned. */
    @Test
    @Tag("slow")
    void largeTransposedOperands() {
        var random = new Random(2);
        for (FloatType type : FloatType.values()) {
            for (boolean left : new boolean[] {false, true}) {
                for (boolean right : new boolean[] {false, true}) {
                    var a = Strided.dense(type, random, left, 1100, 9);
                    var b = Strided.dense(type, random, right, 9, 520);
                    var c = Strided.dense(type, random, false, 1100, 520);
                    var product = new Product(a, b, c, 1, 0, null, null);
                    double[] expected = product.expected();
                    double[] tolerance = product.tolerance();
                    implementations().forEach(matmul -> {
                        product.run(matmul);
                        assertWithin(expected, tolerance, c.values(), () -> matmul.description() + ": " + product);
                    });
                }
            }
        }
    }

    /** BF16 accumulation, as ND4J has it, would give an error of 3.7e-2 here. */
    @Test
    void longSumsAreFloat() {
        var random = new Random(3);
        var a = Strided.dense(FloatType.BFLOAT16, random, false, 16, 1024);
        var b = Strided.dense(FloatType.BFLOAT16, random, false, 1024, 16);
        var c = Strided.dense(FloatType.BFLOAT16, random, false, 16, 16);
        double[] expected = new Product(a, b, c, 1, 0, null, null).expected();
        SET.matmul().multiply(a.matrix, b.matrix, c.matrix);
        double[] got = c.values();
        double error = 0;
        double size = 0;
        for (int i = 0; i < got.length; i++) {
            error += (got[i] - expected[i]) * (got[i] - expected[i]);
            size += expected[i] * expected[i];
        }
        assertTrue(Math.sqrt(error / size) < 0x1p-8, "relative error " + Math.sqrt(error / size));
    }

    @Test
    void residualMayBeTheResultItself() {
        for (Matmul matmul : implementations().toList()) {
            var random = new Random(4);
            var c = Strided.dense(FloatType.BFLOAT16, random, false, 7, 9);
            var a = Strided.dense(FloatType.BFLOAT16, random, false, 7, 5);
            var b = Strided.dense(FloatType.BFLOAT16, random, false, 5, 9);
            double[] expected = new Product(a, b, c, 1, 1, null, null).expected();
            matmul.multiply(a.matrix, b.matrix, c.matrix, 1, 0, null, c.matrix);
            double[] got = c.values();
            for (int i = 0; i < got.length; i++) {
                assertEquals(expected[i], got[i], Math.abs(expected[i]) * BFLOAT16_ROUNDING + 1e-5);
            }
        }
    }

    /** The old content of c, here NaN, plays no part without beta. */
    @Test
    void betaZeroIgnoresTheResult() {
        for (Matmul matmul : implementations().toList()) {
            var a = Strided.dense(FloatType.BFLOAT16, new Random(5), false, 2, 2);
            var b = Strided.dense(FloatType.BFLOAT16, new Random(6), false, 2, 2);
            var c = TestArray.empty(FloatType.BFLOAT16, 4);
            matmul.multiply(a.matrix, b.matrix, StridedArray.rowMajor(FloatType.BFLOAT16, c.address(), 2, 2));
            assertTrue(Arrays.stream(c.values()).allMatch(Double::isFinite), matmul.description());
        }
    }

    @Test
    void autocastMultipliesRoundedOperands() {
        var random = new Random(7);
        for (int trial = 0; trial < 100; trial++) {
            Product product = randomProduct(random, FloatType.FLOAT, FloatType.FLOAT);
            double[] expected = new Product(
                            product.a.rounded(),
                            product.b.rounded(),
                            product.c,
                            product.alpha,
                            product.beta,
                            product.bias,
                            product.residual)
                    .expected();
            double[] tolerance = product.tolerance();
            product.run(SET.autocast());
            assertWithin(expected, tolerance, product.c.values(), product::toString);
        }
    }

    /** The shapes of a GPT's linear layers on 2048 tokens. */
    @Test
    void noShapeOfAGptFallsToTheReferenceImplementation() {
        long rows = 2048;
        var types = OneDnnLibrary.multipliesBFloat16() ? List.of(FloatType.values()) : List.of(FloatType.FLOAT);
        for (FloatType type : types) {
            for (long width : new long[] {128, 384, 768, 1024}) {
                for (long[] layer : new long[][] {
                    {width, 3 * width}, {width, width}, {width, 4 * width}, {4 * width, width}, {width, 256}
                }) {
                    var x = StridedArray.rowMajor(type, 0, rows, layer[0]);
                    var weight = StridedArray.rowMajor(type, 0, layer[0], layer[1]);
                    var y = StridedArray.rowMajor(type, 0, rows, layer[1]);
                    assertFast(x, weight, y);
                    assertFast(y, weight.transposed(), x);
                    assertFast(x.rowMajorAt(0).transposed().rowMajorAt(0), y, weight);
                }
            }
        }
    }

    private static void assertFast(StridedArray a, StridedArray b, StridedArray c) {
        try (var engine = new engine(org.bytedeco.dnnl.engine.kind.cpu, 0);
                var plan = new OneDnnPlan(
                        engine, a, b, c, 1, 0, null, null, OneDnnPlan.Reordering.IF_WORTH_IT, new Scratch())) {
            assertFalse(plan.implementation().contains("ref"), () -> plan.implementation() + " for " + a + " x " + b);
        }
    }

    @Test
    void repeatedShapesTakeNoMoreMemory() {
        Matmul matmul = SET.matmul();
        var random = new Random(8);
        var products = Stream.generate(() -> randomProduct(random)).limit(300).toList();
        products.forEach(product -> product.run(matmul));
        products.forEach(product -> product.run(matmul));
        long bytes = Pointer.totalBytes();
        long count = Pointer.totalCount();
        products.forEach(product -> product.run(matmul));
        products.subList(100, 300).forEach(product -> product.run(matmul));
        assertTrue(Pointer.totalBytes() <= bytes, Pointer.totalBytes() + " bytes, before " + bytes);
        assertTrue(Pointer.totalCount() <= count + 50, Pointer.totalCount() + " pointers, before " + count);
    }

    @Test
    void threadsDoNotDisturbEachOther() {
        Matmul matmul = SET.matmul();
        var random = new Random(10);
        var products = Stream.generate(() -> randomProduct(random)).limit(200).toList();
        var expected = products.stream().map(Product::expected).toList();
        var tolerance = products.stream().map(Product::tolerance).toList();
        IntStream.range(0, 200).parallel().forEach(i -> products.get(i).run(matmul));
        for (int i = 0; i < 200; i++) {
            assertWithin(expected.get(i), tolerance.get(i), products.get(i).c.values(), products.get(i)::toString);
        }
    }

    /** A scope of the caller's frees what was created within it; ours must survive that. */
    @Test
    void survivesTheCallersPointerScope() {
        OneDnnMatmul matmul;
        var random = new Random(9);
        Product product = randomProduct(random, FloatType.FLOAT, FloatType.FLOAT);
        try (var scope = new PointerScope()) {
            matmul = new OneDnnMatmul(KERNELS, false);
            product.run(matmul);
        }
        check(matmul, product);
    }

    @Test
    void badOperandsAreNamed() {
        var matmul = new OneDnnMatmul(KERNELS, false);
        var a = StridedArray.rowMajor(FloatType.BFLOAT16, 0, 2, 3);
        var b = StridedArray.rowMajor(FloatType.BFLOAT16, 0, 4, 5);
        var c = StridedArray.rowMajor(FloatType.BFLOAT16, 0, 2, 5);
        var e = assertThrows(IllegalArgumentException.class, () -> matmul.multiply(a, b, c));
        assertTrue(e.getMessage().contains("[2, 3] x BFLOAT16 [4, 5]"), e.getMessage());
        var mixed = StridedArray.rowMajor(FloatType.FLOAT, 0, 3, 5);
        assertThrows(IllegalArgumentException.class, () -> matmul.multiply(a, mixed, c));
        var good = StridedArray.rowMajor(FloatType.BFLOAT16, 0, 3, 5);
        assertThrows(IllegalArgumentException.class, () -> matmul.multiply(a, good, c, 1, 0, c, null));
        assertThrows(IllegalArgumentException.class, () -> matmul.multiply(a, good, c, 1, 0, null, a));
    }

    private static void check(Matmul matmul, Product product) {
        double[] expected = product.expected();
        double[] tolerance = product.tolerance();
        product.run(matmul);
        assertWithin(expected, tolerance, product.c.values(), () -> matmul.description() + ": " + product);
    }

    private static void assertWithin(double[] expected, double[] tolerance, double[] got, Supplier<String> what) {
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], got[i], tolerance[i], what);
        }
    }

    private static Product randomProduct(Random random) {
        FloatType type = FloatType.values()[random.nextInt(2)];
        return randomProduct(random, type, random.nextInt(4) == 0 ? FloatType.FLOAT : type);
    }

    private static Product randomProduct(Random random, FloatType type, FloatType resultType) {
        int leading = Math.max(0, random.nextInt(5) - 2);
        long[] shape = random.longs(leading + 2, 1, leading == 0 ? 20 : 6).toArray();
        long depth = 1 + random.nextInt(20);
        long[] left = shape.clone();
        long[] right = shape.clone();
        left[leading + 1] = depth;
        right[leading] = depth;
        for (int i = 0; i < leading; i++) {
            if (random.nextInt(4) == 0) {
                (random.nextBoolean() ? left : right)[i] = 1;
            }
        }
        var a = Strided.random(type, random, left);
        var b = Strided.random(type, random, right);
        var c = Strided.random(resultType, random, shape);
        float alpha = random.nextInt(3) == 0 ? 0.5f : 1;
        float beta = random.nextInt(3) == 0 ? 0.75f : 0;
        Strided bias = random.nextInt(3) == 0 ? Strided.dense(resultType, random, false, 1, shape[leading + 1]) : null;
        Strided residual =
                switch (random.nextInt(6)) {
                    case 0 -> Strided.random(resultType, random, shape);
                    case 1, 2 -> c.copy();
                    default -> null;
                };
        return new Product(a, b, c, alpha, beta, bias, residual);
    }

    private record Product(Strided a, Strided b, Strided c, float alpha, float beta, Strided bias, Strided residual) {

        void run(Matmul matmul) {
            matmul.multiply(
                    a.matrix,
                    b.matrix,
                    c.matrix,
                    alpha,
                    beta,
                    bias == null ? null : bias.matrix,
                    residual == null ? null : residual.matrix);
        }

        double[] expected() {
            return evaluate(false);
        }

        /** FP32's error in a sum of k products, and one rounding to c's type. */
        double[] tolerance() {
            double[] expected = evaluate(false);
            double[] magnitude = evaluate(true);
            double rounding = c.matrix.type() == FloatType.BFLOAT16 ? BFLOAT16_ROUNDING : 0x1p-24;
            for (int i = 0; i < expected.length; i++) {
                magnitude[i] = Math.abs(expected[i]) * rounding + magnitude[i] * (a.matrix.columns() + 4) * 0x1p-23;
            }
            return magnitude;
        }

        /** In row-major order; the sum of magnitudes instead, if so asked. */
        private double[] evaluate(boolean magnitudes) {
            long[] shape = c.matrix.shape();
            int rank = shape.length;
            double[] result = new double
                    [(int) StridedArray.rowMajor(FloatType.FLOAT, 0, shape).length()];
            double[] left = a.memory.values();
            double[] right = b.memory.values();
            for (int flat = 0; flat < result.length; flat++) {
                long[] index = Strided.index(flat, shape);
                long[] leftIndex = index.clone();
                long[] rightIndex = index.clone();
                leftIndex[rank - 1] = 0;
                rightIndex[rank - 2] = 0;
                int leftAt = a.offset(leftIndex);
                int rightAt = b.offset(rightIndex);
                double sum = 0;
                for (long k = 0; k < a.matrix.columns(); k++) {
                    sum += magnitude(left[leftAt] * right[rightAt], magnitudes);
                    leftAt += (int) a.matrix.columnStride();
                    rightAt += (int) b.matrix.rowStride();
                }
                double value = alpha * sum + magnitude(beta == 0 ? 0 : beta * c.at(index), magnitudes);
                if (bias != null) {
                    value += magnitude(bias.at(0, index[rank - 1]), magnitudes);
                }
                if (residual != null) {
                    value += magnitude(residual.at(index), magnitudes);
                }
                result[flat] = value;
            }
            return result;
        }

        private static double magnitude(double value, boolean wanted) {
            return wanted ? Math.abs(value) : value;
        }

        @Override
        public String toString() {
            return a + " x " + b + " -> " + c + ", alpha " + alpha + ", beta " + beta + ", bias " + bias + ", residual "
                    + residual;
        }
    }

    /** An array of random normal values in memory of its own. */
    private record Strided(StridedArray matrix, TestArray memory) {

        /** Dimensions in any order, with gaps here and there. */
        static Strided random(FloatType type, Random random, long... shape) {
            Integer[] order = new Integer[shape.length];
            Arrays.setAll(order, i -> i);
            if (random.nextBoolean()) {
                Collections.shuffle(Arrays.asList(order), random);
            }
            long[] strides = new long[shape.length];
            long stride = random.nextInt(8) == 0 ? 3 : 1;
            for (int i = shape.length - 1; i >= 0; i--) {
                strides[order[i]] = stride;
                stride *= shape[order[i]];
                stride += random.nextInt(4) == 0 ? 5 : 0;
            }
            return of(type, random, shape, strides);
        }

        static Strided dense(FloatType type, Random random, boolean transposed, long rows, long columns) {
            return of(
                    type,
                    random,
                    new long[] {rows, columns},
                    transposed ? new long[] {1, rows} : new long[] {columns, 1});
        }

        private static Strided of(FloatType type, Random random, long[] shape, long[] strides) {
            long length = 1;
            for (int i = 0; i < shape.length; i++) {
                length += (shape[i] - 1) * strides[i];
            }
            var memory = TestArray.random(type, (int) length, random);
            return new Strided(new StridedArray(type, memory.address(), shape, strides), memory);
        }

        Strided copy() {
            var copy = memory.copy();
            return new Strided(new StridedArray(matrix.type(), copy.address(), matrix.shape(), matrix.strides()), copy);
        }

        /** Rounded to BF16, stored as it was. */
        Strided rounded() {
            double[] values = memory.values();
            var rounded = TestArray.of(
                    matrix.type(), TestArray.of(FloatType.BFLOAT16, values).values());
            return new Strided(
                    new StridedArray(matrix.type(), rounded.address(), matrix.shape(), matrix.strides()), rounded);
        }

        /** The element at {@code index}; dimensions of one element broadcast. */
        double at(long... index) {
            return memory.get(offset(index));
        }

        int offset(long... index) {
            long offset = 0;
            for (int i = 0; i < index.length; i++) {
                offset += index[i] % matrix.shape()[i] * matrix.strides()[i];
            }
            return (int) offset;
        }

        double[] values() {
            double[] all = memory.values();
            double[] values = new double[(int) matrix.length()];
            Arrays.setAll(values, i -> all[offset(index(i, matrix.shape()))]);
            return values;
        }

        static long[] index(long flat, long[] shape) {
            long[] index = new long[shape.length];
            for (int i = shape.length - 1; i >= 0; i--) {
                index[i] = flat % shape[i];
                flat /= shape[i];
            }
            return index;
        }

        @Override
        public String toString() {
            return matrix + Arrays.toString(matrix.strides());
        }
    }
}
