package org.dl4jsr.kernel.cuda;

import static org.bytedeco.cuda.global.cublas.CUBLAS_COMPUTE_32F;
import static org.bytedeco.cuda.global.cublas.CUBLAS_COMPUTE_32F_FAST_16BF;
import static org.bytedeco.cuda.global.cublas.CUBLAS_GEMM_DEFAULT;
import static org.bytedeco.cuda.global.cublas.CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION;
import static org.bytedeco.cuda.global.cublas.CUBLAS_OP_N;
import static org.bytedeco.cuda.global.cublas.CUBLAS_OP_T;
import static org.bytedeco.cuda.global.cublas.cublasCreate_v2;
import static org.bytedeco.cuda.global.cublas.cublasGemmEx;
import static org.bytedeco.cuda.global.cublas.cublasGemmStridedBatchedEx;
import static org.bytedeco.cuda.global.cublas.cublasGetVersion_v2;
import static org.bytedeco.cuda.global.cublas.cublasSetMathMode;
import static org.bytedeco.cuda.global.cublas.cublasSetStream_v2;
import static org.bytedeco.cuda.global.cudart.CUDA_R_16BF;
import static org.bytedeco.cuda.global.cudart.CUDA_R_32F;
import static org.dl4jsr.kernel.cuda.CudaException.checkCublas;
import static org.dl4jsr.kernel.cuda.KernelLauncher.blocks;
import static org.dl4jsr.kernel.cuda.KernelLauncher.suffix;
import static org.dl4jsr.kernel.cuda.KernelSource.MATRIX;

import java.util.Arrays;
import java.util.function.Supplier;
import org.bytedeco.cuda.cublas.cublasContext;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.PointerScope;
import org.dl4jsr.kernel.Autocast;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.Matmul;
import org.dl4jsr.kernel.Matrix;
import org.dl4jsr.kernel.Operands;

/**
 * Matrix multiplication by cuBLAS over device addresses, on one stream: BF16 (with BF16 or FLOAT result) on tensor
 * cores with FP32 sums, and FLOAT. Calls return as soon as the work is queued. Transposes are strides; an operand
 * without a unit stride in its last two dimensions is copied densely first.
 */
public final class CudaMatmul implements Matmul {

    private static final int THREADS = 256;
    /** Dimensions that the kernel "combine" loops over. */
    private static final int LOOP = 4;

    private final CudaStream stream;
    private final KernelLauncher launcher;
    private final cublasContext handle;
    private final FloatPointer factors; // alpha, beta
    private final DeviceScratch left;
    private final DeviceScratch right;
    private final DeviceScratch result;

    /** Products that run on {@code stream}, with a cuBLAS handle of their own. */
    public CudaMatmul(CudaStream stream) {
        this.stream = stream;
        launcher = new KernelLauncher(stream);
        left = new DeviceScratch(stream);
        right = new DeviceScratch(stream);
        result = new DeviceScratch(stream);
        stream.device().makeCurrent();
        try (var scope = new PointerScope()) {
            handle = new cublasContext().retainReference();
            factors = new FloatPointer(2).retainReference();
        }
        checkCublas(cublasCreate_v2(handle), () -> "cublasCreate on " + stream.device());
        checkCublas(cublasSetStream_v2(handle, stream.handle()), () -> "cublasSetStream on " + stream.device());
        // by default cuBLAS may add parts of a sum in BF16
        checkCublas(
                cublasSetMathMode(handle, CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION),
                () -> "cublasSetMathMode on " + stream.device());
    }

    @Override
    public String description() {
        int[] version = new int[1];
        checkCublas(cublasGetVersion_v2(handle, version), () -> "cublasGetVersion");
        return "cuBLAS " + version[0] + " on " + stream.device();
    }

