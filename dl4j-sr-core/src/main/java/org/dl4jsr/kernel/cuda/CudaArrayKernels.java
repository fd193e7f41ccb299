package org.dl4jsr.kernel.cuda;

import static org.dl4jsr.kernel.cuda.KernelConstant.LOOPS;
import static org.dl4jsr.kernel.cuda.KernelConstant.OCTET;
import static org.dl4jsr.kernel.cuda.KernelConstant.THREADS;
import static org.dl4jsr.kernel.cuda.KernelConstant.WARP;
import static org.dl4jsr.kernel.cuda.KernelLauncher.blocks;
import static org.dl4jsr.kernel.cuda.KernelLauncher.suffix;
import static org.dl4jsr.kernel.cuda.KernelSource.ELEMENTWISE;
import static org.dl4jsr.kernel.cuda.KernelSource.LSTM;

import java.util.Arrays;
import org.dl4jsr.kernel.Arithmetic;
import org.dl4jsr.kernel.ArrayKernels;
import org.dl4jsr.kernel.AttentionShape;
import org.dl4jsr.kernel.ElementLoops;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.StridedArray;
import org.dl4jsr.kernel.Window;

/**
 * The array kernels in CUDA C++ over device addresses, on one stream. Calls return as soon as the work is queued. What
 * lies contiguous, at multiples of 16 bytes, is read and written 16 bytes at once.
 */
public final class CudaArrayKernels implements ArrayKernels {

    /** A matrix with a shorter side is not worth tiles. */
    private static final int SHORT_SIDE = OCTET.value;

    /** Elements from which on it pays to copy a table, which may lie in memory of the host. */
    private static final int MANY_LOOK_UPS = 4096;

    private static final int TABLE_LENGTH = 1 << 16;

    private final KernelLauncher launcher;
    private final DeviceScratch tables;
    private final CudaWindows windows;
    private final CudaBatchNorm batchNorm;
    private final CudaKeyAttention attention;

    /** A launch of a kernel over these loops of these operands. */
    private interface Launch {
        void run(ElementLoops loops, StridedArray[] operands);
    }

    /** Kernels that run on {@code stream}; compiled when first used, or fetched from the cache on disk. */
    public CudaArrayKernels(CudaStream stream) {
        launcher = new KernelLauncher(stream);
        tables = new DeviceScratch(stream);
        windows = new CudaWindows(launcher);
        batchNorm = new CudaBatchNorm(launcher, new DeviceScratch(stream));
        attention = new CudaKeyAttention(stream.device(), launcher);
    }

    @Override
    public synchronized void copy(StridedArray source, StridedArray target) {
        String types = suffix(source.type()) + "_" + suffix(target.type());
        run(
                (loops, operands) -> {
                    ElementLoops tiled = tiled(loops);
                    launcher.kernel(ELEMENTWISE, (tiled == null ? "copyElements_" : "copyTransposed_") + types)
                            .add(tiled == null ? loops : tiled, OCTET.value)
                            .add(operands[0].address(), operands[1].address());
                    if (tiled == null) {
                        launcher.launchRuns();
                    } else {
                        launcher.launch(THREADS.value, tiles(tiled));
                    }
                },
                source,
                target);
    }

    /**
     * The loops of a copy from one order of the dimensions to another, with that along which the source's neighbours lie
     * last but one; null where there are no such dimensions, or they are short.
     */
    private static ElementLoops tiled(ElementLoops loops) {
        int last = loops.rank() - 1;
        long[] from = loops.steps()[0];
        long[] to = loops.steps()[1];
        if (from[last] == 1 || to[last] != 1 || loops.sizes()[last] < SHORT_SIDE) {
            return null;
        }
        for (int i = 0; i < last; i++) {
            if (from[i] == 1 && loops.sizes()[i] >= SHORT_SIDE) {
                return new ElementLoops(
                        swapped(loops.sizes(), i, last - 1),
                        new long[][] {swapped(from, i, last - 1), swapped(to, i, last - 1)});
            }
        }
        return null;
    }

    private static long[] swapped(long[] values, int i, int j) {
        long[] result = values.clone();
        result[i] = values[j];
        result[j] = values[i];
        return result;
    }

    private static long tiles(ElementLoops loops) {
        long tiles = 1;
        for (int i = 0; i < loops.rank(); i++) {
            tiles *= i < loops.rank() - 2 ? loops.sizes()[i] : blocks(loops.sizes()[i], WARP.value);
        }
        return tiles;
    }

    @Override
    public synchronized void arithmetic(Arithmetic operation, StridedArray a, StridedArray b, StridedArray c) {
        run(
                (loops, operands) -> launcher.kernel(ELEMENTWISE, "arithmetic_" + operation)
                        .add(loops, OCTET.value)
                        .add(operands[0].address(), operands[1].address(), operands[2].address())
                        .launchRuns(),
                a,
                b,
                c);
    }

    @Override
    public synchronized void arithmetic(Arithmetic operation, StridedArray a, float b, StridedArray c) {
        run(
                (loops, operands) -> launcher.kernel(ELEMENTWISE, "arithmeticByNumber_" + operation)
                        .add(loops, OCTET.value)
                        .add(operands[0].address())
                        .add(b)
                        .add(operands[1].address())
                        .launchRuns(),
                a,
                c);
    }

