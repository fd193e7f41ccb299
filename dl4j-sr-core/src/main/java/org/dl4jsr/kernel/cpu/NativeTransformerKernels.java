package org.dl4jsr.kernel.cpu;

import org.bytedeco.javacpp.annotation.Namespace;
import org.bytedeco.javacpp.annotation.Platform;
import org.bytedeco.javacpp.annotation.Properties;
import org.dl4jsr.kernel.Activation;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.TransformerKernels;

/** A transformer's kernels in C++, for the instruction set and the threads of others. */
@Properties(inherit = NativeLibrary.class, value = @Platform(library = "jniNativeLibrary"))
@Namespace("dl4jsr")
final class NativeTransformerKernels implements TransformerKernels {

    private final int set;
    private final int threads;

    NativeTransformerKernels(NativeKernels kernels) {
        set = kernels.instructionSet().ordinal();
        threads = kernels.threads();
    }

    @Override
    public void layerNormForward(
            FloatType type,
            long x,
            long gain,
            long bias,
            long y,
            long mean,
            long rstd,
            int rows,
            int width,
            float epsilon) {
        layerNormForward(set, threads, type.ordinal(), x, gain, bias, y, mean, rstd, rows, width, epsilon);
    }

    private static native void layerNormForward(
            int set,
            int threads,
            int type,
            long x,
            long gain,
            long bias,
            long y,
            long mean,
            long rstd,
            int rows,
            int width,
            float epsilon);

    @Override
    public void layerNormBackward(
            FloatType type,
            long x,
            long gain,
            long mean,
            long rstd,
            long dy,
            long residual,
            long dx,
            long dGain,
            long dBias,
            int rows,
            int width) {
        layerNormBackward(
                set, threads, type.ordinal(), x, gain, mean, rstd, dy, residual, dx, dGain, dBias, rows, width);
    }

    private static native void layerNormBackward(
            int set,
            int threads,
            int type,
            long x,
            long gain,
            long mean,
            long rstd,
            long dy,
            long residual,
            long dx,
            long dGain,
            long dBias,
            int rows,
            int width);

    @Override
    public void activationForward(Activation activation, FloatType type, long x, long y, long length) {
        activationForward(set, threads, activation.name(), type.ordinal(), x, y, length);
    }

    /** Throws RuntimeException for an activation that there is not. */
    private static native void activationForward(
            int set, int threads, String activation, int type, long x, long y, long length);

    @Override
    public void activationBackward(
            Activation activation, FloatType type, long x, long dy, long y, long dx, long dBias, int rows, int width) {
        activationBackward(set, threads, activation.name(), type.ordinal(), x, dy, y, dx, dBias, rows, width);
    }

    /** Throws RuntimeException for an activation that there is not. */
    private static native void activationBackward(
            int set,
            int threads,
            String activation,
            int type,
            long x,
            long dy,
            long y,
            long dx,
            long dBias,
            int rows,
            int width);

    @Override
    public void biasGradient(FloatType type, long dy, long dBias, int rows, int width) {
        biasGradient(set, threads, type.ordinal(), dy, dBias, rows, width);
    }

    private static native void biasGradient(int set, int threads, int type, long dy, long dBias, int rows, int width);

    @Override
    public void attentionForward(
            FloatType type, long qkv, long out, long logSumExp, int batch, int time, int heads, int headWidth) {
        attentionForward(set, threads, type.ordinal(), qkv, out, logSumExp, batch, time, heads, headWidth);
    }

    private static native void attentionForward(
            int set,
            int threads,
            int type,
            long qkv,
            long out,
            long logSumExp,
            int batch,
            int time,
            int heads,
            int headWidth);

    @Override
    public void attentionBackward(
            FloatType type,
            long qkv,
            long out,
            long logSumExp,
            long dOut,
            long dQkv,
            int batch,
            int time,
            int heads,
            int headWidth) {
        attentionBackward(set, threads, type.ordinal(), qkv, out, logSumExp, dOut, dQkv, batch, time, heads, headWidth);
    }

    private static native void attentionBackward(
            int set,
            int threads,
            int type,
            long qkv,
            long out,
            long logSumExp,
            long dOut,
            long dQkv,
            int batch,
            int time,
            int heads,
            int headWidth);

    @Override
    public void embeddingForward(
            FloatType type, long tokens, long tokenTable, long positionTable, long y, int batch, int time, int width) {
        embeddingForward(set, threads, type.ordinal(), tokens, tokenTable, positionTable, y, batch, time, width);
    }

    private static native void embeddingForward(
            int set,
            int threads,
            int type,
            long tokens,
            long tokenTable,
            long positionTable,
            long y,
            int batch,
            int time,
            int width);

    @Override
    public void embeddingBackward(
            FloatType type,
            long tokens,
            long dy,
            long dTokenTable,
            long dPositionTable,
            int batch,
            int time,
            int width,
            int vocabulary,
            boolean accumulate) {
        embeddingBackward(
                set,
                threads,
                type.ordinal(),
                tokens,
                dy,
                dTokenTable,
                dPositionTable,
                batch,
                time,
                width,
                vocabulary,
                accumulate);
    }

    private static native void embeddingBackward(
            int set,
            int threads,
            int type,
            long tokens,
            long dy,
            long dTokenTable,
            long dPositionTable,
            int batch,
            int time,
            int width,
            int vocabulary,
            boolean accumulate);

    @Override
    public void crossEntropy(
            FloatType type,
            long logits,
            long targets,
            long losses,
            long dLogits,
            int rows,
            int vocabulary,
            float scale) {
        crossEntropy(set, threads, type.ordinal(), logits, targets, losses, dLogits, rows, vocabulary, scale);
    }

    private static native void crossEntropy(
            int set,
            int threads,
            int type,
            long logits,
            long targets,
            long losses,
            long dLogits,
            int rows,
            int vocabulary,
            float scale);
}
