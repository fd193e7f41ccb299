package org.dl4jsr.updater;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import org.dl4jsr.backend.ExactSums;
import org.dl4jsr.backend.Extent;
import org.dl4jsr.backend.PendingStep;
import org.dl4jsr.backend.PendingSteps;
import org.dl4jsr.backend.StochasticAverages;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.StepStatistics;
import org.dl4jsr.op.StepPart;
import org.dl4jsr.op.StepTimes;
import org.dl4jsr.rounding.WeightWrite;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What one network's fused updaters and {@link StochasticallyRounded} ones still have to write in one iteration. When
 * DL4J subtracts the gradient: the norm of the gradients that fused updaters own, clipping, and the writes of all
 * ranges; what other updaters leave, and the statistics of layers, is subtracted with stochastic rounding. If a fused
 * updater has a part in it and anything is not finite, nothing is written.
 */
final class NetworkStep implements PendingStep {

    private static final Logger LOG = LoggerFactory.getLogger(NetworkStep.class);

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
    public void take(INDArray parameters, INDArray gradient) {
        var arrays = new FlatArrays(parameters, gradient);
        List<RangeUpdate> ranges = ranges(arrays);
        ranges.forEach(RangeUpdate::check);
        long[] boundaries = status.takeRequest();
        double[] squares = squares(ranges, arrays);
        double clipScale = settings == null ? 1 : guardedClipScale(ranges, arrays, squares);
        if (clipScale > 0) {
            write(ranges, arrays, clipScale, random(arrays, squares), boundaries);
        }
        ExactSums.forget(gradient);
    }

    /** The sum of squares of each range's values. */
    private static double[] squares(List<RangeUpdate> ranges, FlatArrays arrays) {
        var squares = new double[ranges.size()];
        timed(
                StepPart.CLIPPING,
                arrays,
                arrays.length() * arrays.type().bytes(),
                () -> Arrays.setAll(
                        squares, i -> arrays.squaredGradient(arrays.first(ranges.get(i)), arrays.last(ranges.get(i)))));
        return squares;
    }

    private RandomKey random(FlatArrays arrays, double[] squares) {
        if (arrays.type() == FloatType.FLOAT) {
            return status.nextRandom(iteration, 0, 0); // nothing is rounded
        }
        return status.nextRandom(iteration, DoubleStream.of(squares).sum(), arrays.squaredParameters());
    }

    private void write(
            List<RangeUpdate> ranges, FlatArrays arrays, double clipScale, RandomKey random, long[] boundaries) {
        StepStatistics[] statistics = boundaries == null
                ? null
                : Stream.generate(StepStatistics::new)
                        .limit(boundaries.length - 1)
                        .toArray(StepStatistics[]::new);
        for (RangeUpdate range : ranges) {
            long bytes = range.bytes(arrays.type().bytes()) * range.values().length();
            timed(
                    StepPart.OPTIMIZER,
                    arrays,
                    bytes,
                    () -> write(range, arrays, clipScale, random, boundaries, statistics));
        }
        arrays.device().written(List.of(arrays.parameters()));
        if (arrays.type() == FloatType.BFLOAT16) {
            ranges.forEach(range -> range.markForAverages(random));
            StochasticAverages.mark(
                    arrays.parameters(), random.key(ranges.get(0).seed()), iteration, Elements.PARAMETER_AVERAGE);
        }
        status.setStatistics(statistics);
    }

    private static void timed(StepPart part, FlatArrays arrays, long bytes, Runnable work) {
        StepTimes times = arrays.device().times();
        long start = System.nanoTime();
        work.run();
        if (times != null) {
            times.add(part, System.nanoTime() - start, 0, bytes);
        }
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

    /** The factor of the fused updaters' gradients, from their global norm; 0 if the step is skipped. */
    private double guardedClipScale(List<RangeUpdate> ranges, FlatArrays arrays, double[] squares) {
        double sum = 0;
        for (int i = 0; i < squares.length; i++) {
            if (!Double.isFinite(squares[i])) {
                skip(ranges.get(i), arrays, squares[i], value -> !Float.isFinite(value), "is not finite");
                return 0;
            }
            sum += ranges.get(i).fused() != null ? squares[i] : 0;
        }
        double norm = Math.sqrt(sum);
        double maxNorm = settings.getMaxGradientNorm();
        double scale = maxNorm > 0 && norm > maxNorm ? maxNorm / norm : 1;
        Predicate<Float> overflows = value -> Float.isInfinite((value * (float) scale) * (value * (float) scale));
        for (int i = 0; i < squares.length; i++) {
            RangeUpdate range = ranges.get(i);
            if (range.fused() != null
                    && squares[i] * scale * scale > Float.MAX_VALUE
                    && first(arrays, arrays.first(range), arrays.last(range), overflows) >= 0) {
                skip(range, arrays, sum, overflows, "is above 1.8e19, and its square not finite in FP32,");
                return 0;
            }
        }
        status.taken(norm, scale);
        return scale;
    }

    private void skip(RangeUpdate range, FlatArrays arrays, double sum, Predicate<Float> isBad, String why) {
        status.skipped(Math.sqrt(sum));
        long element = first(arrays, arrays.first(range), arrays.last(range), isBad);
        String what = (range.fused() != null ? "The gradient" : "The update") + " of " + status.describe(element) + " "
                + why + " at iteration " + iteration;
        if (status.consecutiveSkips() >= settings.getMaxConsecutiveSkips()) {
            throw new NonFiniteGradientException(what + ", and " + settings.name() + " has skipped "
                    + status.consecutiveSkips()
                    + " steps in a row (maxConsecutiveSkips): look for NaN in data and labels, lower the learning rate"
                    + " or set maxGradientNorm");
        }
        LOG.warn(
                "{}: {} skips the step on all parameters ({} in a row, {} so far)",
                what,
                settings.name(),
                status.consecutiveSkips(),
                status.skippedSteps());
    }

    /**
     * The first element of the gradient from {@code start} to {@code end} that is bad, or -1 for none. Stretches whose
     * sum of squares is finite in FP32 hold none.
     */
    private static long first(FlatArrays arrays, long start, long end, Predicate<Float> isBad) {
        if (arrays.squaredGradient(start, end) <= Float.MAX_VALUE) {
            return -1;
        }
        if (end - start == 1) {
            return isBad.test(arrays.gradient(start, end).getFloat(0)) ? start : -1;
        }
        long middle = (start + end) / 2;
        long found = first(arrays, start, middle, isBad);
        return found >= 0 ? found : first(arrays, middle, end, isBad);
    }

    /** Writes one range, cut at {@code boundaries} where statistics are asked for. */
    private static void write(
            RangeUpdate range,
            FlatArrays arrays,
            double clipScale,
            RandomKey random,
            long[] boundaries,
            StepStatistics[] statistics) {
        long end = arrays.last(range);
        if (boundaries == null) {
            range.write(arrays, arrays.first(range), end, clipScale, random, null);
            return;
        }
        for (long start = arrays.first(range); start < end; ) {
            int index = indexOf(boundaries, start);
            long next = Math.min(boundaries[index + 1], end);
            range.write(arrays, start, next, clipScale, random, statistics[index]);
            start = next;
        }
    }

    /** The i with boundaries[i] <= element < boundaries[i + 1]. */
    private static int indexOf(long[] boundaries, long element) {
        int index = Arrays.binarySearch(boundaries, element);
        return index >= 0 ? index : -index - 2;
    }
}
