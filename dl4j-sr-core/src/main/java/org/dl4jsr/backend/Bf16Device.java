package org.dl4jsr.backend;

import org.dl4jsr.kernel.ArrayKernels;
import org.dl4jsr.op.Device;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A device that copies arrays and casts them on the way. */
public interface Bf16Device extends Device {

    /**
     * Copies {@code source} to {@code target} if both are FLOAT or BFLOAT16 and of one shape, but for dimensions of one
     * element: bit for bit within a type, exactly or rounded to nearest even between the two.
     *
     * @return whether it has been done
     */
    boolean copy(INDArray source, INDArray target);

    /** The array kernels over this device's addresses, or null where it has none. */
    default ArrayKernels arrayKernels() {
        return null;
    }
}
