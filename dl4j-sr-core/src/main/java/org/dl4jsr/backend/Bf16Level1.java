package org.dl4jsr.backend;

import java.util.Arrays;
import java.util.List;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.cpu.nativecpu.blas.CpuLevel1;

/** BLAS level 1 over arrays, which ND4J calls past its executioner: in FP32 where an operand is BF16. */
final class Bf16Level1 extends CpuLevel1 {

    @Override
    public double dot(long n, double alpha, INDArray x, INDArray y) {
        report("dot", x, y);
        try (var copies = new FloatCopies()) {
            return super.dot(n, alpha, copies.of(x), copies.of(y));
        }
    }

    @Override
    public double nrm2(INDArray x) {
        report("nrm2", x);
        try (var copies = new FloatCopies()) {
            return super.nrm2(copies.of(x));
        }
    }

    @Override
    public double asum(INDArray x) {
        report("asum", x);
        try (var copies = new FloatCopies()) {
            return super.asum(copies.of(x));
        }
    }

    @Override
    public int iamax(INDArray x) {
        report("iamax", x);
        try (var copies = new FloatCopies()) {
            return super.iamax(copies.of(x));
        }
    }

    @Override
    public void axpy(long n, double alpha, INDArray x, INDArray y) {
        report("axpy", x, y);
        try (var copies = new FloatCopies()) {
            super.axpy(n, alpha, copies.of(x), copies.of(y));
            copies.writeBack(y);
        }
    }

    @Override
    public void scal(long n, double alpha, INDArray x) {
        report("scal", x);
        try (var copies = new FloatCopies()) {
            super.scal(n, alpha, copies.of(x));
            copies.writeBack(x);
        }
    }

    @Override
    public void swap(INDArray x, INDArray y) {
        report("swap", x, y);
        try (var copies = new FloatCopies()) {
            super.swap(copies.of(x), copies.of(y));
            copies.writeBack(x);
            copies.writeBack(y);
        }
    }

    @Override
    public void copy(INDArray x, INDArray y) {
        report("copy", x, y);
        if (Bf16Arrays.isBFloat16(x) || Bf16Arrays.isBFloat16(y)) {
            y.assign(x);
        } else {
            super.copy(x, y);
        }
    }

    @Override
    public void copy(long n, DataBuffer x, int offsetX, int incrX, DataBuffer y, int offsetY, int incrY) {
        refuseBFloat16("copy", x, y);
        super.copy(n, x, offsetX, incrX, y, offsetY, incrY);
    }

    @Override
    public double dot(long n, DataBuffer x, int offsetX, int incrX, DataBuffer y, int offsetY, int incrY) {
        refuseBFloat16("dot", x, y);
        return super.dot(n, x, offsetX, incrX, y, offsetY, incrY);
    }

    @Override
    public double asum(long n, DataBuffer x, int offsetX, int incrX) {
        refuseBFloat16("asum", x);
        return super.asum(n, x, offsetX, incrX);
    }

    @Override
    public int iamax(long n, DataBuffer x, int offsetX, int incrX) {
        refuseBFloat16("iamax", x);
        return super.iamax(n, x, offsetX, incrX);
    }

    @Override
    public void axpy(long n, double alpha, DataBuffer x, int offsetX, int incrX, DataBuffer y, int offsetY, int incrY) {
        refuseBFloat16("axpy", x, y);
        super.axpy(n, alpha, x, offsetX, incrX, y, offsetY, incrY);
    }

    private static void report(String function, INDArray... arrays) {
        if (!LazyWrites.isEmpty()) {
            LazyWrites.intercept(function, Arrays.asList(arrays), List.of());
        }
    }

    private static void refuseBFloat16(String function, DataBuffer... buffers) {
        for (DataBuffer buffer : buffers) {
            if (buffer.dataType() == DataType.BFLOAT16) {
                throw new UnsupportedOperationException("BLAS " + function
                        + " on BFLOAT16 data buffers; call the function that takes INDArrays");
            }
        }
    }
}
