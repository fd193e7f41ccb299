package org.dl4jsr.layer;

import static org.deeplearning4j.nn.params.DefaultParamInitializer.BIAS_KEY;
import static org.deeplearning4j.nn.params.DefaultParamInitializer.WEIGHT_KEY;

import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.recurrent.RnnOutputLayer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jsr.op.KernelOp;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * DL4J's output layer of sequences whose products run on kernels: in training in BF16 without dropout, on rows that
 * lie time step by time step, at inference in FLOAT without mask; else, and for the loss, DL4J's code runs.
 */
final class KernelRnnOutputLayer extends RnnOutputLayer {

    private static final long serialVersionUID = 1;

    /** What the backward pass leaves for the score: the layer's input and the product. */
    private record Pass(INDArray input, INDArray z) {}

    private transient Pass pass;

    KernelRnnOutputLayer(NeuralNetConfiguration conf, DataType dataType) {
        super(conf, dataType);
    }

    private boolean runs(LayerWorkspaceMgr workspaceMgr) {
        INDArray weights = getParamWithNoise(WEIGHT_KEY, true, workspaceMgr);
        return dataType == DataType.BFLOAT16
                && input.rank() == 3
                && input.size(widthDimension()) == weights.size(0)
                && labels.rank() == 3
                && input.size(timeDimension()) == labels.size(timeDimension())
                && layerConf().getIDropout() == null
                && DenseProducts.suit(weights, bias(workspaceMgr));
    }

    private int widthDimension() {
        return layerConf().getRnnDataFormat() == RNNFormat.NCW ? 1 : 2;
    }

    private int timeDimension() {
        return 3 - widthDimension();
    }

    private INDArray bias(LayerWorkspaceMgr workspaceMgr) {
        return hasBias() ? getParamWithNoise(BIAS_KEY, true, workspaceMgr) : null;
    }

    @Override
    public INDArray activate(boolean training, LayerWorkspaceMgr workspaceMgr) {
        if (training || maskArray != null || !hasBias() || input == null || input.rank() != 3) {
            return super.activate(training, workspaceMgr);
        }
        INDArray weights = getParamWithNoise(WEIGHT_KEY, false, workspaceMgr);
        INDArray bias = getParamWithNoise(BIAS_KEY, false, workspaceMgr);
        boolean suits =
                input.size(widthDimension()) == weights.size(0) && DenseProducts.suitAtInference(input, weights, bias);
        if (!suits) {
            return super.activate(false, workspaceMgr); // which says what is wrong
        }
        INDArray sequences = input.permute(0, timeDimension(), widthDimension());
        if (KernelOp.isDense(sequences)) {
            INDArray y = outputs(sequences, weights, bias, workspaceMgr);
            return widthDimension() == 1 ? y.permute(0, 2, 1) : y;
        }
        return widthAndTime(outputs(timeFirst(), weights, bias, workspaceMgr));
    }

    /** What comes of all rows of x, [., ., width], as [., ., out]. */
    private INDArray outputs(INDArray x, INDArray weights, INDArray bias, LayerWorkspaceMgr workspaceMgr) {
        INDArray z = DenseProducts.atInference(x, weights, bias, workspaceMgr);
        return layerConf().getActivationFn().getActivation(z, false).reshape(x.size(0), x.size(1), z.size(1));
    }

    /** The input as [time, batch, width]. */
    private INDArray timeFirst() {
        return input.permute(timeDimension(), 0, widthDimension());
    }

    /** [time, batch, width] in the layer's format. */
    private INDArray widthAndTime(INDArray timeFirst) {
        return widthDimension() == 1 ? timeFirst.permute(1, 2, 0) : timeFirst.permute(1, 0, 2);
    }

    @Override
    protected INDArray preOutput2d(boolean training, LayerWorkspaceMgr workspaceMgr) {
        Pass backward = pass;
        pass = null;
        return training && backward != null && backward.input == input
                ? backward.z
                : super.preOutput2d(training, workspaceMgr);
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaceMgr) {
        pass = null;
        assertInputSet(true);
        if (!runs(workspaceMgr)) {
            return super.backpropGradient(epsilon, workspaceMgr); // which says what is wrong
        }
        INDArray weights = getParamWithNoise(WEIGHT_KEY, true, workspaceMgr);
        INDArray timeFirst = Layouts.dense(timeFirst(), ArrayType.BP_WORKING_MEM, workspaceMgr);
        INDArray x = timeFirst.reshape(timeFirst.size(0) * timeFirst.size(1), timeFirst.size(2));
        INDArray z = DenseProducts.forward(x, weights, bias(workspaceMgr), ArrayType.BP_WORKING_MEM, workspaceMgr);
        if (maskArray != null) {
            applyMask(z);
        }
        pass = new Pass(input, workspaceMgr.dup(ArrayType.INPUT, z)); // the loss may change z
        INDArray labels2d = getLabels2d(workspaceMgr, ArrayType.BP_WORKING_MEM);
        INDArray delta = DenseProducts.lossGradient(layerConf(), labels2d, z, maskArray, workspaceMgr);
        var gradient = new DefaultGradient();
        DenseProducts.parameterGradients(x, delta, gradientViews, gradient);
        INDArray dx = DenseProducts.inputGradient(delta, weights, workspaceMgr).reshape(timeFirst.shape());
        weightNoiseParams.clear();
        return new Pair<>(gradient, widthAndTime(dx));
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
