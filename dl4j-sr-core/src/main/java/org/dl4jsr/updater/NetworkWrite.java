package org.dl4jsr.updater;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import org.dl4jsr.backend.StochasticAverages;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.StepStatistics;
import org.dl4jsr.op.StepPart;
import org.dl4jsr.op.StepTimes;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One write of a network's weights: norm, guard, clipping, random bits, the write itself. Where ranks share the write,
 * each does this for its own part of every range, and what holds for the whole network is put together in between.
 */
final class NetworkWrite {

    private static final Logger LOG = LoggerFactory.getLogger(NetworkWrite.class);

    private final UpdaterStatus status;
    private final FusedUpdater settings;
    private final int iteration;
    private final FlatArrays arrays;
    private final List<RangeUpdate> ranges;
    /** Null where no other rank has a part in the write. */
    private final SharedWrite shared;

    /**
     * @param settings of any of the network's fused updaters, or null for none
     * @param ranges of all parameters, in their order
     */
    NetworkWrite(
            UpdaterStatus status, FusedUpdater settings, int iteration, FlatArrays arrays, List<RangeUpdate> ranges) {
        this.status = status;
        this.settings = settings;
        this.iteration = iteration;
        this.arrays = arrays;
        this.ranges = ranges;
        shared = status.shared();
    }

    void run() {
        List<RangeUpdate> own = shared == null ? ranges : shared.own(ranges, arrays);
        var headers = new UpdaterState.Headers(
                own.stream().map(RangeUpdate::state).filter(Objects::nonNull).toList());
        if (shared != null) {
            headers.check(); // before ranks exchange anything: where one refuses, none writes
        }
        Squares squares = squares();
        if (shared == null) {
            headers.check(); // here, since a GPU has just been waited for
        }
        long[] boundaries = status.takeRequest();
        double clipScale = settings == null ? 1 : guardedClipScale(squares.gradients());
        if (clipScale > 0) {
            write(own, clipScale, random(squares), boundaries);
        }
    }

    /** Of each range's values, and of the parameters where they are rounded. */
    private Squares squares() {
        int summed = arrays.type() == FloatType.BFLOAT16 ? 2 : 1;
        return timed(
                StepPart.CLIPPING,
                summed * arrays.length() * arrays.type().bytes(),
                () -> shared != null
                        ? shared.squares(ranges, arrays)
                        : arrays.squares(
                                ranges.stream().mapToLong(arrays::first).toArray(),
                                ranges.stream().mapToLong(arrays::last).toArray()));
    }

    private RandomKey random(Squares squares) {
        if (arrays.type() == FloatType.FLOAT) {
            return status.nextRandom(iteration, 0, 0); // nothing is rounded
        }
        return status.nextRandom(iteration, DoubleStream.of(squares.gradients()).sum(), squares.parameters());
    }

    private void write(List<RangeUpdate> own, double clipScale, RandomKey random, long[] boundaries) {
        StepStatistics[] statistics = boundaries == null
                ? null
                : Stream.generate(StepStatistics::new)
                        .limit(boundaries.length - 1)
                        .toArray(StepStatistics[]::new);
        for (RangeUpdate range : own) {
            long bytes = range.bytes(arrays.type().bytes()) * range.values().length();
            timed(StepPart.OPTIMIZER, bytes, () -> {
                write(range, clipScale, random, boundaries, statistics);
                return null;
            });
        }
        arrays.device().written(List.of(arrays.parameters()));
        if (shared != null) {
            shared.complete(arrays.parameters(), statistics);
        }
        if (arrays.type() == FloatType.BFLOAT16) {
            own.forEach(range -> range.markForAverages(random));
            StochasticAverages.mark(
                    arrays.parameters(), random.key(ranges.get(0).seed()), iteration, Elements.PARAMETER_AVERAGE);
        }
        status.setStatistics(statistics);
    }

    private <T> T timed(StepPart part, long bytes, Supplier<T> work) {
        StepTimes times = arrays.device().times();
        if (times == null) {
            return work.get();
        }
        arrays.device().await();
        long start = System.nanoTime();
        T result = work.get();
        arrays.device().await();
        times.add(part, System.nanoTime() - start, 0, bytes);
        return result;
    }

    /** The factor of the fused updaters' gradients, from their global norm; 0 if the step is skipped. */
    private double guardedClipScale(double[] squares) {
        double sum = 0;
        for (int i = 0; i < squares.length; i++) {
            if (!Double.isFinite(squares[i])) {
                skip(ranges.get(i), squares[i], value -> !Float.isFinite(value), "is not finite");
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
            if (range.fused() != null && squares[i] * scale * scale > Float.MAX_VALUE && first(range, overflows) >= 0) {
                skip(range, sum, overflows, "is above 1.8e19, and its square not finite in FP32,");
                return 0;
            }
        }
        status.taken(norm, scale);
        return scale;
    }

    private void skip(RangeUpdate range, double sum, Predicate<Float> isBad, String why) {
        status.skipped(Math.sqrt(sum));
        long element = first(range, isBad);
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

    /** The first element of the range's gradient that is bad, on any rank, or -1 for none. */
    private long first(RangeUpdate range, Predicate<Float> isBad) {
        long start = arrays.first(range);
        long end = arrays.last(range);
        if (shared == null) {
            return first(start, end, isBad);
        }
        long from = Math.max(start, shared.start());
        long to = Math.min(end, shared.end());
        return shared.first(from < to ? first(from, to, isBad) : -1);
    }

    /** As {@link #first(RangeUpdate, Predicate)}; stretches whose sum of squares is finite in FP32 hold none. */
    private long first(long start, long end, Predicate<Float> isBad) {
        if (arrays.squaredGradient(start, end) <= Float.MAX_VALUE) {
            return -1;
        }
        if (end - start == 1) {
            return isBad.test(arrays.gradient(start, end).getFloat(0)) ? start : -1;
        }
        long middle = (start + end) / 2;
        long found = first(start, middle, isBad);
        return found >= 0 ? found : first(middle, end, isBad);
    }

    /** Writes one range, cut at {@code boundaries} where statistics are asked for. */
    private void write(
            RangeUpdate range, double clipScale, RandomKey random, long[] boundaries, StepStatistics[] statistics) {
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
