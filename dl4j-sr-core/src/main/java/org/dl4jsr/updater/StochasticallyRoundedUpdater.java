package org.dl4jsr.updater;

import java.util.Map;
import org.dl4jsr.backend.Bf16Executioner;
import org.dl4jsr.backend.ExactSums;
import org.dl4jsr.backend.StochasticAverages;
import org.dl4jsr.op.Device;
import org.dl4jsr.op.KernelOp;
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
final class StochasticallyRoundedUpdater implements GradientUpdater<StochasticallyRounded> {

    private final StochasticallyRounded config;
    private final INDArray state;
    private final Device device = Bf16Executioner.requiredBy("StochasticallyRounded");
    private RandomKey random;

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

    /** @throws UnsupportedOperationException always: only SameDiff training calls it */
    @Override
    public void setStateViewArray(INDArray viewArray, long[] gradientShape, char gradientOrder, boolean initialize) {
        throw FusedUpdater.noSameDiff("StochasticallyRounded");
    }

    @Override
    public void applyUpdater(INDArray gradient, int iteration, int epoch) {
        if (gradient.dataType() != DataType.BFLOAT16) {
            config.getUpdater().instantiate(state, false).applyUpdater(gradient, iteration, epoch);
            return;
        }
        try (MemoryWorkspace none = Nd4j.getMemoryManager().scopeOutOfWorkspaces();
                INDArray exact = ExactSums.of(device, gradient);
                INDArray wideGradient = exact == null ? gradient.castTo(DataType.FLOAT) : exact;
                INDArray wideState = state == null ? null : state.castTo(DataType.FLOAT)) {
            double squaredGradient = sumOfSquares(wideGradient);
            double squaredState = state == null ? 0 : sumOfSquares(state);
            random = RandomKey.of(iteration, squaredGradient, squaredState, random);
            config.getUpdater().instantiate(wideState, false).applyUpdater(wideGradient, iteration, epoch);
            round(wideGradient, gradient, Elements.UPDATE);
            if (state != null) {
                round(wideState, state, Elements.STATE);
                StochasticAverages.mark(state, random.key(config.getSeed()), iteration, Elements.STATE_AVERAGE);
            }
        }
        NetworkStep.of(gradient, iteration)
                .add(new Subtraction(gradient, config.getWeightWrite(), config.getSeed(), true), iteration);
    }

    private void round(INDArray wide, INDArray target, long element) {
        if (config.getWeightWrite().isStochastic()) {
            long key = random.key(config.getSeed());
            Nd4j.exec(new SrAssign(target, wide, key, random.iteration(), element + target.offset()));
        } else {
            target.assign(wide);
        }
    }

    private double sumOfSquares(INDArray array) {
        return device.kernels().sumOfSquares(KernelOp.type(array), device.address(array), array.length());
    }
}
