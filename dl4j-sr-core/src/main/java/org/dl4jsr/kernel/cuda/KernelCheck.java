package org.dl4jsr.kernel.cuda;

import java.util.Random;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.dl4jsr.kernel.AdamW;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.OptimizerArrays;
import org.dl4jsr.kernel.StepStatistics;
import org.dl4jsr.rounding.StateRounding;
import org.dl4jsr.rounding.WeightWrite;

/** What {@link CudaKernels} must do, checked against {@link org.dl4jsr.kernel.reference.JavaKernels} on random arrays. */
enum KernelCheck {
    CASTS {
        @Override
        void run(KernelComparison comparison, Random random, RandomArrays arrays, int largest) {
            sizes(random, largest).forEach(size -> {
                comparison.same(
                        "toBFloat16 of " + size,
                        (k, a) -> k.toBFloat16(a[0], a[1], size),
                        arrays.anyValues(FloatType.FLOAT, size),
                        arrays.zeros(FloatType.BFLOAT16, size));
                comparison.same(
                        "toFloat of " + size,
                        (k, a) -> k.toFloat(a[0], a[1], size),
                        arrays.anyValues(FloatType.BFLOAT16, size),
                        arrays.zeros(FloatType.FLOAT, size));
            });
        }
    },

    STOCHASTIC_ROUNDING {
        @Override
        void run(KernelComparison comparison, Random random, RandomArrays arrays, int largest) {
            sizes(random, largest).forEach(size -> {
                long element = element(random);
                long seed = random.nextLong();
                int step = random.nextInt();
                comparison.same(
                        "stochasticRound of " + size + " from element " + element,
                        (k, a) -> k.stochasticRound(a[0], a[1], size, seed, step, element),
                        arrays.at(element, arrays.anyValues(FloatType.FLOAT, size)),
                        arrays.at(element, arrays.zeros(FloatType.BFLOAT16, size)));
                for (var type : FloatType.values()) {
                    comparison.same(
                            "stochasticSubtract of " + size + " " + type + " from element " + element,
                            (k, a) -> k.stochasticSubtract(a[0], type, a[1], size, seed, step, element),
                            arrays.at(element, arrays.anyValues(FloatType.BFLOAT16, size)),
                            arrays.at(element, arrays.anyValues(type, size)));
                }
            });
        }
    },

    SUM_OF_SQUARES {
        @Override
        void run(KernelComparison comparison, Random random, RandomArrays arrays, int largest) {
            sizes(random, largest).forEach(size -> {
                for (var type : FloatType.values()) {
                    comparison.sameResult(
                            "sumOfSquares of " + size + " " + type,
                            (k, a) -> k.sumOfSquares(type, a[0], size),
                            arrays.numbers(type, size));
                    comparison.sameResult(
                            "sumOfSquares of " + size + " " + type + ", some not finite",
                            (k, a) -> Double.isFinite(k.sumOfSquares(type, a[0], size)),
                            arrays.anyValues(type, size));
                }
            });
        }
    },

    ADAMW {
        @Override
        void run(KernelComparison comparison, Random random, RandomArrays arrays, int largest) {
            sizes(random, largest).forEach(size -> {
                for (var write : WeightWrite.values()) {
                    var state = write == WeightWrite.MASTER ? FloatType.FLOAT : FloatType.BFLOAT16;
                    step(comparison, random, arrays, FloatType.BFLOAT16, state, write, size);
                }
                step(comparison, random, arrays, FloatType.FLOAT, FloatType.FLOAT, WeightWrite.STOCHASTIC, size);
            });
        }

        private void step(
                KernelComparison comparison,
                Random random,
                RandomArrays arrays,
                FloatType type,
                FloatType state,
                WeightWrite write,
                int size) {
            long element = element(random);
            boolean traced = random.nextInt(3) == 0;
            boolean ordinary = random.nextBoolean(); // one special value in eight would switch the careful path on
            var step = AdamW.step(
                    1e-2,
                    0.9,
                    random.nextBoolean() ? 0.95 : 0.999,
                    1e-8,
                    0.1,
                    0.7,
                    write,
                    StateRounding.values()[random.nextInt(2)],
                    random.nextLong(),
                    random.nextInt(1000));
            comparison.sameResult(
                    "adamW of " + size + " " + type + ", " + step + " from element " + element,
                    (k, a) -> {
                        var statistics = traced ? new StepStatistics() : null;
                        k.step(
                                step,
                                new OptimizerArrays(type, a[0], a[1], new long[] {a[2], a[3]}, a[4], size, element),
                                statistics);
                        return traced ? text(statistics) : null;
                    },
                    arrays.at(element, ordinary ? arrays.numbers(type, size) : arrays.anyValues(type, size)),
                    arrays.at(element, ordinary ? arrays.numbers(type, size) : arrays.anyValues(type, size)),
                    arrays.at(element, arrays.numbers(state, size)),
                    arrays.at(element, arrays.of(state, size, () -> Math.pow(random.nextGaussian(), 2))),
                    arrays.at(element, arrays.numbers(state, size)));
        }

        private String text(StepStatistics s) {
            return s.weights + " weights, " + s.stagnant + " stagnant, " + s.moved + " moved, squares "
                    + s.squaredUpdate + " " + s.squaredWeight + " " + s.squaredGradient;
        }
    },

