package org.dl4jsr.op;

import java.util.Arrays;
import org.dl4jsr.kernel.ArrayKernels;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.Matmul;
import org.dl4jsr.kernel.RightFactor;
import org.dl4jsr.kernel.StridedArray;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Backward pass of {@link Lstm} through its last time steps. */
public final class LstmGradient extends KernelOp {

    private final LstmSequence sequence;
    private final int steps;
    private final INDArray dOutputs;
    private final INDArray dGates;
    private final INDArray dState;
    private final INDArray dCell;
    private final INDArray dx;
    private final INDArray dInputWeights;
    private final INDArray dStateWeights;
    private final INDArray dBias;

    /**
     * Arrays are dense and row-major, but for the weights' gradients.
     *
     * @param sequence as the forward pass left it
     * @param steps time steps to go back through, from the end
     * @param dOutputs BFLOAT16 [time, batch, width]: gradient of all outputs but the initial one
     * @param dGates BFLOAT16 [time, batch, 4 width], scratch
     * @param dState FLOAT [batch, width], scratch
     * @param dCell FLOAT [batch, width], zeros; overwritten
     * @param dx as x; these steps of it are written; or null
     * @param dInputWeights as inputWeights, written
     * @param dStateWeights as stateWeights, written
     * @param dBias as bias, written
     */
    public LstmGradient(
            LstmSequence sequence,
            int steps,
            INDArray dOutputs,
            INDArray dGates,
            INDArray dState,
            INDArray dCell,
            INDArray dx,
            INDArray dInputWeights,
            INDArray dStateWeights,
            INDArray dBias) {
        super(
                StepPart.RECURRENT,
                new INDArray[] {sequence.x(), sequence.gates(), sequence.cells(), sequence.outputs(), dOutputs},
                given(dGates, dState, dCell, dx, dInputWeights, dStateWeights, dBias));
        int time = sequence.time();
        int batch = sequence.batch();
        int width = sequence.width();
        if (steps < 1 || steps > time) {
            throw new IllegalArgumentException("steps is " + steps + ", expected 1 to " + time);
        }
        if (!sequence.isComplete()) {
            throw new IllegalArgumentException("gates are "
                    + Arrays.toString(sequence.gates().shape()) + " and cells "
                    + Arrays.toString(sequence.cells().shape()) + ", expected those of all " + time + " time steps");
        }
        this.sequence = sequence;
        this.steps = steps;
        this.dOutputs = require("dOutputs", dOutputs, DataType.BFLOAT16, time, batch, width);
        this.dGates =
                require("dGates", dGates, DataType.BFLOAT16, sequence.gates().shape());
        this.dState = require("dState", dState, DataType.FLOAT, batch, width);
        this.dCell = require("dCell", dCell, DataType.FLOAT, batch, width);
        this.dx = dx == null
                ? null
                : require("dx", dx, DataType.BFLOAT16, sequence.x().shape());
        this.dInputWeights = requireShape(
                "dInputWeights",
                dInputWeights,
                DataType.BFLOAT16,
                sequence.inputWeights().shape());
        this.dStateWeights = requireShape(
                "dStateWeights",
                dStateWeights,
                DataType.BFLOAT16,
                sequence.stateWeights().shape());
        this.dBias = require("dBias", dBias, DataType.BFLOAT16, sequence.bias().shape());
    }

    @Override
    public String opName() {
        return "dl4jsr_lstm_gradient";
    }

    @Override
    public long operations() {
        return 2 * sequence.operations(steps);
    }

    @Override
    public void run(Device device) {
        Matmul matmul = device.matmul();
        ArrayKernels kernels = device.arrayKernels().orElseThrow();
        int time = sequence.time();
        int first = time - steps;
        RightFactor stateWeights =
                matmul.rightFactor(strided(device, sequence.stateWeights()).transposed());
        for (int t = time - 1; t >= first; t--) {
            kernels.lstmCellGradient(
                    LstmSequence.step(device, sequence.gates(), t),
                    LstmSequence.step(device, sequence.cells(), t),
                    LstmSequence.step(device, sequence.cells(), t + 1),
                    LstmSequence.step(device, dOutputs, t),
                    t == time - 1 ? 0 : device.address(dState),
                    device.address(dCell),
                    LstmSequence.step(device, dGates, t),
                    sequence.batch(),
                    sequence.width());
            if (t > first) {
                stateWeights.multiply(LstmSequence.rows(device, dGates, t, t + 1), strided(device, dState), 0);
            }
        }
        StridedArray gradient = LstmSequence.rows(device, dGates, first, time);
        matmul.multiply(
                LstmSequence.rows(device, sequence.x(), first, time).transposed(),
                gradient,
                strided(device, dInputWeights));
        matmul.multiply(
                LstmSequence.rows(device, sequence.outputs(), first, time).transposed(),
                gradient,
                strided(device, dStateWeights));
        if (dx != null) {
            matmul.multiply(
                    gradient,
                    strided(device, sequence.inputWeights()).transposed(),
                    LstmSequence.rows(device, dx, first, time));
        }
        device.transformerKernels()
                .biasGradient(
                        FloatType.BFLOAT16, gradient.address(), device.address(dBias), (int) gradient.rows(), (int)
                                gradient.columns());
    }
}
