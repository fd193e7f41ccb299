package org.dl4jsr.benchmarks.gpu;

import static org.bytedeco.cuda.global.cudart.cuMemcpyDtoDAsync;
import static org.dl4jsr.kernel.cuda.CudaException.checkDriver;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.dl4jsr.kernel.Activation;
import org.dl4jsr.kernel.AdamW;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.OptimizerArrays;
import org.dl4jsr.kernel.OptimizerStep;
import org.dl4jsr.kernel.StridedArray;
import org.dl4jsr.kernel.cuda.CudaKernels;
import org.dl4jsr.kernel.cuda.CudaMatmul;
import org.dl4jsr.kernel.cuda.CudaStream;
import org.dl4jsr.kernel.cuda.CudaTransformerKernels;
import org.dl4jsr.rounding.StateRounding;
import org.dl4jsr.rounding.WeightWrite;

/**
 * Measures the kernels on random data against a device-to-device copy in the same run, cuBLAS on a GPT's shapes, and
 * what stock layers need.
 * Bytes are the least that a kernel must move: each input read once, each output written once.
 */
final class GpuBenchmark implements AutoCloseable {

    private static final FloatType BF16 = FloatType.BFLOAT16;
    private static final int WIDTH = 768;
    private static final int HEADS = 12;
    private static final int TIME = 1024;
    private static final int VOCABULARY = 50_304;

    private final CudaStream stream;
    private final CudaKernels kernels;
    private final CudaTransformerKernels transformer;
    private final CudaMatmul matmul;
    private final GpuTimer timer;
    private final Predicate<String> names;
    private final Consumer<Measurement> report;
    private final List<Measurement> measurements = new ArrayList<>();
    private final RandomMemory memory;

    /** One kernel's time; bytes, operations and parameters are those of one call, 0 where they say nothing. */
    record Measurement(String name, double milliseconds, double bytes, double operations, double parameters) {

        double gigabytesPerSecond() {
            return bytes / milliseconds / 1e6;
        }

        double teraflops() {
            return operations / milliseconds / 1e9;
        }

        double parametersPerSecond() {
            return parameters / milliseconds * 1e3;
        }
    }

    /** @param names of the measurements that are wanted beside the copy */
    GpuBenchmark(CudaStream stream, Predicate<String> names, Consumer<Measurement> report) {
        this.stream = stream;
        this.names = names;
        this.report = report;
        kernels = new CudaKernels(stream);
        transformer = new CudaTransformerKernels(stream);
        matmul = new CudaMatmul(stream, false);
        timer = new GpuTimer(stream);
        memory = new RandomMemory(stream);
    }

    /**
     * All measurements, the copy first.
     *
     * @param elements parameters of the optimizer's kernels
     * @param rows tokens of the transformer's kernels and of the products
     */
    List<Measurement> run(long elements, int rows) {
        copy(elements);
        optimizer(elements);
        transformer(rows);
        attention(Math.max(1, rows / TIME), Math.min(rows, TIME));
        products(rows);
        new StockLayerBenchmark(
                        stream, memory, (name, bytes, operations, work) -> measure(name, bytes, operations, 0, work))
                .run(Math.max(1, rows / TIME));
        return measurements;
    }

    @Override
    public void close() {
        memory.free();
        timer.close();
    }

    private void copy(long elements) {
        long bytes = 8 * elements;
        long source = memory.normal(bytes);
        long target = memory.normal(bytes);
        measure(
                "copy",
                2.0 * bytes,
                0,
                0,
                () -> checkDriver(cuMemcpyDtoDAsync(target, source, bytes, stream.handle()), "cuMemcpyDtoDAsync"));
        memory.free();
    }

    private void optimizer(long n) {
        long weights = memory.normal(4 * n);
        long gradient = memory.normal(4 * n);
        long m = memory.normal(4 * n);
        long v = memory.positive(4 * n);
        long extra = memory.normal(4 * n);
        adamW("adamW bf16 stochastic", BF16, WeightWrite.STOCHASTIC, 14, n, weights, gradient, m, v, extra);
        adamW("adamW bf16 nearest", BF16, WeightWrite.NEAREST, 14, n, weights, gradient, m, v, extra);
        adamW("adamW bf16 kahan", BF16, WeightWrite.KAHAN, 18, n, weights, gradient, m, v, extra);
        adamW("adamW bf16 fp32 master", BF16, WeightWrite.MASTER, 30, n, weights, gradient, m, v, extra);
        adamW("adamW fp32", FloatType.FLOAT, WeightWrite.STOCHASTIC, 28, n, weights, gradient, m, v, extra);
        measure("sumOfSquares bf16", 2.0 * n, 0, n, () -> kernels.sumOfSquares(BF16, gradient, n));
        measure("toBFloat16", 6.0 * n, 0, n, () -> kernels.toBFloat16(gradient, weights, n));
        measure("toFloat", 6.0 * n, 0, n, () -> kernels.toFloat(weights, m, n));
        measure("stochasticRound", 6.0 * n, 0, n, () -> kernels.stochasticRound(gradient, weights, n, 1, 2, 0));
        measure(
                "stochasticSubtract bf16",
                6.0 * n,
                0,
                n,
                () -> kernels.stochasticSubtract(weights, BF16, gradient, n, 1, 2, 0));
        memory.free();
    }

    private void adamW(String name, FloatType type, WeightWrite write, int bytes, long n, long... a) {
        AdamW adamW = AdamW.of(0.9, 0.95, 1e-8, 100);
        var step = new OptimizerStep(adamW, 1e-4f, 0.1f, 1, write, StateRounding.STOCHASTIC, 1, 100);
        var arrays = new OptimizerArrays(type, a[0], a[1], new long[] {a[2], a[3]}, a[4], n, 0);
        measure(name, (double) bytes * n, 0, n, () -> kernels.step(step, arrays, null));
    }

