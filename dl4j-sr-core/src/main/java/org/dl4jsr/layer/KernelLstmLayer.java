package org.dl4jsr.layer;

import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.recurrent.LSTM;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Runs DL4J's LSTM with {@link LstmKernel} for its helper. DL4J repeats the forward pass for the backward pass; where
 * that starts from nothing, its first run is kept instead.
 */
final class KernelLstmLayer extends LSTM {

    private static final long serialVersionUID = 1;

    private final transient LstmKernel kernel = new LstmKernel();

    KernelLstmLayer(NeuralNetConfiguration conf, DataType dataType) {
        super(conf, dataType);
        helper = kernel;
    }

    @Override
    public INDArray activate(boolean training, LayerWorkspaceMgr workspaceMgr) {
        INDArray given = input;
        return training
                ? kernel.keeping(given, () -> super.activate(true, workspaceMgr))
                : super.activate(false, workspaceMgr);
    }

    @Override
    public INDArray activate(INDArray input, boolean training, LayerWorkspaceMgr workspaceMgr) {
        setInput(input, workspaceMgr);
        return activate(training, workspaceMgr);
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaceMgr) {
        return kernel.goingOnFrom(input, () -> super.backpropGradient(epsilon, workspaceMgr));
    }

    @Override
    public void clear() {
        super.clear();
        kernel.forget();
    }
}
