package org.dl4jsr.updater;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.dl4jsr.backend.LazyWrite;
import org.dl4jsr.backend.LazyWrites;
import org.dl4jsr.kernel.StepStatistics;
import org.dl4jsr.op.SumOfSquares;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What one network's {@link SrAdamUpdater}s and {@link StochasticallyRoundedUpdater}s still have to write in one
 * iteration. When DL4J subtracts the gradient: the norm of the gradients that SrAdam owns, clipping, and the writes of
 * all ranges; those of other updaters are subtracted plainly. If SrAdam has a part in it and anything is not finite,
 * nothing is written.
 */
final class NetworkWrite implements LazyWrite {

    private static final Logger LOG = LoggerFactory.getLogger(NetworkWrite.class);

    private static final String WHY = "DL4J has to subtract the gradient from the parameters right after the updater."
            + " What cannot work: gradient sharing (use parameter averaging), line-search optimizers (set"
            + " optimizationAlgo to STOCHASTIC_GRADIENT_DESCENT), and with SrAdam weight decay after the updater (set"
            + " SrAdam's weightDecay, or let Bf16Policy take it over)";

    private final SrAdamStatus status;
    private final int iteration;
    private final List<RangeWrite> pending = new ArrayList<>();
    /** Of any of the network's SrAdams, or null for none: what holds for a whole network has to agree. */
    private SrAdam settings;

    private NetworkWrite(SrAdamStatus status, int iteration) {
        this.status = status;
        this.iteration = iteration;
    }

    /** Makes a step of SrAdam pending on the parameters of {@code gradient}. */
    static void addStep(INDArray gradient, INDArray state, SrAdam config, double learningRate, int iteration) {
        NetworkWrite write = of(gradient, iteration);
        write.add(new RangeWrite.Step(gradient, state, config, learningRate, iteration), iteration);
        if (write.settings == null) {
            write.settings = config;
        } else {
            write.requireAgreement("maxGradientNorm", gradient, SrAdam::getMaxGradientNorm, config);
            write.requireAgreement("maxConsecutiveSkips", gradient, SrAdam::getMaxConsecutiveSkips, config);
        }
    }

    /** Makes the subtraction of {@code update} pending, which lies in the gradient's place, and may still change. */
    static void addSubtraction(INDArray update, long seed, int iteration) {
        of(update, iteration).add(new RangeWrite.RoundedSubtraction(update, seed, iteration), iteration);
    }

    private static NetworkWrite of(INDArray gradient, int iteration) {
        var write = (NetworkWrite) LazyWrites.get(gradient);
        if (write == null) {
            write = new NetworkWrite(SrAdamStatus.of(gradient), iteration);
            LazyWrites.put(gradient, write);
        }
        return write;
    }

    private void add(RangeWrite added, int addedIteration) {
        for (RangeWrite other : pending) {
            if (addedIteration != iteration || added.start() < other.end() && other.start() < added.end()) {
                LazyWrites.remove(added.values());
                throw new IllegalStateException("The update of iteration " + iteration + " of the parameters "
                        + other.range() + " has never been written. " + WHY);
            }
        }
        pending.add(added);
    }

    private void requireAgreement(String name, INDArray gradient, Function<SrAdam, Object> setting, SrAdam config) {
        Object first = setting.apply(settings);
        Object second = setting.apply(config);
        if (!first.equals(second)) {
            LazyWrites.remove(gradient);
            throw new IllegalStateException("SrAdam." + name + " is " + first + " in one layer and " + second
                    + " in another, and it holds for the whole network: give them one value");
        }
    }

    @Override
    public void foreignUse(String op, INDArray array) {
        long start = array.offset();
        long end = start + 1;
        for (int i = 0; i < array.rank(); i++) {
            end += (array.size(i) - 1) * Math.abs(array.stride(i));
        }
        for (RangeWrite range : pending) {
            if (range instanceof RangeWrite.Step && start < range.end() && range.start() < end) {
                throw new IllegalStateException("Op " + op + " uses the gradient of the parameters " + range.range()
                        + " before SrAdam's step of iteration " + iteration + " has been written: it would take the"
                        + " gradient for an update. " + WHY);
            }
        }
    }

    @Override
    public void write(INDArray parameters, INDArray gradient) {
        if (parameters.length() != gradient.length() || parameters.dataType() != gradient.dataType()) {
            throw new IllegalStateException("A gradient of " + gradient.length() + " " + gradient.dataType()
                    + " elements is subtracted from " + parameters.length() + " " + parameters.dataType()
                    + " parameters, expected as many of the same type");
        }
        INDArray weights = flat(parameters);
        List<RangeWrite> ranges = ranges(flat(gradient));
        ranges.forEach(RangeWrite::check);
        long[] boundaries = status.takeRequest();
        double clipScale = settings == null ? 1 : guardedClipScale(ranges, gradient.offset());
        if (clipScale == 0) {
            return;
        }
        StepStatistics[] statistics = boundaries == null
                ? null
                : Stream.generate(StepStatistics::new)
                        .limit(boundaries.length - 1)
                        .toArray(StepStatistics[]::new);
        for (RangeWrite range : ranges) {
            write(range, range.start() - gradient.offset(), weights, clipScale, boundaries, statistics);
            range.markForAverages(weights);
        }
        status.setStatistics(statistics);
    }

