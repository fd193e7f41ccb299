package org.dl4jsr.updater;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.dl4jsr.backend.LazyWrite;
import org.dl4jsr.backend.LazyWrites;
import org.dl4jsr.kernel.AdamWStatistics;
import org.dl4jsr.kernel.AdamWStep;
import org.dl4jsr.op.SrAdamStep;
import org.dl4jsr.op.SumOfSquares;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The steps of one network's {@link SrAdamUpdater}s in one iteration. When DL4J subtracts the gradient: the norm of the
 * gradients it owns, clipping, the steps; in the ranges that other updaters own, the plain subtraction of their
 * updates. If anything is not finite, nothing is written at all.
 */
final class SrAdamWrite implements LazyWrite {

    private static final Logger LOG = LoggerFactory.getLogger(SrAdamWrite.class);

    private static final String WHY = "DL4J has to subtract the gradient from the parameters right after the updater."
            + " What cannot work with SrAdam: weight decay after the updater (set SrAdam's weightDecay, or let"
            + " Bf16Policy take it over), gradient sharing (use parameter averaging), line-search optimizers (set"
            + " optimizationAlgo to STOCHASTIC_GRADIENT_DESCENT)";

    private final SrAdamStatus status;
    private final SrAdam settings;
    private final int iteration;
    private final List<Step> steps = new ArrayList<>();

    /** One updater's step on the parameters of {@code gradient}. */
    private record Step(INDArray gradient, INDArray state, SrAdam config, double learningRate) {

        /** First element in the gradient's buffer. */
        long start() {
            return gradient.offset();
        }

        long end() {
            return start() + gradient.length();
        }

        @Override
        public String toString() {
            return start() + ".." + (end() - 1);
        }
    }

    /** A range of the flattened parameters, its gradient, its step and state: null for other updaters'. */
    private record Range(long start, INDArray gradient, Step step, SrAdamState state) {

        long end() {
            return start + gradient.length();
        }
    }

    /** @param settings any of the network's configurations: what holds for a whole network has to agree */
    SrAdamWrite(SrAdamStatus status, SrAdam settings, int iteration) {
        this.status = status;
        this.settings = settings;
        this.iteration = iteration;
    }

    void add(INDArray gradient, INDArray state, SrAdam config, double learningRate, int stepIteration) {
        var step = new Step(gradient, state, config, learningRate);
        try {
            for (Step other : steps) {
                if (stepIteration != iteration || step.start() < other.end() && other.start() < step.end()) {
                    throw new IllegalStateException("SrAdam's step of iteration " + iteration + " on the parameters "
                            + other + " has never been written. " + WHY);
                }
            }
            requireAgreement("maxGradientNorm", settings.getMaxGradientNorm(), config.getMaxGradientNorm());
            requireAgreement("maxConsecutiveSkips", settings.getMaxConsecutiveSkips(), config.getMaxConsecutiveSkips());
        } catch (IllegalStateException e) {
            LazyWrites.remove(gradient);
            throw e;
        }
        steps.add(step);
    }

    private static void requireAgreement(String name, Object first, Object second) {
        if (!first.equals(second)) {
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
        for (Step step : steps) {
            if (start < step.end() && step.start() < end) {
                throw new IllegalStateException("Op " + op + " uses the gradient of the parameters " + step
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
        double squares = 0;
        for (Range range : ranges) {
            double sum = sumOfSquares(range.gradient);
            if (!Double.isFinite(sum)) {
                skip(range, sum);
                return;
            }
            squares += range.step == null ? 0 : sum;
        }
        double norm = Math.sqrt(squares);
        double maxNorm = settings.getMaxGradientNorm();
        double scale = maxNorm > 0 && norm > maxNorm ? maxNorm / norm : 1;

        long[] boundaries = status.takeRequest();
        AdamWStatistics[] statistics = boundaries == null
                ? null
                : Stream.generate(AdamWStatistics::new).limit(boundaries.length - 1).toArray(AdamWStatistics[]::new);
        for (Range range : ranges) {
            if (range.step == null) {
                slice(weights, range.start, range.end()).subi(range.gradient);
            } else {
                step(range, weights, scale, boundaries, statistics);
            }
        }
        status.setStatistics(statistics);
        status.taken(norm, scale);
    }

    private static INDArray flat(INDArray array) {
        INDArray flat = array.reshape(array.length());
        if (LazyWrites.root(flat) != LazyWrites.root(array)) {
            throw new IllegalStateException("SrAdam's parameters and gradients have to be contiguous, got strides "
                    + Arrays.toString(array.stride()) + " for shape " + Arrays.toString(array.shape()));
        }
        return flat;
    }

    /** The steps' ranges and those between them, in the order of the parameters. */
    private List<Range> ranges(INDArray gradient) {
        steps.sort(Comparator.comparingLong(Step::start));
        var ranges = new ArrayList<Range>();
        long done = 0;
        for (Step step : steps) {
            long start = step.start() - gradient.offset();
            if (start < done || step.end() - gradient.offset() > gradient.length()) {
                throw new IllegalStateException("SrAdam's step on the parameters " + step + " is not within the"
                        + " gradient that is subtracted, " + gradient.offset() + ".."
                        + (gradient.offset() + gradient.length() - 1) + ": subtract the whole gradient at once");
            }
            if (done < start) {
                ranges.add(new Range(done, slice(gradient, done, start), null, null));
            }
            ranges.add(new Range(start, step.gradient, step,
                    new SrAdamState(step.state, step.config.getWeightWrite(), step.gradient.length())));
            done = start + step.gradient.length();
        }
        if (done < gradient.length()) {
            ranges.add(new Range(done, slice(gradient, done, gradient.length()), null, null));
        }
        return ranges;
    }

    /** Runs one updater's step, cut at {@code boundaries} where statistics are asked for. */
    private void step(Range range, INDArray weights, double scale, long[] boundaries, AdamWStatistics[] statistics) {
        SrAdam config = range.step.config;
        var scalars = AdamWStep.of(range.step.learningRate, config.getBeta1(), config.getBeta2(), config.getEpsilon(),
                config.getWeightDecay(), scale, config.getWeightWrite(), config.getStateRounding(), config.getSeed(),
                iteration);
        SrAdamState state = range.state;
        for (long start = range.start; start < range.end();) {
            int index = boundaries == null ? -1 : indexOf(boundaries, start);
            long end = boundaries == null ? range.end() : Math.min(boundaries[index + 1], range.end());
            long from = start - range.start;
            long to = end - range.start;
            Nd4j.exec(new SrAdamStep(scalars, start, slice(weights, start, end), slice(range.gradient, from, to),
                    state.m(from, to), state.v(from, to), state.extra(from, to),
                    boundaries == null ? null : statistics[index]));
            start = end;
        }
    }

    /** The i with boundaries[i] <= element < boundaries[i + 1]. */
    private static int indexOf(long[] boundaries, long element) {
        int index = Arrays.binarySearch(boundaries, element);
        return index >= 0 ? index : -index - 2;
    }

    private void skip(Range range, double sum) {
        status.takeRequest();
        status.skipped(Math.sqrt(sum));
        String what = (range.step == null ? "The update" : "The gradient") + " of "
                + status.describe(range.start + firstNotFinite(range.gradient)) + " is not finite at iteration "
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
