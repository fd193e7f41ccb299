package org.dl4jsr.backend;

import java.util.Arrays;
import java.util.List;
import org.dl4jsr.kernel.ArrayKernels;
import org.dl4jsr.kernel.Kernels;
import org.dl4jsr.kernel.Matmul;
import org.dl4jsr.kernel.Matrix;
import org.dl4jsr.kernel.StridedCopy;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The processor and memory of nd4j-native. */
final class CpuDevice implements Bf16Device {

    static final CpuDevice INSTANCE = new CpuDevice();

    private CpuDevice() {}

    @Override
    public Kernels kernels() {
        return Kernels.get();
    }

    @Override
    public Matmul matmul() {
        return Matmul.get();
    }

    @Override
    public ArrayKernels arrayKernels() {
        return ArrayKernels.get();
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
        boolean sameShape = Arrays.equals(source.shape(), target.shape());
        Matrix from = sameShape ? Bf16Arrays.matrix(this, source) : Bf16Arrays.squeezed(this, source);
        Matrix to = sameShape ? Bf16Arrays.matrix(this, target) : Bf16Arrays.squeezed(this, target);
        if (!Arrays.equals(from.shape(), to.shape())) {
            return false;
        }
        StridedCopy.copy(from, to);
        return true;
    }
}
