package org.dl4jsr.op;

import org.dl4jsr.kernel.StridedArray;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What an LSTM's forward pass over a sequence reads, and leaves for the backward pass if that is to come. But for the
 * weights, which may have any strides, arrays are dense and row-major; gates are in DL4J's order: cell input, forget,
 * output, input.
 *
 * @param x BFLOAT16 [time, batch, inputs]
 * @param inputWeights BFLOAT16 [inputs, 4 width]
 * @param stateWeights BFLOAT16 [width, 4 width]
 * @param bias BFLOAT16, 4 width elements
 * @param gates FLOAT [time, batch, 4 width], or of fewer time steps, whose gates then take turns there
 * @param cells FLOAT [time + 1, batch, width]: the initial state of the cells, and that after each time step; or [1,
 *     batch, width]: the initial state, and in the end the last one
 * @param outputs BFLOAT16 [time + 1, batch, width]: the initial output, and that of each time step
 */
public record LstmSequence(
        INDArray x,
        INDArray inputWeights,
        INDArray stateWeights,
        INDArray bias,
        INDArray gates,
        INDArray cells,
        INDArray outputs) {

    /** Requires these types and shapes. */
    public LstmSequence {
        long time = x.size(0);
        long batch = x.size(1);
        long width = stateWeights.size(0);
        KernelOp.require("x", x, DataType.BFLOAT16, time, batch, x.size(2));
        KernelOp.requireShape("inputWeights", inputWeights, DataType.BFLOAT16, x.size(2), 4 * width);
        KernelOp.requireShape("stateWeights", stateWeights, DataType.BFLOAT16, width, 4 * width);
        KernelOp.require("bias", bias, DataType.BFLOAT16, 1, 4 * width);
        KernelOp.require("gates", gates, DataType.FLOAT, Math.min(time, gates.size(0)), batch, 4 * width);
        KernelOp.require("cells", cells, DataType.FLOAT, cells.size(0) == 1 ? 1 : time + 1, batch, width);
        KernelOp.require("outputs", outputs, DataType.BFLOAT16, time + 1, batch, width);
    }

    /** Time steps. */
    public int time() {
        return (int) x.size(0);
    }

    /** Sequences. */
    public int batch() {
        return (int) x.size(1);
    }

    /** Cells. */
    public int width() {
        return (int) stateWeights.size(0);
    }

    /** Whether it leaves what the backward pass needs: gates and cells of all time steps. */
    boolean isComplete() {
        return gates.size(0) == x.size(0) && cells.size(0) == x.size(0) + 1;
    }

    /** Floating-point operations of the products with the weights over so many time steps. */
    long operations(int steps) {
        return 2L * steps * batch() * 4 * width() * (x.size(2) + width());
    }

    /** Time steps {@code from} to {@code to}, exclusive, of such an array as a matrix, a sequence's step a row. */
    static StridedArray rows(Device device, INDArray array, int from, int to) {
        StridedArray whole = KernelOp.strided(device, array);
        return StridedArray.rowMajor(
                whole.type(),
                whole.address() + from * whole.strides()[0] * whole.type().bytes(),
                (to - from) * array.size(1),
                array.size(2));
    }

    /** The address of a time step of such an array. */
    static long step(Device device, INDArray array, int time) {
        return rows(device, array, time, time).address();
    }
}
