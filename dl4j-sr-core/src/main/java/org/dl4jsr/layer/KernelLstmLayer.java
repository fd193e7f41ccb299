package org.dl4jsr.layer;

import java.util.function.Function;
import java.util.function.Supplier;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.recurrent.LSTM;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Runs DL4J's LSTM with {@link LstmKernel} for its helper where that can, else by {@link Fp32Pass}. DL4J repeats the
 * forward pass for the backward pass; where that starts from nothing, the kernel's first run is kept instead.
 */
final class KernelLstmLayer extends LSTM {

    private static final long serialVersionUID = 1;

    private final transient LstmKernel kernel = new LstmKernel(this);

    KernelLstmLayer(NeuralNetConfiguration conf, DataType dataType) {
        super(conf, dataType);
        helper = kernel;
    }

    private boolean isOnKernel() {
        return maskArray == null
                && kernel.checkSupported(
                        layerConf().getGateActivationFn(), layerConf().getActivationFn(), false)
                && kernel.checkSupported();
    }

    @Override
    public INDArray activate(boolean training, LayerWorkspaceMgr workspaceMgr) {
        Supplier<INDArray> pass = () -> super.activate(training, workspaceMgr);
        return forward(training ? () -> kernel.keeping(this::input, pass) : pass, training, workspaceMgr);
    }

    @Override
    public INDArray activate(INDArray input, boolean training, LayerWorkspaceMgr workspaceMgr) {
        setInput(input, workspaceMgr);
        return activate(training, workspaceMgr);
    }

    @Override
    public INDArray rnnTimeStep(INDArray input, LayerWorkspaceMgr workspaceMgr) {
        return forward(() -> super.rnnTimeStep(input, workspaceMgr), false, workspaceMgr);
    }

    @Override
    public INDArray rnnActivateUsingStoredState(
            INDArray input, boolean training, boolean storeLastForTBPTT, LayerWorkspaceMgr workspaceMgr) {
        return forward(
                () -> super.rnnActivateUsingStoredState(input, training, storeLastForTBPTT, workspaceMgr),
                training,
                workspaceMgr);
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaceMgr) {
        INDArray given = input;
        return backward(
                epsilon,
                workspaceMgr,
                dOutput -> kernel.goingOnFrom(given, () -> super.backpropGradient(dOutput, workspaceMgr)));
    }

    @Override
    public Pair<Gradient, INDArray> tbpttBackpropGradient(
            INDArray epsilon, int tbpttBackwardLength, LayerWorkspaceMgr workspaceMgr) {
        return backward(
                epsilon,
                workspaceMgr,
                dOutput -> super.tbpttBackpropGradient(dOutput, tbpttBackwardLength, workspaceMgr));
    }

    private INDArray forward(Supplier<INDArray> pass, boolean training, LayerWorkspaceMgr workspaceMgr) {
        return isOnKernel() ? pass.get() : Fp32Pass.forward(this, training, workspaceMgr, pass);
    }

    private Pair<Gradient, INDArray> backward(
            INDArray epsilon, LayerWorkspaceMgr workspaceMgr, Function<INDArray, Pair<Gradient, INDArray>> pass) {
        return isOnKernel() ? pass.apply(epsilon) : Fp32Pass.backward(this, epsilon, workspaceMgr, pass);
    }

    @Override
    public void clear() {
        super.clear();
        kernel.forget();
    }
}
