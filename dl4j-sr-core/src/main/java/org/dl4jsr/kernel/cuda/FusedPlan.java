package org.dl4jsr.kernel.cuda;

import static org.bytedeco.cuda.global.cublas.CUBLASLT_ALGO_CAP_OUT_OF_PLACE_RESULT_SUPPORT;
import static org.bytedeco.cuda.global.cublas.CUBLASLT_ALGO_CONFIG_SPLITK_NUM;
import static org.bytedeco.cuda.global.cublas.CUBLASLT_EPILOGUE_BIAS;
import static org.bytedeco.cuda.global.cublas.CUBLASLT_MATMUL_DESC_BIAS_POINTER;
import static org.bytedeco.cuda.global.cublas.CUBLASLT_MATMUL_DESC_EPILOGUE;
import static org.bytedeco.cuda.global.cublas.CUBLASLT_MATMUL_DESC_TRANSA;
import static org.bytedeco.cuda.global.cublas.CUBLASLT_MATMUL_DESC_TRANSB;
import static org.bytedeco.cuda.global.cublas.CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES;
import static org.bytedeco.cuda.global.cublas.CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES;
import static org.bytedeco.cuda.global.cublas.CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES;
import static org.bytedeco.cuda.global.cublas.CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES;
import static org.bytedeco.cuda.global.cublas.CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES;
import static org.bytedeco.cuda.global.cublas.CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK;
import static org.bytedeco.cuda.global.cublas.CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT;
import static org.bytedeco.cuda.global.cublas.CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET;
import static org.bytedeco.cuda.global.cublas.CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE;
import static org.bytedeco.cuda.global.cublas.CUBLAS_STATUS_NOT_SUPPORTED;
import static org.bytedeco.cuda.global.cublas.cublasLtMatmul;
import static org.bytedeco.cuda.global.cublas.cublasLtMatmulAlgoCapGetAttribute;
import static org.bytedeco.cuda.global.cublas.cublasLtMatmulAlgoConfigGetAttribute;
import static org.bytedeco.cuda.global.cublas.cublasLtMatmulAlgoGetHeuristic;
import static org.bytedeco.cuda.global.cublas.cublasLtMatmulDescCreate;
import static org.bytedeco.cuda.global.cublas.cublasLtMatmulDescDestroy;
import static org.bytedeco.cuda.global.cublas.cublasLtMatmulDescSetAttribute;
import static org.bytedeco.cuda.global.cublas.cublasLtMatmulPreferenceCreate;
import static org.bytedeco.cuda.global.cublas.cublasLtMatmulPreferenceDestroy;
import static org.bytedeco.cuda.global.cublas.cublasLtMatmulPreferenceSetAttribute;
import static org.bytedeco.cuda.global.cublas.cublasLtMatrixLayoutCreate;
import static org.bytedeco.cuda.global.cublas.cublasLtMatrixLayoutDestroy;
import static org.bytedeco.cuda.global.cublas.cublasLtMatrixLayoutSetAttribute;
import static org.bytedeco.cuda.global.cudart.CUDA_R_32F;
import static org.dl4jsr.kernel.cuda.CudaException.checkCublas;

import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.bytedeco.cuda.cublas.cublasLtContext;
import org.bytedeco.cuda.cublas.cublasLtMatmulAlgo_t;
import org.bytedeco.cuda.cublas.cublasLtMatmulDescOpaque_t;
import org.bytedeco.cuda.cublas.cublasLtMatmulHeuristicResult_t;
import org.bytedeco.cuda.cublas.cublasLtMatmulPreferenceOpaque_t;
import org.bytedeco.cuda.cublas.cublasLtMatrixLayoutOpaque_t;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.javacpp.SizeTPointer;
import org.dl4jsr.kernel.Pointers;
import org.dl4jsr.kernel.StridedArray;

/** A product as cublasLt does it: its descriptors and the first algorithm of its heuristic that does it right. */
final class FusedPlan implements AutoCloseable {

    /** Bytes; for operands at larger multiples cublasLt has nothing better. */
    static final int ALIGNMENT = 16;

    /** Algorithms to choose from. */
    private static final int CANDIDATES = 8;

