package org.dl4jsr.updater;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import org.dl4jsr.backend.ExactSums;
import org.dl4jsr.backend.Extent;
import org.dl4jsr.backend.PendingStep;
import org.dl4jsr.backend.PendingSteps;
import org.dl4jsr.op.Device;
import org.dl4jsr.rounding.WeightWrite;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What one network's fused updaters and {@link StochasticallyRounded} ones still have to write in one iteration. When
 * DL4J subtracts the gradient: the norm of the gradients that fused updaters own, clipping, and the writes of all
 * ranges; what other updaters leave, and the statistics of layers, is subtracted with stochastic rounding. If a fused
 * updater has a part in it and anything is not finite, nothing is written.
 */
final class NetworkStep implements PendingStep {

    private static final String WHY = "DL4J has to subtract the gradient from the parameters right after the updater."
            + " What cannot work: gradient sharing (use parameter averaging), line-search optimizers (set"
            + " optimizationAlgo to STOCHASTIC_GRADIENT_DESCENT), and with SrAdam weight decay after the updater (set"
            + " SrAdam's weightDecay, or let Bf16Policy take it over)";

    private final UpdaterStatus status;
    private final int iteration;
    private final List<RangeUpdate> pending = new ArrayList<>();
    /** Of any of the network's fused updaters, or null for none: what holds for a whole network has to agree. */
    private FusedUpdater settings;

    private NetworkStep(UpdaterStatus status, int iteration) {
        this.status = status;
        this.iteration = iteration;
    }

    /** The step pending on the network of {@code gradient}, a new one if there is none. */
    static NetworkStep of(INDArray gradient, int iteration) {
        var step = (NetworkStep) PendingSteps.get(gradient);
        if (step == null) {
            step = new NetworkStep(UpdaterStatus.of(gradient), iteration);
            PendingSteps.put(gradient, step);
        }
        return step;
    }

    /** Makes the update of one more range pending. */
    void add(RangeUpdate added, int addedIteration) {
        for (RangeUpdate other : pending) {
            if (addedIteration != iteration || added.start() < other.end() && other.start() < added.end()) {
                PendingSteps.remove(added.values());
                throw new IllegalStateException("The update of iteration " + iteration + " of the parameters "
                        + other.range() + " has never been written. " + WHY);
            }
        }
        pending.add(added);
        FusedUpdater config = added.fused();
        if (settings == null) {
            settings = config;
        } else if (config != null) {
            requireAgreement("maxGradientNorm", added, FusedUpdater::getMaxGradientNorm);
            requireAgreement("maxConsecutiveSkips", added, FusedUpdater::getMaxConsecutiveSkips);
        }
    }

    private void requireAgreement(String name, RangeUpdate added, Function<FusedUpdater, Object> setting) {
        Object first = setting.apply(settings);
        Object second = setting.apply(added.fused());
        if (!first.equals(second)) {
            PendingSteps.remove(added.values());
            throw new IllegalStateException(settings.name() + "." + name + " is " + first + " in one layer and "
                    + second + " in another, and it holds for the whole network: give them one value");
        }
    }

    @Override
    public void foreignUse(String op, INDArray array) {
        Extent used = Extent.of(array);
        for (RangeUpdate range : pending) {
            if (range.fused() != null && used.overlaps(Extent.of(range.values()))) {
                throw new IllegalStateException("Op " + op + " uses the gradient of the parameters " + range.range()
                        + " before " + range.fused().name() + "'s step of iteration " + iteration
                        + " has been written: it would take the gradient for an update. " + WHY);
            }
        }
    }

    @Override
    public void take(Device device, INDArray parameters, INDArray gradient) {
        var arrays = new FlatArrays(device, parameters, gradient);
        new NetworkWrite(status, settings, iteration, arrays, ranges(arrays)).run();
        ExactSums.forget(gradient);
    }

    /** What is pending, and the subtractions between, in the order of the parameters. */
    private List<RangeUpdate> ranges(FlatArrays arrays) {
        pending.sort(Comparator.comparingLong(RangeUpdate::start));
        var ranges = new ArrayList<RangeUpdate>();
        long done = 0;
        for (RangeUpdate next : pending) {
            if (arrays.first(next) < done || arrays.last(next) > arrays.length()) {
                throw new IllegalStateException("The update of the parameters " + next.range() + " is not within the"
                        + " gradient that is subtracted, " + (next.start() - arrays.first(next)) + ".."
                        + (next.start() - arrays.first(next) + arrays.length() - 1)
                        + ": subtract the whole gradient at once");
            }
            addOther(ranges, arrays, done, arrays.first(next));
            ranges.add(next);
            done = arrays.last(next);
        }
        addOther(ranges, arrays, done, arrays.length());
        return ranges;
    }

    private void addOther(List<RangeUpdate> ranges, FlatArrays arrays, long start, long end) {
        if (start < end) {
            ranges.add(new Subtraction(
                    arrays.gradient(start, end),
                    WeightWrite.STOCHASTIC,
                    pending.get(0).seed(),
                    false));
        }
    }
}
