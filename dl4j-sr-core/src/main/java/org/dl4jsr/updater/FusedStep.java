package org.dl4jsr.updater;

import java.util.List;
import org.dl4jsr.backend.StochasticAverages;
import org.dl4jsr.kernel.AdamWArrays;
import org.dl4jsr.kernel.AdamWStatistics;
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
    public void check() {
        state = new UpdaterState(stateView, config, gradient.length());
    }

    @Override
    public void write(FlatArrays arrays, long start, long end, double clipScale, AdamWStatistics statistics) {
        Device device = arrays.device();
        long address = device.address(stateView);
        long from = start - arrays.first(this);
        device.kernels()
                .adamW(
                        config.step(learningRate, clipScale, config.getSeed(), iteration),
                        new AdamWArrays(
                                arrays.type(),
                                arrays.parameterAddress(start),
                                arrays.gradientAddress(start),
                                state.moment(address, 0, from),
                                state.moment(address, 1, from),
                                state.extra(address, from),
                                end - start,
                                start),
                        statistics);
        device.written(List.of(stateView));
    }

    @Override
    public long bytes(int width) {
        return RangeUpdate.super.bytes(width) + 2 * state.bytes();
    }

    @Override
    public void markForAverages(INDArray parameters) {
        if (config.getWeightWrite().isStochastic()) {
            StochasticAverages.mark(parameters, config.getSeed(), iteration, Elements.PARAMETER_AVERAGE);
            StochasticAverages.mark(stateView, config.getSeed(), iteration, Elements.STATE_AVERAGE);
        }
    }
}