    private final cublasLtMatmulDescOpaque_t product;
    private final cublasLtMatrixLayoutOpaque_t a;
    private final cublasLtMatrixLayoutOpaque_t b;
    private final cublasLtMatrixLayoutOpaque_t addend;
    private final cublasLtMatrixLayoutOpaque_t c;
    private final cublasLtMatmulHeuristicResult_t candidates;
    private final LongPointer biasAddress;
    private cublasLtMatmulAlgo_t algorithm;

    /**
     * A matrix, or a run of them.
     *
     * @param step elements from each to the next
     * @param alignment the power of two, {@link #ALIGNMENT} at most, that all addresses are multiples of
     */
    record Operand(CublasMatrix matrix, long step, int alignment) {}

    /**
     * All that the algorithm depends on.
     *
     * @param length products of a run
     * @param computeType cublasComputeType_t
     */
    record Key(Operand a, Operand b, Operand addend, Operand c, long length, boolean hasBias, int computeType) {}

    private FusedPlan(Key key, Supplier<String> call) {
        try (var scope = Pointers.scope()) {
            candidates = new cublasLtMatmulHeuristicResult_t(CANDIDATES).retainReference();
            biasAddress = new LongPointer(1).retainReference();
            var made = new PointerPointer<Pointer>(1);
            checkCublas(cublasLtMatmulDescCreate(made, key.computeType, CUDA_R_32F), call);
            product = new cublasLtMatmulDescOpaque_t(made.get(0));
        }
        a = layout(key.a, key.length, call);
        b = layout(key.b, key.length, call);
        addend = layout(key.addend, key.length, call);
        c = layout(key.c, key.length, call);
        // c^T = b^T a^T: there the bias is one of rows, as cublasLt has it
        describe(CUBLASLT_MATMUL_DESC_TRANSA, key.b.matrix.operation(), call);
        describe(CUBLASLT_MATMUL_DESC_TRANSB, key.a.matrix.operation(), call);
        if (key.hasBias) {
            describe(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS, call);
            setBias(FusedMatmul.BIAS_ALIGNMENT, call); // an address that says no more: the choice goes by it, too
        }
    }

    /** The plan for {@code key}, or nothing if cublasLt has no algorithm; {@code call} is for messages. */
    static Optional<FusedPlan> of(cublasLtContext handle, Key key, long workspaceBytes, Supplier<String> call) {
        var plan = new FusedPlan(key, call);
        plan.algorithm = plan.choose(handle, key, workspaceBytes, call);
        if (plan.algorithm == null) {
            plan.close();
            return Optional.empty();
        }
        return Optional.of(plan);
    }

    /** Queues c = alpha a b + beta addend + bias. */
    void run(
            cublasLtContext handle,
            CudaStream stream,
            FloatPointer factors,
            StridedArray a,
            StridedArray b,
            StridedArray addend,
            StridedArray c,
            StridedArray bias,
            Supplier<String> call) {
        if (bias != null) {
            setBias(bias.address(), call);
        }
        DeviceMemory workspace = stream.workspace();
        int code = cublasLtMatmul(
                handle,
                product,
                factors,
                Pointers.at(b.address()),
                this.b,
                Pointers.at(a.address()),
                this.a,
                Pointers.at(factors.address() + Float.BYTES),
                Pointers.at(addend.address()),
                this.addend,
                Pointers.at(c.address()),
                this.c,
                algorithm,
                Pointers.at(workspace.address()),
                workspace.bytes(),
                stream.handle());
        stream.checkProduct(code, call);
        stream.given("product");
    }

    @Override
    public void close() {
        Supplier<String> call = () -> "cublasLt's destruction of descriptors";
        checkCublas(cublasLtMatmulDescDestroy(product), call);
        for (var layout : List.of(a, b, addend, c)) {
            checkCublas(cublasLtMatrixLayoutDestroy(layout), call);
        }
        candidates.close();
        biasAddress.close();
    }