    @Override
    public synchronized void lookUp(long table, StridedArray x, StridedArray y) {
        long values = near(FloatType.BFLOAT16, table, x);
        run(
                (loops, operands) -> launcher.kernel(ELEMENTWISE, "lookUp")
                        .add(loops, OCTET.value)
                        .add(values, operands[0].address(), operands[1].address())
                        .launchRuns(),
                x,
                y);
    }

    @Override
    public synchronized void multiplyLookUp(
            long table, boolean gate, StridedArray x, StridedArray dy, StridedArray dx) {
        long slopes = near(FloatType.FLOAT, table, x);
        run(
                (loops, operands) -> launcher.kernel(ELEMENTWISE, "multiplyLookUp")
                        .add(loops, OCTET.value)
                        .add(slopes)
                        .add(gate ? 1 : 0)
                        .add(operands[0].address(), operands[1].address(), operands[2].address())
                        .launchRuns(),
                x,
                dy,
                dx);
    }

    /** A copy of the table in the GPU's own memory, if x has many elements to be looked up. */
    private long near(FloatType type, long table, StridedArray x) {
        if (x.length() < MANY_LOOK_UPS) {
            return table;
        }
        var far = StridedArray.rowMajor(type, table, TABLE_LENGTH);
        StridedArray near = far.rowMajorAt(tables.reserve(far.bytes()).address());
        copy(far, near);
        return near.address();
    }

    /** Launches for operands of one shape, or for their slices where they need more loops than a kernel has. */
    private static void run(Launch launch, StridedArray... operands) {
        var loops = ElementLoops.over(operands);
        if (loops.rank() <= LOOPS.value) {
            launch.run(loops, operands);
            return;
        }
        for (long i = 0; i < operands[0].shape()[0]; i++) {
            long index = i;
            run(launch, Arrays.stream(operands).map(o -> o.slice(index)).toArray(StridedArray[]::new));
        }
    }

    @Override
    public synchronized void im2col(StridedArray image, StridedArray columns, Window window) {
        windows.im2col(image, columns, window);
    }

    @Override
    public synchronized void col2im(StridedArray columns, StridedArray image, Window window) {
        windows.col2im(columns, image, window);
    }

    @Override
    public synchronized void maxPool(StridedArray x, StridedArray y, Window window) {
        windows.maxPool(x, y, window);
    }

    @Override
    public synchronized void maxPoolGradient(StridedArray x, StridedArray dy, StridedArray dx, Window window) {
        windows.maxPoolGradient(x, dy, dx, window);
    }

    @Override
    public synchronized void averagePool(StridedArray x, StridedArray y, Window window, boolean padding) {
        windows.averagePool(x, y, window, padding);
    }

    @Override
    public synchronized void averagePoolGradient(StridedArray dy, StridedArray dx, Window window, boolean padding) {
        windows.averagePoolGradient(dy, dx, window, padding);
    }

    @Override
    public synchronized void lstmCell(
            long gates, long bias, long previous, long cell, long output, int rows, int width) {
        launcher.kernel(LSTM, "lstmCell")
                .add(gates, bias, previous, cell, output)
                .add(rows, width)
                .launchLooping(THREADS.value, blocks((long) rows * width, THREADS.value));
    }

    @Override
    public synchronized void lstmCellGradient(
            long gates,
            long previous,
            long cell,
            long dOutput,
            long dState,
            long dCell,
            long dGates,
            int rows,
            int width) {
        launcher.kernel(LSTM, "lstmCellGradient")
                .add(gates, previous, cell, dOutput, dState, dCell, dGates)
                .add(rows, width)
                .launchLooping(THREADS.value, blocks((long) rows * width, THREADS.value));
    }

    @Override
    public synchronized void batchNormStatistics(StridedArray x, long mean, long variance) {
        batchNorm.statistics(x, mean, variance);
    }

    @Override
    public synchronized void batchNorm(
            StridedArray x, long gain, long bias, long mean, long variance, float epsilon, StridedArray y) {
        batchNorm.forward(x, gain, bias, mean, variance, epsilon, y);
    }

    @Override
    public synchronized void batchNormGradient(
            StridedArray x,
            long gain,
            long mean,
            long variance,
            float epsilon,
            StridedArray dy,
            StridedArray dx,
            long dGain,
            long dBias) {
        batchNorm.backward(x, gain, mean, variance, epsilon, dy, dx, dGain, dBias);
    }

    @Override
    public synchronized void keyAttention(
            AttentionShape shape, long q, long k, long v, long visible, long out, long logSumExp) {
        attention.forward(shape, q, k, v, visible, out, logSumExp);
    }

    @Override
    public synchronized void keyAttentionGradient(
            AttentionShape shape,
            long q,
            long k,
            long v,
            long visible,
            long out,
            long logSumExp,
            long dOut,
            long dQ,
            long dK,
            long dV) {
        attention.backward(shape, q, k, v, visible, out, logSumExp, dOut, dQ, dK, dV);
    }
}
