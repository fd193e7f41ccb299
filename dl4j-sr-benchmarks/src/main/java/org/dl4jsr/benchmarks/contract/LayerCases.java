package org.dl4jsr.benchmarks.contract;

import java.util.Arrays;
import java.util.Random;
import org.dl4jsr.kernel.ArrayKernels;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.KernelSet;
import org.dl4jsr.kernel.StridedArray;
import org.dl4jsr.kernel.Window;

/**
 * What networks of stock layers do to arrays of the layout that their kernels want: the LSTM's cells and batch
 * normalization within a bound, and pooling of images whose channels lie last, with the same bits everywhere.
 */
enum LayerCases implements KernelCase {
    LSTM_CELL {
        @Override
        public void run(Comparison comparison, RandomArrays arrays, int largest) {
            Random random = arrays.random();
            for (int trial = 0; trial < 12; trial++) {
                int rows = random.nextInt(1, 40);
                int width = random.nextInt(1, 150);
                int size = rows * width;
                double scale = trial < 4 ? 100 : 2; // saturated gates, too
                String what = " of " + rows + " x " + width + ", gates of " + scale;
                Content state = arrays.normal(FloatType.FLOAT, size);
                comparison.close(
                        "lstmCell" + what,
                        Bound.ofLargest(1e-6),
                        (set, a) -> kernels(set).lstmCell(a[0], a[1], a[2], a[3], a[4], rows, width),
                        arrays.of(FloatType.FLOAT, 4 * size, () -> scale * random.nextGaussian()),
                        arrays.normal(FloatType.BFLOAT16, 4 * width),
                        state,
                        arrays.unwritten(FloatType.FLOAT, size),
                        arrays.unwritten(FloatType.BFLOAT16, size));
                boolean last = random.nextBoolean();
                comparison.close(
                        "lstmCellGradient" + what,
                        Bound.ofLargest(1e-6),
                        (set, a) -> kernels(set)
                                .lstmCellGradient(a[0], a[1], a[2], a[3], last ? 0 : a[4], a[5], a[6], rows, width),
                        arrays.of(FloatType.FLOAT, 4 * size, random::nextDouble),
                        state,
                        arrays.normal(FloatType.FLOAT, size),
                        arrays.normal(FloatType.BFLOAT16, size),
                        arrays.normal(FloatType.FLOAT, size),
                        arrays.normal(FloatType.FLOAT, size),
                        arrays.unwritten(FloatType.BFLOAT16, 4 * size));
            }
        }
    },

    BATCH_NORM {
        @Override
        public void run(Comparison comparison, RandomArrays arrays, int largest) {
            Random random = arrays.random();
            for (int trial = 0; trial < 16; trial++) {
                boolean planes = trial % 2 == 0;
                long outer = planes ? random.nextLong(1, 5) : 1;
                int channels = random.nextInt(1, 50);
                long inner = trial < 12 ? random.nextLong(2, 60) : random.nextLong(2000, 3000);
                long[] shape = {outer, channels, inner};
                long[] strides = planes ? new long[] {channels * inner, inner, 1} : new long[] {0, 1, channels};
                int size = (int) (outer * channels * inner);
                String what = " of " + Arrays.toString(shape) + Arrays.toString(strides);
                Content x = arrays.of(FloatType.BFLOAT16, size, () -> 3 + random.nextGaussian());
                Content gain = arrays.normal(FloatType.BFLOAT16, channels);
                Content mean = arrays.of(FloatType.FLOAT, channels, () -> 3 + random.nextGaussian() / 10);
                Content variance = arrays.of(FloatType.FLOAT, channels, () -> 0.5 + random.nextDouble());
                comparison.close(
                        "batchNormStatistics" + what,
                        Bound.ofLargest(1e-5),
                        (set, a) -> kernels(set).batchNormStatistics(bf16(a[0], shape, strides), a[1], a[2]),
                        x,
                        arrays.unwritten(FloatType.FLOAT, channels),
                        arrays.unwritten(FloatType.FLOAT, channels));
                comparison.close(
                        "batchNorm" + what,
                        Bound.ofLargest(1e-5),
                        (set, a) -> kernels(set)
                                .batchNorm(
                                        bf16(a[0], shape, strides),
                                        a[1],
                                        a[2],
                                        a[3],
                                        a[4],
                                        1e-5f,
                                        bf16(a[5], shape, strides)),
                        x,
                        gain,
                        arrays.normal(FloatType.BFLOAT16, channels),
                        mean,
                        variance,
                        arrays.unwritten(FloatType.BFLOAT16, size));
                comparison.close(
                        "batchNormGradient" + what,
                        Bound.ofLargest(1e-5),
                        (set, a) -> kernels(set)
                                .batchNormGradient(
                                        bf16(a[0], shape, strides),
                                        a[1],
                                        a[2],
                                        a[3],
                                        1e-5f,
                                        bf16(a[4], shape, strides),
                                        bf16(a[5], shape, strides),
                                        a[6],
                                        a[7]),
                        x,
                        gain,
                        mean,
                        variance,
                        arrays.normal(FloatType.BFLOAT16, size),
                        arrays.unwritten(FloatType.BFLOAT16, size),
                        arrays.unwritten(FloatType.BFLOAT16, channels),
                        arrays.unwritten(FloatType.BFLOAT16, channels));
            }
        }
    },