    private static INDArray flat(INDArray array) {
        INDArray flat = array.reshape(array.length());
        if (LazyWrites.root(flat) != LazyWrites.root(array)) {
            throw new IllegalStateException("Parameters and gradients have to be contiguous, got strides "
                    + Arrays.toString(array.stride()) + " for shape " + Arrays.toString(array.shape()));
        }
        return flat;
    }

    /** What is pending, and the plain subtractions between, in the order of the parameters. */
    private List<RangeWrite> ranges(INDArray gradient) {
        pending.sort(Comparator.comparingLong(RangeWrite::start));
        var ranges = new ArrayList<RangeWrite>();
        long done = 0;
        for (RangeWrite next : pending) {
            long start = next.start() - gradient.offset();
            if (start < done || next.end() - gradient.offset() > gradient.length()) {
                throw new IllegalStateException("The update of the parameters " + next.range() + " is not within the"
                        + " gradient that is subtracted, " + gradient.offset() + ".."
                        + (gradient.offset() + gradient.length() - 1) + ": subtract the whole gradient at once");
            }
            addPlain(ranges, gradient, done, start);
            ranges.add(next);
            done = start + next.values().length();
        }
        addPlain(ranges, gradient, done, gradient.length());
        return ranges;
    }

    private static void addPlain(List<RangeWrite> ranges, INDArray gradient, long start, long end) {
        if (start < end) {
            ranges.add(new RangeWrite.PlainSubtraction(slice(gradient, start, end)));
        }
    }

    /** The factor of SrAdam's gradients, from their global norm; 0 if anything is not finite: the step is skipped. */
    private double guardedClipScale(List<RangeWrite> ranges, long offset) {
        double squares = 0;
        for (RangeWrite range : ranges) {
            double sum = SumOfSquares.of(range.values());
            if (!Double.isFinite(sum)) {
                skip(range, range.start() - offset, sum);
                return 0;
            }
            squares += range instanceof RangeWrite.Step ? sum : 0;
        }
        double norm = Math.sqrt(squares);
        double maxNorm = settings.getMaxGradientNorm();
        double scale = maxNorm > 0 && norm > maxNorm ? maxNorm / norm : 1;
        status.taken(norm, scale);
        return scale;
    }

    private void skip(RangeWrite range, long start, double sum) {
        status.skipped(Math.sqrt(sum));
        String what = (range instanceof RangeWrite.Step ? "The gradient" : "The update") + " of "
                + status.describe(start + firstNotFinite(range.values())) + " is not finite at iteration "
                + iteration;
        if (status.consecutiveSkips() >= settings.getMaxConsecutiveSkips()) {
            throw new NonFiniteGradientException(what + ", and SrAdam has skipped " + status.consecutiveSkips()
                    + " steps in a row (maxConsecutiveSkips): look for NaN in data and labels, lower the learning rate"
                    + " or set maxGradientNorm");
        }
        LOG.warn(
                "{}: SrAdam skips the step on all parameters ({} in a row, {} so far)",
                what,
                status.consecutiveSkips(),
                status.skippedSteps());
    }

    /** Index of the first element that is not finite, by bisection. */
    private static long firstNotFinite(INDArray values) {
        long start = 0;
        long end = values.length();
        while (end - start > 1) {
            long middle = (start + end) / 2;
            if (Double.isFinite(SumOfSquares.of(slice(values, start, middle)))) {
                start = middle;
            } else {
                end = middle;
            }
        }
        return start;
    }

    /** Writes one range, cut at {@code boundaries} where statistics are asked for. */
    private static void write(
            RangeWrite range,
            long first,
            INDArray weights,
            double clipScale,
            long[] boundaries,
            StepStatistics[] statistics) {
        long end = first + range.values().length();
        if (boundaries == null) {
            range.write(slice(weights, first, end), first, 0, clipScale, null);
            return;
        }
        for (long start = first; start < end; ) {
            int index = indexOf(boundaries, start);
            long next = Math.min(boundaries[index + 1], end);
            range.write(slice(weights, start, next), start, start - first, clipScale, statistics[index]);
            start = next;
        }
    }

    /** The i with boundaries[i] <= element < boundaries[i + 1]. */
    private static int indexOf(long[] boundaries, long element) {
        int index = Arrays.binarySearch(boundaries, element);
        return index >= 0 ? index : -index - 2;
    }

    private static INDArray slice(INDArray vector, long start, long end) {
        return vector.get(NDArrayIndex.interval(start, end));
    }
}
