package org.dl4jsr.backend;

import java.util.Arrays;
import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.api.blas.Level1;
import org.nd4j.linalg.api.blas.Level2;
import org.nd4j.linalg.api.blas.Level3;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.cpu.nativecpu.CpuNDArrayFactory;
import org.nd4j.linalg.cpu.nativecpu.blas.CpuLevel1;
import org.nd4j.linalg.cpu.nativecpu.blas.CpuLevel2;
import org.nd4j.linalg.cpu.nativecpu.blas.CpuLevel3;
import org.nd4j.linalg.factory.Nd4j;

/** ND4J's arrays, with what it computes in BF16 past its executioner done in FP32. ND4J creates it by name. */
public final class Bf16NDArrayFactory extends CpuNDArrayFactory {

    private final Bf16Sums sums = new Bf16Sums(CpuDevice.INSTANCE);

    /** ND4J looks this constructor up. */
    public Bf16NDArrayFactory(DataType dataType, char order) {
        super(dataType, order);
    }

    @Override
    public void createLevel1() {
        level1 = Bf16Blas.of(CpuDevice.INSTANCE, Level1.class, new CpuLevel1());
    }

    @Override
    public void createLevel2() {
        level2 = Bf16Blas.of(CpuDevice.INSTANCE, Level2.class, new CpuLevel2());
    }

    @Override
    public void createLevel3() {
        level3 = Bf16Blas.of(CpuDevice.INSTANCE, Level3.class, new CpuLevel3());
    }

    @Override
    public INDArray create(float[] data, long[] shape, long[] stride, DataType dataType, MemoryWorkspace workspace) {
        return dataType == DataType.BFLOAT16 && shape.length == 0
                ? new ExactCpuScalar(Nd4j.createTypedBuffer(data, dataType, workspace), data[0])
                : super.create(data, shape, stride, dataType, workspace);
    }

    /** The subarrays along these dimensions, copied; of BF16 ones, which ND4J would write into FLOAT memory, too. */
    @Override
    public INDArray[] tear(INDArray tensor, int... dimensions) {
        if (!Bf16Arrays.isBFloat16(tensor)) {
            return super.tear(tensor, dimensions);
        }
        INDArray[] parts = new INDArray[(int) tensor.tensorsAlongDimension(dimensions)];
        Arrays.setAll(parts, i -> tensor.tensorAlongDimension(i, dimensions).dup());
        return parts;
    }

    /** ND4J would write an array that ends the process when it is read. */
    @Override
    public Pointer convertToNumpy(INDArray array) {
        if (Bf16Arrays.isBFloat16(array)) {
            throw new UnsupportedOperationException("NumPy's format has no BFLOAT16; castTo(DataType.FLOAT) first");
        }
        return super.convertToNumpy(array);
    }

    @Override
    public INDArray accumulate(INDArray target, INDArray... arrays) {
        return sums.accumulate(target, arrays, () -> super.accumulate(target, arrays));
    }

    @Override
    public INDArray average(INDArray target, INDArray[] arrays) {
        return sums.average(target, arrays, () -> super.average(target, arrays));
    }
}
