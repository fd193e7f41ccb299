package org.dl4jsr.layer;

import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.layers.convolution.Deconvolution2DLayer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Runs DL4J's Deconvolution2D, which else computes by the type of its input: FLOAT as the first layer. */
final class KernelDeconvolution2DLayer extends Deconvolution2DLayer {

    private static final long serialVersionUID = 1;

    KernelDeconvolution2DLayer(NeuralNetConfiguration conf, DataType dataType) {
        super(conf, dataType);
    }

    @Override
    public INDArray activate(boolean training, LayerWorkspaceMgr workspaceMgr) {
        assertInputSet(false);
        input = Layouts.ofType(dataType, input, ArrayType.ACTIVATIONS, workspaceMgr);
        return super.activate(training, workspaceMgr);
    }
}
