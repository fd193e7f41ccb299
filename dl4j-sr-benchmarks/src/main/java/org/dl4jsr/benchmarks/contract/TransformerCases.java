package org.dl4jsr.benchmarks.contract;

import java.util.Random;
import java.util.function.IntSupplier;
import java.util.stream.DoubleStream;
import org.dl4jsr.kernel.Activation;
import org.dl4jsr.kernel.FloatType;

/**
 * The parts of a transformer: within a bound of the Java kernels, and the same bits at each call. And transposition, on
 * the same shapes.
 */
enum TransformerCases implements KernelCase {
    LAYER_NORM {
        @Override
        public void run(Comparison comparison, RandomArrays arrays, int largest) {
            eachShape(arrays.random(), (type, rows, width) -> check(comparison, arrays, type, rows, width));
            // what threads of a GPU hold of rows that are all aligned: as much as one can, more, several rows in turn
            for (int[] shape : new int[][] {{9, 768}, {9, 776}, {7, 1024}, {5, 2056}, {4700, 24}}) {
                for (var type : FloatType.values()) {
                    check(comparison, arrays.aligned(), type, shape[0], shape[1]);
                }
            }
        }

        private void check(Comparison comparison, RandomArrays arrays, FloatType type, int rows, int width) {
            String what = " of " + type + " " + rows + " x " + width;
            var x = arrays.normal(type, rows * width);
            var gain = arrays.normal(type, width);
            comparison.close(
                    "layerNormForward" + what,
                    BOUND,
                    (set, a) -> set.transformer()
                            .layerNormForward(type, a[0], a[1], a[2], a[3], a[4], a[5], rows, width, 1e-5f),
                    x,
                    gain,
                    arrays.normal(type, width),
                    arrays.unwritten(type, rows * width),
                    arrays.unwritten(FloatType.FLOAT, rows),
                    arrays.unwritten(FloatType.FLOAT, rows));
            var mean = arrays.normal(FloatType.FLOAT, rows);
            var rstd =
                    arrays.of(FloatType.FLOAT, rows, () -> 0.5 + arrays.random().nextDouble());
            for (boolean residual : new boolean[] {false, true}) {
                comparison.close(
                        "layerNormBackward" + what + (residual ? " in place with a residual" : ""),
                        BOUND,
                        (set, a) -> set.transformer()
                                .layerNormBackward(
                                        type,
                                        a[0],
                                        a[1],
                                        a[2],
                                        a[3],
                                        a[4],
                                        residual ? a[5] : 0,
                                        a[5],
                                        a[6],
                                        a[7],
                                        rows,
                                        width),
                        x,
                        gain,
                        mean,
                        rstd,
                        arrays.normal(type, rows * width),
                        arrays.normal(type, rows * width),
                        arrays.unwritten(type, width),
                        arrays.unwritten(type, width));
            }
        }
    },

    ACTIVATION {
        @Override
        public void run(Comparison comparison, RandomArrays arrays, int largest) {
            for (var activation : Activation.values()) {
                eachShape(arrays.random(), (type, rows, width) -> {
                    int size = rows * width;
                    // the largest first, in arrays of one element, too
                    var x = arrays.of(
                            type,
                            size,
                            DoubleStream.concat(
                                            DoubleStream.of(12), arrays.random().doubles(-12, 12))
                                    .iterator()::nextDouble);
                    forward(comparison, Bound.ofLargest(1e-7), activation, type, x, arrays);
                    comparison.close(
                            activation + " backward of " + type + " " + rows + " x " + width,
                            BOUND,
                            (set, a) -> set.transformer()
                                    .activationBackward(activation, type, a[0], a[1], 0, a[1], a[2], rows, width),
                            x,
                            arrays.normal(type, size),
                            arrays.unwritten(type, width));
                    comparison.close(
                            activation + " backward and forward in place of " + type + " " + rows + " x " + width,
                            BOUND,
                            (set, a) -> set.transformer()
                                    .activationBackward(activation, type, a[0], a[1], a[0], a[1], a[2], rows, width),
                            x,
                            arrays.normal(type, size),
                            arrays.unwritten(type, width));
                });
                for (var type : FloatType.values()) {
                    ofAllNumbers(comparison, activation, type, arrays);
                }
            }
        }

        private void ofAllNumbers(Comparison comparison, Activation activation, FloatType type, RandomArrays arrays) {
            var all = arrays.allNumbers(type);
            double relative = type == FloatType.FLOAT ? 0x1p-17 : 0x1p-7;
            forward(comparison, (t, y, largest) -> relative * Math.abs(y) + 1e-33, activation, type, all, arrays);
            comparison.close(
                    activation + " backward of all " + type,
                    (t, dx, largest) -> (t == FloatType.FLOAT ? 0 : 0x1p-8) * Math.abs(dx) + 0x1p-20,
                    (set, a) -> set.transformer()
                            .activationBackward(activation, type, a[0], a[1], 0, a[1], a[2], 1, all.length()),
                    all,
                    arrays.of(type, all.length(), () -> 1),
                    arrays.unwritten(type, all.length()));
            var nan = arrays.of(type, 40, () -> arrays.random().nextInt(8) == 0 ? Double.NaN : 0.5);
            forward(comparison, BOUND, activation, type, nan, arrays);
        }

        private void forward(
                Comparison comparison,
                Bound bound,
                Activation activation,
                FloatType type,
                Content x,
                RandomArrays arrays) {
            comparison.close(
                    activation + " forward of " + x.length() + " " + type,
                    bound,
                    (set, a) -> set.transformer().activationForward(activation, type, a[0], a[1], x.length()),
                    x,
                    arrays.unwritten(type, x.length()));
        }
    },