    @Override
    public synchronized void multiply(
            Matrix a, Matrix b, Matrix c, float alpha, float beta, Matrix bias, Matrix residual) {
        Operands.check(a, b, c, bias, residual);
        if (residual != null && residual.address() == c.address() && Arrays.equals(residual.strides(), c.strides())) {
            beta += 1;
            residual = null;
        }
        int terms = (beta != 0 ? 1 : 0) + (bias != null ? 1 : 0) + (residual != null ? 1 : 0);
        if (terms > 1 || !isDirect(c)) { // FP32 until all is added, so that c is rounded once
            Matrix sums = dense(FloatType.FLOAT, c.shape(), result);
            product(a, b, sums, alpha, 0);
            combine(sums, c, beta, bias, residual);
        } else if (bias != null) {
            combine(broadcast(bias, c.shape()), c, 0, null, null);
            product(a, b, c, alpha, 1);
        } else if (residual != null) {
            combine(residual, c, 0, null, null);
            product(a, b, c, alpha, 1);
        } else {
            product(a, b, c, alpha, beta);
        }
    }

    /** c = alpha a b + beta c, where c is as cuBLAS takes it. */
    private void product(Matrix a, Matrix b, Matrix c, float alpha, float beta) {
        if (!isRowMajor(c)) {
            product(b.transposed(), a.transposed(), c.transposed(), alpha, beta);
            return;
        }
        a = isDirect(a) ? a : copy(a, left);
        b = isDirect(b) ? b : copy(b, right);
        factors.put(alpha, beta);
        new MatrixBatches(a, b, c).forEach(this::gemm);
    }

    /** One call of cuBLAS, for which row-major matrices are column-major transposes: c^T = b^T a^T. */
    private void gemm(Matrix a, Matrix b, Matrix c, long batch, long aStride, long bStride, long cStride) {
        Supplier<String> call = () -> (batch == 1 ? "cublasGemmEx" : "cublasGemmStridedBatchedEx of " + batch) + " of "
                + text(a) + " x " + text(b) + " -> " + text(c) + " on " + stream.device();
        stream.device().makeCurrent();
        int bOp = isRowMajor(b) ? CUBLAS_OP_N : CUBLAS_OP_T;
        int aOp = isRowMajor(a) ? CUBLAS_OP_N : CUBLAS_OP_T;
        int n = size(c.columns(), call);
        int m = size(c.rows(), call);
        int k = size(a.columns(), call);
        int lda = size(rowStride(a), call);
        int ldb = size(rowStride(b), call);
        int ldc = size(rowStride(c), call);
        var alpha = factors;
        var beta = new Address(factors.address() + Float.BYTES);
        var aData = new Address(a.address());
        var bData = new Address(b.address());
        var cData = new Address(c.address());
        int type = cudaType(a.type());
        int code = batch == 1
                ? cublasGemmEx(
                        handle,
                        bOp,
                        aOp,
                        n,
                        m,
                        k,
                        alpha,
                        bData,
                        type,
                        ldb,
                        aData,
                        type,
                        lda,
                        beta,
                        cData,
                        cudaType(c.type()),
                        ldc,
                        computeType(a.type()),
                        CUBLAS_GEMM_DEFAULT)
                : cublasGemmStridedBatchedEx(
                        handle,
                        bOp,
                        aOp,
                        n,
                        m,
                        k,
                        alpha,
                        bData,
                        type,
                        ldb,
                        bStride,
                        aData,
                        type,
                        lda,
                        aStride,
                        beta,
                        cData,
                        cudaType(c.type()),
                        ldc,
                        cStride,
                        size(batch, call),
                        computeType(a.type()),
                        CUBLAS_GEMM_DEFAULT);
        checkCublas(code, call);
    }

    /** FP32 sums; under {@link Autocast} cuBLAS rounds FLOAT operands to BF16 on the way to the tensor cores. */
    private static int computeType(FloatType operands) {
        return operands == FloatType.FLOAT && Autocast.isEnabled() ? CUBLAS_COMPUTE_32F_FAST_16BF : CUBLAS_COMPUTE_32F;
    }

