package org.dl4jsr.op;

import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Supplier;
import org.dl4jsr.kernel.ArrayKernels;
import org.dl4jsr.kernel.Convolution;
import org.dl4jsr.kernel.KernelSet;
import org.dl4jsr.kernel.Kernels;
import org.dl4jsr.kernel.Matmul;
import org.dl4jsr.kernel.TransformerKernels;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The processor that runs the ops, its kernels, and the memory, as they see it, of ND4J's arrays. Everything that
 * computes asks its device; there is no other way to the kernels.
 */
public abstract class Device {

    private volatile StepTimes times;

    /** Sets who counts the work of this device from now on; null, as at start, for nobody. */
    public final void setTimes(StepTimes times) {
        this.times = times;
    }

    /** Who counts this device's work, or null. */
    public final StepTimes times() {
        return times;
    }

    /** The kernels that the calling thread's ops run on, over this device's addresses. */
    protected abstract KernelSet set();

    /** Casts, sums and optimizers. */
    public final Kernels kernels() {
        return set().kernels();
    }

    /** A transformer's layers. */
    public final TransformerKernels transformerKernels() {
        return set().transformer();
    }

    /** The matrix product in force: whether FLOAT operands become BF16 is {@link Autocast}'s to say. */
    public final Matmul matmul() {
        KernelSet set = set();
        return Autocast.isEnabled() ? set.autocast() : set.matmul();
    }

    /** What networks of stock layers need; empty where there is none. */
    public final Optional<ArrayKernels> arrayKernels() {
        return set().arrays();
    }

    /** Convolution; empty where there are no {@link #arrayKernels}. */
    public final Optional<Convolution> convolution() {
        return set().convolution();
    }

    /** The address of {@code array}'s first element, whose content is up to date there; 0 for null. */
    public abstract long address(INDArray array);

    /**
     * The address of {@code array}'s first element for the CPU, which may read and write there until the next op of this
     * device runs.
     */
    public long hostAddress(INDArray array) {
        return array.data().addressPointer().address();
    }

    /** The CPU's kernels, over {@linkplain #hostAddress addresses for the CPU} and memory that is not ND4J's. */
    public abstract Kernels hostKernels();

    /** Returns once the CPU may touch arrays: a device that queues its work waits for it. */
    public void await() {}

    /**
     * Begins to read a dense FLOAT array, which may be closed or written at once: what is returned waits for the work that
     * makes its elements now, while a device that queues its work goes on with what it was given later. To be asked once.
     */
    public Supplier<float[]> read(INDArray floats) {
        float[] values = floats.data().asFloat();
        return () -> values;
    }

    /** Bytes that arrays can still have, where that is not the machine's memory but the device's own. */
    public OptionalLong memoryLeft() {
        return OptionalLong.empty();
    }

    /** Bytes of the device's own memory that this process takes. */
    public OptionalLong memoryTaken() {
        return OptionalLong.empty();
    }

    /** To be told once arrays have been written by their addresses. */
    public abstract void written(List<INDArray> arrays);

    /**
     * Copies {@code source} to {@code target} if both are FLOAT or BFLOAT16 and of one shape, but for dimensions of one
     * element: bit for bit within a type, exactly or rounded to nearest even between the two.
     *
     * @return whether it has been done
     */
    public abstract boolean copy(INDArray source, INDArray target);
}
