package org.dl4jsr.backend;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.dl4jsr.op.Device;
import org.dl4jsr.op.KernelOp;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.transforms.pairwise.arithmetic.Axpy;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.shade.guava.collect.MapMaker;

/**
 * The FP32 sums behind BF16 arrays to which an {@code axpy} has added in place. So DL4J adds regularization: l1 and l2 to
 * a gradient, weight decay to an update. In BF16 the term, often under half an ulp, would be lost every time; the array
 * holds the sum to nearest, and an updater may ask for the sum itself. It is forgotten when the next op uses the array.
 */
public final class ExactSums {

    private record Sum(Extent place, INDArray values) {}

    private static final Map<DataBuffer, List<Sum>> SUMS =
            new MapMaker().weakKeys().makeMap();

    private ExactSums() {}

    /**
     * Adds {@code factor * x} to the dense BF16 array {@code target} and remembers the sum.
     *
     * @param x of target's shape; FLOAT or BF16
     */
    static void axpy(Device device, INDArray x, INDArray target, double factor) {
        try (MemoryWorkspace none = Nd4j.getMemoryManager().scopeOutOfWorkspaces();
                INDArray wideX = wide(device, x)) {
            INDArray known = of(device, target);
            INDArray sum = known == null ? wide(device, target) : known;
            Nd4j.exec(new Axpy(wideX, sum, sum, factor));
            device.copy(sum.reshape(target.shape()), target);
            device.written(List.of(target));
            forget(target);
            SUMS.computeIfAbsent(PendingSteps.root(target), root -> new ArrayList<>())
                    .add(new Sum(Extent.of(target), sum));
        }
    }

    /** A FLOAT [n] copy, by no op. */
    private static INDArray wide(Device device, INDArray array) {
        try (MemoryWorkspace none = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
            INDArray wide = Nd4j.createUninitialized(DataType.FLOAT, array.length());
            device.copy(array, wide.reshape(array.shape()));
            device.written(List.of(wide));
            return wide;
        }
    }

    /** Whether this is an axpy that {@link #axpy} can do. */
    static boolean applies(INDArray x, INDArray y, INDArray z) {
        return y != null
                && Bf16Arrays.isBFloat16(z)
                && Bf16Arrays.isCastable(x)
                && x.equalShapes(z)
                && KernelOp.isDense(z)
                && Extent.of(y).equals(Extent.of(z));
    }

    /** A FLOAT [n] copy of the dense BF16 array {@code range}, exact where that is known; null where it is not at all. */
    public static INDArray of(Device device, INDArray range) {
        List<Sum> sums = SUMS.get(PendingSteps.root(range));
        if (sums == null) {
            return null;
        }
        Extent place = Extent.of(range);
        INDArray copy = null;
        for (Sum sum : sums) {
            if (sum.place.overlaps(place)) {
                copy = copy == null ? wide(device, range) : copy;
                long start = Math.max(place.start(), sum.place.start());
                long end = Math.min(place.end(), sum.place.end());
                part(copy, start - place.start(), end - place.start())
                        .assign(part(sum.values, start - sum.place.start(), end - sum.place.start()));
            }
        }
        return copy;
    }

    private static INDArray part(INDArray vector, long start, long end) {
        return vector.get(NDArrayIndex.interval(start, end));
    }

    /** Whether nothing is known; to be asked before {@link #forget}. */
    static boolean isEmpty() {
        return SUMS.isEmpty();
    }

    /** Forgets the sums behind all arrays that share elements with one of {@code used}, which may hold nulls. */
    static void forget(List<INDArray> used) {
        for (INDArray array : used) {
            if (array != null && !array.isEmpty()) {
                forget(array);
            }
        }
    }

    /** Forgets the sums behind all arrays that share elements with {@code used}. */
    public static void forget(INDArray used) {
        DataBuffer root = PendingSteps.root(used);
        List<Sum> sums = SUMS.get(root);
        if (sums != null) {
            Extent place = Extent.of(used);
            sums.removeIf(sum -> {
                boolean shared = sum.place.overlaps(place);
                if (shared) {
                    sum.values.close();
                }
                return shared;
            });
            if (sums.isEmpty()) {
                SUMS.remove(root);
            }
        }
    }
}
