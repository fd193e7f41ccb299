package org.dl4jsr.kernel;

import java.util.Optional;

/**
 * The kernels of one processor, which go together: same addresses, same threads or stream. Whoever has a set has all
 * there is to compute with; there is no other way to a kernel.
 *
 * @param kernels casts, sums and optimizers
 * @param transformer a transformer's layers
 * @param matmul matrix products
 * @param autocast products of FLOAT matrices by way of BF16 copies of their operands, as torch.amp has it; FP32 sums
 *     and results
 * @param arrays what networks of stock layers need beside; empty where there is none (nd4j-cuda)
 * @param convolution of images; empty where there are no arrays
 */
public record KernelSet(
        Kernels kernels,
        TransformerKernels transformer,
        Matmul matmul,
        Matmul autocast,
        Optional<ArrayKernels> arrays,
        Optional<Convolution> convolution) {}