    /** target = source + beta * target + bias + residual, on the GPU, any strides. */
    private void combine(Matrix source, Matrix target, float beta, Matrix bias, Matrix residual) {
        long[] shape = target.shape();
        if (shape.length > LOOP) {
            for (long i = 0; i < shape[0]; i++) {
                combine(slice(source, i), slice(target, i), beta, bias, residual == null ? null : slice(residual, i));
            }
            return;
        }
        launcher.kernel(MATRIX, "combine_" + suffix(source.type()), target.type());
        launcher.add(padded(shape, 1));
        addArray(source);
        addArray(target);
        addArray(bias == null ? null : broadcast(bias, shape));
        addArray(residual);
        launcher.add(beta).launchLooping(THREADS, blocks(length(shape), THREADS));
    }

    private void addArray(Matrix matrix) {
        launcher.add(matrix == null ? 0 : matrix.address())
                .add(matrix == null ? new long[LOOP] : padded(matrix.strides(), 0));
    }

    private Matrix copy(Matrix matrix, DeviceScratch scratch) {
        Matrix copy = dense(matrix.type(), matrix.shape(), scratch);
        combine(matrix, copy, 0, null, null);
        return copy;
    }

    private static Matrix dense(FloatType type, long[] shape, DeviceScratch scratch) {
        long[] strides = new long[shape.length];
        long stride = 1;
        for (int i = shape.length - 1; i >= 0; i--) {
            strides[i] = stride;
            stride *= shape[i];
        }
        return new Matrix(type, scratch.reserve(stride * type.bytes()).address(), shape, strides);
    }

    /** bias [1, n] as an array of this shape. */
    private static Matrix broadcast(Matrix bias, long[] shape) {
        long[] strides = new long[shape.length];
        strides[shape.length - 1] = bias.strides()[1];
        return new Matrix(bias.type(), bias.address(), shape, strides);
    }

    private static Matrix slice(Matrix matrix, long index) {
        int rank = matrix.shape().length;
        return new Matrix(
                matrix.type(),
                matrix.address() + index * matrix.strides()[0] * matrix.type().bytes(),
                Arrays.copyOfRange(matrix.shape(), 1, rank),
                Arrays.copyOfRange(matrix.strides(), 1, rank));
    }

    /** Whether cuBLAS takes the matrix as it lies. */
    private static boolean isDirect(Matrix matrix) {
        return isRowMajor(matrix) || isRowMajor(matrix.transposed());
    }

    /** Whether columns have stride 1 and rows do not overlap. */
    private static boolean isRowMajor(Matrix matrix) {
        int last = matrix.strides().length - 1;
        return (matrix.columns() == 1 || matrix.strides()[last] == 1)
                && (matrix.rows() == 1 || matrix.strides()[last - 1] >= matrix.columns());
    }

    /** The leading dimension: the stride of rows, or of columns of a matrix that is row-major when transposed. */
    private static long rowStride(Matrix matrix) {
        Matrix rowMajor = isRowMajor(matrix) ? matrix : matrix.transposed();
        long stride = rowMajor.strides()[rowMajor.strides().length - 2];
        return rowMajor.rows() == 1 ? Math.max(1, rowMajor.columns()) : stride;
    }

    private static int size(long value, Supplier<String> call) {
        if (value != (int) value) {
            throw new IllegalArgumentException(call.get() + ": " + value + " does not fit into 32 bits");
        }
        return (int) value;
    }

    private static int cudaType(FloatType type) {
        return type == FloatType.FLOAT ? CUDA_R_32F : CUDA_R_16BF;
    }

    private static String text(Matrix matrix) {
        return Operands.text(matrix) + " at 0x" + Long.toHexString(matrix.address()) + " with strides "
                + Arrays.toString(matrix.strides());
    }

    private static long length(long[] shape) {
        return Arrays.stream(shape).reduce(1, (x, y) -> x * y);
    }

    /** values behind as many of {@code filler} as make LOOP. */
    private static long[] padded(long[] values, long filler) {
        long[] padded = new long[LOOP];
        Arrays.fill(padded, filler);
        System.arraycopy(values, 0, padded, LOOP - values.length, values.length);
        return padded;
    }
}
