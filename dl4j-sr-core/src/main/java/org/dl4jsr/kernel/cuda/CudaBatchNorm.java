package org.dl4jsr.kernel.cuda;

import static org.dl4jsr.kernel.cuda.KernelConstant.OCTET;
import static org.dl4jsr.kernel.cuda.KernelConstant.PANEL;
import static org.dl4jsr.kernel.cuda.KernelConstant.PLANE_CHUNK;
import static org.dl4jsr.kernel.cuda.KernelConstant.ROW_CHUNK;
import static org.dl4jsr.kernel.cuda.KernelConstant.THREADS;
import static org.dl4jsr.kernel.cuda.KernelLauncher.blocks;
import static org.dl4jsr.kernel.cuda.KernelSource.BATCHNORM;

import org.dl4jsr.kernel.ElementLoops;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.StridedArray;

/** Batch normalization of {@link CudaArrayKernels}. */
final class CudaBatchNorm {

    private final KernelLauncher launcher;
    private final DeviceScratch scratch;

    CudaBatchNorm(KernelLauncher launcher, DeviceScratch scratch) {
        this.launcher = launcher;
        this.scratch = scratch;
    }

    void statistics(StridedArray x, long mean, long variance) {
        long partial = floats(chunks(x) * channels(x));
        sum("values", x, x.address(), partial);
        divide(x, partial, mean);
        sum("deviations", x, x.address(), mean, partial);
        divide(x, partial, variance);
    }

    void forward(StridedArray x, long gain, long bias, long mean, long variance, float epsilon, StridedArray y) {
        long numbers = floats(3L * channels(x));
        launcher.kernel(BATCHNORM, "batchNormNumbers")
                .add(gain, bias, mean, variance)
                .add(epsilon)
                .add(channels(x))
                .add(numbers);
        launchChannels(x);
        launcher.kernel(BATCHNORM, "batchNormForward")
                .add(loops(x), OCTET.value)
                .add(x.address(), numbers)
                .add(channels(x))
                .add(y.address())
                .launchRuns();
    }

    void backward(
            StridedArray x,
            long gain,
            long mean,
            long variance,
            float epsilon,
            StridedArray dy,
            StridedArray dx,
            long dGain,
            long dBias) {
        long sums = 2L * chunks(x) * channels(x);
        long partial = floats(sums + 4L * channels(x));
        long numbers = partial + Float.BYTES * sums;
        sum("gradients", x, x.address(), dy.address(), mean, partial);
        launcher.kernel(BATCHNORM, "batchNormSlopes")
                .add(partial)
                .add((int) chunks(x), channels(x))
                .add(elements(x))
                .add(gain, mean, variance)
                .add(epsilon)
                .add(numbers, dGain, dBias);
        launchChannels(x);
        ElementLoops loops = loops(x);
        launcher.kernel(BATCHNORM, "batchNormBackward")
                .add(loops, OCTET.value)
                .add(x.address(), numbers)
                .add(channels(x))
                .add(dy.address(), dx.address())
                .launchRuns();
    }

    /** Sums by chunks. */
    private void sum(String what, StridedArray x, long... arrays) {
        long[] shape = x.shape();
        long[] strides = x.strides();
        if (isInPlanes(x)) {
            launcher.kernel(BATCHNORM, "sumPlanes_" + what)
                    .addStructure(
                            shape[0],
                            shape[1],
                            shape[2],
                            strides[0],
                            strides[1],
                            KernelLauncher.divisor(blocks(shape[2], OCTET.value)))
                    .add(arrays)
                    .launch(THREADS.value, shape[1], chunks(x), 0);
        } else {
            launcher.kernel(BATCHNORM, "sumRows_" + what)
                    .add(Math.toIntExact(shape[2]), channels(x))
                    .add(strides[2])
                    .add(arrays)
                    .launch(THREADS.value, chunks(x), blocks(shape[1], PANEL.value), 0);
        }
    }

    /** The sums over all chunks, divided by the number of elements. */
    private void divide(StridedArray x, long partial, long means) {
        launcher.kernel(BATCHNORM, "channelMeans")
                .add(partial)
                .add((int) chunks(x), channels(x))
                .add(elements(x))
                .add(means);
        launchChannels(x);
    }

    private void launchChannels(StridedArray x) {
        launcher.launch(THREADS.value, blocks(channels(x), THREADS.value));
    }

    /** Over the elements of the channels' numbers and of x. */
    private static ElementLoops loops(StridedArray x) {
        return ElementLoops.over(new StridedArray(FloatType.FLOAT, 0, x.shape(), new long[] {0, 1, 0}), x);
    }

    private static long chunks(StridedArray x) {
        long[] shape = x.shape();
        return isInPlanes(x)
                ? blocks(shape[0] * blocks(shape[2], OCTET.value), PLANE_CHUNK.value)
                : blocks(shape[2], ROW_CHUNK.value);
    }

    /** Whether a channel's inner elements are neighbours, not the channels. */
    private static boolean isInPlanes(StridedArray x) {
        return x.strides()[2] == 1;
    }

    private static int channels(StridedArray x) {
        return Math.toIntExact(x.shape()[1]);
    }

    /** Of a channel. */
    private static float elements(StridedArray x) {
        return x.shape()[0] * x.shape()[2];
    }

    private long floats(long count) {
        return scratch.reserve(Float.BYTES * count).address();
    }
}
