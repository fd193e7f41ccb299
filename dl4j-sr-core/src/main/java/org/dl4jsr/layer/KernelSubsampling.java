package org.dl4jsr.layer;

import java.util.Collection;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** DL4J's pooling of images, which keeps their layout in memory where {@link KernelSubsamplingLayer} can. */
public final class KernelSubsampling extends SubsamplingLayer {

    private static final long serialVersionUID = 1;

    /** For JSON and copies: without settings. */
    public KernelSubsampling() {}

    /** An error of the kernel is an error, and no reason to go on with something slower. */
    @Override
    public boolean isCudnnAllowFallback() {
        return false;
    }

    @Override
    public Layer instantiate(
            NeuralNetConfiguration conf,
            Collection<TrainingListener> trainingListeners,
            int layerIndex,
            INDArray layerParamsView,
            boolean initializeParams,
            DataType networkDataType) {
        return KernelLayers.instantiated(
                new KernelSubsamplingLayer(conf, networkDataType),
                initializer(),
                conf,
                trainingListeners,
                layerIndex,
                layerParamsView,
                initializeParams);
    }
}
