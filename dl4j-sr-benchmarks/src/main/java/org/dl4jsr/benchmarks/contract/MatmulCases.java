package org.dl4jsr.benchmarks.contract;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.KernelSet;
import org.dl4jsr.kernel.Matmul;
import org.dl4jsr.kernel.RightFactor;

/** Matrix products. */
enum MatmulCases implements KernelCase {
    MATMUL {
        @Override
        public void run(Comparison comparison, RandomArrays arrays, int largest) {
            Random random = arrays.random();
            for (int trial = 0; trial < 120; trial++) {
                FloatType type = FloatType.values()[random.nextInt(2)];
                anyProduct(comparison, arrays, type, random.nextInt(4) == 0 ? FloatType.FLOAT : type);
            }
            for (int trial = 0; trial < 16; trial++) {
                repeated(comparison, arrays, FloatType.values()[trial % 2], trial % 4 < 2, FloatType.FLOAT);
            }
            // large enough for a to be transposed and for b to be reordered
            for (FloatType type : FloatType.values()) {
                for (int transposed = 0; transposed < 4; transposed++) {
                    multiply(
                            comparison,
                            dense(arrays, type, (transposed & 1) == 1, 1100, 9),
                            dense(arrays, type, (transposed & 2) == 2, 9, 520),
                            dense(arrays, type, false, 1100, 520),
                            1,
                            0,
                            null,
                            null);
                }
                for (FloatType resultType : FloatType.values()) {
                    if (type == FloatType.BFLOAT16 || resultType == FloatType.FLOAT) {
                        linear(comparison, arrays, type, resultType, 1000, 72, 264);
                        linear(comparison, arrays, type, resultType, 72, 3000, 136); // its sums may be split
                        for (int trial = 0; trial < 20; trial++) {
                            linear(
                                    comparison,
                                    arrays.aligned(),
                                    type,
                                    resultType,
                                    random.nextLong(1, 200),
                                    8 * random.nextLong(1, 12),
                                    8 * random.nextLong(1, 24));
                        }
                    }
                }
            }
        }
    },

    /** FLOAT operands are rounded to BF16; sums and results are FP32. */
    AUTOCAST {
        @Override
        Matmul matmul(KernelSet kernels) {
            return kernels.autocast();
        }

        @Override
        public void run(Comparison comparison, RandomArrays arrays, int largest) {
            for (int trial = 0; trial < 40; trial++) {
                anyProduct(comparison, arrays, FloatType.FLOAT, FloatType.FLOAT);
            }
            for (int trial = 0; trial < 4; trial++) {
                repeated(comparison, arrays, FloatType.FLOAT, trial % 2 == 0, FloatType.FLOAT);
            }
            linear(comparison, arrays, FloatType.FLOAT, FloatType.FLOAT, 1000, 72, 264);
            linear(comparison, arrays.aligned(), FloatType.FLOAT, FloatType.FLOAT, 72, 3000, 136);
        }
    };

    /** Whose products these are. */
    Matmul matmul(KernelSet kernels) {
        return kernels.matmul();
    }

    /** The products of a layer, with a residual in its own memory, in the result's, and none. */
    final void linear(
            Comparison comparison,
            RandomArrays arrays,
            FloatType type,
            FloatType resultType,
            long rows,
            long in,
            long out) {
        for (int residual = 0; residual < 3; residual++) {
            multiply(
                    comparison,
                    dense(arrays, type, false, rows, in),
                    dense(arrays, type, false, in, out),
                    dense(arrays, resultType, false, rows, out),
                    1,
                    residual == 1 ? 1 : 0,
                    dense(arrays, resultType, false, 1, out),
                    residual == 2 ? dense(arrays, resultType, false, rows, out) : null);
        }
    }

