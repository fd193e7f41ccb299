package org.dl4jsr.kernel.cuda;

import static org.bytedeco.cuda.global.cublas.CUBLAS_COMPUTE_32F;
import static org.bytedeco.cuda.global.cublas.CUBLAS_GEMM_DEFAULT;
import static org.bytedeco.cuda.global.cublas.CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION;
import static org.bytedeco.cuda.global.cublas.cublasCreate_v2;
import static org.bytedeco.cuda.global.cublas.cublasGemmEx;
import static org.bytedeco.cuda.global.cublas.cublasGemmStridedBatchedEx;
import static org.bytedeco.cuda.global.cublas.cublasGetVersion_v2;
import static org.bytedeco.cuda.global.cublas.cublasSetMathMode;
import static org.bytedeco.cuda.global.cublas.cublasSetStream_v2;
import static org.dl4jsr.kernel.cuda.CublasMatrix.takes;
import static org.dl4jsr.kernel.cuda.CudaException.checkCublas;
import static org.dl4jsr.kernel.cuda.KernelConstant.THREADS;
import static org.dl4jsr.kernel.cuda.KernelLauncher.blocks;
import static org.dl4jsr.kernel.cuda.KernelLauncher.suffix;
import static org.dl4jsr.kernel.cuda.KernelSource.CASTS;
import static org.dl4jsr.kernel.cuda.KernelSource.MATRIX;

import java.util.Arrays;
import java.util.function.Supplier;
import org.bytedeco.cuda.cublas.cublasContext;
import org.bytedeco.cuda.global.cublas;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Loader;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.Matmul;
import org.dl4jsr.kernel.Pointers;
import org.dl4jsr.kernel.StridedArray;

/**
 * Matrix multiplication by cuBLAS over device addresses, on one stream: BF16 (with BF16 or FLOAT result) on tensor
 * cores with FP32 sums, and FLOAT. Calls return as soon as the work is queued. Transposes are strides; an operand
 * without a unit stride in its last two dimensions is copied densely first. Bias and residual are added by cublasLt
 * where it can, else in passes of their own.
 */
public final class CudaMatmul implements Matmul {

    /** Dimensions that the kernel "combine" loops over. */
    private static final int LOOP = 4;

    private final CudaStream stream;
    private final boolean autocast;
    private final KernelLauncher launcher;
    private final cublasContext handle;
    private final FloatPointer factors; // alpha, beta
    private final DeviceScratch left;
    private final DeviceScratch right;
    private final DeviceScratch result;
    private final DeviceScratch vector;
    private final FusedMatmul fusedMatmul;

    /**
     * Loads cuBLAS.
     *
     * @throws LinkageError where it does not load
     */
    static void load() {
        Loader.load(cublas.class);
    }

