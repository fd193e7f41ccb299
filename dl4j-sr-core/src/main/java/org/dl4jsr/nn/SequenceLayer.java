package org.dl4jsr.nn;

import java.util.Arrays;
import org.deeplearning4j.exception.DL4JInvalidInputException;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.BaseLayer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jsr.op.KernelOp;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What the GPT's layers share: parameters in row-major order, and arrays that the kernels can read. A mask of the
 * features changes no activation: causal attention never reads the padding behind a sequence.
 */
abstract class SequenceLayer<C extends GptLayer> extends BaseLayer<C> {

    SequenceLayer(NeuralNetConfiguration conf, DataType dataType) {
        super(conf, dataType);
    }

    @Override
    public void setParams(INDArray params) {
        setParams(params, 'c');
    }

    @Override
    public boolean isPretrainLayer() {
        return false;
    }

    /** The input, [batch, time, nIn], or a copy of it that the kernels can read. */
    final INDArray sequences(ArrayType place, LayerWorkspaceMgr workspaceMgr) {
        long width = layerConf().getNIn();
        if (input.rank() != 3 || input.size(2) != width) {
            throw new DL4JInvalidInputException("Input has shape " + Arrays.toString(input.shape())
                    + ", expected [batch, time, " + width + "] " + layerId());
        }
        return dense(place, input, workspaceMgr);
    }

    /** {@code a}, or a copy of it, in the layer's data type, contiguous and row-major. */
    final INDArray dense(ArrayType place, INDArray a, LayerWorkspaceMgr workspaceMgr) {
        if (a.dataType() == dataType && KernelOp.isDense(a)) {
            return a;
        }
        return create(place, workspaceMgr, a.shape()).assign(a);
    }

    final INDArray create(ArrayType place, LayerWorkspaceMgr workspaceMgr, long... shape) {
        return workspaceMgr.createUninitialized(place, dataType, shape);
    }

    final INDArray createFloat(ArrayType place, LayerWorkspaceMgr workspaceMgr, long... shape) {
        return workspaceMgr.createUninitialized(place, DataType.FLOAT, shape);
    }

    /** All gradient views, which the backward pass has written. */
    final Gradient gradients() {
        var gradients = new DefaultGradient(gradientsFlattened);
        gradientViews.forEach((name, view) -> gradients.setGradientFor(name, view, 'c'));
        return gradients;
    }
}
