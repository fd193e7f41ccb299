package org.dl4jsr.updater;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.api.Trainable;
import org.deeplearning4j.nn.conf.GradientNormalization;
import org.deeplearning4j.nn.updater.BaseMultiLayerUpdater;
import org.deeplearning4j.nn.updater.UpdaterBlock;
import org.dl4jsr.rounding.BlockSum;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.NoOp;

/**
 * The updater state of the part of a network that one rank writes: 1/N of the memory. It lies outside of DL4J's view of
 * the updater state, which does not exist meanwhile. What the part has of a block of parameters of one updater is laid
 * out as a block of that length would be.
 */
final class ShardedState {

    /** Set while the thread makes an updater without a view of its state. */
    private static final ThreadLocal<Boolean> LEFT_OUT = ThreadLocal.withInitial(() -> false);

    /**
     * What the rank has of a block.
     *
     * @param block its number among the updater's blocks
     * @param stored the block's first element in DL4J's view of the whole state
     * @param storedLength elements of the block in that view
     * @param blockStart the block's first parameter
     * @param blockLength the block's parameters
     * @param start first parameter
     * @param end behind the last parameter
     */
    private record Part(
            int block,
            long stored,
            long storedLength,
            long blockStart,
            long blockLength,
            FusedUpdater updater,
            long start,
            long end,
            INDArray view) {

        UpdaterState state() {
            return UpdaterState.checked(view, updater, end - start);
        }

        /** The arrays of the state, each in its place in the whole. */
        List<StateRange> ranges() {
            UpdaterState own = state();
            long header = storedLength - own.arrays() * blockLength * own.elements();
            return IntStream.range(0, own.arrays())
                    .mapToObj(array -> new StateRange(
                            stored + header + (array * blockLength + start - blockStart) * own.elements(),
                            own.part(array, 0, end - start)))
                    .toList();
        }
    }

    private final Model network;
    private final WeightShard shard;
    private final List<Part> parts = new ArrayList<>();
    /** What DL4J's view of the whole state has beside the arrays of all ranks' parts. */
    private final List<StateRange> headers = new ArrayList<>();
    /** Elements of DL4J's view of the whole state. */
    private long length;

    private ShardedState(Model network, WeightShard shard) {
        this.network = network;
        this.shard = shard;
    }

    /** Whether the updater that this thread is making has its state elsewhere. */
    static boolean isLeftOut() {
        return LEFT_OUT.get();
    }

    /**
     * Where the parts of so many ranks begin, of about equal size, and where the last one ends. They begin at the start
     * of a block of {@link BlockSum}, counted from the start of a range that is written on its own.
     *
     * @throws IllegalArgumentException where a parameter is trained by another updater than a {@link FusedUpdater}, or
     *     gradients are normalized by layer
     */
    static long[] bounds(Model network, int ranks) {
        List<UpdaterBlock> blocks = withoutState(network).getUpdaterBlocks();
        requireShareable(blocks);
        var starts = new ArrayList<Long>(); // of blocks of BlockSum
        long end = 0;
        boolean fusedBefore = true;
        for (UpdaterBlock block : blocks) {
            boolean fused = isWritten(block);
            if (fused || fusedBefore) {
                end = block.getParamOffsetStart();
            }
            for (; end < block.getParamOffsetEnd(); end += BlockSum.BLOCK) {
                starts.add(end);
            }
            fusedBefore = fused;
        }
        long length = network.params().length();
        var bounds = new long[ranks + 1];
        for (int rank = 0; rank <= ranks; rank++) {
            int first = (int) ((long) starts.size() * rank / ranks);
            bounds[rank] = first < starts.size() ? starts.get(first) : length;
        }
        return bounds;
    }

    private static boolean isWritten(UpdaterBlock block) {
        return NetworkParts.config(block) instanceof FusedUpdater && !block.skipDueToPretrainConfig(false);
    }

    private static void requireShareable(List<UpdaterBlock> blocks) {
        for (UpdaterBlock block : blocks) {
            var first = block.getLayersAndVariablesInBlock().get(0);
            String parameter = "Parameter " + first.getParamName() + " of layer "
                    + first.getLayer().getConfig().getLayerName();
            IUpdater updater = NetworkParts.config(block);
            if (!(updater instanceof FusedUpdater) && !(updater instanceof NoOp)) {
                throw new IllegalArgumentException(
                        parameter + " is trained by " + updater.getClass().getSimpleName()
                                + ", whose state cannot be sharded: use SrAdam, or let every rank keep all of the state");
            }
            for (var variable : block.getLayersAndVariablesInBlock()) {
                Trainable layer = variable.getLayer();
                GradientNormalization normalization = layer.getConfig().getGradientNormalization();
                if (normalization != null && normalization != GradientNormalization.None) {
                    throw new IllegalArgumentException("Layer "
                            + layer.getConfig().getLayerName() + " has gradient"
                            + " normalization " + normalization + ", which needs all of the gradient: use SrAdam's"
                            + " maxGradientNorm, or let every rank keep all of the state");
                }
            }
        }
        if (blocks.stream().noneMatch(ShardedState::isWritten)) {
            throw new IllegalArgumentException("No parameter of the network is trained");
        }
    }