    /**
     * Products that run on {@code stream}, with a cuBLAS handle of their own.
     *
     * @param autocast whether FLOAT operands are rounded to BF16 on the way to the tensor cores
     */
    public CudaMatmul(CudaStream stream, boolean autocast) {
        this.autocast = autocast;
        this.stream = stream;
        launcher = new KernelLauncher(stream);
        left = new DeviceScratch(stream);
        right = new DeviceScratch(stream);
        result = new DeviceScratch(stream);
        vector = new DeviceScratch(stream);
        fusedMatmul = new FusedMatmul(stream);
        stream.device().makeCurrent();
        try (var scope = Pointers.scope()) {
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

    /** Some of cublasLt's algorithms do, as an H100 and an H200 show; so does PyTorch, which adds a residual afterwards. */
    @Override
    public boolean roundsBeforeBias() {
        return true;
    }

    @Override
    public synchronized void multiply(
            StridedArray a,
            StridedArray b,
            StridedArray c,
            float alpha,
            float beta,
            StridedArray bias,
            StridedArray residual) {
        Matmul.check(a, b, c, bias, residual);
        if (residual != null && residual.address() == c.address() && Arrays.equals(residual.strides(), c.strides())) {
            beta += 1;
            residual = null;
        }
        if (takes(c) && (bias != null || residual != null) && fused(a, b, c, alpha, beta, bias, residual)) {
            return;
        }
        int terms = (beta != 0 ? 1 : 0) + (bias != null ? 1 : 0) + (residual != null ? 1 : 0);
        boolean roundsTwice =
                terms > 0 && c.type() == FloatType.BFLOAT16; // cuBLAS, where it splits sums or is unaligned
        if (terms > 1 || roundsTwice || !takes(c)) { // FP32 until all is added, so that c is rounded once
            StridedArray sums = StridedArray.rowMajor(
                    FloatType.FLOAT, result.reserve(Float.BYTES * c.length()).address(), c.shape());
            product(a, b, sums, alpha, 0);
            combine(sums, c, beta, bias, residual);
        } else if (bias != null) {
            combine(bias.broadcastTo(c.shape()), c, 0, null, null);
            product(a, b, c, alpha, 1);
        } else if (residual != null) {
            combine(residual, c, 0, null, null);
            product(a, b, c, alpha, 1);
        } else {
            product(a, b, c, alpha, beta);
        }
    }

    /** In one pass, if cublasLt can: it has one matrix to add, and a bias of what is contiguous in the result. */
    private boolean fused(
            StridedArray a,
            StridedArray b,
            StridedArray c,
            float alpha,
            float beta,
            StridedArray bias,
            StridedArray residual) {
        if (bias == null && !c.hasContiguousRows()) {
            return fused(b.transposed(), a.transposed(), c.transposed(), alpha, beta, null, residual.transposed());
        }
        StridedArray addend = residual == null ? c : residual;
        boolean inPlace = beta != 0 && residual == null; // in BF16, with a bias, an H100 was off by 2 ulp
        if (!c.hasContiguousRows()
                || !addend.hasContiguousRows()
                || (beta != 0 && residual != null)
                || (inPlace && c.type() == FloatType.BFLOAT16)) {
            return false;
        }
        if (bias != null && !(bias.isDense() && bias.isAligned(FusedMatmul.BIAS_ALIGNMENT))) {
            bias = copy(bias, vector);
        }
        factors.put(alpha, residual == null ? beta : 1);
        return fusedMatmul.multiply(taken(a, left), taken(b, right), addend, c, bias, factors, CUBLAS_COMPUTE_32F);
    }

    /** c = alpha a b + beta c, where c is as cuBLAS takes it. */
    private void product(StridedArray a, StridedArray b, StridedArray c, float alpha, float beta) {
        if (!c.hasContiguousRows()) {
            product(b.transposed(), a.transposed(), c.transposed(), alpha, beta);
            return;
        }
        factors.put(alpha, beta);
        var batches = new MatrixBatches(taken(a, left), taken(b, right), c);
        batches.forEach(matrices -> gemm(matrices[0], matrices[1], matrices[2], batches));
    }

    /** One call of cuBLAS, for which row-major matrices are column-major transposes: c^T = b^T a^T. */
    private void gemm(StridedArray a, StridedArray b, StridedArray c, MatrixBatches batches) {
        long batch = batches.length();
        Supplier<String> call = () -> (batch == 1 ? "cublasGemmEx" : "cublasGemmStridedBatchedEx of " + batch) + " of "
                + text(a) + " x " + text(b) + " -> " + text(c) + " on " + stream.device();
        stream.device().makeCurrent();
        var first = CublasMatrix.of(b);
        var second = CublasMatrix.of(a);
        var target = CublasMatrix.of(c);
        int n = size(c.columns(), call);
        int m = size(c.rows(), call);
        int k = size(a.columns(), call);
        int ldFirst = size(first.leadingDimension(), call);
        int ldSecond = size(second.leadingDimension(), call);
        int ldTarget = size(target.leadingDimension(), call);
        var alpha = factors;
        var beta = Pointers.at(factors.address() + Float.BYTES);
        var firstData = Pointers.at(b.address());
        var secondData = Pointers.at(a.address());
        var targetData = Pointers.at(c.address());
        int code = batch == 1
                ? cublasGemmEx(
                        handle,
                        first.operation(),
                        second.operation(),
                        n,
                        m,
                        k,
                        alpha,
                        firstData,
                        first.type(),
                        ldFirst,
                        secondData,
                        second.type(),
                        ldSecond,
                        beta,
                        targetData,
                        target.type(),
                        ldTarget,
                        CUBLAS_COMPUTE_32F,
                        CUBLAS_GEMM_DEFAULT)
                : cublasGemmStridedBatchedEx(
                        handle,
                        first.operation(),
                        second.operation(),
                        n,
                        m,
                        k,
                        alpha,
                        firstData,
                        first.type(),
                        ldFirst,
                        batches.step(1),
                        secondData,
                        second.type(),
                        ldSecond,
                        batches.step(0),
                        beta,
                        targetData,
                        target.type(),
                        ldTarget,
                        batches.step(2),
                        size(batch, call),
                        CUBLAS_COMPUTE_32F,
                        CUBLAS_GEMM_DEFAULT);
        stream.checkProduct(code, call);
        stream.given("product");
    }

    /** target = source + beta * target + bias + residual, on the GPU, any strides. */
    private void combine(
            StridedArray source, StridedArray target, float beta, StridedArray bias, StridedArray residual) {
        long[] shape = target.shape();
        if (shape.length > LOOP) {
            for (long i = 0; i < shape[0]; i++) {
                combine(source.slice(i), target.slice(i), beta, bias, residual == null ? null : residual.slice(i));
            }
            return;
        }
        launcher.kernel(MATRIX, "combine_" + suffix(source.type()), target.type());
        launcher.add(padded(shape, 1));
        addArray(source);
        addArray(target);
        addArray(bias == null ? null : bias.broadcastTo(shape));
        addArray(residual);
        launcher.add(beta).launchLooping(THREADS.value, blocks(target.length(), THREADS.value));
    }

    private void addArray(StridedArray matrix) {
        launcher.add(matrix == null ? 0 : matrix.address())
                .add(matrix == null ? new long[LOOP] : padded(matrix.strides(), 0));
    }

    /** {@code matrix}, or a dense copy that cuBLAS takes. */
    private StridedArray taken(StridedArray matrix, DeviceScratch scratch) {
        if (autocast && matrix.type() == FloatType.FLOAT) {
            return rounded(matrix, scratch);
        }
        return takes(matrix) ? matrix : copy(matrix, scratch);
    }

    /** A BF16 copy that cuBLAS takes: its own way of rounding FLOAT operands is several times slower. */
    private StridedArray rounded(StridedArray matrix, DeviceScratch scratch) {
        long length = matrix.length();
        long address = scratch.reserve(FloatType.BFLOAT16.bytes() * length).address();
        if (!takes(matrix) || !matrix.isContiguous()) {
            StridedArray copy = StridedArray.rowMajor(FloatType.BFLOAT16, address, matrix.shape());
            combine(matrix, copy, 0, null, null);
            return copy;
        }
        launcher.kernel(CASTS, "toBFloat16")
                .add(matrix.address(), address, length)
                .launchOctets(length);
        return matrix.denseAt(address, FloatType.BFLOAT16);
    }

    private StridedArray copy(StridedArray matrix, DeviceScratch scratch) {
        StridedArray copy = matrix.rowMajorAt(scratch.reserve(matrix.bytes()).address());
        combine(matrix, copy, 0, null, null);
        return copy;
    }

    private static int size(long value, Supplier<String> call) {
        if (value != (int) value) {
            throw new IllegalArgumentException(call.get() + ": " + value + " does not fit into 32 bits");
        }
        return (int) value;
    }

    private static String text(StridedArray matrix) {
        return matrix + " at 0x" + Long.toHexString(matrix.address());
    }

    /** values behind as many of {@code filler} as make LOOP. */
    private static long[] padded(long[] values, long filler) {
        long[] padded = new long[LOOP];
        Arrays.fill(padded, filler);
        System.arraycopy(values, 0, padded, LOOP - values.length, values.length);
        return padded;
    }
}