    BIAS_GRADIENT {
        @Override
        public void run(Comparison comparison, RandomArrays arrays, int largest) {
            eachShape(
                    arrays.random(),
                    (type, rows, width) -> comparison.close(
                            "biasGradient of " + type + " " + rows + " x " + width,
                            BOUND,
                            (set, a) -> set.transformer().biasGradient(type, a[0], a[1], rows, width),
                            arrays.normal(type, rows * width),
                            arrays.unwritten(type, width)));
        }
    },

    EMBEDDING {
        @Override
        public void run(Comparison comparison, RandomArrays arrays, int largest) {
            for (int width : new int[] {1, 7, 16, 33, 100, 260, 2056}) {
                for (var type : FloatType.values()) {
                    // some tokens never occur
                    check(comparison, arrays, type, 3, 50, width, 40, () -> arrays.random()
                            .nextInt(37));
                }
            }
            // a frequent token among rare ones, of all sizes that INT32 has
            for (int vocabulary : new int[] {1, 300, 70_000}) {
                for (var type : FloatType.values()) {
                    check(
                            comparison,
                            arrays,
                            type,
                            3,
                            800,
                            8,
                            vocabulary,
                            () -> arrays.random().nextBoolean()
                                    ? vocabulary / 2
                                    : arrays.random().nextInt(vocabulary));
                }
            }
        }

        private void check(
                Comparison comparison,
                RandomArrays arrays,
                FloatType type,
                int batch,
                int time,
                int width,
                int vocabulary,
                IntSupplier token) {
            String what = " of " + type + ", width " + width + ", vocabulary " + vocabulary;
            var tokens = arrays.ints(batch * time, token);
            var table = arrays.normal(type, vocabulary * width);
            comparison.close(
                    "embeddingForward" + what,
                    Bound.ofLargest(0),
                    (set, a) -> set.transformer().embeddingForward(type, a[0], a[1], a[2], a[3], batch, time, width),
                    tokens,
                    table,
                    arrays.normal(type, time * width),
                    arrays.unwritten(type, batch * time * width));
            var dy = arrays.normal(type, batch * time * width);
            for (boolean accumulate : new boolean[] {false, true}) {
                comparison.close(
                        "embeddingBackward" + what + ", accumulate " + accumulate,
                        BOUND,
                        (set, a) -> set.transformer()
                                .embeddingBackward(
                                        type, a[0], a[1], a[2], a[3], batch, time, width, vocabulary, accumulate),
                        tokens,
                        dy,
                        accumulate ? table : arrays.unwritten(type, vocabulary * width),
                        arrays.unwritten(type, time * width));
            }
        }
    },

    CROSS_ENTROPY {
        @Override
        public void run(Comparison comparison, RandomArrays arrays, int largest) {
            Random random = arrays.random();
            int rows = 7;
            for (int vocabulary : new int[] {1, 7, 16, 33, 256, 1000, 50_304}) {
                for (var type : FloatType.values()) {
                    var targets = arrays.ints(rows, () -> random.nextInt(4) == 0 ? -1 : random.nextInt(vocabulary));
                    var logits = arrays.of(type, rows * vocabulary, () -> 8 * random.nextGaussian());
                    var losses = arrays.unwritten(FloatType.FLOAT, rows);
                    String what = "crossEntropy of " + type + ", vocabulary " + vocabulary;
                    comparison.close(
                            what,
                            BOUND,
                            (set, a) -> set.transformer()
                                    .crossEntropy(type, a[0], a[1], a[2], a[3], rows, vocabulary, 0.125f),
                            logits,
                            targets,
                            losses,
                            arrays.unwritten(type, rows * vocabulary));
                    comparison.close(
                            what + ", in place",
                            BOUND,
                            (set, a) ->
                                    set.transformer().crossEntropy(type, a[0], a[1], a[2], a[0], rows, vocabulary, 1),
                            logits,
                            targets,
                            losses);
                    comparison.close(
                            what + ", the loss alone, some NaN",
                            BOUND,
                            (set, a) -> set.transformer().crossEntropy(type, a[0], a[1], a[2], 0, rows, vocabulary, 1),
                            arrays.of(
                                    type,
                                    rows * vocabulary,
                                    () -> random.nextInt(3 * vocabulary) == 0 ? Double.NaN : random.nextGaussian()),
                            targets,
                            losses);
                }
            }
        }
    },

    TRANSPOSE {
        @Override
        public void run(Comparison comparison, RandomArrays arrays, int largest) {
            eachShape(
                    arrays.random(),
                    (type, rows, columns) -> comparison.same(
                            "transpose of " + type + " " + rows + " x " + columns,
                            (set, a) -> set.kernels().transpose(type, a[0], a[1], rows, columns),
                            arrays.anyValues(type, rows * columns),
                            arrays.unwritten(type, rows * columns)));
        }
    };

    /** Of the largest value, on top of one rounding of the storage. */
    private static final double TOLERANCE = 2e-6;

    private static final Bound BOUND = Bound.ofLargest(TOLERANCE);

    private interface ShapeCheck {
        void run(FloatType type, int rows, int width);
    }

    /** Some smaller than a vector, some large enough for several threads and blocks of rows. */
    private static void eachShape(Random random, ShapeCheck check) {
        for (int[] shape : new int[][] {
            {1, 1},
            {5, 7},
            {1, 16},
            {3, 16},
            {5, 33},
            {1, 64},
            {1, 100},
            {130, 260},
            {130, 264},
            {257, 129},
            {7, 1024},
            {5, 2056},
            {3, 8200},
            {1 + random.nextInt(300), 1 + random.nextInt(300)}
        }) {
            for (var type : FloatType.values()) {
                check.run(type, shape[0], shape[1]);
            }
        }
    }
}