    /** Of any shapes and strides, with dimensions of 1 broadcast. */
    final void anyProduct(Comparison comparison, RandomArrays arrays, FloatType type, FloatType resultType) {
        Random random = arrays.random();
        int leading = Math.max(0, random.nextInt(5) - 2);
        long[] shape = random.longs(leading + 2, 1, leading == 0 ? 20 : 6).toArray();
        long depth = random.nextLong(1, 21);
        long[] left = shape.clone();
        long[] right = shape.clone();
        left[leading + 1] = depth;
        right[leading] = depth;
        for (int i = 0; i < leading; i++) {
            if (random.nextInt(4) == 0) {
                (random.nextBoolean() ? left : right)[i] = 1;
            }
        }
        multiply(
                comparison,
                arrays.strided(type, random::nextGaussian, left),
                arrays.strided(type, random::nextGaussian, right),
                arrays.strided(resultType, random::nextGaussian, shape),
                random.nextInt(3) == 0 ? 0.5f : 1,
                random.nextInt(3) == 0 ? 0.75f : 0,
                random.nextInt(3) == 0 ? arrays.strided(resultType, random::nextGaussian, 1, shape[leading + 1]) : null,
                random.nextInt(3) == 0 ? arrays.strided(resultType, random::nextGaussian, shape) : null);
    }

    final void multiply(
            Comparison comparison,
            StridedContent a,
            StridedContent b,
            StridedContent c,
            float alpha,
            float beta,
            StridedContent bias,
            StridedContent residual) {
        List<Content> contents = new ArrayList<>(List.of(a.content(), b.content(), c.content()));
        int biasAt = add(contents, bias);
        int residualAt = add(contents, residual);
        var bound = Bound.ofLargest(2e-6 + 2e-9 * a.shape()[a.shape().length - 1]);
        comparison.close(
                "product of " + a + " x " + b + " -> " + c + ", alpha " + alpha + ", beta " + beta + ", bias " + bias
                        + ", residual " + residual,
                bias == null ? bound : Bound.withBias(bound, bias.content()),
                (set, at) -> matmul(set)
                        .multiply(
                                a.at(at[0]),
                                b.at(at[1]),
                                c.at(at[2]),
                                alpha,
                                beta,
                                bias == null ? null : bias.at(at[biasAt]),
                                residual == null ? null : residual.at(at[residualAt])),
                contents.toArray(Content[]::new));
    }

    /** A right factor for two products, which add up. */
    final void repeated(
            Comparison comparison, RandomArrays arrays, FloatType type, boolean transposed, FloatType resultType) {
        Random random = arrays.random();
        long rows = random.nextBoolean() ? 1 : random.nextLong(1, 40);
        long depth = random.nextLong(1, 70);
        StridedContent a = dense(arrays, type, random.nextInt(4) == 0, rows, depth);
        StridedContent b = dense(arrays, type, transposed, depth, random.nextLong(1, 70));
        StridedContent c = dense(arrays, resultType, false, rows, b.shape()[1]);
        comparison.close(
                "products of " + a + " by the same " + b + " -> " + c,
                Bound.ofLargest(2e-6 + 2e-9 * depth),
                (set, at) -> {
                    RightFactor factor = matmul(set).rightFactor(b.at(at[1]));
                    factor.multiply(a.at(at[0]), c.at(at[2]), 0);
                    factor.multiply(a.at(at[0]), c.at(at[2]), 1);
                    factor.multiply(a.at(at[0]), c.at(at[2]), 1);
                },
                a.content(),
                b.content(),
                c.content());
    }

    final int add(List<Content> contents, StridedContent array) {
        if (array != null) {
            contents.add(array.content());
        }
        return contents.size() - 1;
    }

    final StridedContent dense(RandomArrays arrays, FloatType type, boolean transposed, long rows, long columns) {
        Content content = arrays.normal(type, (int) (rows * columns));
        return transposed
                ? StridedContent.dense(content, columns, rows).transposed()
                : StridedContent.dense(content, rows, columns);
    }
}
