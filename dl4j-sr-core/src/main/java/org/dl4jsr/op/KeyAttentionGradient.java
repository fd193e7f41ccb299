package org.dl4jsr.op;

import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Backward pass of {@link KeyAttention}. */
public final class KeyAttentionGradient extends KernelOp {

    private final AttendedSequences sequences;
    private final INDArray dAttended;
    private final INDArray dQ;
    private final INDArray dK;
    private final INDArray dV;

    /**
     * Arrays are dense and row-major.
     *
     * @param sequences as the forward pass left them
     * @param dAttended as attended: its gradient
     * @param dQ as q, written; so are dK and dV, as k and v
     */
    public KeyAttentionGradient(
            AttendedSequences sequences, INDArray dAttended, INDArray dQ, INDArray dK, INDArray dV) {
        super(
                StepPart.ATTENTION_BACKWARD,
                given(
                        sequences.q(),
                        sequences.k(),
                        sequences.v(),
                        sequences.visible(),
                        sequences.attended(),
                        sequences.logSumExp(),
                        dAttended),
                new INDArray[] {dQ, dK, dV});
        this.sequences = sequences;
        this.dAttended = require(
                "dAttended", dAttended, DataType.BFLOAT16, sequences.attended().shape());
        this.dQ = require("dQ", dQ, DataType.BFLOAT16, sequences.q().shape());
        this.dK = require("dK", dK, DataType.BFLOAT16, sequences.k().shape());
        this.dV = require("dV", dV, DataType.BFLOAT16, sequences.v().shape());
    }

    @Override
    public String opName() {
        return "dl4jsr_key_attention_gradient";
    }

    @Override
    public long operations() {
        return 5 * sequences.operations() / 2;
    }

    @Override
    public void run(Device device) {
        device.arrayKernels()
                .orElseThrow()
                .keyAttentionGradient(
                        sequences.shape(),
                        device.address(sequences.q()),
                        device.address(sequences.k()),
                        device.address(sequences.v()),
                        device.address(sequences.visible()),
                        device.address(sequences.attended()),
                        device.address(sequences.logSumExp()),
                        device.address(dAttended),
                        device.address(dQ),
                        device.address(dK),
                        device.address(dV));
    }
}