    /** Takes the state of this rank's part over from the network's updater, or begins with none where that has none. */
    static ShardedState take(Model network, WeightShard shard) {
        var state = new ShardedState(network, shard);
        BaseMultiLayerUpdater<?> before = NetworkParts.updater(network, false);
        INDArray stored = before == null ? null : before.getStateViewArray();
        BaseMultiLayerUpdater<?> updater = withoutState(network);
        List<UpdaterBlock> blocks = updater.getUpdaterBlocks();
        for (int i = 0; i < blocks.size(); i++) {
            if (NetworkParts.config(blocks.get(i)) instanceof FusedUpdater fused) {
                state.addHeader(fused, blocks.get(i));
                state.add(
                        i,
                        fused,
                        blocks.get(i),
                        stored == null ? null : before.getUpdaterBlocks().get(i));
                state.length += stateSize(blocks.get(i), fused);
            }
        }
        NetworkParts.setUpdater(network, updater);
        return state;
    }

    private void addHeader(FusedUpdater fused, UpdaterBlock block) {
        if (UpdaterState.hasHeader(network.params().dataType(), fused)) {
            long parameters = (long) block.getParamOffsetEnd() - block.getParamOffsetStart();
            headers.add(new StateRange(length, UpdaterState.header(parameters)));
        }
    }

    private void add(int number, FusedUpdater fused, UpdaterBlock block, UpdaterBlock stored) {
        long start = Math.max(block.getParamOffsetStart(), shard.bounds()[shard.rank()]);
        long end = Math.min(block.getParamOffsetEnd(), shard.bounds()[shard.rank() + 1]);
        if (start >= end) {
            return;
        }
        INDArray view = Nd4j.zeros(network.params().dataType(), UpdaterState.size(fused, end - start));
        long blockStart = block.getParamOffsetStart();
        var part = new Part(
                number,
                length,
                stateSize(block, fused),
                blockStart,
                block.getParamOffsetEnd() - blockStart,
                fused,
                start,
                end,
                view);
        parts.add(part);
        if (stored != null) {
            UpdaterState all = NetworkParts.state(stored, fused);
            long from = start - blockStart;
            UpdaterState own = part.state();
            for (int array = 0; array < all.arrays(); array++) {
                own.part(array, 0, end - start).assign(all.part(array, from, from + end - start));
            }
        }
    }

    private static long stateSize(UpdaterBlock block, FusedUpdater fused) {
        return block.getLayersAndVariablesInBlock().stream()
                .mapToLong(variable -> fused.stateSize(variable.getParamOffsetEnd() - variable.getParamOffsetStart()))
                .sum();
    }

    /** Gives DL4J the whole state, gathered from all ranks, in an updater of its own making. */
    void giveBack() {
        BaseMultiLayerUpdater<?> updater = NetworkParts.newUpdater(network);
        List<UpdaterBlock> blocks = updater.getUpdaterBlocks();
        for (int i = 0; i < blocks.size(); i++) {
            if (NetworkParts.config(blocks.get(i)) instanceof FusedUpdater fused) {
                gather(i, NetworkParts.state(blocks.get(i), fused), blocks.get(i));
            }
        }
        NetworkParts.setUpdater(network, updater);
    }

    private void gather(int number, UpdaterState all, UpdaterBlock block) {
        long first = block.getParamOffsetStart();
        long length = block.getParamOffsetEnd() - first;
        long[] bounds = Arrays.stream(shard.bounds())
                .map(element -> Math.max(0, Math.min(length, element - first)) * all.elements())
                .toArray();
        for (int array = 0; array < all.arrays(); array++) {
            for (Part part : parts) {
                if (part.block == number) {
                    all.part(array, part.start - first, part.end - first)
                            .assign(part.state().part(array, 0, part.end - part.start));
                }
            }
            shard.gather(all.part(array, 0, length), bounds);
        }
    }

    /** The state of the rank's part from {@code start} on. */
    INDArray view(long start) {
        for (Part part : parts) {
            if (part.start == start) {
                return part.view;
            }
        }
        throw new IllegalStateException("There is no updater state for the parameters from " + start
                + " on: the network's updaters have changed since training began; begin anew");
    }

    /** All of the rank's state, in its places in the whole. */
    List<StateRange> ranges() {
        return parts.stream().flatMap(part -> part.ranges().stream()).toList();
    }

    /** What the whole has beside the ranks' {@link #ranges}; the same on all ranks. */
    List<StateRange> headers() {
        return headers;
    }

    /** Elements of DL4J's view of the whole state, of all ranks. */
    long length() {
        return length;
    }

    private static BaseMultiLayerUpdater<?> withoutState(Model network) {
        LEFT_OUT.set(true);
        try {
            return NetworkParts.newUpdater(network);
        } finally {
            LEFT_OUT.remove();
        }
    }
}
