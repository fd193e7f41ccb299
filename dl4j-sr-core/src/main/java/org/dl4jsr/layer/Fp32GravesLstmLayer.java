package org.dl4jsr.layer;

import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.recurrent.GravesLSTM;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Runs DL4J's GravesLSTM in FP32. */
@SuppressWarnings("deprecation") // DL4J's class
final class Fp32GravesLstmLayer extends GravesLSTM {

    private static final long serialVersionUID = 1;

    Fp32GravesLstmLayer(NeuralNetConfiguration conf, DataType dataType) {
        super(conf, dataType);
    }

    @Override
    public INDArray activate(boolean training, LayerWorkspaceMgr workspaceMgr) {
        return Fp32Pass.forward(this, training, workspaceMgr, () -> super.activate(training, workspaceMgr));
    }

    @Override
    public INDArray activate(INDArray input, boolean training, LayerWorkspaceMgr workspaceMgr) {
        setInput(input, workspaceMgr);
        return activate(training, workspaceMgr);
    }

    @Override
    public INDArray rnnTimeStep(INDArray input, LayerWorkspaceMgr workspaceMgr) {
        return Fp32Pass.forward(this, false, workspaceMgr, () -> super.rnnTimeStep(input, workspaceMgr));
    }

    @Override
    public INDArray rnnActivateUsingStoredState(
            INDArray input, boolean training, boolean storeLastForTBPTT, LayerWorkspaceMgr workspaceMgr) {
        return Fp32Pass.forward(
                this,
                training,
                workspaceMgr,
                () -> super.rnnActivateUsingStoredState(input, training, storeLastForTBPTT, workspaceMgr));
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaceMgr) {
        return Fp32Pass.backward(this, epsilon, workspaceMgr, wide -> super.backpropGradient(wide, workspaceMgr));
    }

    @Override
    public Pair<Gradient, INDArray> tbpttBackpropGradient(
            INDArray epsilon, int tbpttBackwardLength, LayerWorkspaceMgr workspaceMgr) {
        return Fp32Pass.backward(
                this,
                epsilon,
                workspaceMgr,
                wide -> super.tbpttBackpropGradient(wide, tbpttBackwardLength, workspaceMgr));
    }
}
