package org.dl4jsr.benchmarks.gpu;

import org.dl4jsr.kernel.Arithmetic;
import org.dl4jsr.kernel.ArrayKernels;
import org.dl4jsr.kernel.AttentionShape;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.StridedArray;
import org.dl4jsr.kernel.Window;
import org.dl4jsr.kernel.composed.ProductConvolution;
import org.dl4jsr.kernel.cuda.CudaArrayKernels;
import org.dl4jsr.kernel.cuda.CudaMatmul;
import org.dl4jsr.kernel.cuda.CudaStream;
import org.dl4jsr.kernel.cuda.CudaTransformerKernels;
import org.dl4jsr.kernel.cuda.DeviceMemory;

/** Measures the kernels of stock layers on the shapes of a residual network, an LSTM and an encoder. */
final class StockLayerBenchmark {

    private static final FloatType BF16 = FloatType.BFLOAT16;
    private static final int CHANNELS = 64;
    private static final int SIZE = 56;
    /** Of the LSTM, and of the encoder's heads together. */
    private static final int WIDTH = 1024;

    private static final int BATCH = 256;
    private static final int HEADS = 16;

    private final CudaStream stream;
    private final ArrayKernels kernels;
    private final RandomMemory memory;
    private final Report report;

    /** Takes a measurement's name, bytes and operations, and what is measured. */
    interface Report {
        void measure(String name, double bytes, double operations, Runnable work);
    }

    StockLayerBenchmark(CudaStream stream, RandomMemory memory, Report report) {
        this.stream = stream;
        this.memory = memory;
        this.report = report;
        kernels = new CudaArrayKernels(stream);
    }

    /** All of them, for so many images and sequences of an encoder. */
    void run(int images) {
        StridedArray x = images(images, SIZE);
        StridedArray y = images(images, SIZE);
        StridedArray z = images(images, SIZE);
        double bytes = x.bytes();
        elementwise(bytes, x, y, z);
        convolution(bytes, x, y, z);
        batchNorm(bytes, x, y, z);
        memory.free();
        lstm();
        attention(images);
        memory.free();
    }

    private void elementwise(double bytes, StridedArray x, StridedArray y, StridedArray z) {
        var bias = StridedArray.rowMajor(BF16, memory.normal(2L * CHANNELS), CHANNELS, 1, 1)
                .broadcastTo(x.shape());
        long table = memory.normal(2 << 16);
        long slopes = memory.normal(4 << 16);
        long[] s = x.shape();
        var channelsLast =
                new StridedArray(BF16, z.address(), s, new long[] {s[1] * s[2] * s[3], 1, s[1] * s[3], s[1]});
        report.measure("add", 3 * bytes, 0, () -> kernels.arithmetic(Arithmetic.ADD, x, y, z));
        report.measure("add of channels", 2 * bytes, 0, () -> kernels.arithmetic(Arithmetic.ADD, x, bias, z));
        report.measure("relu", 2 * bytes, 0, () -> kernels.arithmetic(Arithmetic.MAXIMUM, x, 0, z));
        report.measure("look up", 2 * bytes, 0, () -> kernels.lookUp(table, x, z));
        report.measure("look up times gradient", 3 * bytes, 0, () -> kernels.multiplyLookUp(slopes, false, x, y, z));
        report.measure("copy to channels last", 2 * bytes, 0, () -> kernels.copy(x, channelsLast));
    }

    private void convolution(double bytes, StridedArray x, StridedArray y, StridedArray z) {
        var window = new Window(3, 3, 1, 1, 1, 1, 1, 1);
        var weights = StridedArray.rowMajor(BF16, memory.normal(18L * CHANNELS * CHANNELS), CHANNELS, CHANNELS, 3, 3);
        var gradient = weights.rowMajorAt(memory.normal(weights.bytes()));
        var bias = StridedArray.rowMajor(BF16, memory.normal(2L * CHANNELS), 1, CHANNELS);
        long images = x.shape()[0];
        var columns = StridedArray.rowMajor(BF16, memory.normal(9 * x.bytes()), images, CHANNELS, 3, 3, SIZE, SIZE);
        double operations = 2.0 * x.length() * weights.length() / CHANNELS;
        var convolution = new ProductConvolution(
                new CudaTransformerKernels(stream),
                kernels,
                new CudaMatmul(stream, false),
                () -> DeviceMemory.growing(stream));
        report.measure("im2col", 10 * bytes, 0, () -> kernels.im2col(x, columns, window));
        report.measure("col2im", 10 * bytes, 0, () -> kernels.col2im(columns, z, window));
        report.measure("convolution", 0, operations, () -> convolution.forward(x, weights, bias, z, window));
        report.measure(
                "convolution backward",
                0,
                2 * operations,
                () -> convolution.backward(x, weights, y, z, gradient, bias, window));
        var pooling = new Window(2, 2, 2, 2, 0, 0, 1, 1);
        StridedArray pooled = images((int) images, SIZE / 2);
        report.measure("max pooling", 1.25 * bytes, 0, () -> kernels.maxPool(x, pooled, pooling));
        report.measure("max pooling backward", 2.25 * bytes, 0, () -> kernels.maxPoolGradient(x, pooled, z, pooling));
    }