    LAYER_NORM {
        @Override
        void run(KernelComparison comparison, Random random, RandomArrays arrays, int largest) {
            eachShape(random, (type, rows, width) -> {
                var x = arrays.normal(type, rows * width);
                var gain = arrays.normal(type, width);
                var mean = arrays.normal(FloatType.FLOAT, rows);
                var rstd = arrays.of(FloatType.FLOAT, rows, () -> 0.5 + random.nextDouble());
                comparison.close(
                        "layerNormForward of " + type + " " + rows + " x " + width,
                        TOLERANCE,
                        (k, a) -> k.layerNormForward(type, a[0], a[1], a[2], a[3], a[4], a[5], rows, width, 1e-5f),
                        x,
                        gain,
                        arrays.normal(type, width),
                        arrays.zeros(type, rows * width),
                        mean,
                        rstd);
                boolean inPlace = random.nextBoolean();
                comparison.close(
                        "layerNormBackward of " + type + " " + rows + " x " + width,
                        TOLERANCE,
                        (k, a) -> k.layerNormBackward(
                                type, a[0], a[1], a[2], a[3], a[4], inPlace ? a[5] : 0, a[5], a[6], a[7], rows, width),
                        x,
                        gain,
                        mean,
                        rstd,
                        arrays.normal(type, rows * width),
                        arrays.normal(type, rows * width),
                        arrays.zeros(type, width),
                        arrays.zeros(type, width));
            });
        }
    },

    GELU {
        @Override
        void run(KernelComparison comparison, Random random, RandomArrays arrays, int largest) {
            eachShape(random, (type, rows, width) -> {
                int size = rows * width;
                // the largest first, in arrays of one element, too
                var x = arrays.of(
                        type,
                        size,
                        DoubleStream.concat(DoubleStream.of(12), random.doubles(-12, 12))
                                .iterator()::nextDouble);
                comparison.close(
                        "geluForward of " + size + " " + type,
                        1e-7,
                        (k, a) -> k.geluForward(type, a[0], a[1], size),
                        x,
                        arrays.zeros(type, size));
                comparison.close(
                        "geluBackward of " + type + " " + rows + " x " + width,
                        TOLERANCE,
                        (k, a) -> k.geluBackward(type, a[0], a[1], a[1], a[2], rows, width),
                        x,
                        arrays.normal(type, size),
                        arrays.zeros(type, width));
            });
        }
    },

    BIAS_GRADIENT {
        @Override
        void run(KernelComparison comparison, Random random, RandomArrays arrays, int largest) {
            eachShape(
                    random,
                    (type, rows, width) -> comparison.close(
                            "biasGradient of " + type + " " + rows + " x " + width,
                            TOLERANCE,
                            (k, a) -> k.biasGradient(type, a[0], a[1], rows, width),
                            arrays.normal(type, rows * width),
                            arrays.zeros(type, width)));
        }
    },

    ATTENTION {
        @Override
        void run(KernelComparison comparison, Random random, RandomArrays arrays, int largest) {
            for (int time : new int[] {1, 16, 33, 100}) {
                for (int headWidth : new int[] {1, 24, 33, 64, 128}) {
                    for (var type : FloatType.values()) {
                        // the kernels for tensor cores want all arrays aligned
                        attend(
                                comparison,
                                random,
                                random.nextInt(4) > 0 ? arrays.aligned() : arrays,
                                type,
                                time,
                                headWidth);
                    }
                }
            }
        }

        private void attend(
                KernelComparison comparison,
                Random random,
                RandomArrays arrays,
                FloatType type,
                int time,
                int headWidth) {
            int batch = 1 + random.nextInt(2);
            int heads = 1 + random.nextInt(3);
            int size = batch * time * heads * headWidth;
            int rows = batch * heads * time;
            String what = " of " + type + " [" + batch + ", " + time + ", " + heads + ", " + headWidth + "]";
            var qkv = arrays.normal(type, 3 * size);
            // BF16 probabilities and gradients of scores, whose errors partly cancel in the sums
            double tolerance = type == FloatType.FLOAT ? TOLERANCE : 0x1p-7;
            comparison.close(
                    "attention" + what,
                    tolerance,
                    (k, a) -> k.attentionForward(type, a[0], a[1], a[2], batch, time, heads, headWidth),
                    qkv,
                    arrays.zeros(type, size),
                    arrays.zeros(FloatType.FLOAT, rows));
            // the backward pass takes whatever it is given for the results of the forward pass
            comparison.close(
                    "gradient of attention" + what,
                    tolerance,
                    (k, a) -> k.attentionBackward(type, a[0], a[1], a[2], a[3], a[4], batch, time, heads, headWidth),
                    qkv,
                    arrays.normal(type, size),
                    arrays.of(FloatType.FLOAT, rows, () -> 3 + random.nextGaussian()),
                    arrays.normal(type, size),
                    arrays.zeros(type, 3 * size));
        }
    },

