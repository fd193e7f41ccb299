package org.dl4jsr.layer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jsr.backend.Bf16Executioner;
import org.dl4jsr.op.StepPart;
import org.dl4jsr.op.StepTimes;
import org.dl4jsr.policy.Bf16Policy;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

/** Networks with layers on kernels, and the same without. */
final class LayerTesting {

    private LayerTesting() {}

    interface Gradient {
        /** A gradient of a network. */
        INDArray of(MultiLayerNetwork network);
    }

    static MultiLayerNetwork network(MultiLayerConfiguration configuration) {
        var network = new MultiLayerNetwork(configuration);
        network.init();
        return network;
    }

    /** The same weights in FLOAT, in BF16 on kernels, and in BF16 on DL4J's own layers. */
    private record Networks(MultiLayerNetwork wide, MultiLayerNetwork onKernels, MultiLayerNetwork withoutKernels) {

        static Networks of(MultiLayerConfiguration configuration) {
            var wide = network(Bf16Policy.FP32.apply(configuration));
            var onKernels = network(Bf16Policy.SR.apply(configuration));
            var withoutKernels = network(LayerTesting.withoutKernels(Bf16Policy.SR.apply(configuration)));
            withoutKernels.setParams(onKernels.params());
            wide.setParams(onKernels.params().castTo(DataType.FLOAT));
            return new Networks(wide, onKernels, withoutKernels);
        }

        /** Requires the kernels' gradient, which it returns, to be about as near to FLOAT as that of DL4J's own. */
        INDArray requireNear(Gradient gradient) {
            INDArray exact = gradient.of(wide);
            INDArray fromKernels = gradient.of(onKernels);
            double noise = distance(gradient.of(withoutKernels), exact);
            double error = distance(fromKernels, exact);
            assertTrue(error < Math.max(0.01, 1.1 * noise), "gradient off by " + error + ", that of ops by " + noise);
            return fromKernels;
        }
    }

    /**
     * Requires layers on kernels to be about as near to FLOAT as DL4J's own, and to have the same bits again.
     *
     * @param gradient of a network, on data with these features
     * @return how often ops of this part run for a gradient; without kernels none does
     */
    static long requireSameLayers(
            MultiLayerConfiguration configuration, StepPart part, INDArray features, Gradient gradient) {
        var networks = Networks.of(configuration);
        MultiLayerNetwork onKernels = networks.onKernels;
        INDArray fromKernels = networks.requireNear(gradient);
        assertEquals(0, distance(onKernels.output(features), networks.wide.output(features)), 0.005, "output");
        assertArrayEquals(bits(fromKernels), bits(gradient.of(onKernels)), "again");
        assertEquals(0, calls(part, () -> gradient.of(networks.withoutKernels)));
        return calls(part, () -> gradient.of(onKernels));
    }

    /** {@code configuration}, its layers DL4J's own. */
    private static MultiLayerConfiguration withoutKernels(MultiLayerConfiguration configuration) {
        configuration.getConfs().forEach(layer -> layer.setLayer(KernelLayers.stock(layer.getLayer())));
        return configuration;
    }

    /** Features of this shape, which begins with the batch, and a class for each example. */
    static DataSet data(int classes, long... shape) {
        INDArray features = Nd4j.create(DataType.FLOAT, shape);
        for (int i = 0; i < features.length(); i++) {
            features.putScalar(i, 1 + Math.sin(i * i));
        }
        INDArray labels = Nd4j.zeros(DataType.FLOAT, shape[0], classes);
        for (int b = 0; b < shape[0]; b++) {
            labels.putScalar(b, b % classes, 1);
        }
        return new DataSet(features, labels);
    }

    /** The FLOAT gradient of all parameters. */
    static INDArray gradient(MultiLayerNetwork network, DataSet data) {
        network.setInput(data.getFeatures());
        network.setLabels(data.getLabels());
        network.computeGradientAndScore();
        return network.getFlattenedGradients().castTo(DataType.FLOAT).dup();
    }

    /** Requires layers on kernels to give a gradient of the input that is about as near to FLOAT as that of DL4J's own. */
    static void requireGradientOfInput(MultiLayerConfiguration configuration, DataSet data) {
        Networks.of(configuration).requireNear(network -> inputGradient(network, data));
    }

    static INDArray inputGradient(MultiLayerNetwork network, DataSet data) {
        return network.calculateGradients(data.getFeatures(), data.getLabels(), null, null)
                .getSecond();
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
    private static double distance(INDArray actual, INDArray expected) {
        return actual.castTo(DataType.FLOAT).distance2(expected)
                / expected.norm2Number().doubleValue();
    }

    static float[] bits(INDArray array) {
        return array.castTo(DataType.FLOAT).dup('c').data().asFloat();
    }
}
