package org.dl4jsr.parallel;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.DoubleStream;
import java.util.stream.LongStream;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.deeplearning4j.optimize.solvers.BaseOptimizer;
import org.dl4jsr.parallel.SliceFile.Range;
import org.dl4jsr.rounding.BlockSum;
import org.dl4jsr.rounding.Hash;
import org.dl4jsr.updater.SharedWrite;
import org.dl4jsr.updater.StateRange;
import org.dl4jsr.updater.UpdaterStatus;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.executioner.OpExecutioner.ExecutionerType;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Training steps that the ranks take together, each on its own replica of one network. A step has a number of
 * micro-batches, which are dealt out to the ranks; the mean of their gradients takes the place of the network's
 * gradient. With {@code miniBatch(true)}, DL4J's default, that is the gradient of one large batch, but for what depends
 * on a whole batch: batch normalization sees one micro-batch at a time.
 *
 * <p>The bits of weights and updater state do not depend on the number of ranks, at a fixed number of threads a rank and
 * on one kind of processor. Any updater, constraint and listener does what it does alone. With truncated
 * back-propagation through time each segment is an iteration, as ever.
 *
 * <p>On one rank this is gradient accumulation, for batches larger than memory:
 *
 * <pre>{@code
 * var training = new DataParallel(network);
 * double loss = training.step(0, 8, (step, part) -> dataSets.get(part).toMultiDataSet());
 * }</pre>
 */
public final class DataParallel {

    private static final int CHECK_EVERY = 100;

    private final TrainedNetwork network;
    private final Collective collective;
    private final GradientSum sum;
    /** Null where every rank writes all of the weights. */
    private final SharedWrite sharedWrite;

    private long steps;

    /** One rank alone. */
    public DataParallel(Model network) {
        this(network, new Collective(LocalTransport.alone(), 0), Mode.REPLICATED);
    }

    /**
     * A rank's replica; all ranks make theirs at the same time.
     *
     * @param network an initialised MultiLayerNetwork or ComputationGraph, the same on all ranks
     * @throws IllegalStateException where the replicas differ, or ND4J computes on a GPU
     * @throws IllegalArgumentException where the network cannot be trained in this mode
     */
    public DataParallel(Model network, Collective collective, Mode mode) {
        if (Nd4j.getExecutioner().type() == ExecutionerType.CUDA) {
            throw new IllegalStateException("Data-parallel training on a GPU is not supported: it moves gradients"
                    + " through the host's memory; put nd4j-native on the class path in place of nd4j-cuda");
        }
        this.network = TrainedNetwork.of(network);
        UpdaterStatus.of(network); // from here on messages about skipped steps name layers
        this.collective = collective;
        boolean sharded = mode == Mode.SHARDED;
        Slices slices = sharded
                ? new Slices(SharedWrite.bounds(network, collective.ranks()))
                : Slices.of(this.network.gradients().length(), collective.ranks(), BlockSum.BLOCK);
        sum = new GradientSum(collective, this.network.gradients(), slices);
        new Replicas(this.network, collective).requireEqual();
        if (sharded) {
            sharedWrite = SharedWrite.begin(network, new OwnSlice(collective, slices));
        } else {
            sharedWrite = null;
            this.network.updater(true);
        }
    }

    /**
     * Gives each rank's network its whole updater state back, where it was sharded, to go on without the other ranks: each
     * needs the memory for it. All ranks call it; no step can follow. {@link ModelFile} saves it without that.
     */
    public void end() {
        if (sharedWrite != null) {
            sharedWrite.end(network.model());
        }
    }

    /** Bytes of updater state that this rank keeps. */
    public long stateBytes() {
        return states().stream()
                .mapToLong(range ->
                        range.values().length() * range.values().dataType().width())
                .sum();
    }

    /** Whether each rank keeps a part of the updater state. */
    boolean isSharded() {
        return sharedWrite != null;
    }

    /** {@link WholeState#toFirst}, where the state is sharded. */
    void stateToFirst(Consumer<ByteBuffer> pieces) {
        var own = new ArrayList<>(sharedWrite.state());
        if (collective.rank() == 0) {
            own.addAll(sharedWrite.headers());
        }
        int width = network.parameters().dataType().width();
        WholeState.toFirst(collective, own, width, stateLength(), pieces);
    }

    TrainedNetwork network() {
        return network;
    }

    Collective collective() {
        return collective;
    }

    /** Elements of the updater state as DL4J would have it. */
    long stateLength() {
        INDArray state = network.storedState();
        return sharedWrite != null ? sharedWrite.stateLength() : state == null ? 0 : state.length();
    }

    /** The updater state that this rank keeps. */
    List<StateRange> states() {
        INDArray state = network.storedState();
        if (sharedWrite != null) {
            return sharedWrite.state();
        }
        return state == null ? List.of() : List.of(new StateRange(0, state.reshape(state.length())));
    }

    /** Weights and updater state that this rank writes to a checkpoint. */
    List<Range> ownRanges() {
        var ranges = new ArrayList<Range>();
        add(ranges, "weights", network.parameters(), sum.slices());
        for (StateRange state : states()) {
            long length = state.values().length();
            if (sharedWrite != null) {
                ranges.add(new Range("state", state.start(), state.values()));
            } else {
                add(ranges, "state", state.values(), Slices.of(length, collective.ranks(), 1));
            }
        }
        return ranges;
    }

    private void add(List<Range> ranges, String name, INDArray array, Slices slices) {
        long from = slices.start(collective.rank());
        long to = slices.end(collective.rank());
        if (from < to) {
            ranges.add(new Range(name, from, array.get(NDArrayIndex.interval(from, to))));
        }
    }

