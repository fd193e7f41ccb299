package org.dl4jsr.benchmarks.contract;

import java.util.Arrays;
import java.util.Random;
import org.dl4jsr.kernel.Arithmetic;
import org.dl4jsr.kernel.ArrayKernels;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.KernelSet;
import org.dl4jsr.kernel.StridedArray;
import org.dl4jsr.kernel.Window;

/**
 * What networks of stock layers do to arrays of any strides: the same numbers everywhere, but for convolution, which is
 * within a bound.
 */
enum ArrayCases implements KernelCase {
    COPY {
        @Override
        public void run(Comparison comparison, RandomArrays arrays, int largest) {
            Random random = arrays.random();
            for (int trial = 0; trial < 64; trial++) {
                var from = FloatType.values()[trial % 2];
                var to = FloatType.values()[trial / 2 % 2];
                long[] shape = trial % 5 < 3 // each with each pair of types
                        ? shape(random, trial)
                        : random.longs(2 + random.nextInt(2), 1, 50).toArray(); // transposed in several tiles
                var x = arrays.strided(from, arrays::anyValue, shape);
                var y = arrays.strided(to, arrays::anyValue, shape);
                comparison.same(
                        "copy of " + x + " to " + y,
                        (set, a) -> kernels(set).copy(x.at(a[0]), y.at(a[1])),
                        x.content(),
                        y.content());
            }
        }
    },

    ARITHMETIC {
        @Override
        public void run(Comparison comparison, RandomArrays arrays, int largest) {
            Random random = arrays.random();
            for (int trial = 0; trial < 48; trial++) {
                var operation = Arithmetic.values()[trial % Arithmetic.values().length];
                long[] shape = shape(random, trial);
                var a = mixed(arrays, shape);
                var b = broadcast(random, mixed(arrays, shape));
                var c = mixed(arrays, shape);
                float number = random.nextInt(5) == 0 ? trial % 2 == 0 ? 0f : -0f : (float) random.nextGaussian();
                compare(comparison, operation, (k, x) -> k.arithmetic(operation, x[0], x[1], x[2]), a, b, c);
                compare(
                        comparison,
                        operation + " with " + number,
                        (k, x) -> k.arithmetic(operation, x[0], number, x[1]),
                        a,
                        c);
            }
        }
    },

    LOOK_UP {
        @Override
        public void run(Comparison comparison, RandomArrays arrays, int largest) {
            var table = StridedContent.dense(arrays.normal(FloatType.BFLOAT16, BF16_VALUES), BF16_VALUES);
            for (int trial = 0; trial < 32; trial++) {
                long[] shape = shape(arrays.random(), trial);
                compare(
                        comparison,
                        "lookUp",
                        (k, x) -> k.lookUp(x[0].address(), x[1], x[2]),
                        table,
                        mixed(arrays, shape),
                        mixed(arrays, shape));
            }
        }
    },

    MULTIPLY_LOOK_UP {
        @Override
        public void run(Comparison comparison, RandomArrays arrays, int largest) {
            Random random = arrays.random();
            var slopes = StridedContent.dense(
                    arrays.of(FloatType.FLOAT, BF16_VALUES, () -> random.nextInt(3) == 0 ? 0 : random.nextGaussian()),
                    BF16_VALUES);
            for (int trial = 0; trial < 32; trial++) {
                long[] shape = shape(random, trial);
                boolean gate = random.nextBoolean();
                compare(
                        comparison,
                        "multiplyLookUp, gate " + gate,
                        (k, x) -> k.multiplyLookUp(x[0].address(), gate, x[1], x[2], x[3]),
                        slopes,
                        mixed(arrays, shape),
                        mixed(arrays, shape),
                        mixed(arrays, shape));
            }
        }
    },

    CONVOLUTION_COLUMNS {
        @Override
        public void run(Comparison comparison, RandomArrays arrays, int largest) {
            eachWindow(arrays.random(), (window, image, columns, pooled) -> {
                compare(
                        comparison,
                        "im2col by " + window,
                        (k, x) -> k.im2col(x[0], x[1], window),
                        mixed(arrays, image),
                        mixed(arrays, columns));
                var type = FloatType.values()[arrays.random().nextInt(2)];
                compare(
                        comparison,
                        "col2im by " + window,
                        (k, x) -> k.col2im(x[0], x[1], window),
                        arrays.strided(type, arrays::anyValue, columns),
                        mixed(arrays, image));
            });
        }
    },

    MAX_POOL {
        @Override
        public void run(Comparison comparison, RandomArrays arrays, int largest) {
            eachWindow(arrays.random(), (window, image, columns, pooled) -> {
                var x = mixed(arrays, image);
                compare(
                        comparison,
                        "maxPool by " + window,
                        (k, a) -> k.maxPool(a[0], a[1], window),
                        x,
                        mixed(arrays, pooled));
                compare(
                        comparison,
                        "maxPoolGradient by " + window,
                        (k, a) -> k.maxPoolGradient(a[0], a[1], a[2], window),
                        x,
                        mixed(arrays, pooled),
                        mixed(arrays, image));
            });
        }
    },

    AVERAGE_POOL {
        @Override
        public void run(Comparison comparison, RandomArrays arrays, int largest) {
            eachWindow(arrays.random(), (window, image, columns, pooled) -> {
                boolean padding = arrays.random().nextBoolean();
                compare(
                        comparison,
                        "averagePool by " + window + (padding ? " with padding" : ""),
                        (k, a) -> k.averagePool(a[0], a[1], window, padding),
                        mixed(arrays, image),
                        mixed(arrays, pooled));
                compare(
                        comparison,
                        "averagePoolGradient by " + window + (padding ? " with padding" : ""),
                        (k, a) -> k.averagePoolGradient(a[0], a[1], window, padding),
                        mixed(arrays, pooled),
                        mixed(arrays, image));
            });
        }
    },

