package org.dl4jsr.op;

import java.util.List;
import org.dl4jsr.kernel.Kernels;
import org.dl4jsr.kernel.Matmul;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The processor that runs the ops and the memory, as its kernels see it, of ND4J's arrays. */
public interface Device {

    /** The kernels in force, over this device's addresses. */
    Kernels kernels();

    /** The matrix product in force, over this device's addresses. */
    Matmul matmul();

    /** The address of {@code array}'s first element, whose content is up to date there; 0 for null. */
    long address(INDArray array);

    /** To be told once arrays have been written by their addresses. */
    void written(List<INDArray> arrays);
}