    private void transformer(int rows) {
        double size = (double) rows * WIDTH;
        long x = memory.normal(2L * rows * 4 * WIDTH);
        long dy = memory.normal(2L * rows * 4 * WIDTH);
        long y = memory.normal(2L * rows * 4 * WIDTH);
        long table = memory.normal(2L * VOCABULARY * WIDTH);
        long small = memory.normal(4L * 4 * WIDTH);
        long positions = memory.normal(2L * TIME * WIDTH);
        long statistics = memory.normal(8L * rows);
        long rstd = statistics + 4L * rows;
        measure(
                "layerNorm forward",
                4 * size,
                0,
                0,
                () -> transformer.layerNormForward(BF16, x, small, small, y, statistics, rstd, rows, WIDTH, 1e-5f));
        measure(
                "layerNorm backward",
                6 * size,
                0,
                0,
                () -> transformer.layerNormBackward(
                        BF16, x, small, statistics, rstd, dy, 0, y, small, small, rows, WIDTH));
        measure(
                "gelu forward",
                16 * size,
                0,
                0,
                () -> transformer.activationForward(Activation.GELU, BF16, x, y, 4L * rows * WIDTH));
        measure(
                "gelu backward",
                24 * size,
                0,
                0,
                () -> transformer.activationBackward(Activation.GELU, BF16, x, dy, 0, y, small, rows, 4 * WIDTH));
        measure("bias gradient", 8 * size, 0, 0, () -> transformer.biasGradient(BF16, dy, small, rows, 4 * WIDTH));
        measure("transpose", 16 * size, 0, 0, () -> kernels.transpose(BF16, x, y, rows, 4 * WIDTH));
        int batch = Math.max(1, rows / TIME);
        int time = Math.min(rows, TIME);
        long tokens = memory.integers(rows, VOCABULARY);
        measure(
                "embedding forward",
                4 * size,
                0,
                0,
                () -> transformer.embeddingForward(BF16, tokens, table, positions, y, batch, time, WIDTH));
        measure(
                "embedding backward",
                4 * size + 4.0 * VOCABULARY * WIDTH,
                0,
                0,
                () -> transformer.embeddingBackward(
                        BF16, tokens, dy, table, positions, batch, time, WIDTH, VOCABULARY, true));
        memory.free();
        int lossRows = Math.max(1, rows / 4);
        long logits = memory.normal(2L * lossRows * VOCABULARY);
        long targets = memory.integers(lossRows, VOCABULARY);
        long losses = memory.normal(4L * lossRows);
        measure(
                "cross entropy",
                4.0 * lossRows * VOCABULARY,
                0,
                0,
                () -> transformer.crossEntropy(BF16, logits, targets, losses, logits, lossRows, VOCABULARY, 1f));
        memory.free();
    }

    private void attention(int batch, int time) {
        int headWidth = WIDTH / HEADS;
        long rows = (long) batch * time;
        long qkv = memory.normal(6 * rows * WIDTH);
        long out = memory.normal(2 * rows * WIDTH);
        long dOut = memory.normal(2 * rows * WIDTH);
        long dQkv = memory.normal(6 * rows * WIDTH);
        long logSumExp = memory.normal(4 * rows * HEADS);
        double operations = 2.0 * rows * time * WIDTH; // two products, half of each seen
        measure(
                "attention forward",
                0,
                operations,
                0,
                () -> transformer.attentionForward(BF16, qkv, out, logSumExp, batch, time, HEADS, headWidth));
        measure(
                "attention backward",
                0,
                2.5 * operations,
                0,
                () -> transformer.attentionBackward(
                        BF16, qkv, out, logSumExp, dOut, dQkv, batch, time, HEADS, headWidth));
        memory.free();
    }

    /** The products of a linear layer x [rows, in], w [in, out]: forward, gradient of x, gradient of w. */
    private void products(int rows) {
        for (int[] layer :
                new int[][] {{WIDTH, 3 * WIDTH}, {WIDTH, WIDTH}, {WIDTH, 4 * WIDTH}, {4 * WIDTH, WIDTH}, {1024, 4096}
                }) {
            int in = layer[0];
            int out = layer[1];
            var x = StridedArray.rowMajor(BF16, memory.normal(2L * rows * in), rows, in);
            var w = StridedArray.rowMajor(BF16, memory.normal(2L * in * out), in, out);
            var y = StridedArray.rowMajor(BF16, memory.normal(2L * rows * out), rows, out);
            var bias = StridedArray.rowMajor(BF16, memory.normal(2L * out), 1, out);
            var residual = y.rowMajorAt(memory.normal(y.bytes()));
            String shape = rows + "x" + in + "x" + out;
            product("gemm forward " + shape, x, w, y, null, null);
            product("gemm forward with bias " + shape, x, w, y, bias, null);
            product("gemm forward with bias and residual " + shape, x, w, y, bias, residual);
            product("gemm input gradient " + shape, y, w.transposed(), x, null, null);
            product("gemm weight gradient " + shape, x.transposed(), y, w, null, null);
            memory.free();
        }
    }

    private void product(
            String name, StridedArray a, StridedArray b, StridedArray c, StridedArray bias, StridedArray residual) {
        double operations = 2.0 * c.rows() * c.columns() * a.columns();
        measure(name, 0, operations, 0, () -> matmul.multiply(a, b, c, 1, 0, bias, residual));
    }

    private void measure(String name, double bytes, double operations, double parameters, Runnable work) {
        if (!measurements.isEmpty() && !names.test(name)) {
            return;
        }
        var measurement = new Measurement(name, timer.milliseconds(work), bytes, operations, parameters);
        measurements.add(measurement);
        report.accept(measurement);
    }
}
