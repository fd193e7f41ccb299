package org.dl4jsr.kernel.cpu;

import org.bytedeco.javacpp.annotation.Cast;
import org.bytedeco.javacpp.annotation.Namespace;
import org.bytedeco.javacpp.annotation.Platform;
import org.bytedeco.javacpp.annotation.Properties;
import org.dl4jsr.kernel.Arithmetic;
import org.dl4jsr.kernel.ArrayKernels;
import org.dl4jsr.kernel.AttentionShape;
import org.dl4jsr.kernel.ElementLoops;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.StridedArray;
import org.dl4jsr.kernel.Window;

/** The array kernels in C++, for the instruction set and the threads of others. */
@Properties(inherit = NativeLibrary.class, value = @Platform(library = "jniNativeLibrary"))
@Namespace("dl4jsr")
final class NativeArrayKernels implements ArrayKernels {

    private final StridedCopy copies;
    private final int set;
    private final int threads;

    NativeArrayKernels(NativeKernels kernels) {
        copies = new StridedCopy(kernels);
        set = kernels.instructionSet().ordinal();
        threads = kernels.threads();
    }

    @Override
    public void copy(StridedArray source, StridedArray target) {
        copies.copy(source, target);
    }

    @Override
    public void arithmetic(Arithmetic operation, StridedArray a, StridedArray b, StridedArray c) {
        var loops = ElementLoops.over(a, b, c);
        arithmetic(
                set,
                threads,
                operation.ordinal(),
                loops.rank(),
                loops.toArray(),
                a.address(),
                b.address(),
                c.address());
    }

    private static native void arithmetic(
            int set,
            int threads,
            int operation,
            int rank,
            @Cast("const int64_t*") long[] loops,
            long a,
            long b,
            long c);

    @Override
    public void arithmetic(Arithmetic operation, StridedArray a, float b, StridedArray c) {
        var same = new StridedArray(FloatType.FLOAT, 0, c.shape(), new long[c.shape().length]);
        var loops = ElementLoops.over(a, same, c);
        arithmeticByNumber(
                set, threads, operation.ordinal(), loops.rank(), loops.toArray(), a.address(), b, c.address());
    }

    private static native void arithmeticByNumber(
            int set,
            int threads,
            int operation,
            int rank,
            @Cast("const int64_t*") long[] loops,
            long a,
            float b,
            long c);

    @Override
    public void lookUp(long table, StridedArray x, StridedArray y) {
        var loops = ElementLoops.over(x, y);
        lookUp(threads, loops.rank(), loops.toArray(), table, x.address(), y.address());
    }

    private static native void lookUp(
            int threads, int rank, @Cast("const int64_t*") long[] loops, long table, long x, long y);

    @Override
    public void multiplyLookUp(long table, boolean gate, StridedArray x, StridedArray dy, StridedArray dx) {
        var loops = ElementLoops.over(x, dy, dx);
        multiplyLookUp(
                set, threads, gate, loops.rank(), loops.toArray(), table, x.address(), dy.address(), dx.address());
    }

    private static native void multiplyLookUp(
            int set,
            int threads,
            boolean gate,
            int rank,
            @Cast("const int64_t*") long[] loops,
            long table,
            long x,
            long dy,
            long dx);

    @Override
    public void im2col(StridedArray image, StridedArray columns, Window window) {
        im2col(threads, image.toArray(), columns.toArray(), window.toArray());
    }

    private static native void im2col(
            int threads,
            @Cast("const int64_t*") long[] image,
            @Cast("const int64_t*") long[] columns,
            @Cast("const int64_t*") long[] window);

    @Override
    public void col2im(StridedArray columns, StridedArray image, Window window) {
        col2im(threads, columns.type().ordinal(), columns.toArray(), image.toArray(), window.toArray());
    }

    private static native void col2im(
            int threads,
            int columnsType,
            @Cast("const int64_t*") long[] columns,
            @Cast("const int64_t*") long[] image,
            @Cast("const int64_t*") long[] window);

    @Override
    public void maxPool(StridedArray x, StridedArray y, Window window) {
        maxPool(set, threads, x.toArray(), y.toArray(), window.toArray());
    }

    private static native void maxPool(
            int set,
            int threads,
            @Cast("const int64_t*") long[] x,
            @Cast("const int64_t*") long[] y,
            @Cast("const int64_t*") long[] window);

    @Override
    public void maxPoolGradient(StridedArray x, StridedArray dy, StridedArray dx, Window window) {
        maxPoolGradient(set, threads, x.toArray(), dy.toArray(), dx.toArray(), window.toArray());
    }

