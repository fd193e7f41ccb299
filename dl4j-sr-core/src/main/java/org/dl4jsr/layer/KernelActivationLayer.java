package org.dl4jsr.layer;

import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.ActivationLayer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * DL4J's activation layer, whose results and gradients lie in memory as its input does, in BF16 and for ReLU. DL4J's
 * code, which runs for all else, copies to 'c' order, in which pooling and convolutions are slower.
 */
final class KernelActivationLayer extends ActivationLayer {

    private static final long serialVersionUID = 1;

    KernelActivationLayer(NeuralNetConfiguration conf, DataType dataType) {
        super(conf, dataType);
    }

    private boolean runs() {
        return input.dataType() == DataType.BFLOAT16
                && Rectifier.is(layerConf().getActivationFn())
                && KernelLayers.areSupported();
    }

    @Override
    public INDArray activate(boolean training, LayerWorkspaceMgr workspaceMgr) {
        assertInputSet(false);
        return runs()
                ? Rectifier.value(input, ArrayType.ACTIVATIONS, workspaceMgr)
                : super.activate(training, workspaceMgr);
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaceMgr) {
        assertInputSet(true);
        return runs() && epsilon.dataType() == DataType.BFLOAT16
                ? new Pair<>(
                        new DefaultGradient(),
                        Rectifier.gradient(input, epsilon, ArrayType.ACTIVATION_GRAD, workspaceMgr))
                : super.backpropGradient(epsilon, workspaceMgr);
    }
}
