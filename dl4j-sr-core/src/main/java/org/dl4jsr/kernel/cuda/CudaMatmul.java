package org.dl4jsr.kernel.cuda;

import org.dl4jsr.kernel.Matmul;
import org.dl4jsr.kernel.Matrix;

/** Matrix multiplication by cuBLAS over device addresses, on one stream; on tensor cores where the storage is BF16. */
public final class CudaMatmul implements Matmul {

    private final CudaStream stream;

    /** Products that run on {@code stream}, with a cuBLAS handle of their own. */
    public CudaMatmul(CudaStream stream) {
        this.stream = stream;
    }

    @Override
    public String description() {
        return "cuBLAS on " + stream.device();
    }

    @Override
    public void multiply(Matrix a, Matrix b, Matrix c, float alpha, float beta, Matrix bias, Matrix residual) {
        throw new UnsupportedOperationException("not written yet");
    }
}