    /** Weights and updater state that this rank needs of a checkpoint. */
    List<Range> neededRanges() {
        var ranges = new ArrayList<Range>();
        ranges.add(new Range("weights", 0, network.parameters()));
        states().forEach(state -> ranges.add(new Range("state", state.start(), state.values())));
        return ranges;
    }

    /**
     * Takes one step, as DL4J's fit does once the gradient is there: listeners, updater, parameters, counters,
     * constraints.
     *
     * @param step of the training, from 0: names the batches and the random numbers of dropout, which follow from the
     *     network's seed, the step and the part alone
     * @param parts micro-batches of the step, at least as many as ranks; all ranks say the same
     * @param batches the micro-batches, of one size; this rank asks for those parts that leave its rank as remainder
     *     when divided by the number of ranks
     * @return the mean score of the micro-batches, over all segments of truncated back-propagation
     * @throws IllegalArgumentException where micro-batches are of several sizes, or too few for the ranks
     * @throws TransportException where the ranks cannot go on together
     */
    public double step(long step, int parts, Batches batches) {
        int ranks = collective.ranks();
        if (parts < ranks) {
            throw new IllegalArgumentException(
                    parts + " micro-batches a step for " + ranks + " ranks: expected at least one each");
        }
        collective.setStep(step);
        var dealt = new DealtParts(step, parts, batches);
        double score = 0;
        int segment = 0;
        do {
            score += iteration(dealt, segment);
            segment++;
        } while (segment < dealt.segments);
        steps++;
        if (steps % CHECK_EVERY == 0) {
            new Replicas(network, collective).requireEqual();
        }
        return score / segment;
    }

    /** The micro-batches of a step that this rank computes. */
    private final class DealtParts {

        private final long step;
        private final int parts;
        private final Batches batches;
        /** Those with more than one segment, to go on with. */
        private final List<Segments> begun = new ArrayList<>();

        private int batchSize;
        private int segments;

        DealtParts(long step, int parts, Batches batches) {
            this.step = step;
            this.parts = parts;
            this.batches = batches;
        }

        /** How many gradients each rank adds at most. */
        int rounds() {
            return (parts + collective.ranks() - 1) / collective.ranks();
        }

        /** How many ranks have a part in this round: the first ones. */
        int ranks(int round) {
            return Math.min(collective.ranks(), parts - round * collective.ranks());
        }

        /** Computes the gradient of this rank's part, and returns its score. */
        double compute(int round, int segment) {
            int part = round * collective.ranks() + collective.rank();
            Segments own = segment == 0 ? new Segments(network, batches.batch(step, part)) : begun.get(round);
            if (segment == 0 && own.count() > 1) {
                begun.add(own);
            }
            if (round == 0) {
                batchSize = own.batchSize();
                segments = own.count();
            } else {
                requireSame(own.batchSize(), own.count());
            }
            Nd4j.getRandom().setSeed(Hash.of(network.seed(), step, part, segment));
            own.computeGradient(segment);
            return network.model().score();
        }

        void requireSame(long otherSize, long otherSegments) {
            if (otherSize != batchSize || otherSegments != segments) {
                throw new IllegalArgumentException("A batch of " + otherSize + " examples in " + otherSegments
                        + " segments after one of " + batchSize + " in " + segments
                        + ": expected batches of one size within a step");
            }
        }
    }

    private double iteration(DealtParts dealt, int segment) {
        var scores = new double[dealt.rounds()];
        sum.clear();
        for (int round = 0; round < scores.length; round++) {
            if (collective.rank() < dealt.ranks(round)) {
                scores[round] = dealt.compute(round, segment);
            }
            if (round + 1 < scores.length) {
                sum.add(network.gradients(), dealt.ranks(round));
            } else if (sharedWrite == null) {
                sum.addLastForAll(network.gradients(), dealt.ranks(round), dealt.parts);
            } else {
                sum.addLast(network.gradients(), dealt.ranks(round), dealt.parts);
            }
        }
        double score = agreedScore(dealt, scores);
        network.setScore(score);
        update(dealt.batchSize);
        return score;
    }

    /** The mean score, in the order of the parts, once all ranks have had batches of one size. */
    private double agreedScore(DealtParts dealt, double[] scores) {
        var own = LongStream.concat(
                LongStream.of(dealt.batchSize, dealt.segments),
                DoubleStream.of(scores).mapToLong(Double::doubleToLongBits));
        long[][] all = collective.gather(own.toArray());
        for (long[] rank : all) {
            dealt.requireSame(rank[0], rank[1]);
        }
        double total = 0;
        for (int part = 0; part < dealt.parts; part++) {
            total += Double.longBitsToDouble(all[part % all.length][2 + part / all.length]);
        }
        return total / dealt.parts;
    }

    private void update(int batchSize) {
        Model model = network.model();
        int iteration = network.iteration();
        int epoch = network.epoch();
        for (TrainingListener listener : network.listeners()) {
            listener.onGradientCalculation(model);
        }
        network.update(iteration, epoch, batchSize);
        network.parameters().subi(network.gradients());
        for (TrainingListener listener : network.listeners()) {
            listener.iterationDone(model, iteration, epoch);
        }
        BaseOptimizer.incrementIterationCount(model, 1);
        model.applyConstraints(iteration + 1, epoch);
        for (Layer layer : network.layers()) {
            layer.setIterationCount(iteration + 1);
        }
    }
}
