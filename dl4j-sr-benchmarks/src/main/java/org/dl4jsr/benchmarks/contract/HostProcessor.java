package org.dl4jsr.benchmarks.contract;

import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.ShortPointer;
import org.dl4jsr.kernel.ArrayKernels;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.KernelSet;
import org.dl4jsr.kernel.Matmul;
import org.dl4jsr.kernel.StridedArray;
import org.dl4jsr.kernel.composed.ProductConvolution;
import org.dl4jsr.kernel.cpu.CpuKernels;
import org.dl4jsr.kernel.cpu.Scratch;
import org.dl4jsr.kernel.reference.JavaArrayKernels;
import org.dl4jsr.kernel.reference.JavaKernels;
import org.dl4jsr.kernel.reference.JavaMatmul;
import org.dl4jsr.kernel.reference.JavaTransformerKernels;

/** The CPU. */
public final class HostProcessor implements Processor {

    private static final int ALIGNMENT = 256;

    private final KernelSet kernels;
    private final int oddEvery;
    private int placed;

    private HostProcessor(KernelSet kernels, int oddEvery) {
        this.kernels = kernels;
        this.oddEvery = oddEvery;
    }

    /** The Java kernels, which all others are measured by, on so many threads. */
    public static HostProcessor reference(int threads) {
        var matmul = new JavaMatmul(threads);
        var transformer = new JavaTransformerKernels(threads);
        var arrays = new JavaArrayKernels();
        var convolution = new ProductConvolution(transformer, arrays, matmul, Scratch::new);
        return new HostProcessor(
                new KernelSet(
                        new JavaKernels(threads),
                        transformer,
                        matmul,
                        new Autocast(arrays, matmul),
                        Optional.of(arrays),
                        Optional.of(convolution)),
                0);
    }

    /** Every level of {@link CpuKernels} that this process can run, each on one, two and three threads. */
    public static List<Implementation> implementations() {
        return CpuKernels.levels().stream()
                .map(level -> new Implementation(
                        level,
                        IntStream.rangeClosed(1, 3)
                                .<Processor>mapToObj(
                                        threads -> new HostProcessor(CpuKernels.ofLevel(level, threads), 4))
                                .toList()))
                .toList();
    }

    @Override
    public KernelSet kernels() {
        return kernels;
    }

    /** One of four arrays lies at an odd address: the kernels of CPUs need no alignment. */
    @Override
    public Placed place(byte[] content) {
        int shift = oddEvery > 0 && placed++ % oddEvery == 0 ? 3 : 0;
        return new HostMemory(content, shift);
    }

    /** Products of BF16 copies of FLOAT operands. */
    private record Autocast(ArrayKernels arrays, Matmul products) implements Matmul {

        @Override
        public String description() {
            return "autocast, " + products.description();
        }

        @Override
        public void multiply(
                StridedArray a,
                StridedArray b,
                StridedArray c,
                float alpha,
                float beta,
                StridedArray bias,
                StridedArray residual) {
            try (var left = new ShortPointer(a.length());
                    var right = new ShortPointer(b.length())) {
                products.multiply(rounded(a, left), rounded(b, right), c, alpha, beta, bias, residual);
            }
        }

        private StridedArray rounded(StridedArray matrix, ShortPointer memory) {
            var rounded = StridedArray.rowMajor(FloatType.BFLOAT16, memory.address(), matrix.shape());
            arrays.copy(matrix, rounded);
            return rounded;
        }
    }

    private static final class HostMemory implements Placed {

        private final BytePointer memory;
        private final long address;
        private final int length;

        HostMemory(byte[] content, int shift) {
            memory = new BytePointer(content.length + ALIGNMENT + (long) shift);
            address = (memory.address() + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT + shift;
            length = content.length;
            memory.position(address - memory.address()).put(content);
            memory.position(0);
        }

        @Override
        public long address() {
            return address;
        }

        @Override
        public byte[] read() {
            byte[] content = new byte[length];
            memory.position(address - memory.address()).get(content);
            memory.position(0);
            return content;
        }

        @Override
        public void close() {
            memory.close();
        }
    }
}
