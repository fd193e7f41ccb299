package org.dl4jsr.layer;

import java.util.Collection;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.RecurrentAttentionLayer;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** DL4J's recurrent attention, on kernels where {@link KernelRecurrentAttentionLayer} can. */
public final class KernelRecurrentAttention extends RecurrentAttentionLayer {

    private static final long serialVersionUID = 1;

    /** For JSON and copies: without settings. */
    public KernelRecurrentAttention() {
        super(new Builder().nHeads(1).headSize(1));
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
                new KernelRecurrentAttentionLayer(conf, networkDataType),
                initializer(),
                conf,
                trainingListeners,
                layerIndex,
                layerParamsView,
                initializeParams);
    }
}
