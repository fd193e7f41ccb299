package org.dl4jsr.layer;

import static org.deeplearning4j.nn.params.DefaultParamInitializer.BIAS_KEY;
import static org.deeplearning4j.nn.params.DefaultParamInitializer.WEIGHT_KEY;

import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.feedforward.embedding.EmbeddingSequenceLayer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jsr.op.TokenEmbeddingGradient;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * DL4J's embedding of sequences with a kernel for its gradient, in BF16, without activation and mask; else DL4J's code
 * runs. That repeats the forward pass, and adds row by row to a FLOAT copy of all weights.
 */
final class KernelEmbeddingSequenceLayer extends EmbeddingSequenceLayer {

    private static final long serialVersionUID = 1;

    /** Of the last forward pass, which has checked it. */
    private transient INDArray checked;

    KernelEmbeddingSequenceLayer(NeuralNetConfiguration conf, DataType dataType) {
        super(conf, dataType);
    }

    private boolean runs(INDArray epsilon) {
        return checked != null
                && checked == input
                && dataType == DataType.BFLOAT16
                && epsilon.rank() == 3
                && maskArray == null
                && layerConf().getActivationFn() instanceof ActivationIdentity
                && KernelLayers.areSupported();
    }

    @Override
    public INDArray activate(boolean training, LayerWorkspaceMgr workspaceMgr) {
        checked = null;
        INDArray output = super.activate(training, workspaceMgr);
        checked = input;
        return output;
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaceMgr) {
        assertInputSet(true);
        if (!runs(epsilon)) {
            return super.backpropGradient(epsilon, workspaceMgr);
        }
        boolean widthFirst = layerConf().getOutputFormat() == RNNFormat.NCW;
        INDArray dy =
                Layouts.dense(widthFirst ? epsilon.permute(0, 2, 1) : epsilon, ArrayType.BP_WORKING_MEM, workspaceMgr);
        INDArray tokens = Layouts.copy(DataType.INT32, input, ArrayType.BP_WORKING_MEM, workspaceMgr)
                .reshape(dy.size(0), dy.size(1));
        INDArray dWeights = gradientViews.get(WEIGHT_KEY);
        INDArray rows = workspaceMgr.createUninitialized(
                ArrayType.BP_WORKING_MEM, DataType.BFLOAT16, dWeights.size(0), dy.size(2));
        INDArray ofPositions = workspaceMgr.createUninitialized(
                ArrayType.BP_WORKING_MEM, DataType.BFLOAT16, dy.size(1), dy.size(2)); // which there are none of
        Nd4j.exec(new TokenEmbeddingGradient(tokens, dy, rows, ofPositions, false));
        var gradient = new DefaultGradient();
        gradient.gradientForVariable().put(WEIGHT_KEY, dWeights.assign(rows)); // in its own order
        if (hasBias()) {
            INDArray dBias = gradientViews.get(BIAS_KEY);
            DenseProducts.biasGradient(dy, dBias);
            gradient.gradientForVariable().put(BIAS_KEY, dBias);
        }
        return new Pair<>(gradient, null);
    }

    @Override
    public void clear() {
        super.clear();
        checked = null;
    }
}
