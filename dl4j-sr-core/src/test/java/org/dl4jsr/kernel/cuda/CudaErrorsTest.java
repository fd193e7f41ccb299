package org.dl4jsr.kernel.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.BytePointer;
import org.dl4jsr.backend.GarbageCollection;
import org.dl4jsr.kernel.Arithmetic;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.StridedArray;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.function.Executable;

/** What goes wrong in CUDA is an exception that says what, and modules are loaded once. */
@EnabledIf(value = "org.dl4jsr.kernel.cuda.FakeCuda#canBeBuilt", disabledReason = "needs g++ on Linux x86-64")
class CudaErrorsTest {

    private CudaStream stream;
    private CudaKernels kernels;

    @BeforeEach
    void load() {
        FakeCuda.load();
        stream = new CudaStream(CudaDevice.of(0));
        kernels = new CudaKernels(stream);
    }

    @Test
    void launchNamesKernelArgumentsAndError() {
        FakeCuda.fail("cuLaunchKernel", 700);
        assertMessage(
                () -> kernels.toFloat(0x1230, 0x4560, 77),
                "cuLaunchKernel of toFloat(0x1230, 0x4560, 0x4d)",
                "CUDA_ERROR_ILLEGAL_ADDRESS (700)",
                "Fake GPU (device 0, compute capability 9.0)");
    }

    @Test
    void memory() {
        FakeCuda.fail("cuMemAlloc_v2", 2);
        var e = assertThrows(OutOfMemoryError.class, () -> new DeviceMemory(stream, 1 << 20));
        assertEquals(
                "GPU memory: cuMemAlloc of 1048576 bytes on Fake GPU (device 0, compute capability 9.0) failed: take a"
                        + " smaller model, batch or context, or -Dorg.dl4jsr.device=cpu",
                e.getMessage());
        FakeCuda.fail("cublasCreate_v2", 3);
        e = assertThrows(OutOfMemoryError.class, () -> new CudaMatmul(stream, false));
        assertTrue(e.getMessage().startsWith("GPU memory: cublasCreate on Fake GPU"), e::getMessage);
    }

    /** The error of a kernel is what CUDA returns from whatever is called next. */
    @Test
    void theWorkBeforeIsNamed() {
        var unified = new UnifiedMemory(stream);
        var matmul = new CudaMatmul(stream, false);
        try (var memory = new DeviceMemory(stream, 4096);
                var host = new BytePointer(8)) {
            long x = memory.address();
            var a = StridedArray.rowMajor(FloatType.FLOAT, x, 4, 4);
            Map<String, Executable> calls = Map.of(
                    "cuLaunchKernel", () -> kernels.toBFloat16(x, x, 8),
                    "cuMemsetD8Async", () -> unified.zero(x, 8),
                    "cuMemcpyAsync", () -> unified.copy(x, x + 512, 8),
                    "cuMemcpyHtoDAsync_v2", () -> memory.write(0, host, 8),
                    "cuMemAlloc_v2", () -> new DeviceMemory(stream, 8),
                    "cuStreamSynchronize", stream::synchronize,
                    "cublasGemmEx", () -> matmul.multiply(a, a, a),
                    "cublasLtMatmul",
                            () -> matmul.multiply(a, a, a, 1, 0, a.slice(0).asRow(), null));
            kernels.toFloat(x, x + 512, 100);
            calls.forEach((name, call) -> {
                FakeCuda.fail(name, 700);
                assertMessage(call, " after toFloat (CUDA_LAUNCH_BLOCKING=1 shows ", ") failed: ", "(700)");
            });
        }
    }

    @Test
    void structuresInMessages() {
        var arrays = new CudaArrayKernels(stream);
        var x = StridedArray.rowMajor(FloatType.BFLOAT16, 0x100, 3);
        FakeCuda.fail("cuLaunchKernel", 700);
        assertMessage(() -> arrays.arithmetic(Arithmetic.ADD, x, 2, x), "cuLaunchKernel of ", "[3, ");
    }

    /** A thread's own scratch goes with the thread. */
    @Test
    void memoryThatNobodyHasAnyMoreIsFreed() {
        long before = FakeCuda.allocations();
        DeviceMemory.growing(stream).reserve(1000);
        GarbageCollection.allocate(() -> {
            if (FakeCuda.allocations() > before) {
                throw new OutOfMemoryError("still there");
            }
            return 0;
        });
    }

    /** Where a GPU shares all of the host's memory, nothing else would tell. */
    @Test
    void memoryOfTheHostAlone() {
        var memory = new UnifiedMemory(stream);
        var arrays = new CudaArrayKernels(stream);
        var matmul = new CudaMatmul(stream, false);
        try (var gpu = new DeviceMemory(stream, 4096);
                var host = new BytePointer(4096)) {
            var there = StridedArray.rowMajor(FloatType.BFLOAT16, gpu.address(), 8, 8);
            var here = StridedArray.rowMajor(FloatType.BFLOAT16, host.address(), 8, 8);
            List<Executable> work = List.of(
                    () -> kernels.toFloat(host.address(), gpu.address(), 8),
                    () -> kernels.sumsOfSquares(
                            FloatType.FLOAT, new long[] {gpu.address(), host.address()}, new long[] {1, 1}),
                    () -> arrays.arithmetic(Arithmetic.ADD, there, here, there),
                    () -> matmul.multiply(there, here, there),
                    () -> matmul.multiply(
                            there, there, here, 1, 0, there.slice(0).asRow(), null),
                    () -> memory.copy(gpu.address(), host.address(), 8),
                    () -> memory.zero(gpu.address() + 4095, 1 << 20));
            for (Executable each : work) {
                assertThrows(CudaException.class, each);
            }
        }
    }

