package org.dl4jsr.updater;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.updater.BaseMultiLayerUpdater;
import org.deeplearning4j.nn.updater.UpdaterBlock;
import org.dl4jsr.rounding.BFloat16;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.config.Adam;

/**
 * What a network knows of its weights and of their updates, in FP32: with master weights or compensations more than the
 * BF16 weights say.
 */
public final class ExactState {

    private ExactState() {}

    /**
     * A MultiLayerNetwork's or ComputationGraph's weights in FLOAT, shaped as {@code params()}: the master weights
     * under MASTER, weights and compensations under KAHAN.
     */
    public static INDArray weights(Model network) {
        INDArray weights = network.params().dataType() == DataType.FLOAT
                ? network.params().dup()
                : network.params().castTo(DataType.FLOAT);
        if (network.params().dataType() == DataType.BFLOAT16) {
            INDArray flat = weights.reshape(weights.length());
            for (UpdaterBlock block : blocks(network, false)) {
                if (NetworkParts.config(block) instanceof FusedUpdater fused
                        && fused.getWeightWrite().hasExtra()) {
                    addExtra(block, fused, flat);
                }
            }
        }
        return weights;
    }

    private static void addExtra(UpdaterBlock block, FusedUpdater fused, INDArray weights) {
        INDArray own = weights.get(NDArrayIndex.interval(block.getParamOffsetStart(), block.getParamOffsetEnd()));
        INDArray extra = array(block, fused, fused.moments(), block.getParamOffsetStart(), block.getParamOffsetEnd());
        if (!fused.getWeightWrite().hasFp32State()) {
            own.addi(extra);
            return;
        }
        for (long i = 0; i < own.length(); i++) {
            float master = extra.getFloat(i);
            if (BFloat16.fromFloat(master) == BFloat16.fromFloat(own.getFloat(i))) {
                own.putScalar(i, master);
            }
        }
    }

    /** Keeps what the weights of a new BF16 network lack of {@code exact}, FLOAT, where its updaters have room for it. */
    public static void keep(Model network, INDArray exact) {
        keep(network, 0, exact);
    }

    /** The same for the weights from number {@code first} on, as many as {@code exact} has. */
    public static void keep(Model network, long first, INDArray exact) {
        if (network.params().dataType() != DataType.BFLOAT16) {
            return;
        }
        INDArray flat = exact.reshape(exact.length());
        INDArray weights = network.params().reshape(network.params().length());
        for (UpdaterBlock block : blocks(network, true)) {
            long start = Math.max(first, block.getParamOffsetStart());
            long end = Math.min(first + exact.length(), block.getParamOffsetEnd());
            if (start < end
                    && NetworkParts.config(block) instanceof FusedUpdater fused
                    && fused.getWeightWrite().hasExtra()) {
                INDArray own = flat.get(NDArrayIndex.interval(start - first, end - first));
                INDArray place = place(block, fused, fused.moments(), start, end);
                if (fused.getWeightWrite().hasFp32State()) {
                    place.assign(bits(own));
                } else {
                    INDArray rounded =
                            weights.get(NDArrayIndex.interval(start, end)).castTo(DataType.FLOAT);
                    place.assign(own.sub(rounded));
                }
            }
        }
    }

    /**
     * Copies updater state from a network to one of the same parameters with DL4J's own updaters: the moments of SrAdam
     * to Adam, and the state of a StochasticallyRounded updater where the other has as much of it.
     */
    public static void copyToStock(Model from, Model to) {
        List<UpdaterBlock> targets = blocks(to, true);
        for (UpdaterBlock source : blocks(from, false)) {
            for (UpdaterBlock target : targets) {
                if (NetworkParts.config(source) instanceof FusedUpdater fused
                        && NetworkParts.config(target) instanceof Adam) {
                    copyMoments(source, fused, target);
                } else if (source.getUpdaterView() != null
                        && target.getUpdaterView() != null
                        && source.getParamOffsetStart() == target.getParamOffsetStart()
                        && source.getUpdaterView().length()
                                == target.getUpdaterView().length()) {
                    target.getUpdaterView().assign(source.getUpdaterView());
                }
            }
        }
    }

    /** What both blocks have; Adam's view is [m | v] of its whole block. */
    private static void copyMoments(UpdaterBlock source, FusedUpdater fused, UpdaterBlock target) {
        long start = Math.max(source.getParamOffsetStart(), target.getParamOffsetStart());
        long end = Math.min(source.getParamOffsetEnd(), target.getParamOffsetEnd());
        long length = (long) target.getParamOffsetEnd() - target.getParamOffsetStart();
        for (int moment = 0; moment < fused.moments() && start < end; moment++) {
            long first = moment * length + start - target.getParamOffsetStart();
            target.getUpdaterView()
                    .get(NDArrayIndex.interval(first, first + end - start))
                    .assign(array(source, fused, moment, start, end));
        }
    }

    /** What {@link #place} has, FLOAT. */
    private static INDArray array(UpdaterBlock block, FusedUpdater fused, int index, long start, long end) {
        INDArray place = place(block, fused, index, start, end);
        return place.dataType() == DataType.BFLOAT16 && fused.getWeightWrite().hasFp32State()
                ? values(place)
                : place.castTo(DataType.FLOAT);
    }

    /** One of the block's arrays of state for the network's parameters from {@code start} to {@code end}, a view. */
    private static INDArray place(UpdaterBlock block, FusedUpdater fused, int index, long start, long end) {
        long first = block.getParamOffsetStart();
        return NetworkParts.state(block, fused).part(index, start - first, end - first);
    }

    /** The FP32 values whose bits lie in pairs of BF16 elements, the low half first. */
    private static INDArray values(INDArray pairs) {
        ByteBuffer halves = ByteBuffer.wrap(pairs.dup().data().asBytes());
        var values = new float[(int) (pairs.length() / 2)];
        for (int i = 0; i < values.length; i++) {
            int low = halves.getShort(4 * i) & 0xFFFF;
            values[i] = Float.intBitsToFloat(halves.getShort(4 * i + 2) << 16 | low);
        }
        return Nd4j.createFromArray(values);
    }

    private static INDArray bits(INDArray values) {
        ByteBuffer bits =
                ByteBuffer.allocate(Math.toIntExact(4 * values.length())).order(ByteOrder.nativeOrder());
        for (int i = 0; i < values.length(); i++) {
            bits.putInt(4 * i, Float.floatToRawIntBits(values.getFloat(i)));
        }
        return Nd4j.create(Nd4j.createBuffer(bits, DataType.BFLOAT16, (int) (2 * values.length())));
    }

    /** None where the network has no updater yet, and is not to get one. */
    private static List<UpdaterBlock> blocks(Model network, boolean initialize) {
        BaseMultiLayerUpdater<?> updater = NetworkParts.updater(network, initialize);
        return updater == null ? List.of() : updater.getUpdaterBlocks();
    }
}
