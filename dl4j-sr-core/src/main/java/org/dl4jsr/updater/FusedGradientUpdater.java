package org.dl4jsr.updater;

import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.GradientUpdater;

/**
 * Records a step on its block of parameters and leaves the gradient as it is: the step runs in {@link NetworkStep},
 * when DL4J subtracts the gradient from the parameters.
 */
final class FusedGradientUpdater implements GradientUpdater<FusedUpdater> {

    private final FusedUpdater config;
    private final INDArray state;

    /** @param state null where ranks share it */
    FusedGradientUpdater(FusedUpdater config, INDArray state) {
        this.config = config;
        this.state = state;
    }

    @Override
    public FusedUpdater getConfig() {
        return config;
    }

    /** @throws UnsupportedOperationException always: the state is one array, see {@link #getState} */
    @Override
    public void setState(Map<String, INDArray> stateMap, boolean initialize) {
        throw new UnsupportedOperationException(config.name() + " keeps its state in the network's updater state view:"
                + " network.getUpdater().setStateViewArray(...)");
    }

    /**
     * The state under the key {@code state}, a view; its layout depends on the configuration's weight write. Empty where
     * ranks share the state.
     */
    @Override
    public Map<String, INDArray> getState() {
        return state == null ? Map.of() : Map.of("state", state);
    }

    /** @throws UnsupportedOperationException always: only SameDiff training calls it */
    @Override
    public void setStateViewArray(INDArray viewArray, long[] gradientShape, char gradientOrder, boolean initialize) {
        throw FusedUpdater.noSameDiff(config.name());
    }

    /** Marks {@code gradient} for a step at {@code iteration}; the array itself is not touched. */
    @Override
    public void applyUpdater(INDArray gradient, int iteration, int epoch) {
        NetworkStep.of(gradient, iteration)
                .add(
                        new FusedStep(gradient, state, config, config.getLearningRate(iteration, epoch), iteration),
                        iteration);
    }
}
