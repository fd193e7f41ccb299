package org.dl4jsr.layer;

import static org.deeplearning4j.nn.params.DefaultParamInitializer.BIAS_KEY;
import static org.deeplearning4j.nn.params.DefaultParamInitializer.WEIGHT_KEY;

import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.OutputLayer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * DL4J's output layer whose products run on kernels, in training in BF16 and at inference in FLOAT; else, and for the
 * loss, DL4J's code runs. DL4J repeats the product for the score; here it is kept.
 */
final class KernelOutputLayer extends OutputLayer {

    private static final long serialVersionUID = 1;

    /** What the backward pass leaves for the score: the layer's input and the product. */
    private record Pass(INDArray input, INDArray z) {}

    private transient Pass pass;

    KernelOutputLayer(NeuralNetConfiguration conf, DataType dataType) {
        super(conf, dataType);
    }

    private boolean runs(LayerWorkspaceMgr workspaceMgr) {
        return dataType == DataType.BFLOAT16
                && DenseProducts.suit(input, getParamWithNoise(WEIGHT_KEY, true, workspaceMgr), bias(workspaceMgr));
    }

    private INDArray bias(LayerWorkspaceMgr workspaceMgr) {
        return hasBias() ? getParamWithNoise(BIAS_KEY, true, workspaceMgr) : null;
    }

    @Override
    protected INDArray preOutput(boolean training, LayerWorkspaceMgr workspaceMgr) {
        Pass backward = pass;
        pass = null;
        if (!training) {
            return atInference(workspaceMgr);
        }
        assertInputSet(false);
        applyDropOutIfNecessary(true, workspaceMgr);
        if (!runs(workspaceMgr)) {
            return super.preOutput(true, workspaceMgr);
        }
        if (backward != null && backward.input == input) {
            return backward.z;
        }
        return product(Layouts.dense(input, ArrayType.FF_WORKING_MEM, workspaceMgr), workspaceMgr);
    }

    private INDArray atInference(LayerWorkspaceMgr workspaceMgr) {
        assertInputSet(false);
        INDArray weights = getParamWithNoise(WEIGHT_KEY, false, workspaceMgr);
        INDArray bias = hasBias() ? getParamWithNoise(BIAS_KEY, false, workspaceMgr) : null;
        boolean suits = input.rank() == 2
                && input.size(1) == weights.size(0)
                && DenseProducts.suitAtInference(input, weights, bias);
        if (!suits) {
            return super.preOutput(false, workspaceMgr); // which says what is wrong
        }
        INDArray z = DenseProducts.atInference(input, weights, bias, workspaceMgr);
        if (maskArray != null) {
            applyMask(z);
        }
        return z;
    }

    private INDArray product(INDArray x, LayerWorkspaceMgr workspaceMgr) {
        INDArray z = DenseProducts.forward(
                x,
                getParamWithNoise(WEIGHT_KEY, true, workspaceMgr),
                bias(workspaceMgr),
                ArrayType.ACTIVATIONS,
                workspaceMgr);
        if (maskArray != null) {
            applyMask(z);
        }
        return z;
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaceMgr) {
        pass = null;
        assertInputSet(true);
        applyDropOutIfNecessary(true, workspaceMgr);
        if (!runs(workspaceMgr)) {
            return super.backpropGradient(epsilon, workspaceMgr);
        }
        INDArray x = Layouts.dense(input, ArrayType.BP_WORKING_MEM, workspaceMgr);
        INDArray z = product(x, workspaceMgr);
        pass = new Pass(input, workspaceMgr.dup(ArrayType.INPUT, z)); // the loss may change z
        INDArray labels2d = getLabels2d(workspaceMgr, ArrayType.BP_WORKING_MEM);
        INDArray delta = DenseProducts.lossGradient(layerConf(), labels2d, z, maskArray, workspaceMgr);
        var gradient = new DefaultGradient();
        DenseProducts.parameterGradients(x, delta, gradientViews, gradient);
        INDArray dx =
                DenseProducts.inputGradient(delta, getParamWithNoise(WEIGHT_KEY, true, workspaceMgr), workspaceMgr);
        return new Pair<>(gradient, backpropDropOutIfPresent(dx));
    }

    @Override
    public void setInput(INDArray input, LayerWorkspaceMgr workspaceMgr) {
        super.setInput(input, workspaceMgr);
        pass = null;
    }

    @Override
    public void clear() {
        super.clear();
        pass = null;
    }
}
