package org.dl4jsr.policy;

import java.util.Arrays;
import java.util.function.Consumer;
import org.deeplearning4j.nn.conf.layers.BaseOutputLayer;
import org.deeplearning4j.nn.conf.layers.Cnn3DLossLayer;
import org.deeplearning4j.nn.conf.layers.CnnLossLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.RnnLossLayer;
import org.deeplearning4j.nn.conf.layers.variational.CompositeReconstructionDistribution;
import org.deeplearning4j.nn.conf.layers.variational.LossFunctionWrapper;
import org.deeplearning4j.nn.conf.layers.variational.ReconstructionDistribution;
import org.deeplearning4j.nn.conf.layers.variational.VariationalAutoencoder;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.lossfunctions.ILossFunction;

/**
 * Puts {@link Fp32Loss} and {@link Fp32Reconstruction} around the losses of a configuration that becomes BF16, and
 * removes them from others.
 */
final class PolicyLosses {

    private final boolean narrow;

    PolicyLosses(DataType type) {
        narrow = type == DataType.BFLOAT16;
    }

    void replace(ConfiguredLayers configuration) {
        configuration.layers().forEach(this::replace);
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
        } else if (layer instanceof VariationalAutoencoder autoencoder) {
            autoencoder.setOutputDistribution(replaced(autoencoder.getOutputDistribution()));
        }
    }

    private void replace(ILossFunction loss, Consumer<ILossFunction> setter) {
        if (loss != null) {
            setter.accept(replaced(loss));
        }
    }

    private ILossFunction replaced(ILossFunction loss) {
        ILossFunction stock = loss instanceof Fp32Loss wide ? wide.getLoss() : loss;
        return narrow ? new Fp32Loss(stock) : stock;
    }

    /** DL4J asks these two for their class, so that they stay outside. */
    private ReconstructionDistribution replaced(ReconstructionDistribution distribution) {
        if (distribution instanceof LossFunctionWrapper loss) {
            return new LossFunctionWrapper(loss.getActivationFn(), replaced(loss.getLossFunction()));
        }
        if (distribution instanceof CompositeReconstructionDistribution composite) {
            return new CompositeReconstructionDistribution(
                    composite.getDistributionSizes(),
                    Arrays.stream(composite.getReconstructionDistributions())
                            .map(this::replaced)
                            .toArray(ReconstructionDistribution[]::new),
                    composite.getTotalSize());
        }
        ReconstructionDistribution stock =
                distribution instanceof Fp32Reconstruction wide ? wide.getDistribution() : distribution;
        return narrow ? new Fp32Reconstruction(stock) : stock;
    }
}
