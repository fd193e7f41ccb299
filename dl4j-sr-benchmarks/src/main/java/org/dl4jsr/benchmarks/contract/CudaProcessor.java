package org.dl4jsr.benchmarks.contract;

import java.util.Optional;
import org.bytedeco.javacpp.BytePointer;
import org.dl4jsr.kernel.KernelSet;
import org.dl4jsr.kernel.cuda.CudaKernels;
import org.dl4jsr.kernel.cuda.CudaMatmul;
import org.dl4jsr.kernel.cuda.CudaStream;
import org.dl4jsr.kernel.cuda.DeviceMemory;

/** One stream of an NVIDIA GPU. */
public final class CudaProcessor implements Processor {

    private final CudaStream stream;
    private final KernelSet kernels;

    /** Kernels and memory that take turns on {@code stream}. */
    public CudaProcessor(CudaStream stream) {
        this.stream = stream;
        kernels = new KernelSet(
                new CudaKernels(stream),
                new CudaMatmul(stream, false),
                new CudaMatmul(stream, true),
                Optional.empty(),
                Optional.empty());
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
