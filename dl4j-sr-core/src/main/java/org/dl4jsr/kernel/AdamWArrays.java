package org.dl4jsr.kernel;

import org.dl4jsr.rounding.WeightWrite;

/**
 * The memory of one AdamW step over a contiguous range of parameters; addresses are of the first element.
 *
 * <p>With BF16 weights m, v and the compensation are BF16, except under {@link WeightWrite#MASTER}, where m, v and the
 * master weights are FP32. A master that does not round to its weight gives way to the weight: the state is fresh, or
 * somebody has set the weight. With FP32 weights m and v are FP32 and {@code extra} is unused.
 *
 * @param type storage of weights and gradient
 * @param weights read and written
 * @param gradient read
 * @param m first moment, read and written
 * @param v second moment, read and written
 * @param extra compensation ({@link WeightWrite#KAHAN}) or master weights ({@link WeightWrite#MASTER}), else 0
 * @param length number of parameters
 * @param element index of the first parameter in the network's flattened parameters
 */
public record AdamWArrays(
        FloatType type, long weights, long gradient, long m, long v, long extra, long length, long element) {}