    EMBEDDING {
        @Override
        void run(KernelComparison comparison, Random random, RandomArrays arrays, int largest) {
            int batch = 3;
            int time = 50;
            int vocabulary = 40;
            for (int width : new int[] {1, 7, 16, 33, 2056}) {
                for (var type : FloatType.values()) {
                    var tokens = arrays.ints(batch * time, () -> random.nextInt(vocabulary - 3)); // some never occur
                    var table = arrays.normal(type, vocabulary * width);
                    comparison.close(
                            "embeddingForward of " + type + ", width " + width,
                            0,
                            (k, a) -> k.embeddingForward(type, a[0], a[1], a[2], a[3], batch, time, width),
                            tokens,
                            table,
                            arrays.normal(type, time * width),
                            arrays.zeros(type, batch * time * width));
                    boolean accumulate = random.nextBoolean();
                    comparison.close(
                            "embeddingBackward of " + type + ", width " + width,
                            TOLERANCE,
                            (k, a) -> k.embeddingBackward(
                                    type, a[0], a[1], a[2], a[3], batch, time, width, vocabulary, accumulate),
                            tokens,
                            arrays.normal(type, batch * time * width),
                            table,
                            arrays.zeros(type, time * width));
                }
            }
        }
    },

    CROSS_ENTROPY {
        @Override
        void run(KernelComparison comparison, Random random, RandomArrays arrays, int largest) {
            int rows = 7;
            for (int vocabulary : new int[] {1, 7, 16, 33, 256, 1000, 50_304}) {
                for (var type : FloatType.values()) {
                    var targets = arrays.ints(rows, () -> random.nextInt(4) == 0 ? -1 : random.nextInt(vocabulary));
                    boolean lossAlone = random.nextInt(3) == 0;
                    comparison.close(
                            "crossEntropy of " + type + ", vocabulary " + vocabulary,
                            TOLERANCE,
                            (k, a) -> k.crossEntropy(
                                    type, a[0], a[1], a[2], lossAlone ? 0 : a[0], rows, vocabulary, 0.125f),
                            arrays.of(type, rows * vocabulary, () -> 8 * random.nextGaussian()),
                            targets,
                            arrays.zeros(FloatType.FLOAT, rows));
                }
            }
        }
    },

    TRANSPOSE {
        @Override
        void run(KernelComparison comparison, Random random, RandomArrays arrays, int largest) {
            eachShape(
                    random,
                    (type, rows, columns) -> comparison.same(
                            "transpose of " + type + " " + rows + " x " + columns,
                            (k, a) -> k.transpose(type, a[0], a[1], rows, columns),
                            arrays.anyValues(type, rows * columns),
                            arrays.zeros(type, rows * columns)));
        }
    };

    /** Of the largest value, on top of one rounding of the storage. */
    private static final double TOLERANCE = 2e-6;

    private interface ShapeCheck {
        void run(FloatType type, int rows, int width);
    }

    /**
     * Runs the check; throws IllegalStateException naming the operation and the first element that is wrong.
     *
     * @param largest number of elements of the largest arrays of the optimizer's kernels
     */
    void run(KernelComparison comparison, long seed, int largest) {
        var random = new Random(seed);
        run(comparison, random, new RandomArrays(random), largest);
    }

    abstract void run(KernelComparison comparison, Random random, RandomArrays arrays, int largest);

    private static IntStream sizes(Random random, int largest) {
        return IntStream.concat(
                IntStream.rangeClosed(0, 40),
                IntStream.concat(random.ints(12, 41, 10_000), IntStream.of(4095, 4097, largest)));
    }

    private static void eachShape(Random random, ShapeCheck check) {
        for (int[] shape : new int[][] {
            {1, 1},
            {5, 7},
            {3, 16},
            {5, 33},
            {130, 264},
            {257, 129},
            {7, 1024},
            {1, 100},
            {1 + random.nextInt(300), 1 + random.nextInt(300)}
        }) {
            for (var type : FloatType.values()) {
                check.run(type, shape[0], shape[1]);
            }
        }
    }

    /** An element of the network's parameters; some near the place where its upper counter word changes. */
    private static long element(Random random) {
        return random.nextInt(4) == 0 ? (1L << 34) - random.nextInt(2000) : random.nextInt(1_000_000);
    }
}
