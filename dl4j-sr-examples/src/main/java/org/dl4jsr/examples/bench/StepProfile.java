package org.dl4jsr.examples.bench;

import java.util.EnumMap;
import java.util.Map;
import org.dl4jsr.op.BiasGradient;
import org.dl4jsr.op.CausalAttention;
import org.dl4jsr.op.CausalAttentionGradient;
import org.dl4jsr.op.Gelu;
import org.dl4jsr.op.GeluGradient;
import org.dl4jsr.op.KernelOp;
import org.dl4jsr.op.LayerNorm;
import org.dl4jsr.op.LayerNormGradient;
import org.dl4jsr.op.MatrixProduct;
import org.dl4jsr.op.SrAdamStep;
import org.dl4jsr.op.SumOfSquares;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Adds up what the ops of training steps did, by part of the step. */
final class StepProfile implements KernelOp.Listener {

    /** The parts of a step that our kernels carry out. */
    enum Part {
        GEMM_FORWARD("GEMM forward"),
        GEMM_INPUT("GEMM input gradient"),
        GEMM_WEIGHT("GEMM weight gradient"),
        ATTENTION_FORWARD("attention forward"),
        ATTENTION_BACKWARD("attention backward"),
        NORM("layer norm"),
        GELU("GELU"),
        BIAS("bias gradient"),
        HEAD("embedding, head, loss"),
        CLIPPING("gradient norm"),
        OPTIMIZER("SR-AdamW");

        private final String label;

        Part(String label) {
            this.label = label;
        }

        @Override
        public String toString() {
            return label;
        }
    }

    /** Sums over the ops of one part. */
    static final class Sums {
        long nanoseconds;
        long calls;
        /** Floating-point operations of matrix products. */
        long operations;
        /** Of the arrays read and written, each once. */
        long bytes;
    }

    private final int vocabulary;
    private final Map<Part, Sums> sums = new EnumMap<>(Part.class);

    /** @param vocabulary tells the head's matrix products from the others */
    StepProfile(int vocabulary) {
        this.vocabulary = vocabulary;
        for (Part part : Part.values()) {
            sums.put(part, new Sums());
        }
    }

    @Override
    public void ran(KernelOp op, long nanoseconds) {
        Sums part = sums.get(part(op));
        part.nanoseconds += nanoseconds;
        part.calls++;
        part.operations += op.operations();
        part.bytes += bytes(op);
    }

    Sums of(Part part) {
        return sums.get(part);
    }

    private Part part(KernelOp op) {
        if (op instanceof MatrixProduct product) {
            return ofHead(product)
                    ? Part.HEAD
                    : product.transposesA()
                            ? Part.GEMM_WEIGHT
                            : product.transposesB() ? Part.GEMM_INPUT : Part.GEMM_FORWARD;
        }
        if (op instanceof CausalAttention) {
            return Part.ATTENTION_FORWARD;
        }
        if (op instanceof CausalAttentionGradient) {
            return Part.ATTENTION_BACKWARD;
        }
        if (op instanceof LayerNorm || op instanceof LayerNormGradient) {
            return Part.NORM;
        }
        if (op instanceof Gelu || op instanceof GeluGradient) {
            return Part.GELU;
        }
        if (op instanceof BiasGradient) {
            return Part.BIAS;
        }
        if (op instanceof SumOfSquares) {
            return Part.CLIPPING;
        }
        return op instanceof SrAdamStep ? Part.OPTIMIZER : Part.HEAD;
    }

    private boolean ofHead(MatrixProduct product) {
        INDArray left = product.inputArguments().get(0);
        INDArray result = product.outputArguments().get(0);
        return left.size(-1) == vocabulary || result.size(-1) == vocabulary;
    }

    private static long bytes(KernelOp op) {
        long bytes = 0;
        for (INDArray input : op.inputArguments()) {
            bytes += input.length() * input.dataType().width();
        }
        for (INDArray output : op.outputArguments()) {
            // weights and optimizer state are read, too
            bytes += (op instanceof SrAdamStep ? 2 : 1)
                    * output.length()
                    * output.dataType().width();
        }
        return bytes;
    }
}
