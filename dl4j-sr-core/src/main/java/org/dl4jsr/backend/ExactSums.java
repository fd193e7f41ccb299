package org.dl4jsr.backend;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.ObjLongConsumer;
import java.util.function.Predicate;
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
 * a gradient and weight decay to an update, step by step to gradients, as recurrent layers do, and to {@link RunningSums}.
 * In BF16 each term, often under half an ulp, would be lost or rounded; the array holds the sum to nearest, and an
 * updater may ask for the sum itself. It is forgotten when an op uses the array for anything else, and when the array is
 * no longer in use.
 */
public final class ExactSums {

    /** FLOAT values [n] behind what lies at {@code place}, in the order of memory. */
    private record Sum(RowBlock place, INDArray values) {}

    /** No value refers to its key, or neither would ever go. */
    private static final Map<DataBuffer, List<Sum>> SUMS =
            new MapMaker().weakKeys().makeMap();

    private ExactSums() {}

    /** Whether this is an axpy whose sum is kept: in place, of a dense BF16 array. */
    static boolean applies(Device device, INDArray x, INDArray y, INDArray z) {
        return y != null
                && Bf16Arrays.isBFloat16(z)
                && Bf16Arrays.isCastable(x)
                && x.equalShapes(z)
                && KernelOp.isDense(z)
                && Bf16Arrays.sameMemory(device, y, z);
    }

    /**
     * Adds {@code factor * x} to the dense BF16 array {@code target} and remembers the sum.
     *
     * @param x FLOAT or BF16, of target's shape, or both are vectors
     */
    static void axpy(Device device, INDArray x, INDArray target, double factor) {
        accumulate(device, target, sum -> {
            if (KernelOp.isDense(x) && KernelOp.isDense(sum) && !isKnown(x)) {
                device.kernels()
                        .accumulate(
                                KernelOp.type(x),
                                device.address(x),
                                (float) factor,
                                false,
                                device.address(sum),
                                sum.length());
                device.written(List.of(sum));
                return true;
            }
            with(device, x, wideX -> Nd4j.exec(new Axpy(wideX.reshape(sum.shape()), sum, sum, factor)));
            return true;
        });
    }

    /** Whether {@code add} of these is one to a gradient or a running sum, in place. */
    static boolean isAddition(Device device, List<INDArray> inputs, List<INDArray> outputs) {
        if (inputs.size() != 2 || outputs.size() != 1 || !Bf16Arrays.isBFloat16(outputs.get(0))) {
            return false;
        }
        INDArray x = inputs.get(1);
        INDArray target = outputs.get(0);
        boolean alike = x.equalShapes(target) || x.length() == target.length() && x.isVector() && target.isVector();
        return alike
                && Bf16Arrays.isCastable(x)
                && Bf16Arrays.sameMemory(device, inputs.get(0), target) // few are in place
                && isSummable(target)
                && (isPartOfGradient(target) || RunningSums.isOne(target));
    }

    /** Whether a sum behind it can be kept. */
    static boolean isSummable(INDArray array) {
        return Bf16Arrays.isBFloat16(array)
                && !array.isEmpty()
                && (RowBlock.isRowMajor(array) || RowBlock.isRowMajor(RowBlock.reversed(array)));
    }

    /**
     * Whether {@code array} may be the gradient of a parameter, which is a part of its layer's. Memory of workspaces is
     * not: it becomes another array without any op.
     */
    static boolean isPartOfGradient(INDArray array) {
        return Bf16Arrays.isBFloat16(array)
                && !array.isEmpty()
                && !array.isAttached()
                && array.length() < Bf16Arrays.root(array).length()
                && isSummable(array);
    }

    /**
     * Has {@code addition} add to the FP32 sum behind a BF16 array, rounds that to the array and remembers it.
     *
     * @param target of which a sum {@linkplain #isSummable can be kept}
     * @param addition takes the sum, of target's shape, and returns whether it has added to it
     * @return what {@code addition} returned; if false, nothing has changed
     */
    static boolean accumulate(Device device, INDArray target, Predicate<INDArray> addition) {
        try (MemoryWorkspace none = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
            boolean rowMajor = RowBlock.isRowMajor(target);
            INDArray inOrder = rowMajor ? target : RowBlock.reversed(target);
            INDArray sum = remembered(device, inOrder).reshape(inOrder.shape());
            boolean added = addition.test(rowMajor ? sum : RowBlock.reversed(sum));
            if (added) {
                device.copy(sum, inOrder);
                device.written(List.of(target));
            } else {
                forget(target);
            }
            return added;
        }
    }

