package org.dl4jsr.kernel.cpu;

import org.dl4jsr.kernel.Arithmetic;
import org.dl4jsr.kernel.ArrayKernels;
import org.dl4jsr.kernel.AttentionShape;
import org.dl4jsr.kernel.ElementLoops;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.StridedArray;
import org.dl4jsr.kernel.Window;

/** The array kernels in C++, for the instruction set and the threads of others. */
final class NativeArrayKernels implements ArrayKernels {

    private final NativeKernels kernels;
    private final StridedCopy copies;
    private final int set;

    NativeArrayKernels(NativeKernels kernels) {
        this.kernels = kernels;
        copies = new StridedCopy(kernels);
        set = kernels.instructionSet().ordinal();
    }

    @Override
    public void copy(StridedArray source, StridedArray target) {
        copies.copy(source, target);
    }

    @Override
    public void arithmetic(Arithmetic operation, StridedArray a, StridedArray b, StridedArray c) {
        var loops = ElementLoops.over(a, b, c);
        NativeLibrary.arithmetic(
                set,
                kernels.threads(),
                operation.ordinal(),
                loops.rank(),
                loops.toArray(),
                a.address(),
                b.address(),
                c.address());
    }

    @Override
    public void arithmetic(Arithmetic operation, StridedArray a, float b, StridedArray c) {
        var same = new StridedArray(FloatType.FLOAT, 0, c.shape(), new long[c.shape().length]);
        var loops = ElementLoops.over(a, same, c);
        NativeLibrary.arithmetic(
                set,
                kernels.threads(),
                operation.ordinal(),
                loops.rank(),
                loops.toArray(),
                a.address(),
                b,
                c.address());
    }

    @Override
    public void lookUp(long table, StridedArray x, StridedArray y) {
        var loops = ElementLoops.over(x, y);
        NativeLibrary.lookUp(kernels.threads(), loops.rank(), loops.toArray(), table, x.address(), y.address());
    }

    @Override
    public void multiplyLookUp(long table, boolean gate, StridedArray x, StridedArray dy, StridedArray dx) {
        var loops = ElementLoops.over(x, dy, dx);
        NativeLibrary.multiplyLookUp(
                set,
                kernels.threads(),
                gate,
                loops.rank(),
                loops.toArray(),
                table,
                x.address(),
                dy.address(),
                dx.address());
    }

    @Override
    public void im2col(StridedArray image, StridedArray columns, Window window) {
        NativeLibrary.im2col(
                kernels.threads(),
                image.address(),
                image.shape(),
                image.strides(),
                columns.address(),
                columns.shape(),
                columns.strides(),
                window.toArray());
    }

    @Override
    public void col2im(StridedArray columns, StridedArray image, Window window) {
        NativeLibrary.col2im(
                kernels.threads(),
                columns.type().ordinal(),
                columns.address(),
                columns.shape(),
                columns.strides(),
                image.address(),
                image.shape(),
                image.strides(),
                window.toArray());
    }

    @Override
    public void maxPool(StridedArray x, StridedArray y, Window window) {
        NativeLibrary.maxPool(
                set,
                kernels.threads(),
                x.address(),
                x.shape(),
                x.strides(),
                y.address(),
                y.shape(),
                y.strides(),
                window.toArray());
    }

    @Override
    public void maxPoolGradient(StridedArray x, StridedArray dy, StridedArray dx, Window window) {
        NativeLibrary.maxPoolGradient(
                set,
                kernels.threads(),
                x.address(),
                x.shape(),
                x.strides(),
                dy.address(),
                dy.shape(),
                dy.strides(),
                dx.address(),
                dx.strides(),
                window.toArray());
    }

    @Override
    public void lstmCell(long gates, long bias, long previous, long cell, long output, int rows, int width) {
        NativeLibrary.lstmCell(set, kernels.threads(), gates, bias, previous, cell, output, rows, width);
    }

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
        NativeLibrary.lstmCellGradient(
                set, kernels.threads(), gates, previous, cell, dOutput, dState, dCell, dGates, rows, width);
    }

    @Override
    public void batchNormStatistics(StridedArray x, long mean, long variance) {
        NativeLibrary.batchNormStatistics(set, kernels.threads(), x.address(), x.shape(), x.strides(), mean, variance);
    }

    @Override
    public void batchNorm(
            StridedArray x, long gain, long bias, long mean, long variance, float epsilon, StridedArray y) {
        NativeLibrary.batchNorm(
                set,
                kernels.threads(),
                x.address(),
                x.shape(),
                x.strides(),
                gain,
                bias,
                mean,
                variance,
                epsilon,
                y.address());
    }

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
        NativeLibrary.batchNormGradient(
                set,
                kernels.threads(),
                x.address(),
                x.shape(),
                x.strides(),
                gain,
                mean,
                variance,
                epsilon,
                dy.address(),
                dx.address(),
                dGain,
                dBias);
    }

    @Override
    public void keyAttention(AttentionShape shape, long q, long k, long v, long visible, long out, long logSumExp) {
        NativeLibrary.keyAttention(
                set,
                kernels.threads(),
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
        NativeLibrary.keyAttentionGradient(
                set,
                kernels.threads(),
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
}
