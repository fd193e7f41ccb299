package org.dl4jsr.kernel;

/**
 * Kernels for what networks of stock layers do to BF16 arrays, of any strides. FP32 inside, each result
 * rounded once, to nearest even: the same bits in every implementation and at every thread count, but for the LSTM's
 * cells, batch normalization and attention, which agree within a stated bound. The caller checks shapes.
 */
public interface ArrayKernels {

    /**
     * Copies an array, BF16 or FLOAT, into another one of its shape, which it must not overlap: bit for bit within a
     * type, exactly or rounded to nearest even between the two.
     */
    void copy(StridedArray source, StridedArray target);

    /**
     * c = a operation b.
     *
     * @param a of c's shape; may be c
     * @param b of c's shape, a stride of 0 broadcasting it; may be c
     */
    void arithmetic(Arithmetic operation, StridedArray a, StridedArray b, StridedArray c);

    /** c = a operation b, with an FP32 number for b; a of c's shape, may be c. */
    void arithmetic(Arithmetic operation, StridedArray a, float b, StridedArray c);

    /**
     * y = f(x), for any f of one BF16 value.
     *
     * @param table address of 65,536 BF16: f of each BF16 value, in the order of their bits
     * @param x of y's shape; may be y
     */
    void lookUp(long table, StridedArray x, StridedArray y);

    /**
     * dx = dy * f(x).
     *
     * @param table address of 65,536 FP32: f of each BF16 value, in the order of their bits
     * @param gate whether dx is 0 where f(x) is 0, whatever dy is
     * @param x of dx's shape; may be dx
     * @param dy of dx's shape; may be dx
     */
    void multiplyLookUp(long table, boolean gate, StridedArray x, StridedArray dy, StridedArray dx);

    /**
     * Lays the windows of images out for a convolution as a matrix product; 0 outside of the image.
     *
     * @param image [batch, channels, height, width]
     * @param columns [batch, channels, window height, window width, rows, columns], written
     */
    void im2col(StridedArray image, StridedArray columns, Window window);

    /** The transpose of {@link #im2col}: image, written, sums what columns, BF16 or FLOAT, has of each element. */
    void col2im(StridedArray columns, StridedArray image, Window window);

    /** y [batch, channels, rows, columns] = the greatest number in each window of x; -infinity where there is none. */
    void maxPool(StridedArray x, StridedArray y, Window window);

    /** Backward of {@link #maxPool}: of equal numbers the first one counts. */
    void maxPoolGradient(StridedArray x, StridedArray dy, StridedArray dx, Window window);

    /**
     * y [batch, channels, rows, columns] = the average of each window of x, which is summed row by row.
     *
     * @param padding whether what lies outside of x counts, as 0
     */
    void averagePool(StridedArray x, StridedArray y, Window window, boolean padding);

    /** Backward of {@link #averagePool}. */
    void averagePoolGradient(StridedArray dy, StridedArray dx, Window window, boolean padding);

    /**
     * The cells of one time step of an LSTM (Gers, Schmidhuber, Cummins 2000), after the products: with a, f, o, i the
     * quarters of each row of {@code gates}, in DL4J's order, cell = sigmoid(f) previous + sigmoid(i) tanh(a), and
     * output = sigmoid(o) tanh(cell). Dense arrays.
     *
     * @param gates FP32 [rows, 4 width]: a, f, o, i without bias; overwritten by what tanh and sigmoid make of them
     * @param bias BF16 [4 width]
     * @param previous FP32 [rows, width]: the cells' state before
     * @param cell FP32 [rows, width], written; may be {@code previous}
     * @param output BF16 [rows, width], written
     */
    void lstmCell(long gates, long bias, long previous, long cell, long output, int rows, int width);

    /**
     * Backward of {@link #lstmCell}.
     *
     * @param gates FP32 [rows, 4 width], as the forward pass left them
     * @param dOutput BF16 [rows, width]: gradient of the output by what lies above
     * @param dState FP32 [rows, width]: gradient of the output by the next time step, or 0 for none
     * @param dCell FP32 [rows, width]: gradient of {@code cell}; overwritten by that of {@code previous}
     * @param dGates BF16 [rows, 4 width], written: gradient of the gates before tanh and sigmoid
     */
    void lstmCellGradient(
            long gates,
            long previous,
            long cell,
            long dOutput,
            long dState,
            long dCell,
            long dGates,
            int rows,
            int width);

    /**
     * Mean and variance (of the population) of each channel.
     *
     * @param x [outer, channels, inner], with an inner stride of 1, or outer 1 and a channel's stride of 1
     * @param mean FP32 [channels], written, as variance
     */
    void batchNormStatistics(StridedArray x, long mean, long variance);

    /**
     * y = (x - mean) / sqrt(variance + epsilon) * gain + bias, a channel at a time (Ioffe, Szegedy, arXiv 1502.03167).
     *
     * @param x as in {@link #batchNormStatistics}
     * @param gain BF16 [channels], as bias
     * @param mean FP32 [channels], as variance
     * @param y of x's shape and strides, written
     */
    void batchNorm(StridedArray x, long gain, long bias, long mean, long variance, float epsilon, StridedArray y);

    /**
     * Backward of {@link #batchNorm} with x's own mean and variance.
     *
     * @param dy of x's shape and strides, as dx, which is written
     * @param dGain BF16 [channels], written, as dBias
     */
    void batchNormGradient(
            StridedArray x,
            long gain,
            long mean,
            long variance,
            float epsilon,
            StridedArray dy,
            StridedArray dx,
            long dGain,
            long dBias);

    /**
     * Multi-head attention to all visible keys of a sequence, softmax(q k^T / sqrt(headWidth)) v, without storing
     * [batch, heads, queries, keys]. Arrays are BF16, dense, each head after head: q and out [batch * queries, heads *
     * headWidth], k and v [batch * keys, heads * headWidth].
     *
     * @param visible BF16 [batch, keys]: 1 for a key that is seen, 0 for one that is not, at least one of each sequence
     *     being seen; or 0 for all
     * @param logSumExp FP32 [batch * heads, queries], written, for the backward pass
     */
    void keyAttention(AttentionShape shape, long q, long k, long v, long visible, long out, long logSumExp);

    /** Backward of {@link #keyAttention}: dQ as q, dK and dV as k, dOut as out. */
    void keyAttentionGradient(
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
            long dV);
}
