package org.dl4jsr.op;

/** The parts of a training step that dl4j-sr's own kernels carry out; every op names its own. */
public enum StepPart {
    GEMM_FORWARD("GEMM forward"),
    GEMM_INPUT("GEMM input gradient"),
    GEMM_WEIGHT("GEMM weight gradient"),
    ATTENTION_FORWARD("attention forward"),
    ATTENTION_BACKWARD("attention backward"),
    NORM("layer norm"),
    ACTIVATION("activation"),
    BIAS("bias gradient"),
    RECURRENT("recurrent layers"),
    CONVOLUTION("convolutions"),
    POOLING("pooling"),
    EMBEDDING("embedding"),
    HEAD("head, loss"),
    CLIPPING("gradient norm"),
    OPTIMIZER("optimizer");

    private final String label;

    StepPart(String label) {
        this.label = label;
    }

    @Override
    public String toString() {
        return label;
    }
}
