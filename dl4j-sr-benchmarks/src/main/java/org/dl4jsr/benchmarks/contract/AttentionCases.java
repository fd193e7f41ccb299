package org.dl4jsr.benchmarks.contract;

import java.util.Arrays;
import java.util.Random;
import org.dl4jsr.kernel.AttentionShape;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.KernelSet;
import org.dl4jsr.rounding.BFloat16;

/** Attention, a transformer's and that of stock layers: within a bound of the Java kernels, the same bits at each call. */
enum AttentionCases implements KernelCase {
    ATTENTION {
        @Override
        public void run(Comparison comparison, RandomArrays arrays, int largest) {
            Random random = arrays.random();
            for (var type : FloatType.values()) {
                // BF16 probabilities and gradients of scores, whose errors partly cancel in the sums
                double tolerance = type == FloatType.FLOAT ? 2e-6 : 0x1p-7;
                for (int[] sizes : new int[][] {
                    {1, 1},
                    {1, 64},
                    {7, 7},
                    {7, 33},
                    {16, 16},
                    {16, 128},
                    {33, 1},
                    {33, 24},
                    {33, 64},
                    {33, 80},
                    {64, 16},
                    {64, 64},
                    {64, 128},
                    {100, 7},
                    {100, 24},
                    {100, 33},
                    {100, 64},
                    {130, 128}
                }) {
                    int[] shape = {1 + random.nextInt(2), sizes[0], 1 + random.nextInt(3), sizes[1]};
                    // the kernels for tensor cores want all arrays aligned
                    var where = random.nextInt(4) > 0 ? arrays.aligned() : arrays;
                    var qkv = where.normal(type, 3 * shape[0] * shape[1] * shape[2] * shape[3]);
                    forward(comparison, where, tolerance, type, qkv, shape);
                    backward(comparison, where, tolerance, type, qkv, shape);
                }
                // of one head, which threads share
                var one = arrays.normal(type, 3 * 400 * 8);
                forward(comparison, arrays, tolerance, type, one, 1, 400, 1, 8);
                backward(comparison, arrays, tolerance, type, one, 1, 400, 1, 8);
                // scores of hundreds: one probability is one, the others underflow
                var huge = arrays.of(type, 3 * 40 * 32, () -> 30 * random.nextGaussian());
                forward(comparison, arrays, type == FloatType.FLOAT ? 1e-4 : 0x1p-7, type, huge, 1, 40, 1, 32);
                // a NaN in the sixth key reaches the sixth row and those behind it, no other
                int nan = 5 * 6 + 2;
                int[] at = {0};
                var sixth = arrays.of(type, 60, () -> at[0]++ == nan ? Double.NaN : random.nextGaussian());
                forward(comparison, arrays, tolerance, type, sixth, 1, 10, 1, 2);
            }
            autocast(comparison, arrays.aligned(), 2, 70, 2, 24);
            autocast(comparison, arrays.aligned(), 1, 33, 3, 20); // tensor cores take no heads of 20
        }

        /** On arrays that have BF16 values at first, so that it is results and probabilities alone that are rounded. */
        private void autocast(Comparison comparison, RandomArrays arrays, int batch, int time, int heads, int width) {
            int length = batch * time * heads * width;
            var qkv = arrays.of(FloatType.FLOAT, 3 * length, () -> bFloat16(arrays.random()));
            comparison.close(
                    "autocastAttentionForward",
                    Bound.ofLargest(0x1p-7),
                    (set, a) -> set.transformer().autocastAttentionForward(a[0], a[1], a[2], batch, time, heads, width),
                    qkv,
                    arrays.unwritten(FloatType.FLOAT, length),
                    arrays.unwritten(FloatType.FLOAT, batch * heads * time));
            comparison.close(
                    "autocastAttentionBackward",
                    Bound.ofLargest(0x1p-6),
                    (set, a) -> set.transformer()
                            .autocastAttentionBackward(a[0], a[1], a[2], a[3], a[4], batch, time, heads, width),
                    qkv,
                    arrays.of(FloatType.FLOAT, length, () -> bFloat16(arrays.random())),
                    arrays.of(
                            FloatType.FLOAT,
                            batch * heads * time,
                            () -> 3 + arrays.random().nextGaussian()),
                    arrays.of(FloatType.FLOAT, length, () -> bFloat16(arrays.random())),
                    arrays.unwritten(FloatType.FLOAT, 3 * length));
        }

        private static double bFloat16(Random random) {
            return BFloat16.toFloat(BFloat16.fromFloat((float) random.nextGaussian()));
        }

        private void forward(
                Comparison comparison,
                RandomArrays arrays,
                double tolerance,
                FloatType type,
                Content qkv,
                int... shape) {
            comparison.close(
                    "attentionForward of " + type + " " + Arrays.toString(shape),
                    Bound.ofLargest(tolerance),
                    (set, a) -> set.transformer()
                            .attentionForward(type, a[0], a[1], a[2], shape[0], shape[1], shape[2], shape[3]),
                    qkv,
                    arrays.unwritten(type, qkv.length() / 3),
                    arrays.unwritten(FloatType.FLOAT, shape[0] * shape[2] * shape[1]));
        }

        /** Takes whatever it is given for the results of the forward pass. */
        private void backward(
                Comparison comparison,
                RandomArrays arrays,
                double tolerance,
                FloatType type,
                Content qkv,
                int... shape) {
            comparison.close(
                    "attentionBackward of " + type + " " + Arrays.toString(shape),
                    Bound.ofLargest(tolerance),
                    (set, a) -> set.transformer()
                            .attentionBackward(
                                    type, a[0], a[1], a[2], a[3], a[4], shape[0], shape[1], shape[2], shape[3]),
                    qkv,
                    arrays.normal(type, qkv.length() / 3),
                    arrays.of(
                            FloatType.FLOAT,
                            shape[0] * shape[2] * shape[1],
                            () -> 3 + arrays.random().nextGaussian()),
                    arrays.normal(type, qkv.length() / 3),
                    arrays.unwritten(type, qkv.length()));
        }
    },

