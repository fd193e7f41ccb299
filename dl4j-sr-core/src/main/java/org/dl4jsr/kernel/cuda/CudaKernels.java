package org.dl4jsr.kernel.cuda;

import org.dl4jsr.kernel.AdamWArrays;
import org.dl4jsr.kernel.AdamWStatistics;
import org.dl4jsr.kernel.AdamWStep;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.Kernels;

/**
 * The kernels in CUDA C++ (src/main/cuda) over device addresses, on one stream. Calls return as soon as the work is
 * queued, except those that return a value, which wait for it.
 */
public final class CudaKernels implements Kernels {

    private final CudaStream stream;

    /** Kernels that run on {@code stream}. */
    public CudaKernels(CudaStream stream) {
        this.stream = stream;
    }

    @Override
    public String description() {
        return "CUDA on " + stream.device();
    }

    @Override
    public void setThreads(int threads) {
        throw new UnsupportedOperationException("not written yet");
    }

    @Override
    public void toBFloat16(long source, long target, long length) {
        throw new UnsupportedOperationException("not written yet");
    }

    @Override
    public void toFloat(long source, long target, long length) {
        throw new UnsupportedOperationException("not written yet");
    }

    @Override
    public void stochasticRound(long source, long target, long length, long seed, int step, long element) {
        throw new UnsupportedOperationException("not written yet");
    }

    @Override
    public void stochasticSubtract(
            long weights, FloatType updateType, long update, long length, long seed, int step, long element) {
        throw new UnsupportedOperationException("not written yet");
    }

    @Override
    public double sumOfSquares(FloatType type, long values, long length) {
        throw new UnsupportedOperationException("not written yet");
    }

    @Override
    public void adamW(AdamWStep step, AdamWArrays arrays, AdamWStatistics statistics) {
        throw new UnsupportedOperationException("not written yet");
    }

    @Override
    public void layerNormForward(
            FloatType type, long x, long gain, long bias, long y, long mean, long rstd, int rows, int width,
            float epsilon) {
        throw new UnsupportedOperationException("not written yet");
    }

    @Override
    public void layerNormBackward(
            FloatType type, long x, long gain, long mean, long rstd, long dy, long residual, long dx, long dGain,
            long dBias, int rows, int width) {
        throw new UnsupportedOperationException("not written yet");
    }

    @Override
    public void geluForward(FloatType type, long x, long y, long length) {
        throw new UnsupportedOperationException("not written yet");
    }

    @Override
    public void geluBackward(FloatType type, long x, long dy, long dx, long dBias, int rows, int width) {
        throw new UnsupportedOperationException("not written yet");
    }

    @Override
    public void biasGradient(FloatType type, long dy, long dBias, int rows, int width) {
        throw new UnsupportedOperationException("not written yet");
    }

    @Override
    public void attentionForward(
            FloatType type, long qkv, long out, long logSumExp, int batch, int time, int heads, int headWidth) {
        throw new UnsupportedOperationException("not written yet");
    }

    @Override
    public void attentionBackward(
            FloatType type, long qkv, long out, long logSumExp, long dOut, long dQkv, int batch, int time, int heads,
            int headWidth) {
        throw new UnsupportedOperationException("not written yet");
    }

    @Override
    public void embeddingForward(
            FloatType type, long tokens, long tokenTable, long positionTable, long y, int batch, int time, int width) {
        throw new UnsupportedOperationException("not written yet");
    }

    @Override
    public void embeddingBackward(
            FloatType type, long tokens, long dy, long dTokenTable, long dPositionTable, int batch, int time,
            int width, int vocabulary, boolean accumulate) {
        throw new UnsupportedOperationException("not written yet");
    }

    @Override
    public void crossEntropy(
            FloatType type, long logits, long targets, long losses, long dLogits, int rows, int vocabulary,
            float scale) {
        throw new UnsupportedOperationException("not written yet");
    }

    @Override
    public void transpose(FloatType type, long x, long y, int rows, int columns) {
        throw new UnsupportedOperationException("not written yet");
    }
}