    CONVOLUTION {
        @Override
        public void run(Comparison comparison, RandomArrays arrays, int largest) {
            Random random = arrays.random();
            eachWindow(random, (window, image, columns, pooled) -> {
                long out = random.nextLong(1, 40);
                long[] weights = {out, image[1], window.height(), window.width()};
                long[] result = {pooled[0], out, pooled[2], pooled[3]};
                StridedContent x = images(arrays, image);
                StridedContent w = StridedContent.dense(normal(arrays, weights), weights);
                StridedContent bias = StridedContent.dense(normal(arrays, out), 1, out);
                boolean biased = random.nextBoolean();
                compare(
                        comparison,
                        "convolution by " + window,
                        Bound.withBias(Bound.ofLargest(1e-5), bias.content()),
                        (set, a) ->
                                set.convolution().orElseThrow().forward(a[0], a[1], biased ? a[2] : null, a[3], window),
                        x,
                        w,
                        bias,
                        images(arrays, result));
                compare(
                        comparison,
                        "gradients of convolution by " + window,
                        Bound.ofLargest(1e-2), // where a sum of rounded products is small beside the largest
                        (set, a) -> set.convolution()
                                .orElseThrow()
                                .backward(a[0], a[1], a[2], a[3], a[4], biased ? a[5] : null, window),
                        x,
                        w,
                        images(arrays, result),
                        new StridedContent(normal(arrays, image), x.shape(), x.strides()),
                        w,
                        bias);
            });
        }

        private Content normal(RandomArrays arrays, long... shape) {
            int size = 1;
            for (long s : shape) {
                size *= (int) s;
            }
            return arrays.normal(FloatType.BFLOAT16, size);
        }

        /** Channels first or last in memory. */
        private StridedContent images(RandomArrays arrays, long[] shape) {
            StridedContent dense = StridedContent.dense(normal(arrays, shape), shape);
            return arrays.random().nextBoolean()
                    ? dense
                    : new StridedContent(dense.content(), shape, new long[] {
                        shape[1] * shape[2] * shape[3], 1, shape[1] * shape[3], shape[1]
                    });
        }
    };

    private static final int BF16_VALUES = 1 << 16;

    private interface Operation {
        void run(ArrayKernels kernels, StridedArray[] arrays);
    }

    private interface SetOperation {
        void run(KernelSet set, StridedArray[] arrays);
    }

    private interface WindowCheck {
        void run(Window window, long[] image, long[] columns, long[] pooled);
    }

    @Override
    public boolean appliesTo(KernelSet kernels) {
        return kernels.arrays().isPresent();
    }

    private static ArrayKernels kernels(KernelSet set) {
        return set.arrays().orElseThrow();
    }

    private static void compare(Comparison comparison, Object what, Operation operation, StridedContent... arrays) {
        compare(comparison, what, Bound.EXACT, (set, strided) -> operation.run(kernels(set), strided), arrays);
    }

    private static void compare(
            Comparison comparison, Object what, Bound bound, SetOperation operation, StridedContent... arrays) {
        comparison.close(
                what + " of " + Arrays.toString(arrays),
                bound,
                (set, addresses) -> {
                    var strided = new StridedArray[arrays.length];
                    Arrays.setAll(strided, i -> arrays[i].at(addresses[i]));
                    operation.run(set, strided);
                },
                Arrays.stream(arrays).map(StridedContent::content).toArray(Content[]::new));
    }

    /** BF16 of all kinds, often equal. */
    private static StridedContent mixed(RandomArrays arrays, long... shape) {
        Random random = arrays.random();
        return arrays.strided(
                FloatType.BFLOAT16, () -> random.nextInt(6) == 0 ? random.nextInt(3) - 1 : arrays.anyValue(), shape);
    }

    /** Some of its dimensions broadcast. */
    private static StridedContent broadcast(Random random, StridedContent array) {
        long[] strides = Arrays.stream(array.strides())
                .map(stride -> random.nextInt(3) == 0 ? 0 : stride)
                .toArray();
        return new StridedContent(array.content(), array.shape(), strides);
    }

    /** Small ones of several dimensions, or many, and long ones for several blocks and threads. */
    private static long[] shape(Random random, int trial) {
        return switch (trial % 8) {
            case 0 -> new long[] {random.nextLong(1, 4), random.nextLong(5000, 25_000)};
            case 1 -> random.longs(8, 2, 4).toArray();
            default -> random.longs(1 + random.nextInt(4), 1, 10).toArray();
        };
    }

    private static void eachWindow(Random random, WindowCheck check) {
        for (int trial = 0; trial < 48; trial++) {
            var window = new Window(
                    random.nextLong(1, 5),
                    random.nextLong(1, 5),
                    random.nextLong(1, 4),
                    random.nextLong(1, 4),
                    random.nextLong(3),
                    random.nextLong(3),
                    random.nextLong(1, 3),
                    random.nextLong(1, 3));
            long batch = random.nextLong(1, 4);
            long channels = random.nextLong(1, 4);
            long rows = random.nextLong(1, trial < 40 ? 7 : 31);
            long columns = random.nextLong(1, trial < 40 ? 7 : 31);
            check.run(
                    window,
                    new long[] {
                        batch,
                        channels,
                        size(random, window.row(rows, window.height())),
                        size(random, window.column(columns, window.width()))
                    },
                    new long[] {batch, channels, window.height(), window.width(), rows, columns},
                    new long[] {batch, channels, rows, columns});
        }
    }

    private static long size(Random random, long least) {
        return Math.max(1, least - random.nextInt(3));
    }
}
