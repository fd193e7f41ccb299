package org.dl4jsr.benchmarks.contract;

import java.util.Optional;
import org.bytedeco.javacpp.BytePointer;
import org.dl4jsr.kernel.KernelSet;
import org.dl4jsr.kernel.composed.ProductConvolution;
import org.dl4jsr.kernel.cuda.CudaArrayKernels;
import org.dl4jsr.kernel.cuda.CudaKernels;
import org.dl4jsr.kernel.cuda.CudaMatmul;
import org.dl4jsr.kernel.cuda.CudaStream;
import org.dl4jsr.kernel.cuda.CudaTransformerKernels;
import org.dl4jsr.kernel.cuda.DeviceMemory;

/** One stream of an NVIDIA GPU. */
public final class CudaProcessor implements Processor {

    private final CudaStream stream;
    private final KernelSet kernels;

    /** Kernels and memory that take turns on {@code stream}. */
    public CudaProcessor(CudaStream stream) {
        this.stream = stream;
        var transformer = new CudaTransformerKernels(stream);
        var arrays = new CudaArrayKernels(stream);
        var matmul = new CudaMatmul(stream, false);
        kernels = new KernelSet(
                new CudaKernels(stream),
                transformer,
                matmul,
                new CudaMatmul(stream, true),
                Optional.of(arrays),
                Optional.of(new ProductConvolution(transformer, arrays, matmul, () -> DeviceMemory.growing(stream))));
    }

    @Override
    public KernelSet kernels() {
        return kernels;
    }

    @Override
    public Placed place(byte[] content) {
        var memory = new DeviceMemory(stream, content.length);
        try (var bytes = new BytePointer(content)) {
            memory.write(0, bytes, content.length);
        }
        return new Placed() {
            @Override
            public long address() {
                return memory.address();
            }

            @Override
            public byte[] read() {
                byte[] read = new byte[content.length];
                try (var bytes = new BytePointer(read.length)) {
                    memory.read(0, bytes, read.length);
                    bytes.get(read);
                }
                return read;
            }

            @Override
            public void close() {
                memory.close();
            }
        };
    }
}
