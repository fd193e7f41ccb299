package org.dl4jsr.kernel.cpu;

import java.util.Arrays;
import org.bytedeco.javacpp.annotation.Cast;
import org.bytedeco.javacpp.annotation.Namespace;
import org.bytedeco.javacpp.annotation.Platform;
import org.bytedeco.javacpp.annotation.Properties;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.Matmul;
import org.dl4jsr.kernel.RightFactor;
import org.dl4jsr.kernel.StridedArray;

/**
 * Large products of two BF16 matrices in C++ for AVX512BF16, where that is faster than oneDNN by a sixth; all others by
 * another implementation. Sums have one order, whatever the number of threads.
 */
@Properties(inherit = NativeLibrary.class, value = @Platform(library = "jniNativeLibrary"))
@Namespace("dl4jsr")
final class NativeMatmul implements Matmul {

    /** Fewer rows do not pay for bringing b into panels. */
    private static final int LEAST_ROWS = 128;

    private static final int LEAST_COLUMNS = 64;
    private static final int LEAST_TERMS = 64;
    private static final long LEAST_OPERATIONS = 8 << 20;
    /** No factor larger than this, in bytes, is brought into panels as a whole: every thread keeps the memory for it. */
    private static final long PACKED_AT_MOST = 128 << 20;

    private final int threads;
    private final Matmul others;

    NativeMatmul(NativeKernels kernels, Matmul others) {
        threads = kernels.threads();
        this.others = others;
    }

    @Override
    public String description() {
        return "large BF16 products on AVX512BF16, others by " + others.description();
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
        Matmul.check(a, b, c, bias, residual);
        boolean adds = beta == 1 && residual == null;
        StridedArray addend = adds ? c : residual;
        boolean exact = alpha == 1 && (beta == 0 || adds);
        boolean alone = bias == null && addend == null;
        if (exact && suits(a, b, c, bias, addend)) {
            product(a, b, c, bias, addend);
        } else if (exact && alone && suits(b.transposed(), a.transposed(), c.transposed(), null, null)) {
            product(b.transposed(), a.transposed(), c.transposed(), null, null);
        } else {
            others.multiply(a, b, c, alpha, beta, bias, residual);
        }
    }

    @Override
    public RightFactor rightFactor(StridedArray b) {
        return others.rightFactor(b);
    }

    private static boolean suits(
            StridedArray a, StridedArray b, StridedArray c, StridedArray bias, StridedArray residual) {
        return c.rank() == 2
                && a.type() == FloatType.BFLOAT16
                && c.rows() >= LEAST_ROWS
                && c.columns() >= LEAST_COLUMNS
                && a.columns() >= LEAST_TERMS
                && 2 * c.length() * a.columns() > LEAST_OPERATIONS
                && Math.max(Math.max(c.rows(), c.columns()), a.columns()) <= Integer.MAX_VALUE
                && a.columns() % 2 == 0
                && isRowMajor(c)
                && isTaken(a)
                && (isRowMajor(b) || isRowMajor(b.transposed()))
                && (bias == null || bias.isDense())
                && (residual == null || Arrays.equals(residual.strides(), c.strides()));
    }

    /** Whether a is read where it lies, by words of two values, or may be brought into panels. */
    private static boolean isTaken(StridedArray a) {
        return isRowMajor(a) ? a.rowStride() % 2 == 0 : isRowMajor(a.transposed()) && a.bytes() <= PACKED_AT_MOST;
    }

    private static boolean isRowMajor(StridedArray matrix) {
        return matrix.columnStride() == 1 && matrix.hasContiguousRows();
    }

    private void product(StridedArray a, StridedArray b, StridedArray c, StridedArray bias, StridedArray residual) {
        product(threads, c.type().ordinal(), a.toArray(), b.toArray(), c.toArray(), address(bias), address(residual));
    }

    private static long address(StridedArray array) {
        return array == null ? 0 : array.address();
    }

    private static native void product(
            int threads,
            int type,
            @Cast("const int64_t*") long[] a,
            @Cast("const int64_t*") long[] b,
            @Cast("const int64_t*") long[] c,
            long bias,
            long residual);
}
