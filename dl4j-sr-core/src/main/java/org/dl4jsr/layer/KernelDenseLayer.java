package org.dl4jsr.layer;

import static org.deeplearning4j.nn.params.DefaultParamInitializer.BIAS_KEY;
import static org.deeplearning4j.nn.params.DefaultParamInitializer.WEIGHT_KEY;

import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.feedforward.dense.DenseLayer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jsr.kernel.Activation;
import org.dl4jsr.op.Activate;
import org.dl4jsr.op.ActivationGradient;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * DL4J's dense layer on kernels, in BF16 without layer normalization; else DL4J's code runs. DL4J repeats the product
 * for the backward pass; here what it gave is kept.
 */
final class KernelDenseLayer extends DenseLayer {

    private static final long serialVersionUID = 1;

    /** What a forward pass of training leaves: the layer's input, its dense BF16 copy, the product. */
    private record Pass(INDArray input, INDArray x, INDArray z) {}

    private transient Pass pass;

    KernelDenseLayer(NeuralNetConfiguration conf, DataType dataType) {
        super(conf, dataType);
    }

    @Override
    public INDArray activate(boolean training, LayerWorkspaceMgr workspaceMgr) {
        pass = null;
        assertInputSet(false);
        applyDropOutIfNecessary(training, workspaceMgr);
        INDArray weights = getParamWithNoise(WEIGHT_KEY, training, workspaceMgr);
        INDArray bias = hasBias() ? getParamWithNoise(BIAS_KEY, training, workspaceMgr) : null;
        if (dataType != DataType.BFLOAT16 || hasLayerNorm() || !DenseProducts.suit(input, weights, bias)) {
            return super.activate(training, workspaceMgr);
        }
        INDArray x = Layouts.dense(input, training ? ArrayType.ACTIVATIONS : ArrayType.FF_WORKING_MEM, workspaceMgr);
        INDArray z = DenseProducts.forward(x, weights, bias, ArrayType.ACTIVATIONS, workspaceMgr);
        if (training) {
            pass = new Pass(input, x, z);
        }
        INDArray y = activation(z, training, workspaceMgr);
        if (maskArray != null) {
            applyMask(y);
        }
        return y;
    }

    /** Of z, which training keeps: the next layer may change what this one returns. */
    private INDArray activation(INDArray z, boolean training, LayerWorkspaceMgr workspaceMgr) {
        IActivation activation = layerConf().getActivationFn();
        if (activation instanceof ActivationIdentity) {
            return z; // whose gradient does not need it
        }
        INDArray y =
                training ? workspaceMgr.createUninitialized(ArrayType.ACTIVATIONS, DataType.BFLOAT16, z.shape()) : z;
        if (Rectifier.is(activation)) {
            Nd4j.exec(new Activate(Activation.RELU, z, y));
            return y;
        }
        return activation.getActivation(training ? y.assign(z) : y, training);
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaceMgr) {
        Pass forward = pass;
        pass = null;
        if (forward == null || forward.input != input) {
            return super.backpropGradient(epsilon, workspaceMgr);
        }
        var gradient = new DefaultGradient();
        INDArray delta = delta(forward.z, epsilon, gradient, workspaceMgr);
        INDArray weights = getParamWithNoise(WEIGHT_KEY, true, workspaceMgr);
        INDArray dWeights = gradientViews.get(WEIGHT_KEY);
        DenseProducts.weightGradient(forward.x, delta, dWeights);
        gradient.gradientForVariable().put(WEIGHT_KEY, dWeights);
        INDArray dx = InputGradient.isWanted(this)
                ? DenseProducts.inputGradient(delta, weights, workspaceMgr)
                : workspaceMgr.create(ArrayType.ACTIVATION_GRAD, DataType.BFLOAT16, input.shape());
        weightNoiseParams.clear();
        return new Pair<>(gradient, backpropDropOutIfPresent(dx));
    }

    /** The dense gradient of z; that of the bias goes into {@code gradient}. */
    private INDArray delta(INDArray z, INDArray epsilon, Gradient gradient, LayerWorkspaceMgr workspaceMgr) {
        INDArray dBias = hasBias() ? gradientViews.get(BIAS_KEY) : null;
        if (dBias != null) {
            gradient.gradientForVariable().put(BIAS_KEY, dBias);
        }
        IActivation activation = layerConf().getActivationFn();
        if (dBias != null && maskArray == null && Rectifier.is(activation)) {
            INDArray dy = Layouts.dense(epsilon, ArrayType.BP_WORKING_MEM, workspaceMgr);
            INDArray delta = workspaceMgr.createUninitialized(ArrayType.BP_WORKING_MEM, DataType.BFLOAT16, z.shape());
            Nd4j.exec(new ActivationGradient(Activation.RELU, z, dy, delta, DenseProducts.vector(dBias)));
            return delta;
        }
        INDArray delta = activation.backprop(z, epsilon).getFirst();
        if (maskArray != null) {
            applyMask(delta);
        }
        delta = Layouts.dense(delta, ArrayType.BP_WORKING_MEM, workspaceMgr);
        if (dBias != null) {
            DenseProducts.biasGradient(delta, dBias);
        }
        return delta;
    }

    @Override
    public void clear() {
        super.clear();
        pass = null;
    }
}
