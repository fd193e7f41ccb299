package org.dl4jsr.op;

import org.dl4jsr.kernel.ArrayKernels;
import org.dl4jsr.kernel.Matmul;
import org.dl4jsr.kernel.RightFactor;
import org.dl4jsr.kernel.StridedArray;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * An LSTM over a sequence, from its initial state on, for devices with {@link Device#arrayKernels}. The input's product
 * is one for all time steps that have gates of their own. Gates and cells are FP32.
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
        int atOnce = (int) gates.size(0);
        int carried = cells.size(0) == 1 ? 0 : 1;
        long bias = device.address(sequence.bias());
        StridedArray inputWeights = strided(device, sequence.inputWeights());
        RightFactor stateWeights = matmul.rightFactor(strided(device, sequence.stateWeights()));
        for (int t = 0; t < time; t++) {
            int at = t % atOnce;
            if (at == 0) {
                int end = Math.min(t + atOnce, time);
                matmul.multiply(
                        LstmSequence.rows(device, sequence.x(), t, end),
                        inputWeights,
                        LstmSequence.rows(device, gates, 0, end - t));
            }
            stateWeights.multiply(
                    LstmSequence.rows(device, outputs, t, t + 1), LstmSequence.rows(device, gates, at, at + 1), 1);
            kernels.lstmCell(
                    LstmSequence.step(device, gates, at),
                    bias,
                    LstmSequence.step(device, cells, t * carried),
                    LstmSequence.step(device, cells, (t + 1) * carried),
                    LstmSequence.step(device, outputs, t + 1),
                    sequence.batch(),
                    sequence.width());
        }
    }
}
