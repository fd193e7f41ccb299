package org.dl4jsr.updater;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;
import org.deeplearning4j.nn.api.Model;
import org.dl4jsr.kernel.StepStatistics;
import org.dl4jsr.rounding.BlockSum;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A network's weight write that ranks share: each keeps the updater state of its own part alone and writes that part
 * alone. What holds for the whole network (the norm, the key of the random bits, a skipped step) has the bits that one
 * rank alone would have, since parts end where blocks of {@link BlockSum} do. The gradient needs to be there for the own
 * part only.
 */
public final class SharedWrite {

    private final WeightShard shard;
    private final ShardedState state;

    /**
     * Makes a network's write a shared one, from the next on. Its updater has no state in DL4J's view from here on: what
     * was there is taken over.
     */
    public static SharedWrite begin(Model network, WeightShard shard) {
        var write = new SharedWrite(shard, ShardedState.take(network, shard));
        UpdaterStatus.of(network).share(write);
        return write;
    }

    private SharedWrite(WeightShard shard, ShardedState state) {
        this.shard = shard;
        this.state = state;
    }

    /**
     * The {@link WeightShard#bounds} for so many ranks, of about equal size.
     *
     * @throws IllegalArgumentException where a parameter is trained by another updater than a {@link FusedUpdater}, or
     *     gradients are normalized by layer
     */
    public static long[] bounds(Model network, int ranks) {
        return ShardedState.bounds(network, ranks);
    }

    /** Ends it on all ranks: each network has the whole updater state again, as one rank alone would have it. */
    public void end(Model network) {
        state.giveBack();
        UpdaterStatus.of(network).share(null);
    }

    /** This rank's updater state. */
    public List<StateRange> state() {
        return state.ranges();
    }

    /** What the whole updater state has beside that of all ranks, as DL4J would have it; the same on all ranks. */
    public List<StateRange> headers() {
        return state.headers();
    }

    /** Elements of the whole updater state, as DL4J would have it. */
    public long stateLength() {
        return state.length();
    }

    /** First element that this rank writes. */
    long start() {
        return shard.bounds()[shard.rank()];
    }

    /** Behind the last element that this rank writes. */
    long end() {
        return shard.bounds()[shard.rank() + 1];
    }

    /** This rank's parts of the ranges. */
    List<RangeUpdate> own(List<RangeUpdate> ranges, FlatArrays arrays) {
        var own = new ArrayList<RangeUpdate>();
        for (RangeUpdate range : ranges) {
            long from = Math.max(arrays.first(range), start());
            long to = Math.min(arrays.last(range), end());
            if (from < to) {
                own.add(range.part(arrays.gradient(from, to), from, state));
            }
        }
        return own;
    }

    /** As {@link FlatArrays#squares} of each range's values. */
    Squares squares(List<RangeUpdate> ranges, FlatArrays arrays) {
        long[] blocks = LongStream.concat(
                        LongStream.of(0),
                        ranges.stream().mapToLong(range -> blocks(arrays.last(range) - arrays.first(range))))
                .toArray();
        for (int i = 1; i < blocks.length; i++) {
            blocks[i] += blocks[i - 1];
        }
        var places = LongStream.builder(); // of this rank's blocks
        var starts = LongStream.builder();
        var ends = LongStream.builder();
        for (int i = 0; i < ranges.size(); i++) {
            long first = arrays.first(ranges.get(i));
            long last = Math.min(arrays.last(ranges.get(i)), end());
            for (long start = Math.max(first, start()); start < last; start += BlockSum.BLOCK) {
                places.add(blocks[i] + (start - first) / BlockSum.BLOCK);
                starts.add(start);
                ends.add(Math.min(start + BlockSum.BLOCK, last));
            }
        }
        long[] own = places.build().toArray();
        Squares ownSums = arrays.squares(starts.build().toArray(), ends.build().toArray());
        INDArray sums = Nd4j.zeros(DataType.DOUBLE, blocks[ranges.size()]);
        for (int i = 0; i < own.length; i++) {
            sums.putScalar(own[i], ownSums.gradients()[i]);
        }
        shard.gather(
                sums,
                LongStream.of(shard.bounds())
                        .map(element -> block(element, ranges, arrays, blocks))
                        .toArray());
        var squares = new double[ranges.size()];
        for (int i = 0; i < ranges.size(); i++) {
            for (long block = blocks[i]; block < blocks[i + 1]; block++) {
                squares[i] += sums.getDouble(block);
            }
        }
        sums.close();
        return new Squares(squares, ownSums.parameters());
    }

    private static long blocks(long length) {
        return (length + BlockSum.BLOCK - 1) / BlockSum.BLOCK;
    }

    /** The number of the block that begins with {@code element}. */
    private static long block(long element, List<RangeUpdate> ranges, FlatArrays arrays, long[] blocks) {
        for (int i = 0; i < ranges.size(); i++) {
            long first = arrays.first(ranges.get(i));
            if (first <= element && element < arrays.last(ranges.get(i))) {
                if ((element - first) % BlockSum.BLOCK != 0) {
                    throw new IllegalStateException("A rank's part begins at parameter " + element + ", within a block"
                            + " of the range from " + first + ": the network's updaters have changed since training"
                            + " began; begin anew");
                }
                return blocks[i] + (element - first) / BlockSum.BLOCK;
            }
        }
        return blocks[ranges.size()];
    }

    /** The first of all ranks' elements, where -1 is none; -1 if there is none at all. */
    long first(long own) {
        return Arrays.stream(shard.gather(own))
                .mapToLong(rank -> rank[0])
                .filter(element -> element >= 0)
                .min()
                .orElse(-1);
    }

    /** Brings the written weights to all ranks, and makes each rank's {@code statistics}, which may be null, those of all. */
    void complete(INDArray parameters, StepStatistics[] statistics) {
        shard.gather(parameters, shard.bounds());
        if (statistics != null) {
            Arrays.setAll(statistics, i -> ofAll(statistics[i]));
        }
    }

    private StepStatistics ofAll(StepStatistics own) {
        long[][] ranks = shard.gather(
                own.weights,
                own.stagnant,
                own.moved,
                Double.doubleToRawLongBits(own.squaredUpdate),
                Double.doubleToRawLongBits(own.squaredWeight),
                Double.doubleToRawLongBits(own.squaredGradient));
        var all = new StepStatistics();
        for (long[] rank : ranks) {
            all.weights += rank[0];
            all.stagnant += rank[1];
            all.moved += rank[2];
            all.squaredUpdate += Double.longBitsToDouble(rank[3]);
            all.squaredWeight += Double.longBitsToDouble(rank[4]);
            all.squaredGradient += Double.longBitsToDouble(rank[5]);
        }
        return all;
    }
}
