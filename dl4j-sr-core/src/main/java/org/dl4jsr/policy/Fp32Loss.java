package org.dl4jsr.policy;

import java.util.Objects;
import org.dl4jsr.backend.Bf16Executioner;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.lossfunctions.ILossFunction;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/**
 * A loss function of a BF16 network that computes in FP32: from the BF16 output before the activation, with labels as
 * they are, to a score in full precision and a gradient that is rounded once, to nearest. In BF16 a probability above
 * 0.998 would be 1, its gradient 0, and that of the binary cross-entropy 0 / 0.
 *
 * <p>{@link Bf16Policy#apply} puts it around the loss functions of a configuration.
 */
public final class Fp32Loss implements ILossFunction {

    private static final long serialVersionUID = 1;

    private final ILossFunction loss;

    /**
     * Computes {@code loss}.
     *
     * @throws IllegalStateException if dl4j-sr's backend is not in force: so a network of a policy that is restored says
     *     it, before ND4J's own backend computes it slowly and wrong
     */
    public Fp32Loss(@JsonProperty("loss") ILossFunction loss) {
        this.loss = Objects.requireNonNull(loss, "loss is null");
        Bf16Executioner.requiredBy("Fp32Loss");
    }

    /** The loss function that is computed. */
    public ILossFunction getLoss() {
        return loss;
    }

    @Override
    public double computeScore(
            INDArray labels, INDArray preOutput, IActivation activationFn, INDArray mask, boolean average) {
        OneHotLabels oneHot = OneHotLabels.of(loss, labels, preOutput, activationFn, mask);
        if (oneHot != null) {
            return average ? oneHot.score() / labels.size(0) : oneHot.score();
        }
        return loss.computeScore(labels, wide(preOutput), activationFn, mask, average);
    }

    /** FLOAT scores, one an example. */
    @Override
    public INDArray computeScoreArray(INDArray labels, INDArray preOutput, IActivation activationFn, INDArray mask) {
        OneHotLabels oneHot = OneHotLabels.of(loss, labels, preOutput, activationFn, mask);
        return oneHot != null ? oneHot.losses() : loss.computeScoreArray(labels, wide(preOutput), activationFn, mask);
    }

    /** The gradient, in the type of {@code preOutput}. */
    @Override
    public INDArray computeGradient(INDArray labels, INDArray preOutput, IActivation activationFn, INDArray mask) {
        OneHotLabels oneHot = OneHotLabels.of(loss, labels, preOutput, activationFn, mask);
        return oneHot != null
                ? oneHot.gradient()
                : loss.computeGradient(labels, wide(preOutput), activationFn, mask)
                        .castTo(preOutput.dataType());
    }

    @Override
    public Pair<Double, INDArray> computeGradientAndScore(
            INDArray labels, INDArray preOutput, IActivation activationFn, INDArray mask, boolean average) {
        OneHotLabels oneHot = OneHotLabels.of(loss, labels, preOutput, activationFn, mask);
        if (oneHot != null) {
            return new Pair<>(average ? oneHot.score() / labels.size(0) : oneHot.score(), oneHot.gradient());
        }
        Pair<Double, INDArray> result =
                loss.computeGradientAndScore(labels, wide(preOutput), activationFn, mask, average);
        return new Pair<>(result.getFirst(), result.getSecond().castTo(preOutput.dataType()));
    }

    private static INDArray wide(INDArray preOutput) {
        return preOutput.castTo(DataType.FLOAT);
    }

    @Override
    public String name() {
        return loss.name();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Fp32Loss that && loss.equals(that.loss);
    }

    @Override
    public int hashCode() {
        return loss.hashCode();
    }

    @Override
    public String toString() {
        return "Fp32Loss(" + loss + ")";
    }
}
