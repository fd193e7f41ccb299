package org.dl4jsr.kernel.cuda;

import java.util.Optional;
import org.dl4jsr.kernel.KernelSet;
import org.dl4jsr.kernel.composed.MultiHeadAttention;
import org.dl4jsr.kernel.composed.ProductConvolution;

/**
 * A GPU that shares memory with the CPU, and all that computes on it.
 *
 * @param stream of all its work
 * @param memory of the arrays
 * @param set of kernels
 * @param attention of stock layers
 */
public record UnifiedGpu(CudaStream stream, UnifiedMemory memory, KernelSet set, MultiHeadAttention attention) {

    /**
     * The GPU with a stream and memory of its own.
     *
     * @throws CudaException where the driver or cuBLAS fails
     * @throws OutOfMemoryError where it has too little memory left for these
     * @throws LinkageError where cuBLAS does not load
     */
    public static UnifiedGpu of(CudaDevice device) {
        CudaMatmul.load(); // here rather than at the first op
        var stream = new CudaStream(device);
        var memory = new UnifiedMemory(stream); // first: what the others take counts, too
        var kernels = new CudaKernels(stream);
        var transformer = new CudaTransformerKernels(stream);
        var arrays = new CudaArrayKernels(stream);
        var matmul = new CudaMatmul(stream, false);
        var autocast = new CudaMatmul(stream, true);
        var convolution = new ProductConvolution(transformer, arrays, matmul, () -> DeviceMemory.growing(stream));
        return new UnifiedGpu(
                stream,
                memory,
                new KernelSet(kernels, transformer, matmul, autocast, Optional.of(arrays), Optional.of(convolution)),
                new MultiHeadAttention(arrays, matmul, () -> DeviceMemory.growing(stream)));
    }
}
