package org.dl4jsr.kernel.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.StridedArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;

/** How launches over strided arrays count; what the kernels compute is their contract's to check. */
class CudaArrayKernelsTest {

    @Test
    @EnabledIf(value = "org.dl4jsr.kernel.cuda.FakeCuda#canBeBuilt", disabledReason = "needs g++ on Linux x86-64")
    void moreRunsThanAKernelCountsAreRefused() {
        FakeCuda.load();
        var arrays = new CudaArrayKernels(new CudaStream(CudaDevice.of(0)));
        var huge = StridedArray.rowMajor(FloatType.BFLOAT16, 0x100, 1L << 34);
        long before = FakeCuda.launches();
        var e = assertThrows(IllegalArgumentException.class, () -> arrays.copy(huge, huge));
        assertTrue(e.getMessage().contains("copyElements_bfloat16_bfloat16 needs 2147483648 runs"), e.getMessage());
        assertEquals(before, FakeCuda.launches());
    }

    /** As loops.h divides. */
    @Test
    void divisionByMultiplicationIsExact() {
        var random = new Random(3);
        for (int i = 0; i < 200_000; i++) {
            int bits = 1 + random.nextInt(31);
            long divisor = i < 1000 ? i + 1 : Math.max(1, random.nextInt() >>> 32 - bits);
            long multiplier = KernelLauncher.divisor(divisor) & 0xFFFFFFFFL;
            long shift = KernelLauncher.divisor(divisor) >> 32;
            long multiple = Integer.MAX_VALUE / divisor * divisor;
            for (long x : new long[] {0, divisor - 1, divisor, multiple - 1, multiple, Integer.MAX_VALUE}) {
                assertEquals(x / divisor, x * multiplier >>> shift, () -> x + " / " + divisor);
            }
        }
    }
}
