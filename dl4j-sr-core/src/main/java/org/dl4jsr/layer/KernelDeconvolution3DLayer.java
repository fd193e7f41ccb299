package org.dl4jsr.layer;

import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.layers.convolution.Deconvolution3DLayer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Runs DL4J's Deconvolution3D, which else computes by the type of its input: FLOAT as the first layer. */
final class KernelDeconvolution3DLayer extends Deconvolution3DLayer {

    private static final long serialVersionUID = 1;

    KernelDeconvolution3DLayer(NeuralNetConfiguration conf, DataType dataType) {
        super(conf, dataType);
    }

    @Override
    public INDArray activate(boolean training, LayerWorkspaceMgr workspaceMgr) {
        assertInputSet(false);
        input = Layouts.ofType(dataType, input, ArrayType.ACTIVATIONS, workspaceMgr);
        return super.activate(training, workspaceMgr);
    }
}
