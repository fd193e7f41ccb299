package org.dl4jsr.op;

import org.dl4jsr.kernel.ArrayKernels;
import org.dl4jsr.kernel.Matmul;
import org.dl4jsr.kernel.RightFactor;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * An LSTM over a sequence, from its initial state on, for devices with {@link Device#arrayKernels}. The input's product
 * is one for all time steps. Gates and cells are FP32.
 */
public final class Lstm extends KernelOp {

    private final LstmSequence sequence;

    /** Writes gates, cells and outputs but for the initial ones. */
    public Lstm(LstmSequence sequence) {
        super(
                StepPart.RECURRENT,
                new INDArray[] {sequence.x(), sequence.inputWeights(), sequence.stateWeights(), sequence.bias()},
                new INDArray[] {sequence.gates(), sequence.cells(), sequence.outputs()});
        this.sequence = sequence;
    }

    @Override
    public String opName() {
        return "dl4jsr_lstm";
    }

    @Override
    public long operations() {
        return sequence.operations(sequence.time());
    }

    @Override
    public void run(Device device) {
        Matmul matmul = device.matmul();
        ArrayKernels kernels = device.arrayKernels().orElseThrow();
        INDArray gates = sequence.gates();
        INDArray cells = sequence.cells();
        INDArray outputs = sequence.outputs();
        int time = sequence.time();
        long bias = device.address(sequence.bias());
        matmul.multiply(
                LstmSequence.rows(device, sequence.x(), 0, time),
                strided(device, sequence.inputWeights()),
                LstmSequence.rows(device, gates, 0, time));
        RightFactor weights = matmul.rightFactor(strided(device, sequence.stateWeights()));
        for (int t = 0; t < time; t++) {
            weights.multiply(
                    LstmSequence.rows(device, outputs, t, t + 1), LstmSequence.rows(device, gates, t, t + 1), 1);
            kernels.lstmCell(
                    LstmSequence.step(device, gates, t),
                    bias,
                    LstmSequence.step(device, cells, t),
                    LstmSequence.step(device, cells, t + 1),
                    LstmSequence.step(device, outputs, t + 1),
                    sequence.batch(),
                    sequence.width());
        }
    }
}
