package org.dl4jsr.op;

import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Multi-head attention to all visible keys of a sequence, softmax(q k^T / sqrt(headWidth)) v, without the [batch, heads,
 * queries, keys] probabilities in memory, for devices with {@link Device#arrayKernels}.
 */
public final class KeyAttention extends KernelOp {

    private final AttendedSequences sequences;

    /** Writes what is attended to and the logarithms for {@link KeyAttentionGradient}. */
    public KeyAttention(AttendedSequences sequences) {
        super(
                StepPart.ATTENTION_FORWARD,
                given(sequences.q(), sequences.k(), sequences.v(), sequences.visible()),
                new INDArray[] {sequences.attended(), sequences.logSumExp()});
        this.sequences = sequences;
    }

    @Override
    public String opName() {
        return "dl4jsr_key_attention";
    }

    @Override
    public long operations() {
        return sequences.operations();
    }

    @Override
    public void run(Device device) {
        device.arrayKernels()
                .orElseThrow()
                .keyAttention(
                        sequences.shape(),
                        device.address(sequences.q()),
                        device.address(sequences.k()),
                        device.address(sequences.v()),
                        device.address(sequences.visible()),
                        device.address(sequences.attended()),
                        device.address(sequences.logSumExp()));
    }
}
