package org.dl4jsr.policy;

import java.util.Objects;
import org.deeplearning4j.nn.conf.layers.variational.ReconstructionDistribution;
import org.dl4jsr.backend.Bf16Executioner;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/**
 * The reconstruction distribution of a BF16 variational autoencoder that computes in FP32, as {@link Fp32Loss} does: an
 * exponential one refuses FLOAT features beside BF16 parameters otherwise.
 *
 * <p>{@link Bf16Policy#apply} puts it around the distributions of a configuration.
 */
public final class Fp32Reconstruction implements ReconstructionDistribution {

    private static final long serialVersionUID = 1;

    private final ReconstructionDistribution distribution;

    /**
     * Computes {@code distribution}.
     *
     * @throws IllegalStateException if dl4j-sr's backend is not in force: so a network of a policy that is restored says
     *     it, before ND4J's own backend computes it slowly and wrong
     */
    public Fp32Reconstruction(@JsonProperty("distribution") ReconstructionDistribution distribution) {
        this.distribution = Objects.requireNonNull(distribution, "distribution is null");
        Bf16Executioner.requiredBy("Fp32Reconstruction");
    }

    /** The distribution that is computed. */
    public ReconstructionDistribution getDistribution() {
        return distribution;
    }

    @Override
    public boolean hasLossFunction() {
        return distribution.hasLossFunction();
    }

    @Override
    public int distributionInputSize(int dataSize) {
        return distribution.distributionInputSize(dataSize);
    }

    @Override
    public double negLogProbability(INDArray x, INDArray preOut, boolean average) {
        return distribution.negLogProbability(wide(x), wide(preOut), average);
    }

    /** FLOAT, one an example. */
    @Override
    public INDArray exampleNegLogProbability(INDArray x, INDArray preOut) {
        return distribution.exampleNegLogProbability(wide(x), wide(preOut));
    }

    /** The gradient, in the type of {@code preOut}. */
    @Override
    public INDArray gradient(INDArray x, INDArray preOut) {
        return distribution.gradient(wide(x), wide(preOut)).castTo(preOut.dataType());
    }

    /** A sample, in the type of {@code preOut}. */
    @Override
    public INDArray generateRandom(INDArray preOut) {
        return distribution.generateRandom(wide(preOut)).castTo(preOut.dataType());
    }

    /** The mean, in the type of {@code preOut}. */
    @Override
    public INDArray generateAtMean(INDArray preOut) {
        return distribution.generateAtMean(wide(preOut)).castTo(preOut.dataType());
    }

    private static INDArray wide(INDArray array) {
        return array.castTo(DataType.FLOAT);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Fp32Reconstruction that && distribution.equals(that.distribution);
    }

    @Override
    public int hashCode() {
        return distribution.hashCode();
    }

    @Override
    public String toString() {
        return "Fp32Reconstruction(" + distribution + ")";
    }
}
