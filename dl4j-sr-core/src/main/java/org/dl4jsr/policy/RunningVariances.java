package org.dl4jsr.policy;

import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.api.Trainable;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.params.BatchNormalizationParamInitializer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * Batch normalization's running variance in BF16 networks: kept as it is, and not as DL4J likes to, as log10 of its
 * root. There a step is the logarithm of the ratio of new and old variance, which is 1 in BF16 where the step is small;
 * of the variance itself it is a difference, which has all its bits.
 */
final class RunningVariances {

    private RunningVariances() {}

    /** Has batch normalization's layers keep the variance. */
    static void keep(ConfiguredLayers configuration) {
        for (var layer : configuration.layers()) {
            if (layer instanceof BatchNormalization normalization) {
                normalization.setUseLogStd(false);
            }
        }
        configuration
                .configurations()
                .forEach(settings -> settings.variables(false).removeIf(RunningVariances::isLogarithm));
    }

    /** The name of such a parameter, which an initialized network's configuration lists: alone, or with its layer's. */
    private static boolean isLogarithm(String parameter) {
        return parameter.equals(BatchNormalizationParamInitializer.GLOBAL_LOG_STD)
                || parameter.endsWith("_" + BatchNormalizationParamInitializer.GLOBAL_LOG_STD);
    }

    /** Computes from the logarithms of one network's layers, where they are kept, the variances of the other's. */
    static void convert(List<? extends Trainable> from, List<? extends Trainable> to) {
        for (int i = 0; i < from.size(); i++) {
            Map<String, INDArray> target = to.get(i).paramTable(false);
            Map<String, INDArray> source = from.get(i).paramTable(false);
            INDArray logarithm = source == null ? null : source.get(BatchNormalizationParamInitializer.GLOBAL_LOG_STD);
            if (logarithm != null && target.containsKey(BatchNormalizationParamInitializer.GLOBAL_VAR)) {
                INDArray exponent = logarithm.castTo(DataType.FLOAT).mul(2 * Math.log(10));
                target.get(BatchNormalizationParamInitializer.GLOBAL_VAR).assign(Transforms.exp(exponent));
            }
        }
    }
}