    KEY_ATTENTION {
        @Override
        public void run(Comparison comparison, RandomArrays arrays, int largest) {
            Random random = arrays.random();
            int[][] shapes = {
                {1, 1, 1, 1, 1},
                {2, 1, 12, 4, 8},
                {2, 64, 64, 2, 32},
                {1, 5, 200, 1, 16},
                {1, 150, 7, 3, 20},
                {3, 33, 97, 2, 5},
                {1, 250, 400, 1, 8} // one head, which threads share
            };
            for (int[] s : shapes) {
                var shape = new AttentionShape(s[0], s[1], s[2], s[3], s[4]);
                compare(comparison, arrays, shape, null);
                int[] at = {0};
                compare(
                        comparison,
                        arrays,
                        shape,
                        arrays.of(
                                FloatType.BFLOAT16,
                                shape.batch() * shape.keys(),
                                () -> at[0]++ % shape.keys() == 0 || random.nextInt(3) > 0 ? 1 : 0));
            }
        }

        @Override
        public boolean appliesTo(KernelSet kernels) {
            return kernels.arrays().isPresent();
        }

        private void compare(Comparison comparison, RandomArrays arrays, AttentionShape shape, Content visible) {
            int ofQueries = shape.batch() * shape.queries() * shape.width();
            int ofKeys = shape.batch() * shape.keys() * shape.width();
            int rows = shape.batch() * shape.heads() * shape.queries();
            boolean masked = visible != null;
            Content mask = masked ? visible : arrays.normal(FloatType.BFLOAT16, 1);
            String what = " of " + shape + (masked ? ", masked" : "");
            Content q = arrays.normal(FloatType.BFLOAT16, ofQueries);
            Content k = arrays.normal(FloatType.BFLOAT16, ofKeys);
            Content v = arrays.normal(FloatType.BFLOAT16, ofKeys);
            comparison.close(
                    "keyAttention" + what,
                    Bound.ofLargest(0x1p-7),
                    (set, a) -> set.arrays()
                            .orElseThrow()
                            .keyAttention(shape, a[0], a[1], a[2], masked ? a[3] : 0, a[4], a[5]),
                    q,
                    k,
                    v,
                    mask,
                    arrays.unwritten(FloatType.BFLOAT16, ofQueries),
                    arrays.unwritten(FloatType.FLOAT, rows));
            comparison.close(
                    "keyAttentionGradient" + what,
                    Bound.ofLargest(0x1p-7),
                    (set, a) -> set.arrays()
                            .orElseThrow()
                            .keyAttentionGradient(
                                    shape, a[0], a[1], a[2], masked ? a[3] : 0, a[4], a[5], a[6], a[7], a[8], a[9]),
                    q,
                    k,
                    v,
                    mask,
                    arrays.normal(FloatType.BFLOAT16, ofQueries),
                    arrays.of(FloatType.FLOAT, rows, () -> 3 + arrays.random().nextGaussian()),
                    arrays.normal(FloatType.BFLOAT16, ofQueries),
                    arrays.unwritten(FloatType.BFLOAT16, ofQueries),
                    arrays.unwritten(FloatType.BFLOAT16, ofKeys),
                    arrays.unwritten(FloatType.BFLOAT16, ofKeys));
        }
    };
}
