package org.dl4jsr.backend;

import java.util.Arrays;
import java.util.List;
import org.dl4jsr.kernel.ArrayKernels;
import org.dl4jsr.kernel.KernelSet;
import org.dl4jsr.kernel.Kernels;
import org.dl4jsr.kernel.StridedArray;
import org.dl4jsr.kernel.composed.GrowingMemory;
import org.dl4jsr.kernel.composed.MultiHeadAttention;
import org.dl4jsr.kernel.cpu.CpuKernels;
import org.dl4jsr.kernel.cpu.Scratch;
import org.dl4jsr.kernel.cpu.StridedCopy;
import org.dl4jsr.op.Device;
import org.dl4jsr.op.KernelOp;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The processor and memory of nd4j-native. */
public class CpuDevice extends Device {

    /** ND4J creates the executioner and the array factory by name, each by itself: here they meet. */
    static final CpuDevice INSTANCE = new CpuDevice();

    /** Null until it is needed: FLOAT networks are none of ours. */
    private volatile Tools tools;
    /** Why there are none: libraries that have not loaded do not say why a second time. */
    private IllegalStateException failure;

    private record Tools(KernelSet set, StridedCopy copies, MultiHeadAttention attention) {}

    /** For the arrays of nd4j-native. */
    protected CpuDevice() {}

    private Tools tools() {
        Tools chosen = tools;
        return chosen == null ? choose() : chosen;
    }

    private synchronized Tools choose() {
        if (failure != null) {
            throw failure;
        }
        if (tools == null) {
            try {
                tools = tools(CpuKernels.choose());
            } catch (IllegalStateException e) {
                failure = e;
                throw e;
            }
        }
        return tools;
    }

    private static Tools tools(KernelSet set) {
        return new Tools(
                set,
                new StridedCopy(set.kernels()),
                new MultiHeadAttention(set.arrays().orElseThrow(), set.matmul(), Scratch::new));
    }

    @Override
    protected KernelSet set() {
        return tools().set;
    }

    /** Not {@link #set}'s, which need not be the CPU's. */
    @Override
    public Kernels hostKernels() {
        return tools().set.kernels();
    }

    /** What networks of stock layers need. */
    ArrayKernels arrays() {
        return arrayKernels().orElseThrow();
    }

    /** New memory that this device's kernels can address, for one thread to leave something in between two of them. */
    protected GrowingMemory scratch() {
        return new Scratch();
    }

    /** Attention of stock layers. */
    protected MultiHeadAttention attention() {
        return tools().attention;
    }

    @Override
    public long address(INDArray array) {
        return array == null ? 0 : array.data().addressPointer().address();
    }

    @Override
    public void written(List<INDArray> arrays) {
        // there is no other copy of them
    }

    @Override
    public boolean copy(INDArray source, INDArray target) {
        if (!Bf16Arrays.isCastable(source) || !Bf16Arrays.isCastable(target)) {
            return false;
        }
        StridedArray from = KernelOp.strided(this, source);
        StridedArray to = KernelOp.strided(this, target);
        if (!Arrays.equals(from.shape(), to.shape())) {
            from = from.squeezed();
            to = to.squeezed();
        }
        if (!Arrays.equals(from.shape(), to.shape())) {
            return false;
        }
        copy(from, to);
        return true;
    }

    /** Copies an array to one of its shape. */
    protected void copy(StridedArray source, StridedArray target) {
        tools().copies.copy(source, target);
    }
}
