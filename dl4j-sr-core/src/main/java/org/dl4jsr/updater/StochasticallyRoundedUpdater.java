package org.dl4jsr.updater;

import java.util.Map;
import org.dl4jsr.backend.StochasticAverages;
import org.dl4jsr.op.SrAssign;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.GradientUpdater;

/**
 * Replaces the gradient by the update of the updater that it stands for; {@link NetworkStep} subtracts that with
 * stochastic rounding.
 */
public final class StochasticallyRoundedUpdater implements GradientUpdater<StochasticallyRounded> {

    private final StochasticallyRounded config;
    private INDArray state;

    /** @param state null for an updater without */
    StochasticallyRoundedUpdater(StochasticallyRounded config, INDArray state) {
        this.config = config;
        this.state = state;
    }

    @Override
    public StochasticallyRounded getConfig() {
        return config;
    }

    /** @throws UnsupportedOperationException always: the state is one array, see {@link #getState} */
    @Override
    public void setState(Map<String, INDArray> stateMap, boolean initialize) {
        throw new UnsupportedOperationException("StochasticallyRounded keeps its state in the network's updater state"
                + " view: network.getUpdater().setStateViewArray(...)");
    }

    /** The state, if there is any, under the key {@code state}, a view in the layout of the updater stood for. */
    @Override
    public Map<String, INDArray> getState() {
        return state == null ? Map.of() : Map.of("state", state);
    }

    @Override
    public void setStateViewArray(INDArray viewArray, long[] gradientShape, char gradientOrder, boolean initialize) {
        if (initialize) {
            config.getUpdater().instantiate(viewArray, true);
        }
        state = viewArray;
    }

    @Override
    public void applyUpdater(INDArray gradient, int iteration, int epoch) {
        if (gradient.dataType() != DataType.BFLOAT16) {
            config.getUpdater().instantiate(state, false).applyUpdater(gradient, iteration, epoch);
            return;
        }
        try (MemoryWorkspace none = Nd4j.getMemoryManager().scopeOutOfWorkspaces();
                INDArray wideGradient = gradient.castTo(DataType.FLOAT);
                INDArray wideState = state == null ? null : state.castTo(DataType.FLOAT)) {
            config.getUpdater().instantiate(wideState, false).applyUpdater(wideGradient, iteration, epoch);
            gradient.assign(wideGradient);
            if (state != null) {
                long seed = config.getSeed();
                Nd4j.exec(new SrAssign(state, wideState, seed, iteration, Elements.STATE + state.offset()));
                StochasticAverages.mark(state, seed, iteration, Elements.STATE_AVERAGE);
            }
        }
        NetworkStep.of(gradient, iteration)
                .add(new RoundedSubtraction(gradient, config.getSeed(), iteration), iteration);
    }
}
