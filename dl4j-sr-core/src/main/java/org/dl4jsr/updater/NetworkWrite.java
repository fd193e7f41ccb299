package org.dl4jsr.updater;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.dl4jsr.backend.LazyWrite;
import org.dl4jsr.backend.LazyWrites;
import org.dl4jsr.backend.StochasticAverages;
import org.dl4jsr.kernel.AdamWStatistics;
import org.dl4jsr.kernel.AdamWStep;
import org.dl4jsr.kernel.WeightWrite;
import org.dl4jsr.op.SrAdamStep;
import org.dl4jsr.op.SrSubtract;
import org.dl4jsr.op.SumOfSquares;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What one network's {@link SrAdamUpdater}s and {@link StochasticallyRoundedUpdater}s still have to write in one
 * iteration. When DL4J subtracts the gradient: the norm of the gradients that SrAdam owns, clipping, its steps; the
 * subtraction of the updates of {@link StochasticallyRounded} with stochastic rounding; in the ranges that other
 * updaters own, the plain subtraction. If SrAdam has a part in it and anything is not finite, nothing is written.
 */
final class NetworkWrite implements LazyWrite {

    private static final Logger LOG = LoggerFactory.getLogger(NetworkWrite.class);

    private static final String WHY = "DL4J has to subtract the gradient from the parameters right after the updater."
            + " What cannot work: gradient sharing (use parameter averaging), line-search optimizers (set"
            + " optimizationAlgo to STOCHASTIC_GRADIENT_DESCENT), and with SrAdam weight decay after the updater (set"
            + " SrAdam's weightDecay, or let Bf16Policy take it over)";

    private final SrAdamStatus status;
    private final int iteration;
    private final List<Pending> pending = new ArrayList<>();
    /** Of any of the network's SrAdams, or null for none: what holds for a whole network has to agree. */
    private SrAdam settings;

    /** What one updater still has to write to its range of the parameters. */
    private sealed interface Pending {

        /** The range of the gradient, or of the update that has taken its place. */
        INDArray values();

        /** First element in the gradient's buffer. */
        default long start() {
            return values().offset();
        }

        default long end() {
            return start() + values().length();
        }

        default String range() {
            return start() + ".." + (end() - 1);
        }
    }

    /** A step of SrAdam; the values are the gradient. */
    private record Step(INDArray values, INDArray state, SrAdam config, double learningRate) implements Pending {}

    /** A subtraction with stochastic rounding; the values are the update. */
    private record Subtraction(INDArray values, long seed) implements Pending {}

    /** A range of the flattened parameters, its gradient or update, what is pending or null, SrAdam's state or null. */
    private record Range(long start, INDArray values, Pending pending, SrAdamState state) {

        long end() {
            return start + values.length();
        }
    }

    private NetworkWrite(SrAdamStatus status, int iteration) {
        this.status = status;
        this.iteration = iteration;
    }

    /** Makes a step of SrAdam pending on the parameters of {@code gradient}. */
    static void addStep(INDArray gradient, INDArray state, SrAdam config, double learningRate, int iteration) {
        NetworkWrite write = of(gradient, iteration);
        write.add(new Step(gradient, state, config, learningRate), iteration);
        if (write.settings == null) {
            write.settings = config;
        } else {
            write.requireAgreement("maxGradientNorm", gradient, SrAdam::getMaxGradientNorm, config);
            write.requireAgreement("maxConsecutiveSkips", gradient, SrAdam::getMaxConsecutiveSkips, config);
        }
    }

    /** Makes the subtraction of {@code update} pending, which lies in the gradient's place, and may still change. */
    static void addSubtraction(INDArray update, long seed, int iteration) {
        of(update, iteration).add(new Subtraction(update, seed), iteration);
    }

    private static NetworkWrite of(INDArray gradient, int iteration) {
        var write = (NetworkWrite) LazyWrites.get(gradient);
        if (write == null) {
            write = new NetworkWrite(SrAdamStatus.of(gradient), iteration);
            LazyWrites.put(gradient, write);
        }
        return write;
    }