    private void batchNorm(double bytes, StridedArray x, StridedArray y, StridedArray z) {
        long gain = memory.positive(2L * CHANNELS);
        long bias = memory.normal(2L * CHANNELS);
        long mean = memory.normal(4L * CHANNELS);
        long variance = memory.positive(4L * CHANNELS);
        long images = x.shape()[0];
        for (boolean last : new boolean[] {false, true}) {
            long[] shape =
                    last ? new long[] {1, CHANNELS, images * SIZE * SIZE} : new long[] {images, CHANNELS, SIZE * SIZE};
            long[] strides = last ? new long[] {0, 1, CHANNELS} : new long[] {CHANNELS * SIZE * SIZE, SIZE * SIZE, 1};
            var in = new StridedArray(BF16, x.address(), shape, strides);
            var gradient = new StridedArray(BF16, y.address(), shape, strides);
            var out = new StridedArray(BF16, z.address(), shape, strides);
            String where = last ? ", channels last" : "";
            report.measure(
                    "batch norm statistics" + where, bytes, 0, () -> kernels.batchNormStatistics(in, mean, variance));
            report.measure(
                    "batch norm" + where,
                    2 * bytes,
                    0,
                    () -> kernels.batchNorm(in, gain, bias, mean, variance, 1e-5f, out));
            report.measure(
                    "batch norm backward" + where,
                    3 * bytes,
                    0,
                    () -> kernels.batchNormGradient(in, gain, mean, variance, 1e-5f, gradient, out, bias, bias));
        }
    }

    private void lstm() {
        long size = (long) BATCH * WIDTH;
        long gates = memory.normal(16 * size);
        long bias = memory.normal(8L * WIDTH);
        long previous = memory.normal(4 * size);
        long cell = memory.normal(4 * size);
        long output = memory.normal(2 * size);
        long dState = memory.normal(4 * size);
        long dCell = memory.normal(4 * size);
        long dGates = memory.normal(8 * size);
        report.measure(
                "lstm cells",
                42.0 * size,
                0,
                () -> kernels.lstmCell(gates, bias, previous, cell, output, BATCH, WIDTH));
        report.measure(
                "lstm cells backward",
                46.0 * size,
                0,
                () -> kernels.lstmCellGradient(gates, previous, cell, output, dState, dCell, dGates, BATCH, WIDTH));
    }

    private void attention(int sequences) {
        var shape = new AttentionShape(sequences, 512, 512, HEADS, WIDTH / HEADS);
        long bytes = 2L * sequences * shape.queries() * WIDTH;
        long q = memory.normal(bytes);
        long k = memory.normal(bytes);
        long v = memory.normal(bytes);
        long out = memory.normal(bytes);
        long dOut = memory.normal(bytes);
        long dQ = memory.normal(bytes);
        long dK = memory.normal(bytes);
        long dV = memory.normal(bytes);
        long logSumExp = memory.positive(4L * sequences * HEADS * shape.queries());
        double operations = 4.0 * sequences * shape.queries() * shape.keys() * WIDTH;
        report.measure(
                "attention to keys", 0, operations, () -> kernels.keyAttention(shape, q, k, v, 0, out, logSumExp));
        report.measure(
                "attention to keys backward",
                0,
                2.5 * operations,
                () -> kernels.keyAttentionGradient(shape, q, k, v, 0, out, logSumExp, dOut, dQ, dK, dV));
    }

    private StridedArray images(int count, int size) {
        return StridedArray.rowMajor(
                BF16, memory.normal(2L * count * CHANNELS * size * size), count, CHANNELS, size, size);
    }
}
