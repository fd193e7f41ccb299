package org.dl4jsr.backend.cuda;

import org.bytedeco.javacpp.Pointer;
import org.dl4jsr.backend.Bf16Blas;
import org.dl4jsr.backend.Bf16Factory;
import org.nd4j.linalg.api.blas.Level1;
import org.nd4j.linalg.api.blas.Level2;
import org.nd4j.linalg.api.blas.Level3;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.jcublas.JCublasNDArrayFactory;
import org.nd4j.linalg.jcublas.blas.JcublasLevel1;
import org.nd4j.linalg.jcublas.blas.JcublasLevel2;
import org.nd4j.linalg.jcublas.blas.JcublasLevel3;

/** nd4j-cuda's arrays, with what it computes in BF16 past its executioner done in FP32. ND4J creates it by name. */
public final class Bf16CudaNDArrayFactory extends JCublasNDArrayFactory {

    private final Bf16Factory bf16 = new Bf16Factory(GpuDevice.INSTANCE);

    /** ND4J looks this constructor up. */
    public Bf16CudaNDArrayFactory(DataType dataType, char order) {
        super(dataType, order);
    }

    @Override
    public void createLevel1() {
        level1 = Bf16Blas.of(GpuDevice.INSTANCE, Level1.class, new JcublasLevel1());
    }

    @Override
    public void createLevel2() {
        level2 = Bf16Blas.of(GpuDevice.INSTANCE, Level2.class, new JcublasLevel2());
    }

    @Override
    public void createLevel3() {
        level3 = Bf16Blas.of(GpuDevice.INSTANCE, Level3.class, new JcublasLevel3());
    }

    @Override
    public INDArray create(float[] data, long[] shape, long[] stride, DataType dataType, MemoryWorkspace workspace) {
        return dataType == DataType.BFLOAT16 && shape.length == 0
                ? new ExactCudaScalar(Nd4j.createTypedBuffer(data, dataType, workspace), data[0])
                : super.create(data, shape, stride, dataType, workspace);
    }

    @Override
    public INDArray accumulate(INDArray target, INDArray... arrays) {
        return bf16.accumulate(target, arrays, () -> super.accumulate(target, arrays));
    }

    @Override
    public INDArray average(INDArray target, INDArray[] arrays) {
        return bf16.average(target, arrays, () -> super.average(target, arrays));
    }

    @Override
    public INDArray[] tear(INDArray tensor, int... dimensions) {
        return bf16.tear(tensor, dimensions, () -> super.tear(tensor, dimensions));
    }

    @Override
    public Pointer convertToNumpy(INDArray array) {
        return bf16.convertToNumpy(array, () -> super.convertToNumpy(array));
    }
}
