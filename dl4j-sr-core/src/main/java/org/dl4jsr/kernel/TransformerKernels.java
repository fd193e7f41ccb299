package org.dl4jsr.kernel;

/**
 * The kernels of a transformer's layers, over raw memory as {@link Kernels} have it. They compute in FP32 (sums may use
 * more), round once on store to nearest, agree between implementations within a stated bound, and repeat bit for bit at
 * a fixed thread count. Their BF16 results below 2^-126 may be zero, and their NaN may be any NaN: processors convert
 * so.
 */
public interface TransformerKernels {

    /** y = (x - mean) * rstd * gain + bias over rows; x, y [rows, width], mean, rstd FP32 [rows]. */
    void layerNormForward(
            FloatType type,
            long x,
            long gain,
            long bias,
            long y,
            long mean,
            long rstd,
            int rows,
            int width,
            float epsilon);

    /**
     * Backward of {@link #layerNormForward}: dx [rows, width] = its gradient + residual, dGain, dBias [width].
     *
     * @param residual [rows, width], or 0 for none; may be dx itself
     */
    void layerNormBackward(
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
            int width);

    /** y = activation(x); [length]; y may be x. */
    void activationForward(Activation activation, FloatType type, long x, long y, long length);

    /**
     * dx = dy * activation'(x) [rows, width] and dBias = the column sums of dx [width]; dx may be dy.
     *
     * @param y y = activation(x) once more, for what was not kept; 0 for none; may be x
     */
    void activationBackward(
            Activation activation, FloatType type, long x, long dy, long y, long dx, long dBias, int rows, int width);

    /** dBias [width] = the column sums of dy [rows, width]. */
    void biasGradient(FloatType type, long dy, long dBias, int rows, int width);

    /**
     * Causal multi-head attention, softmax(q k^T / sqrt(headWidth)) v, without storing [batch, heads, time, time].
     *
     * @param qkv [batch * time, 3 * heads * headWidth]: q, then k, then v, each head after head
     * @param out [batch * time, heads * headWidth]
     * @param logSumExp FP32 [batch * heads, time], for the backward pass
     */
    void attentionForward(
            FloatType type, long qkv, long out, long logSumExp, int batch, int time, int heads, int headWidth);

    /** As {@link #attentionForward} of FP32 arrays, on rounded copies of them if that is faster; out is rounded then, too. */
    default void autocastAttentionForward(
            long qkv, long out, long logSumExp, int batch, int time, int heads, int headWidth) {
        attentionForward(FloatType.FLOAT, qkv, out, logSumExp, batch, time, heads, headWidth);
    }

    /** Backward of {@link #autocastAttentionForward}. */
    default void autocastAttentionBackward(
            long qkv, long out, long logSumExp, long dOut, long dQkv, int batch, int time, int heads, int headWidth) {
        attentionBackward(FloatType.FLOAT, qkv, out, logSumExp, dOut, dQkv, batch, time, heads, headWidth);
    }

    /** Backward of {@link #attentionForward}: dQkv as qkv, dOut as out. */
    void attentionBackward(
            FloatType type,
            long qkv,
            long out,
            long logSumExp,
            long dOut,
            long dQkv,
            int batch,
            int time,
            int heads,
            int headWidth);

    /**
     * y [batch * time, width] = tokenTable[token] + positionTable[position]; tokens INT32 [batch, time], each in
     * [0, vocabulary), which the caller has checked.
     */
    void embeddingForward(
            FloatType type, long tokens, long tokenTable, long positionTable, long y, int batch, int time, int width);

    /**
     * Backward of {@link #embeddingForward}: dTokenTable [vocabulary, width], dPositionTable [time, width].
     *
     * @param accumulate add to dTokenTable instead of overwriting it (a tied head has written there)
     */
    void embeddingBackward(
            FloatType type,
            long tokens,
            long dy,
            long dTokenTable,
            long dPositionTable,
            int batch,
            int time,
            int width,
            int vocabulary,
            boolean accumulate);

    /**
     * Softmax cross-entropy of integer targets. Rows with a negative target are ignored: no loss, zero gradient.
     *
     * @param logits [rows, vocabulary]
     * @param targets INT32 [rows], each below vocabulary
     * @param losses FP32 [rows], written: natural-log loss of each row
     * @param dLogits [rows, vocabulary], written: (softmax - onehot) * scale; may be logits; 0 for the loss alone
     */
    void crossEntropy(
            FloatType type,
            long logits,
            long targets,
            long losses,
            long dLogits,
            int rows,
            int vocabulary,
            float scale);
}
