package org.dl4jsr.updater;

import java.util.List;
import java.util.stream.IntStream;
import org.dl4jsr.backend.ExactSums;
import org.dl4jsr.backend.StochasticAverages;
import org.dl4jsr.kernel.OptimizerArrays;
import org.dl4jsr.kernel.StepStatistics;
import org.dl4jsr.op.Device;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A step of a {@link FusedUpdater}; the values are the gradient. */
final class FusedStep implements RangeUpdate {

    private final INDArray gradient;
    private final INDArray stateView;
    private final FusedUpdater config;
    private final double learningRate;
    private final int iteration;
    private UpdaterState state;

    FusedStep(INDArray gradient, INDArray stateView, FusedUpdater config, double learningRate, int iteration) {
        this.gradient = gradient;
        this.stateView = stateView;
        this.config = config;
        this.learningRate = learningRate;
        this.iteration = iteration;
    }

    @Override
    public INDArray values() {
        return gradient;
    }

    @Override
    public FusedUpdater fused() {
        return config;
    }

    @Override
    public UpdaterState state() {
        if (state == null) {
            state = new UpdaterState(stateView, config, gradient.length());
        }
        return state;
    }

    @Override
    public RangeUpdate part(INDArray part, long start, ShardedState shardedState) {
        if (stateView != null) {
            throw new IllegalStateException("The network has got a new updater while ranks share its state: give it"
                    + " the old one back, or begin anew");
        }
        return new FusedStep(part, shardedState.view(start), config, learningRate, iteration);
    }

    @Override
    public long seed() {
        return config.getSeed();
    }

    @Override
    public void write(
            FlatArrays arrays, long start, long end, double clipScale, RandomKey random, StepStatistics statistics) {
        Device device = arrays.device();
        long address = device.address(stateView);
        long from = start - arrays.first(this);
        long key = random.key(config.getSeed());
        roundExactGradient(arrays, start, end, key);
        device.kernels()
                .step(
                        config.step(learningRate, clipScale, key, iteration),
                        new OptimizerArrays(
                                arrays.type(),
                                arrays.parameterAddress(start),
                                arrays.gradientAddress(start),
                                IntStream.range(0, config.moments())
                                        .mapToLong(i -> state().moment(address, i, from))
                                        .toArray(),
                                state().extra(address, from),
                                end - start,
                                start),
                        statistics);
        device.written(List.of(stateView));
    }

    /** Rounds a gradient with regularization stochastically: to nearest the regularization would be lost every time. */
    private void roundExactGradient(FlatArrays arrays, long start, long end, long key) {
        INDArray range = arrays.gradient(start, end);
        ExactSums.behind(range, (exact, from) -> {
            arrays.device()
                    .kernels()
                    .stochasticRound(
                            arrays.device().address(exact),
                            arrays.gradientAddress(start + from),
                            exact.length(),
                            key,
                            iteration,
                            Elements.GRADIENT + start + from);
            arrays.device().written(List.of(range));
        });
    }

    @Override
    public long bytes(int width) {
        return RangeUpdate.super.bytes(width) + 2 * state().bytes();
    }

    @Override
    public void markForAverages(RandomKey random) {
        if (!config.getWeightWrite().hasFp32State()) {
            StochasticAverages.mark(stateView, random.key(config.getSeed()), iteration, Elements.STATE_AVERAGE);
        }
    }
}
