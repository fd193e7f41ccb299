package org.dl4jsr.layer;

import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.convolution.ConvolutionLayer;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Runs DL4J's convolution with {@link ConvolutionKernel} for its helper. DL4J repeats the forward pass for the
 * derivative of the activation; where that can be had of the output, too, the output is kept instead.
 */
final class KernelConvolutionLayer extends ConvolutionLayer {

    private static final long serialVersionUID = 1;

    KernelConvolutionLayer(NeuralNetConfiguration conf, DataType dataType) {
        super(conf, dataType);
        helper = new ConvolutionKernel();
    }

    @Override
    public INDArray activate(boolean training, LayerWorkspaceMgr workspaceMgr) {
        preOutput = null;
        INDArray output = super.activate(training, workspaceMgr);
        IActivation activation = layerConf().getActivationFn();
        if (training && (activation instanceof ActivationIdentity || KernelLayers.isReLU(activation))) {
            preOutput = output;
        }
        return output;
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaceMgr) {
        Pair<Gradient, INDArray> gradients = super.backpropGradient(epsilon, workspaceMgr);
        preOutput = null;
        weightNoiseParams.clear(); // which DL4J forgets where there is a helper
        return gradients;
    }

    @Override
    public void clear() {
        super.clear();
        preOutput = null;
    }
}
