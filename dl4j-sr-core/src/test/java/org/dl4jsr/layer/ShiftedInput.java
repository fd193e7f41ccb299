package org.dl4jsr.layer;

import org.deeplearning4j.nn.conf.dropout.IDropout;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.linalg.api.ndarray.INDArray;

/** In place of dropout, the same each time: subtracts 0.25 from a layer's input. */
final class ShiftedInput implements IDropout {

    private static final long serialVersionUID = 1;

    @Override
    public INDArray applyDropout(
            INDArray input, INDArray result, int iteration, int epoch, LayerWorkspaceMgr workspaceMgr) {
        return result.assign(input.sub(0.25));
    }

    @Override
    public INDArray backprop(INDArray gradAtOutput, INDArray gradAtInput, int iteration, int epoch) {
        return gradAtOutput == gradAtInput ? gradAtInput : gradAtInput.assign(gradAtOutput);
    }

    @Override
    public void clear() {
        // keeps nothing
    }

    @Override
    public IDropout clone() {
        return new ShiftedInput();
    }
}
