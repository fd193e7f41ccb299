package org.dl4jsr.layer;

import java.util.Collection;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.GravesBidirectionalLSTM;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** DL4J's GravesBidirectionalLSTM, which computes in FP32: {@link Fp32Pass}. */
@SuppressWarnings("deprecation") // DL4J's class
public final class Fp32GravesBidirectionalLstm extends GravesBidirectionalLSTM {

    private static final long serialVersionUID = 1;

    /** For JSON and copies: without settings. */
    public Fp32GravesBidirectionalLstm() {}

    @Override
    public Layer instantiate(
            NeuralNetConfiguration conf,
            Collection<TrainingListener> trainingListeners,
            int layerIndex,
            INDArray layerParamsView,
            boolean initializeParams,
            DataType networkDataType) {
        return KernelLayers.instantiated(
                new Fp32GravesBidirectionalLstmLayer(conf, networkDataType),
                initializer(),
                conf,
                trainingListeners,
                layerIndex,
                layerParamsView,
                initializeParams);
    }
}
