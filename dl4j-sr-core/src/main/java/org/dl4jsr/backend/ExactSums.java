package org.dl4jsr.backend;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.IntStream;
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
 * The FP32 sums behind BF16 arrays to which something has been added in place: by {@code axpy}, as DL4J adds l1 and l2 to
 * a gradient and weight decay to an update, and step by step to gradients, as recurrent layers do. In BF16 each term,
 * often under half an ulp, would be lost or rounded; the array holds the sum to nearest, and an updater may ask for the
 * sum itself. It is forgotten when an op uses the array for anything else, and when the array is no longer in use.
 */
public final class ExactSums {

    /** From element {@code start} of an allocation to {@code end}, [n] in the order of memory. */
    private record Sum(long start, long end, INDArray values) {

        boolean overlaps(Extent place) {
            return start < place.end() && place.start() < end;
        }

        boolean contains(Extent place) {
            return start <= place.start() && place.end() <= end;
        }

        INDArray part(long from, long to) {
            return ExactSums.part(values, from - start, to - start);
        }
    }

    /** No value refers to its key, or neither would ever go. */
    private static final Map<DataBuffer, List<Sum>> SUMS =
            new MapMaker().weakKeys().makeMap();

    private ExactSums() {}

    /** Whether this is an axpy whose sum is kept: in place, of a dense BF16 array. */
    static boolean applies(INDArray x, INDArray y, INDArray z) {
        return y != null
                && Bf16Arrays.isBFloat16(z)
                && Bf16Arrays.isCastable(x)
                && x.equalShapes(z)
                && KernelOp.isDense(z)
                && Extent.of(y).equals(Extent.of(z));
    }

    /**
     * Adds {@code factor * x} to the dense BF16 array {@code target} and remembers the sum.
     *
     * @param x FLOAT or BF16, of target's shape, or both are vectors
     */
    static void axpy(Device device, INDArray x, INDArray target, double factor) {
        accumulate(device, target, sum -> {
            try (INDArray wideX = wide(device, x)) {
                Nd4j.exec(new Axpy(wideX.reshape(sum.shape()), sum, sum, factor));
            }
            return true;
        });
    }

    /** Whether {@code add} of these is one to a gradient, in place. */
    static boolean isAddition(Device device, List<INDArray> inputs, List<INDArray> outputs) {
        if (inputs.size() != 2 || outputs.size() != 1 || !isPartOfGradient(outputs.get(0))) {
            return false;
        }
        INDArray x = inputs.get(1);
        INDArray target = outputs.get(0);
        boolean alike = x.equalShapes(target) || x.length() == target.length() && x.isVector() && target.isVector();
        return alike && Bf16Arrays.isCastable(x) && Bf16Arrays.sameMemory(device, inputs.get(0), target);
    }

    /**
     * Whether {@code array} may be the gradient of a parameter, which is a part of its layer's, and dense. Memory of
     * workspaces is not: it becomes another array without any op.
     */
    static boolean isPartOfGradient(INDArray array) {
        return Bf16Arrays.isBFloat16(array)
                && !array.isEmpty()
                && !array.isAttached()
                && array.length() < PendingSteps.root(array).length()
                && (KernelOp.isDense(array) || KernelOp.isDense(reversed(array)));
    }

    /**
     * Has {@code addition} add to the FP32 sum behind a BF16 array, rounds that to the array and remembers it.
     *
     * @param target dense in row-major or column-major order
     * @param addition takes the sum, of target's shape, and returns whether it has added to it
     * @return what {@code addition} returned; if false, nothing has changed
     */
    static boolean accumulate(Device device, INDArray target, Predicate<INDArray> addition) {
        try (MemoryWorkspace none = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
            boolean rowMajor = KernelOp.isDense(target);
            INDArray inOrder = rowMajor ? target : reversed(target);
            INDArray sum = remembered(device, inOrder.reshape(target.length())).reshape(inOrder.shape());
            boolean added = addition.test(rowMajor ? sum : reversed(sum));
            if (added) {
                device.copy(sum, inOrder);
                device.written(List.of(target));
            } else {
                forget(target);
            }
            return added;
        }
    }

    private static INDArray reversed(INDArray array) {
        int last = array.rank() - 1;
        return array.permute(IntStream.rangeClosed(0, last).map(i -> last - i).toArray());
    }

    /** The sum behind {@code range}, [n], which is remembered from now on. */
    private static INDArray remembered(Device device, INDArray range) {
        Extent place = Extent.of(range);
        for (Sum sum : SUMS.getOrDefault(place.root(), List.of())) {
            if (sum.contains(place)) {
                return sum.part(place.start(), place.end());
            }
        }
        INDArray known = of(device, range);
        INDArray values = known == null ? wide(device, range) : known;
        forget(range);
        SUMS.computeIfAbsent(place.root(), root -> new ArrayList<>()).add(new Sum(place.start(), place.end(), values));
        return values;
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

    /** A FLOAT [n] copy of the dense BF16 array {@code range}, exact where that is known; null where it is not at all. */
    public static INDArray of(Device device, INDArray range) {
        List<Sum> sums = SUMS.get(PendingSteps.root(range));
        if (sums == null) {
            return null;
        }
        Extent place = Extent.of(range);
        INDArray copy = null;
        for (Sum sum : sums) {
            if (sum.overlaps(place)) {
                copy = copy == null ? wide(device, range) : copy;
                long start = Math.max(place.start(), sum.start);
                long end = Math.min(place.end(), sum.end);
                part(copy, start - place.start(), end - place.start()).assign(sum.part(start, end));
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
                boolean shared = sum.overlaps(place);
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