    /** Has {@code use} work on a FLOAT copy of {@code array}, of its shape, exact where that is known. */
    static void with(Device device, INDArray array, Consumer<INDArray> use) {
        boolean summable = isSummable(array);
        boolean reversed = summable && !RowBlock.isRowMajor(array);
        INDArray inOrder = reversed ? RowBlock.reversed(array) : array;
        INDArray known = summable ? of(device, inOrder) : null;
        try (INDArray wide = known == null ? wide(device, inOrder) : known) {
            INDArray shaped = wide.reshape(inOrder.shape());
            use.accept(reversed ? RowBlock.reversed(shaped) : shaped);
        }
    }

    /** The sum behind {@code array}, in row-major order: [n], remembered from now on. */
    private static INDArray remembered(Device device, INDArray array) {
        RowBlock place = RowBlock.of(array);
        for (Sum sum : SUMS.getOrDefault(Bf16Arrays.root(array), List.of())) {
            if (sum.place.contains(place)) {
                long start = place.start() - sum.place.start();
                return part(sum.values, start, start + array.length());
            }
        }
        INDArray known = of(device, array);
        INDArray values = known == null ? wide(device, array) : known;
        forget(array);
        put(Bf16Arrays.root(array), place, values);
        return values;
    }

    /** Remembers {@code sum}, FLOAT, of the target's shape, as what is behind {@code target}. */
    static void put(INDArray target, INDArray sum) {
        forget(target);
        try (MemoryWorkspace none = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
            INDArray inOrder = (RowBlock.isRowMajor(target) ? sum : RowBlock.reversed(sum)).dup('c');
            put(Bf16Arrays.root(target), RowBlock.of(target), inOrder.reshape(target.length()));
        }
    }

    private static void put(DataBuffer root, RowBlock place, INDArray values) {
        SUMS.computeIfAbsent(root, key -> new ArrayList<>()).add(new Sum(place, values));
    }

    /** What is known of {@code source} is known of {@code target} from now on, a copy of the same length. */
    public static void copied(DataBuffer source, DataBuffer target) {
        List<Sum> sums = SUMS.get(source);
        if (sums != null && target.originalDataBuffer() == null) {
            try (MemoryWorkspace none = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
                sums.forEach(sum -> put(target, sum.place, sum.values.dup()));
            }
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

    /**
     * Hands out the sums behind parts of a vector.
     *
     * @param vector BF16, dense
     * @param use takes a FLOAT sum [n] and the element of {@code vector} behind which it begins
     */
    public static void behind(INDArray vector, ObjLongConsumer<INDArray> use) {
        RowBlock place = RowBlock.of(vector);
        for (Sum sum : SUMS.getOrDefault(Bf16Arrays.root(vector), List.of())) {
            long start = Math.max(place.start(), sum.place.start());
            long end = Math.min(place.end(), sum.place.end());
            if (sum.place.rows() == 1 && start < end) {
                long first = start - sum.place.start();
                use.accept(part(sum.values, first, first + end - start), start - place.start());
            }
        }
    }

    /** A FLOAT [n] copy of the row-major BF16 {@code array}, exact where that is known; null where it is not at all. */
    public static INDArray of(Device device, INDArray array) {
        List<Sum> sums = SUMS.get(Bf16Arrays.root(array));
        if (sums == null) {
            return null;
        }
        RowBlock place = RowBlock.of(array);
        INDArray copy = null;
        for (Sum sum : sums) {
            long start = Math.max(place.start(), sum.place.start());
            long end = Math.min(place.end(), sum.place.end());
            if (sum.place.equals(place)) {
                try (MemoryWorkspace none = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
                    return sum.values.dup();
                }
            }
            if (sum.place.rows() == 1 && place.rows() == 1 && start < end) {
                copy = copy == null ? wide(device, array) : copy;
                part(copy, start - place.start(), end - place.start())
                        .assign(part(sum.values, start - sum.place.start(), end - sum.place.start()));
            }
        }
        return copy;
    }

    private static INDArray part(INDArray vector, long start, long end) {
        return vector.get(NDArrayIndex.interval(start, end));
    }

    /** Whether something is known of {@code array}. */
    static boolean isKnown(INDArray array) {
        List<Sum> sums = SUMS.get(Bf16Arrays.root(array));
        if (sums == null) {
            return false;
        }
        RowBlock place = RowBlock.of(array);
        return sums.stream().anyMatch(sum -> sum.place.overlaps(place));
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
        DataBuffer root = Bf16Arrays.root(used);
        List<Sum> sums = SUMS.get(root);
        if (sums != null) {
            RowBlock place = RowBlock.of(used);
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
