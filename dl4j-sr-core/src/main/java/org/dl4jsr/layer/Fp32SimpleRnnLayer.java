package org.dl4jsr.layer;

import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Runs DL4J's SimpleRnn in FP32. */
final class Fp32SimpleRnnLayer extends SimpleRnn {

    private static final long serialVersionUID = 1;

    Fp32SimpleRnnLayer(NeuralNetConfiguration conf, DataType dataType) {
        super(conf, dataType == DataType.BFLOAT16 ? DataType.FLOAT : dataType); // of what it computes
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
    public Pair<Gradient, INDArray> tbpttBackpropGradient(
            INDArray epsilon, int tbpttBackwardLength, LayerWorkspaceMgr workspaceMgr) {
        return Fp32Pass.backward(
                this,
                epsilon,
                workspaceMgr,
                wide -> super.tbpttBackpropGradient(wide, tbpttBackwardLength, workspaceMgr));
    }
}
