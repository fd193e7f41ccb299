package org.dl4jsr.layer;

import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.wrapper.BaseWrapperLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jsr.backend.Bf16Executioner;
import org.dl4jsr.op.StepPart;
import org.dl4jsr.op.StepTimes;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;

/** Networks with layers on kernels, and the same without. */
final class LayerTesting {

    private LayerTesting() {}

    static MultiLayerNetwork network(MultiLayerConfiguration configuration) {
        var network = new MultiLayerNetwork(configuration);
        network.init();
        return network;
    }

    /** {@code configuration}, its layers DL4J's own. */
    static MultiLayerConfiguration withoutKernels(MultiLayerConfiguration configuration) {
        configuration.getConfs().forEach(layer -> layer.setLayer(stock(layer.getLayer())));
        return configuration;
    }

    private static Layer stock(Layer layer) {
        if (layer instanceof Bidirectional both) {
            both.setFwd(stock(both.getFwd()));
            both.setBwd(stock(both.getBwd()));
        } else if (layer instanceof BaseWrapperLayer wrapper) {
            wrapper.setUnderlying(stock(wrapper.getUnderlying()));
        }
        return KernelLayers.stock(layer);
    }

    /** The FLOAT gradient of all parameters. */
    static INDArray gradient(MultiLayerNetwork network, DataSet data) {
        network.setInput(data.getFeatures());
        network.setLabels(data.getLabels());
        network.computeGradientAndScore();
        return network.getFlattenedGradients().castTo(DataType.FLOAT).dup();
    }

    /** How often ops of this part run. */
    static long calls(StepPart part, Runnable work) {
        var times = new StepTimes();
        var device = Bf16Executioner.requiredBy("this test");
        device.setTimes(times);
        try {
            work.run();
        } finally {
            device.setTimes(null);
        }
        return times.of(part).calls();
    }

    /** Relative, in the Euclidean norm. */
    static double distance(INDArray actual, INDArray expected) {
        return actual.castTo(DataType.FLOAT).distance2(expected)
                / expected.norm2Number().doubleValue();
    }

    static float[] bits(INDArray array) {
        return array.castTo(DataType.FLOAT).dup('c').data().asFloat();
    }
}
