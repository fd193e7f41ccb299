package org.dl4jsr.kernel;

import org.dl4jsr.rounding.WeightWrite;

/**
 * The memory of one optimizer's step over a contiguous range of parameters; addresses are of the first element.
 *
 * <p>With BF16 weights the moments and the compensation are BF16, except where {@link WeightWrite#hasFp32State}: there
 * moments and master weights are FP32. A master that does not round to its weight gives way to the weight: the state is
 * fresh, or somebody has set the weight. With FP32 weights the moments are FP32 and {@code extra} is unused.
 *
 * @param type storage of weights and gradient
 * @param weights read and written
 * @param gradient read
 * @param moments read and written, as many as the optimizer has
 * @param extra compensation ({@link WeightWrite#KAHAN}) or master weights ({@link WeightWrite#MASTER}), else 0
 * @param length number of parameters
 * @param element index of the first parameter in the network's flattened parameters
 */
public record OptimizerArrays(
        FloatType type, long weights, long gradient, long[] moments, long extra, long length, long element) {

    /** All but the type, as the native kernels take it; moments that there are not are 0. */
    public long[] toArray() {
        long[] array = new long[5 + Optimizer.MOST_MOMENTS];
        array[0] = weights;
        array[1] = gradient;
        array[2] = extra;
        array[3] = length;
        array[4] = element;
        System.arraycopy(moments, 0, array, 5, moments.length);
        return array;
    }
}
