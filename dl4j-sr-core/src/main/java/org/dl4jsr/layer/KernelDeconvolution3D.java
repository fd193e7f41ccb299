package org.dl4jsr.layer;

import java.util.Collection;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.Deconvolution3D;
import org.deeplearning4j.nn.conf.layers.LayerValidation;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** DL4J's Deconvolution3D, whose input is of the network's type, so that its op runs on a kernel. */
public final class KernelDeconvolution3D extends Deconvolution3D {

    private static final long serialVersionUID = 1;

    /** For JSON and copies: without settings. */
    public KernelDeconvolution3D() {}

    @Override
    public Layer instantiate(
            NeuralNetConfiguration conf,
            Collection<TrainingListener> trainingListeners,
            int layerIndex,
            INDArray layerParamsView,
            boolean initializeParams,
            DataType networkDataType) {
        LayerValidation.assertNInNOutSet("Deconvolution3D", getLayerName(), layerIndex, getNIn(), getNOut());
        return KernelLayers.instantiated(
                new KernelDeconvolution3DLayer(conf, networkDataType),
                initializer(),
                conf,
                trainingListeners,
                layerIndex,
                layerParamsView,
                initializeParams);
    }
}
