package org.dl4jsr.kernel.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.bytedeco.javacpp.FloatPointer;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.StridedArray;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;

/** Which products cost passes beside the product itself; that all are right is for KernelContract. */
@EnabledIf(value = "org.dl4jsr.kernel.cuda.FakeCuda#canBeBuilt", disabledReason = "needs g++ on Linux x86-64")
class CudaMatmulTest {

    private static final int SUPPORTED_BY_NONE = 15;
    private static final float[] VALUES = {
        1, 2, 3, 4, 5, 6, 0, 0, // a [2, 3]
        1, 0, 0, 1, 1, 1, 0, 0, // b [3, 2]
        10, 20, 0, 0, // bias
        100, 200, 300, 400, // residual [2, 2]
        7, 7, 7, 7 // c
    };

    private CudaMatmul matmul;
    private DeviceMemory memory;

    @BeforeEach
    void load() {
        FakeCuda.load();
        var stream = new CudaStream(CudaDevice.of(0));
        matmul = new CudaMatmul(stream, false);
        memory = new DeviceMemory(stream, Float.BYTES * VALUES.length);
        try (var values = new FloatPointer(VALUES)) {
            memory.write(0, values, memory.bytes());
        }
    }

    @AfterEach
    void free() {
        memory.close();
    }

    @Test
    void biasAndResidualCostNoPass() {
        var bias = at(16, 1, 2);
        var residual = at(20, 2, 2);
        var c = at(24, 2, 2);
        assertEquals(0, launchesOf(c, 0, bias, null));
        assertArrayEquals(new float[] {14, 25, 20, 31}, read(c));
        assertEquals(0, launchesOf(c, 0, null, residual));
        assertArrayEquals(new float[] {104, 205, 310, 411}, read(c));
        assertEquals(0, launchesOf(c, 0, bias, residual));
        assertArrayEquals(new float[] {114, 225, 320, 431}, read(c));
        assertEquals(0, launchesOf(c, 0, bias, c));
        assertArrayEquals(new float[] {128, 250, 340, 462}, read(c));
        assertEquals(0, launchesOf(c, 0.5f, bias, null));
        assertArrayEquals(new float[] {78, 150, 190, 262}, read(c));
    }

    /** A result by columns has its bias where cublasLt has none; a bias off 16 bytes is copied. */
    @Test
    void whatCostsAPass() {
        var c = at(24, 2, 2);
        assertEquals(1, launchesOf(c.transposed(), 0, at(16, 1, 2), null));
        assertArrayEquals(new float[] {14, 20, 25, 31}, read(c));
        assertEquals(1, launchesOf(c, 0, at(17, 1, 2), null));
        assertArrayEquals(new float[] {24, 5, 30, 11}, read(c));
        assertEquals(0, launchesOf(c.transposed(), 0, null, at(20, 2, 2).transposed()));
        assertArrayEquals(new float[] {104, 210, 305, 411}, read(c));
    }

    @Test
    void withoutAnAlgorithmBiasAndResidualArePasses() {
        var c = at(24, 2, 2);
        FakeCuda.fail("cublasLtMatmulAlgoGetHeuristic", SUPPORTED_BY_NONE);
        assertEquals(1, launchesOf(c, 0, at(16, 1, 2), null));
        assertArrayEquals(new float[] {14, 25, 20, 31}, read(c));
        assertEquals(1, launchesOf(c, 0, at(16, 1, 2), at(20, 2, 2)), "asked again");
        assertArrayEquals(new float[] {114, 225, 320, 431}, read(c));
    }

    @Test
    void anAlgorithmIsChosenOnce() {
        launchesOf(at(24, 2, 2), 0, at(16, 1, 2), null);
        FakeCuda.fail("cublasLtMatmulAlgoGetHeuristic", 13);
        launchesOf(at(20, 2, 2), 0, at(16, 1, 2), null);
        assertThrows(CudaException.class, () -> launchesOf(at(21, 2, 2), 0, at(16, 1, 2), null)); // less aligned
    }

    @Test
    void autocastRoundsItsOperands() {
        try (var value = new FloatPointer(1.001f)) {
            memory.write(0, value, Float.BYTES);
        }
        var c = at(24, 2, 2);
        launchesOf(c, 0, null, null);
        assertArrayEquals(new float[] {4.001f, 5, 10, 11}, read(c), 1e-6f);
        matmul = new CudaMatmul(new CudaStream(CudaDevice.of(0)), true);
        launchesOf(c, 0, null, null);
        assertArrayEquals(new float[] {4, 5, 10, 11}, read(c));
        launchesOf(c, 0, at(16, 1, 2), at(20, 2, 2));
        assertArrayEquals(new float[] {114, 225, 320, 431}, read(c));
    }

    private long launchesOf(StridedArray c, float beta, StridedArray bias, StridedArray residual) {
        long before = FakeCuda.launches();
        matmul.multiply(at(0, 2, 3), at(8, 3, 2), c, 1, beta, bias, residual);
        return FakeCuda.launches() - before;
    }

    /** The values from {@code index} on. */
    private StridedArray at(int index, long... shape) {
        return StridedArray.rowMajor(FloatType.FLOAT, memory.address() + Float.BYTES * index, shape);
    }

    private float[] read(StridedArray array) {
        try (var values = new FloatPointer(array.length())) {
            memory.read(array.address() - memory.address(), values, array.bytes());
            float[] read = new float[(int) array.length()];
            values.get(read);
            return read;
        }
    }
}