    /** The first algorithm that can do it, or null. */
    private cublasLtMatmulAlgo_t choose(cublasLtContext handle, Key key, long workspaceBytes, Supplier<String> call) {
        int[] found = new int[1];
        boolean isFloat = key.c.matrix.type() == CUDA_R_32F;
        try (var scope = Pointers.scope()) {
            var made = new PointerPointer<Pointer>(1);
            checkCublas(cublasLtMatmulPreferenceCreate(made), call);
            var preference = new cublasLtMatmulPreferenceOpaque_t(made.get(0));
            checkCublas(
                    cublasLtMatmulPreferenceSetAttribute(
                            preference,
                            CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                            new LongPointer(1).put(workspaceBytes),
                            Long.BYTES),
                    call);
            // parts of a sum are kept in FP32 and added in a fixed order
            prefer(
                    preference,
                    CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
                    CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE,
                    call);
            prefer(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, key.b.alignment, call);
            prefer(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, key.a.alignment, call);
            prefer(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, key.addend.alignment, call);
            prefer(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, key.c.alignment, call);
            int code = cublasLtMatmulAlgoGetHeuristic(
                    handle, product, b, a, addend, c, preference, CANDIDATES, candidates, found);
            checkCublas(cublasLtMatmulPreferenceDestroy(preference), call);
            if (code != CUBLAS_STATUS_NOT_SUPPORTED) {
                checkCublas(code, () -> "cublasLtMatmulAlgoGetHeuristic for " + call.get());
            }
            for (int i = 0; i < found[0]; i++) {
                var candidate = candidates.position(i).algo();
                if (addsAnotherMatrix(candidate, call) && (isFloat || !splitsSums(candidate, call))) {
                    return candidate;
                }
            }
        }
        return null;
    }

    /** Whether the algorithm adds what is not in the place of the result. */
    private static boolean addsAnotherMatrix(cublasLtMatmulAlgo_t algorithm, Supplier<String> call) {
        try (var can = new IntPointer(1L);
                var written = new SizeTPointer(1L)) {
            checkCublas(
                    cublasLtMatmulAlgoCapGetAttribute(
                            algorithm, CUBLASLT_ALGO_CAP_OUT_OF_PLACE_RESULT_SUPPORT, can, Integer.BYTES, written),
                    call);
            return can.get() != 0;
        }
    }

    /** Whether the algorithm splits sums; then it rounds them before it adds a bias. */
    private static boolean splitsSums(cublasLtMatmulAlgo_t algorithm, Supplier<String> call) {
        try (var parts = new IntPointer(1L);
                var written = new SizeTPointer(1L)) {
            checkCublas(
                    cublasLtMatmulAlgoConfigGetAttribute(
                            algorithm, CUBLASLT_ALGO_CONFIG_SPLITK_NUM, parts, Integer.BYTES, written),
                    call);
            return parts.get() != 1;
        }
    }

    private static cublasLtMatrixLayoutOpaque_t layout(Operand operand, long length, Supplier<String> call) {
        CublasMatrix matrix = operand.matrix;
        try (var scope = Pointers.scope()) {
            var made = new PointerPointer<Pointer>(1);
            checkCublas(
                    cublasLtMatrixLayoutCreate(
                            made, matrix.type(), matrix.height(), matrix.width(), matrix.leadingDimension()),
                    call);
            var layout = new cublasLtMatrixLayoutOpaque_t(made.get(0));
            checkCublas(
                    cublasLtMatrixLayoutSetAttribute(
                            layout,
                            CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT,
                            new IntPointer(1L).put(Math.toIntExact(length)),
                            Integer.BYTES),
                    call);
            checkCublas(
                    cublasLtMatrixLayoutSetAttribute(
                            layout,
                            CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET,
                            new LongPointer(1).put(operand.step),
                            Long.BYTES),
                    call);
            return layout;
        }
    }

    private void describe(int attribute, int value, Supplier<String> call) {
        try (var pointer = new IntPointer(1L)) {
            checkCublas(cublasLtMatmulDescSetAttribute(product, attribute, pointer.put(value), Integer.BYTES), call);
        }
    }

    private void setBias(long address, Supplier<String> call) {
        checkCublas(
                cublasLtMatmulDescSetAttribute(
                        product, CUBLASLT_MATMUL_DESC_BIAS_POINTER, biasAddress.put(address), Long.BYTES),
                call);
    }

    private static void prefer(
            cublasLtMatmulPreferenceOpaque_t preference, int attribute, int value, Supplier<String> call) {
        try (var pointer = new IntPointer(1L)) {
            checkCublas(
                    cublasLtMatmulPreferenceSetAttribute(preference, attribute, pointer.put(value), Integer.BYTES),
                    call);
        }
    }
}
