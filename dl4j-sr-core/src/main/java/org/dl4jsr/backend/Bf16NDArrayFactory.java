package org.dl4jsr.backend;

import java.util.Arrays;
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

    /** The sum of {@code arrays}, added to {@code target}. */
    @Override
    public INDArray accumulate(INDArray target, INDArray... arrays) {
        if (!Bf16Arrays.isBFloat16(target) && !Bf16Arrays.anyBFloat16(Arrays.asList(arrays))) {
            return super.accumulate(target, arrays);
        }
        try (var copies = new FloatCopies(CpuDevice.INSTANCE)) {
            INDArray sum = copies.of(target);
            for (INDArray array : arrays) {
                sum.addi(array);
            }
            copies.writeBack(target);
        }
        return target;
    }

    /**
     * The mean of {@code arrays}, written to {@code target} where that is not null, and to each of them: rounded to
     * nearest, but stochastically where the first of them is marked in {@link StochasticAverages}.
     */
    @Override
    public INDArray average(INDArray target, INDArray[] arrays) {
        if (arrays.length < 2 || !Bf16Arrays.anyBFloat16(Arrays.asList(arrays))) {
            return super.average(target, arrays);
        }
        try (var copies = new FloatCopies(CpuDevice.INSTANCE)) {
            INDArray mean = copies.of(arrays[0]);
            for (int i = 1; i < arrays.length; i++) {
                mean.addi(arrays[i]);
            }
            mean.divi(arrays.length);
            INDArray rounded = arrays[0];
            if (!StochasticAverages.assign(rounded, mean)) {
                rounded.assign(mean);
            }
            for (int i = 1; i < arrays.length; i++) {
                arrays[i].assign(rounded);
            }
            if (target != null) {
                target.assign(rounded);
            }
        }
        return target;
    }
}
