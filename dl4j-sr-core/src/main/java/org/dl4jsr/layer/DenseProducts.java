package org.dl4jsr.layer;

import static org.deeplearning4j.nn.params.DefaultParamInitializer.BIAS_KEY;
import static org.deeplearning4j.nn.params.DefaultParamInitializer.WEIGHT_KEY;

import java.util.Map;
import org.deeplearning4j.nn.conf.layers.BaseOutputLayer;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jsr.op.BiasGradient;
import org.dl4jsr.op.KernelOp;
import org.dl4jsr.op.MatrixProduct;
import org.dl4jsr.op.StepPart;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The products of a dense layer in BF16, on its parameters as DL4J keeps them. */
final class DenseProducts {

    private DenseProducts() {}

    /** Whether they can be had of this input, with these weights, [in, out], and this bias, or null. */
    static boolean suit(INDArray input, INDArray weights, INDArray bias) {
        return input.rank() == 2 && input.size(1) == weights.size(0) && suit(weights, bias);
    }

    /** Whether they can be had with these weights and this bias, or null. */
    static boolean suit(INDArray weights, INDArray bias) {
        return weights.dataType() == DataType.BFLOAT16
                && KernelOp.isDense(weights.transpose())
                && (bias == null || bias.dataType() == DataType.BFLOAT16)
                && KernelLayers.areSupported();
    }

    /** Whether the product can be had with the FLOAT copies that an output layer sees of its parameters at inference. */
    static boolean suitAtInference(INDArray input, INDArray weights, INDArray bias) {
        return input.dataType() == DataType.BFLOAT16
                && weights.dataType() == DataType.FLOAT
                && KernelOp.isDense(weights.transpose())
                && (bias == null || bias.dataType() == DataType.FLOAT)
                && KernelLayers.areSupported();
    }

    /** As {@link #forward}, in FLOAT, of BF16 x. */
    static INDArray atInference(INDArray x, INDArray weights, INDArray bias, LayerWorkspaceMgr workspaceMgr) {
        INDArray wide = Layouts.copy(DataType.FLOAT, x, ArrayType.FF_WORKING_MEM, workspaceMgr);
        return forward(
                wide.reshape(x.length() / x.size(-1), x.size(-1)), weights, bias, ArrayType.ACTIVATIONS, workspaceMgr);
    }

    /** z = x weights + bias, [batch, out], in one product, in their type. */
    static INDArray forward(
            INDArray x, INDArray weights, INDArray bias, ArrayType place, LayerWorkspaceMgr workspaceMgr) {
        INDArray z = workspaceMgr.createUninitialized(place, weights.dataType(), x.size(0), weights.size(1));
        Nd4j.exec(new MatrixProduct(
                StepPart.GEMM_FORWARD,
                x,
                false,
                weights.transpose(),
                true,
                z,
                bias == null ? null : vector(bias),
                null));
        return z;
    }

    /** The dense gradient of z, by the loss of {@code conf}, which may change z; labels and mask as the layer has them. */
    static INDArray lossGradient(
            BaseOutputLayer conf, INDArray labels, INDArray z, INDArray mask, LayerWorkspaceMgr workspaceMgr) {
        INDArray delta = conf.getLossFn().computeGradient(labels, z, conf.getActivationFn(), mask);
        return Layouts.dense(delta, ArrayType.BP_WORKING_MEM, workspaceMgr);
    }

    /** Writes the gradient of the weights, of {@code delta}, that of z; both are dense. */
    static void weightGradient(INDArray x, INDArray delta, INDArray dWeights) {
        Nd4j.exec(new MatrixProduct(StepPart.GEMM_WEIGHT, delta, true, x, false, dWeights.transpose()));
    }

    /** Writes the gradient of the bias, of {@code delta}, that of z, which is dense. */
    static void biasGradient(INDArray delta, INDArray dBias) {
        Nd4j.exec(new BiasGradient(delta, vector(dBias)));
    }

    /** Writes the gradients of weights and bias, where there is one, of {@code delta}, and lists them. */
    static void parameterGradients(INDArray x, INDArray delta, Map<String, INDArray> gradientViews, Gradient gradient) {
        INDArray dWeights = gradientViews.get(WEIGHT_KEY);
        weightGradient(x, delta, dWeights);
        gradient.gradientForVariable().put(WEIGHT_KEY, dWeights);
        INDArray dBias = gradientViews.get(BIAS_KEY);
        if (dBias != null) {
            biasGradient(delta, dBias);
            gradient.gradientForVariable().put(BIAS_KEY, dBias);
        }
    }

    /** The gradient of x, of {@code delta}, that of z, which is dense. */
    static INDArray inputGradient(INDArray delta, INDArray weights, LayerWorkspaceMgr workspaceMgr) {
        INDArray dx = workspaceMgr.createUninitialized(
                ArrayType.ACTIVATION_GRAD, DataType.BFLOAT16, delta.size(0), weights.size(0));
        Nd4j.exec(new MatrixProduct(StepPart.GEMM_INPUT, delta, false, weights.transpose(), false, dx));
        return dx;
    }

    /** A bias or its gradient, [1, out], as [out]. */
    static INDArray vector(INDArray bias) {
        return bias.reshape(bias.length());
    }
}
