package org.dl4jsr.backend;

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
public class Bf16NDArrayFactory extends CpuNDArrayFactory {

    private final CpuDevice device;
    private final Bf16Factory bf16;

    /** ND4J looks this constructor up. */
    public Bf16NDArrayFactory(DataType dataType, char order) {
        this(CpuDevice.INSTANCE, dataType, order);
    }

    /** For arrays in {@code device}'s memory. */
    protected Bf16NDArrayFactory(CpuDevice device, DataType dataType, char order) {
        super(dataType, order);
        this.device = device;
        bf16 = new Bf16Factory(device);
    }

    @Override
    public void createLevel1() {
        level1 = Bf16Blas.of(device, Level1.class, new CpuLevel1());
    }

    @Override
    public void createLevel2() {
        level2 = Bf16Blas.of(device, Level2.class, new CpuLevel2());
    }

    @Override
    public void createLevel3() {
        level3 = Bf16Blas.of(device, Level3.class, new CpuLevel3());
    }

    @Override
    public INDArray create(float[] data, long[] shape, long[] stride, DataType dataType, MemoryWorkspace workspace) {
        return dataType == DataType.BFLOAT16 && shape.length == 0
                ? new ExactCpuScalar(Nd4j.createTypedBuffer(data, dataType, workspace), data[0])
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