    private void add(Pending added, int addedIteration) {
        for (Pending other : pending) {
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
        for (Pending step : pending) {
            if (step instanceof Step && start < step.end() && step.start() < end) {
                throw new IllegalStateException("Op " + op + " uses the gradient of the parameters " + step.range()
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
        List<Range> ranges = ranges(flat(gradient));
        double scale = 1;
        if (settings != null) {
            double squares = 0;
            for (Range range : ranges) {
                double sum = sumOfSquares(range.values);
                if (!Double.isFinite(sum)) {
                    skip(range, sum);
                    return;
                }
                squares += range.pending instanceof Step ? sum : 0;
            }
            double norm = Math.sqrt(squares);
            double maxNorm = settings.getMaxGradientNorm();
            scale = maxNorm > 0 && norm > maxNorm ? maxNorm / norm : 1;
            status.taken(norm, scale);
        }
        long[] boundaries = status.takeRequest();
        AdamWStatistics[] statistics = boundaries == null
                ? null
                : Stream.generate(AdamWStatistics::new).limit(boundaries.length - 1).toArray(AdamWStatistics[]::new);
        for (Range range : ranges) {
            write(range, weights, scale, boundaries, statistics);
            markForAverages(range, weights);
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

    /** The steps' ranges and those between them, in the order of the parameters. */
    private List<Range> ranges(INDArray gradient) {
        pending.sort(Comparator.comparingLong(Pending::start));
        var ranges = new ArrayList<Range>();
        long done = 0;
        for (Pending next : pending) {
            long start = next.start() - gradient.offset();
            if (start < done || next.end() - gradient.offset() > gradient.length()) {
                throw new IllegalStateException("The update of the parameters " + next.range() + " is not within the"
                        + " gradient that is subtracted, " + gradient.offset() + ".."
                        + (gradient.offset() + gradient.length() - 1) + ": subtract the whole gradient at once");
            }
            if (done < start) {
                ranges.add(new Range(done, slice(gradient, done, start), null, null));
            }
            ranges.add(new Range(start, next.values(), next, next instanceof Step step
                    ? new SrAdamState(step.state, step.config.getWeightWrite(), step.values.length())
                    : null));
            done = start + next.values().length();
        }
        if (done < gradient.length()) {
            ranges.add(new Range(done, slice(gradient, done, gradient.length()), null, null));
        }
        return ranges;
    }

    /** Writes one range, cut at {@code boundaries} where statistics are asked for. */
    private void write(Range range, INDArray weights, double scale, long[] boundaries, AdamWStatistics[] statistics) {
        AdamWStep scalars = range.pending instanceof Step step ? scalars(step, scale) : null;
        for (long start = range.start; start < range.end();) {
            int index = boundaries == null ? -1 : indexOf(boundaries, start);
            long end = boundaries == null ? range.end() : Math.min(boundaries[index + 1], range.end());
            long from = start - range.start;
            long to = end - range.start;
            AdamWStatistics part = boundaries == null ? null : statistics[index];
            INDArray partWeights = slice(weights, start, end);
            INDArray partValues = slice(range.values, from, to);
            if (range.pending instanceof Step) {
                Nd4j.exec(new SrAdamStep(scalars, start, partWeights, partValues, range.state.m(from, to),
                        range.state.v(from, to), range.state.extra(from, to), part));
            } else if (range.pending instanceof Subtraction subtraction) {
                subtract(partWeights, partValues, subtraction.seed, start, part);
            } else {
                partWeights.subi(partValues);
            }
            start = end;
        }
    }

    /** Replicas' weights and state that were rounded stochastically are averaged so, too. */
    private void markForAverages(Range range, INDArray weights) {
        if (range.pending instanceof Subtraction subtraction) {
            StochasticAverages.mark(weights, subtraction.seed, iteration, Elements.PARAMETER_AVERAGE);
        } else if (range.pending instanceof Step step && step.config.getWeightWrite() == WeightWrite.STOCHASTIC) {
            StochasticAverages.mark(weights, step.config.getSeed(), iteration, Elements.PARAMETER_AVERAGE);
            StochasticAverages.mark(step.state, step.config.getSeed(), iteration, Elements.STATE_AVERAGE);
        }
    }

    private AdamWStep scalars(Step step, double scale) {
        SrAdam config = step.config;
        return AdamWStep.of(step.learningRate, config.getBeta1(), config.getBeta2(), config.getEpsilon(),
                config.getWeightDecay(), scale, config.getWeightWrite(), config.getStateRounding(), config.getSeed(),
                iteration);
    }

    /** @param statistics is added to, or null */
    private void subtract(INDArray weights, INDArray update, long seed, long element, AdamWStatistics statistics) {
        INDArray before = statistics == null ? null : weights.castTo(DataType.FLOAT);
        Nd4j.exec(new SrSubtract(weights, update, seed, iteration, element));
        if (statistics != null) {
            INDArray nearest = before.sub(update.castTo(DataType.FLOAT)).castTo(DataType.BFLOAT16);
            statistics.weights += weights.length();
            statistics.moved += count(before.neq(weights.castTo(DataType.FLOAT)));
            statistics.stagnant += weights.length() - count(before.neq(nearest.castTo(DataType.FLOAT)))
                    - count(update.eq(0));
            statistics.squaredUpdate += sumOfSquares(update);
            statistics.squaredWeight += sumOfSquares(before);
            statistics.squaredGradient = Double.NaN; // the update has taken the gradient's place
        }
    }

    private static long count(INDArray condition) {
        return condition.castTo(DataType.LONG).sumNumber().longValue();
    }

    /** The i with boundaries[i] <= element < boundaries[i + 1]. */
    private static int indexOf(long[] boundaries, long element) {
        int index = Arrays.binarySearch(boundaries, element);
        return index >= 0 ? index : -index - 2;
    }

    private void skip(Range range, double sum) {
        status.takeRequest();
        status.skipped(Math.sqrt(sum));
        String what = (range.pending instanceof Step ? "The gradient" : "The update") + " of "
                + status.describe(range.start + firstNotFinite(range.values)) + " is not finite at iteration "
                + iteration;
        if (status.consecutiveSkips() >= settings.getMaxConsecutiveSkips()) {
            throw new NonFiniteGradientException(what + ", and SrAdam has skipped " + status.consecutiveSkips()
                    + " steps in a row (maxConsecutiveSkips): look for NaN in data and labels, lower the learning rate"
                    + " or set maxGradientNorm");
        }
        LOG.warn("{}: SrAdam skips the step on all parameters ({} in a row, {} so far)", what,
                status.consecutiveSkips(), status.skippedSteps());
    }

    /** Index of the first element that is not finite, by bisection. */
    private static long firstNotFinite(INDArray values) {
        long start = 0;
        long end = values.length();
        while (end - start > 1) {
            long middle = (start + end) / 2;
            if (Double.isFinite(sumOfSquares(slice(values, start, middle)))) {
                start = middle;
            } else {
                end = middle;
            }
        }
        return start;
    }

    private static double sumOfSquares(INDArray values) {
        var op = new SumOfSquares(values);
        Nd4j.exec(op);
        return op.value();
    }

    private static INDArray slice(INDArray vector, long start, long end) {
        return vector.get(NDArrayIndex.interval(start, end));
    }
}