    @Test
    void unknownCode() {
        FakeCuda.fail("cuStreamSynchronize", 12345);
        assertMessage(stream::synchronize, "cuStreamSynchronize", "unknown error (12345)");
    }

    @Test
    void matmulNamesOperands() {
        var matmul = new CudaMatmul(stream, false);
        var a = StridedArray.rowMajor(FloatType.BFLOAT16, 0x100, 2, 3);
        var b = StridedArray.rowMajor(FloatType.BFLOAT16, 0x200, 3, 5);
        var c = StridedArray.rowMajor(FloatType.BFLOAT16, 0x300, 2, 5);
        FakeCuda.fail("cublasGemmEx", 13);
        assertMessage(
                () -> matmul.multiply(a, b, c),
                "cublasGemmEx of BFLOAT16 [2, 3] at 0x100",
                "BFLOAT16 [2, 5] at 0x300",
                "failed to launch on the GPU (13)");
    }

    @Test
    void fusedMatmulNamesOperands() {
        var matmul = new CudaMatmul(stream, false);
        var a = StridedArray.rowMajor(FloatType.BFLOAT16, 0x100, 2, 3);
        var b = StridedArray.rowMajor(FloatType.BFLOAT16, 0x200, 3, 5);
        var c = StridedArray.rowMajor(FloatType.FLOAT, 0x300, 2, 5);
        var bias = StridedArray.rowMajor(FloatType.FLOAT, 0x400, 1, 5);
        String[] operands = {
            "cublasLtMatmul of BFLOAT16 [2, 3] at 0x100 x BFLOAT16 [3, 5] at 0x200",
            "bias FLOAT [1, 5] at 0x400 -> FLOAT [2, 5] at 0x300",
            "failed to launch on the GPU (13)"
        };
        for (String call : new String[] {"cublasLtMatmulAlgoGetHeuristic", "cublasLtMatmul"}) {
            FakeCuda.fail(call, 13);
            assertMessage(() -> matmul.multiply(a, b, c, 1, 0, bias, null), operands);
        }
    }

    @Test
    void arraysOfMoreRunsThanAKernelCounts() {
        var arrays = new CudaArrayKernels(stream);
        var huge = StridedArray.rowMajor(FloatType.BFLOAT16, 0x100, 1L << 34);
        long before = FakeCuda.launches();
        var e = assertThrows(IllegalArgumentException.class, () -> arrays.copy(huge, huge));
        assertTrue(e.getMessage().contains("copyElements_bfloat16_bfloat16 needs 2147483648 runs"), e.getMessage());
        assertEquals(before, FakeCuda.launches());
    }

    @Test
    void headsWiderThanSharedMemory() {
        var transformer = new CudaTransformerKernels(stream);
        var e = assertThrows(
                IllegalArgumentException.class,
                () -> transformer.attentionForward(FloatType.FLOAT, 0, 0, 0, 1, 1, 1, 5000));
        assertTrue(e.getMessage().contains("width 5000 needs 961280 bytes"), e.getMessage());
        e = assertThrows(
                IllegalArgumentException.class,
                () -> transformer.attentionBackward(FloatType.FLOAT, 0, 0, 0, 0, 0, 1, 1, 1, 165));
        assertTrue(e.getMessage().contains("width 165 needs 65920 bytes"), e.getMessage());
    }

    @Test
    void gridsOutOfRange() {
        var e = assertThrows(
                IllegalArgumentException.class, () -> kernels.transpose(FloatType.FLOAT, 0, 0, Integer.MAX_VALUE, 1));
        assertTrue(e.getMessage().contains("transpose_float needs a grid of 1 x 33554432"), e.getMessage());
    }

    @Test
    void noSuchDevice() {
        assertMessage(() -> CudaDevice.of(7), "cuDeviceGet of device 7");
    }

    @Test
    void nothingToDo() {
        long launches = FakeCuda.launches();
        kernels.toFloat(0, 0, 0);
        assertEquals(0, kernels.sumOfSquares(FloatType.FLOAT, 0, 0));
        assertEquals(launches, FakeCuda.launches());
    }

    @Test
    void modulesAreLoadedOnceAndMemoryIsFreed() {
        try (var memory = new DeviceMemory(stream, 1024)) {
            kernels.toFloat(memory.address(), memory.address() + 512, 100);
            long modules = FakeCuda.modules();
            long allocations = FakeCuda.allocations();
            new CudaKernels(stream).toBFloat16(memory.address() + 512, memory.address(), 100);
            new DeviceMemory(stream, 10).close();
            assertEquals(modules, FakeCuda.modules());
            assertEquals(allocations, FakeCuda.allocations());
        }
    }

    private static void assertMessage(Executable work, String... parts) {
        var e = assertThrows(CudaException.class, work);
        for (String part : parts) {
            assertTrue(e.getMessage().contains(part), e.getMessage());
        }
    }
}
