package org.dl4jsr.policy;

import java.util.function.Consumer;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.FrozenVertex;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.graph.LayerVertex;
import org.deeplearning4j.nn.conf.layers.BaseOutputLayer;
import org.deeplearning4j.nn.conf.layers.Cnn3DLossLayer;
import org.deeplearning4j.nn.conf.layers.CnnLossLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.RnnLossLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.wrapper.BaseWrapperLayer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.lossfunctions.ILossFunction;

/** Puts {@link Fp32Loss} around the loss functions of a configuration that becomes BF16, and removes it from others. */
final class PolicyLosses {

    private final boolean narrow;

    PolicyLosses(DataType type) {
        narrow = type == DataType.BFLOAT16;
    }

    void replace(MultiLayerConfiguration configuration) {
        for (NeuralNetConfiguration layer : configuration.getConfs()) {
            replace(layer.getLayer());
        }
    }

    void replace(ComputationGraphConfiguration configuration) {
        configuration.getVertices().values().forEach(this::replace);
    }

    private void replace(GraphVertex vertex) {
        if (vertex instanceof LayerVertex layer) {
            replace(layer.getLayerConf().getLayer());
        } else if (vertex instanceof FrozenVertex frozen) {
            replace(frozen.getUnderlying());
        }
    }

    private void replace(Layer layer) {
        if (layer instanceof BaseOutputLayer output) {
            replace(output.getLossFn(), output::setLossFn);
        } else if (layer instanceof LossLayer output) {
            replace(output.getLossFn(), output::setLossFn);
        } else if (layer instanceof RnnLossLayer output) {
            replace(output.getLossFn(), output::setLossFn);
        } else if (layer instanceof CnnLossLayer output) {
            replace(output.getLossFn(), output::setLossFn);
        } else if (layer instanceof Cnn3DLossLayer output) {
            replace(output.getLossFn(), output::setLossFn);
        } else if (layer instanceof BaseWrapperLayer wrapper) {
            replace(wrapper.getUnderlying());
        } else if (layer instanceof FrozenLayer frozen) {
            replace(frozen.getLayer());
        }
    }

    private void replace(ILossFunction loss, Consumer<ILossFunction> setter) {
        if (narrow && loss != null && !(loss instanceof Fp32Loss)) {
            setter.accept(new Fp32Loss(loss));
        } else if (!narrow && loss instanceof Fp32Loss wide) {
            setter.accept(wide.getLoss());
        }
    }
}