    POOLING_OF_CHANNELS {
        @Override
        public void run(Comparison comparison, RandomArrays arrays, int largest) {
            Random random = arrays.random();
            for (int trial = 0; trial < 60; trial++) {
                var window = new Window(
                        random.nextLong(1, 5),
                        random.nextLong(1, 5),
                        random.nextLong(1, 4),
                        random.nextLong(1, 4),
                        random.nextLong(3),
                        random.nextLong(3),
                        random.nextLong(1, 3),
                        random.nextLong(1, 3));
                long channels = random.nextLong(1, 70);
                long rows = random.nextLong(1, 7);
                long columns = random.nextLong(1, 7);
                long height = Math.max(1, window.row(rows, window.height()) - random.nextInt(3));
                long width = Math.max(1, window.column(columns, window.width()) - random.nextInt(3));
                long batch = random.nextLong(1, 4);
                var x = channelsLast(arrays, batch, channels, height, width);
                var dy = channelsLast(arrays, batch, channels, rows, columns);
                comparison.same(
                        "maxPool of " + x + " by " + window,
                        (set, a) -> kernels(set).maxPool(x.at(a[0]), dy.at(a[1]), window),
                        x.content(),
                        arrays.unwritten(FloatType.BFLOAT16, dy.content().length()));
                comparison.same(
                        "maxPoolGradient of " + x + " by " + window,
                        (set, a) -> kernels(set).maxPoolGradient(x.at(a[0]), dy.at(a[1]), x.at(a[2]), window),
                        x.content(),
                        dy.content(),
                        arrays.unwritten(FloatType.BFLOAT16, x.content().length()));
                boolean padding = random.nextBoolean();
                comparison.same(
                        "averagePool of " + x + " by " + window,
                        (set, a) -> kernels(set).averagePool(x.at(a[0]), dy.at(a[1]), window, padding),
                        x.content(),
                        arrays.unwritten(FloatType.BFLOAT16, dy.content().length()));
                comparison.same(
                        "averagePoolGradient of " + x + " by " + window,
                        (set, a) -> kernels(set).averagePoolGradient(dy.at(a[0]), x.at(a[1]), window, padding),
                        dy.content(),
                        arrays.unwritten(FloatType.BFLOAT16, x.content().length()));
            }
        }

        /** BF16 of all kinds, often equal. */
        private StridedContent channelsLast(RandomArrays arrays, long batch, long channels, long height, long width) {
            Random random = arrays.random();
            Content content = arrays.of(
                    FloatType.BFLOAT16,
                    (int) (batch * channels * height * width),
                    () -> random.nextInt(3) == 0 ? random.nextInt(3) - 1 : arrays.anyValue());
            return new StridedContent(content, new long[] {batch, channels, height, width}, new long[] {
                height * width * channels, 1, width * channels, channels
            });
        }
    };

    @Override
    public boolean appliesTo(KernelSet kernels) {
        return kernels.arrays().isPresent();
    }

    private static StridedArray bf16(long address, long[] shape, long[] strides) {
        return new StridedArray(FloatType.BFLOAT16, address, shape, strides);
    }

    private static ArrayKernels kernels(KernelSet set) {
        return set.arrays().orElseThrow();
    }
}