    private static native void maxPoolGradient(
            int set,
            int threads,
            @Cast("const int64_t*") long[] x,
            @Cast("const int64_t*") long[] dy,
            @Cast("const int64_t*") long[] dx,
            @Cast("const int64_t*") long[] window);

    @Override
    public void averagePool(StridedArray x, StridedArray y, Window window, boolean padding) {
        averagePool(set, threads, x.toArray(), y.toArray(), window.toArray(), padding);
    }

    private static native void averagePool(
            int set,
            int threads,
            @Cast("const int64_t*") long[] x,
            @Cast("const int64_t*") long[] y,
            @Cast("const int64_t*") long[] window,
            boolean padding);

    @Override
    public void averagePoolGradient(StridedArray dy, StridedArray dx, Window window, boolean padding) {
        averagePoolGradient(set, threads, dy.toArray(), dx.toArray(), window.toArray(), padding);
    }

    private static native void averagePoolGradient(
            int set,
            int threads,
            @Cast("const int64_t*") long[] dy,
            @Cast("const int64_t*") long[] dx,
            @Cast("const int64_t*") long[] window,
            boolean padding);

    @Override
    public void lstmCell(long gates, long bias, long previous, long cell, long output, int rows, int width) {
        lstmCell(set, threads, gates, bias, previous, cell, output, rows, width);
    }

    private static native void lstmCell(
            int set, int threads, long gates, long bias, long previous, long cell, long output, int rows, int width);

    @Override
    public void lstmCellGradient(
            long gates,
            long previous,
            long cell,
            long dOutput,
            long dState,
            long dCell,
            long dGates,
            int rows,
            int width) {
        lstmCellGradient(set, threads, gates, previous, cell, dOutput, dState, dCell, dGates, rows, width);
    }

    private static native void lstmCellGradient(
            int set,
            int threads,
            long gates,
            long previous,
            long cell,
            long dOutput,
            long dState,
            long dCell,
            long dGates,
            int rows,
            int width);

    @Override
    public void batchNormStatistics(StridedArray x, long mean, long variance) {
        batchNormStatistics(set, threads, x.toArray(), mean, variance);
    }

    private static native void batchNormStatistics(
            int set, int threads, @Cast("const int64_t*") long[] x, long mean, long variance);

    @Override
    public void batchNorm(
            StridedArray x, long gain, long bias, long mean, long variance, float epsilon, StridedArray y) {
        batchNorm(set, threads, x.toArray(), gain, bias, mean, variance, epsilon, y.address());
    }

    private static native void batchNorm(
            int set,
            int threads,
            @Cast("const int64_t*") long[] x,
            long gain,
            long bias,
            long mean,
            long variance,
            float epsilon,
            long y);

    @Override
    public void batchNormGradient(
            StridedArray x,
            long gain,
            long mean,
            long variance,
            float epsilon,
            StridedArray dy,
            StridedArray dx,
            long dGain,
            long dBias) {
        batchNormGradient(
                set, threads, x.toArray(), gain, mean, variance, epsilon, dy.address(), dx.address(), dGain, dBias);
    }

    private static native void batchNormGradient(
            int set,
            int threads,
            @Cast("const int64_t*") long[] x,
            long gain,
            long mean,
            long variance,
            float epsilon,
            long dy,
            long dx,
            long dGain,
            long dBias);

    @Override
    public void keyAttention(AttentionShape shape, long q, long k, long v, long visible, long out, long logSumExp) {
        keyAttention(
                set,
                threads,
                q,
                k,
                v,
                visible,
                out,
                logSumExp,
                shape.batch(),
                shape.queries(),
                shape.keys(),
                shape.heads(),
                shape.headWidth());
    }

    private static native void keyAttention(
            int set,
            int threads,
            long q,
            long k,
            long v,
            long visible,
            long out,
            long logSumExp,
            int batch,
            int queries,
            int keys,
            int heads,
            int headWidth);

    @Override
    public void keyAttentionGradient(
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
        keyAttentionGradient(
                set,
                threads,
                q,
                k,
                v,
                visible,
                out,
                logSumExp,
                dOut,
                dQ,
                dK,
                dV,
                shape.batch(),
                shape.queries(),
                shape.keys(),
                shape.heads(),
                shape.headWidth());
    }

    private static native void keyAttentionGradient(
            int set,
            int threads,
            long q,
            long k,
            long v,
            long visible,
            long out,
            long logSumExp,
            long dOut,
            long dQ,
            long dK,
            long dV,
            int batch,
            int queries,
            int keys,
            int heads,
            int headWidth);
}
