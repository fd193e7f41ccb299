package org.dl4jsr.kernel.cuda;

import static org.bytedeco.cuda.global.cublas.cublasLtCreate;
import static org.dl4jsr.kernel.cuda.CudaException.checkCublas;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.bytedeco.cuda.cublas.cublasLtContext;
import org.bytedeco.javacpp.FloatPointer;
import org.dl4jsr.kernel.Pointers;
import org.dl4jsr.kernel.StridedArray;

/** Products by cublasLt, which adds a bias and a matrix before it rounds the result: they cost no passes of their own. */
final class FusedMatmul {

    /** A bias at another address makes the whole product six times as slow, on an H100. */
    static final int BIAS_ALIGNMENT = 16;

    /** Kept ready; the least recently used goes first. */
    private static final int MOST_PLANS = 256;

    private final CudaStream stream;
    private final cublasLtContext handle;
    private final Map<FusedPlan.Key, Optional<FusedPlan>> plans = new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<FusedPlan.Key, Optional<FusedPlan>> eldest) {
            if (size() > MOST_PLANS) {
                eldest.getValue().ifPresent(FusedPlan::close);
                return true;
            }
            return false;
        }
    };

    /** Products that run on {@code stream}. */
    FusedMatmul(CudaStream stream) {
        this.stream = stream;
        stream.device().makeCurrent();
        try (var scope = Pointers.scope()) {
            handle = new cublasLtContext().retainReference();
        }
        checkCublas(cublasLtCreate(handle), () -> "cublasLtCreate on " + stream.device());
    }

    /**
     * c = alpha a b + beta addend + bias, if cublasLt has an algorithm for it. The same shapes, strides and alignments
     * get the same algorithm each time, and none that adds in an order of chance.
     *
     * @param a and the other matrices: such as {@link CublasMatrix#takes}, addend and c with contiguous rows
     * @param addend may be c; where beta is not 0, of FLOAT only
     * @param bias dense, at a multiple of {@link #BIAS_ALIGNMENT}; null for none
     * @param factors alpha and beta
     * @param computeType cublasComputeType_t
     * @return whether it was done; if not, nothing was
     */
    boolean multiply(
            StridedArray a,
            StridedArray b,
            StridedArray addend,
            StridedArray c,
            StridedArray bias,
            FloatPointer factors,
            int computeType) {
        var batches = new MatrixBatches(a, b, addend, c);
        var key = new FusedPlan.Key(
                operand(a, batches.step(0)),
                operand(b, batches.step(1)),
                operand(addend, batches.step(2)),
                operand(c, batches.step(3)),
                batches.length(),
                bias != null,
                computeType);
        Supplier<String> call = () -> "cublasLtMatmul of " + text(a) + " x " + text(b)
                + " + " + text(addend) + (bias == null ? "" : " + bias " + text(bias)) + " -> " + text(c) + " on "
                + stream.device();
        stream.device().makeCurrent();
        Optional<FusedPlan> plan = plans.computeIfAbsent(
                key, k -> FusedPlan.of(handle, k, stream.workspace().bytes(), call));
        plan.ifPresent(p -> batches.forEach(m -> p.run(handle, stream, factors, m[0], m[1], m[2], m[3], bias, call)));
        return plan.isPresent();
    }

    private static FusedPlan.Operand operand(StridedArray matrices, long step) {
        long bits = matrices.address() | FusedPlan.ALIGNMENT;
        for (int i = 0; i < matrices.rank() - 2; i++) {
            bits |= matrices.shape()[i] == 1
                    ? 0
                    : matrices.strides()[i] * matrices.type().bytes();
        }
        return new FusedPlan.Operand(CublasMatrix.of(matrices), step, (int) Long.lowestOneBit(bits));
    }

    private static String text(StridedArray matrix) {
        return matrix + " at 0x" + Long.toHexString(matrix.address());
    }
}
