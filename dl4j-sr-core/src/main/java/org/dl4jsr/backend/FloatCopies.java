package org.dl4jsr.backend;

import java.util.ArrayList;
import java.util.List;
import org.dl4jsr.op.Device;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The FLOAT copies that stand in for an op's BF16 operands: one for each memory, freed on close. */
final class FloatCopies implements AutoCloseable {

    private record Copy(INDArray original, INDArray wide) {}

    private final List<Copy> copies = new ArrayList<>();
    private final List<INDArray> results = new ArrayList<>();
    private final Device device;
    private final boolean inCOrder;

    /** Copies ordered as their originals are. */
    FloatCopies(Device device) {
        this(device, false);
    }

    private FloatCopies(Device device, boolean inCOrder) {
        this.device = device;
        this.inCOrder = inCOrder;
    }

    /** Copies in 'c' order. */
    static FloatCopies inCOrder(Device device) {
        return new FloatCopies(device, true);
    }

    /** A FLOAT copy of {@code array} if that is BF16, else {@code array} itself, which may be null. */
    INDArray of(INDArray array) {
        return copy(array, true);
    }

    /** As {@link #of}, for an array that the op overwrites: the copy's content is undefined. */
    INDArray toOverwrite(INDArray array) {
        return copy(array, false);
    }

    /** Rounds what the op wrote to the copy of {@code array} back to it. */
    void writeBack(INDArray array) {
        INDArray wide = find(array);
        if (wide != null && !array.isEmpty()) {
            device.copy(wide, array);
        }
    }

    /** A BF16 copy, in the workspace in force, of a FLOAT result that the op allocated; that is freed on close. */
    INDArray narrow(INDArray result) {
        results.add(result);
        if (result.isEmpty()) {
            return Nd4j.create(DataType.BFLOAT16, result.shape());
        }
        if (result.rank() == 0) {
            return Nd4j.scalar(DataType.BFLOAT16, result.getFloat(0));
        }
        INDArray rounded = Nd4j.createUninitialized(DataType.BFLOAT16, result.shape(), result.ordering());
        device.copy(result, rounded);
        return rounded;
    }

    @Override
    public void close() {
        copies.forEach(copy -> close(copy.wide));
        results.forEach(FloatCopies::close);
    }

    private static void close(INDArray array) {
        if (array.closeable()) {
            array.close();
        }
    }

    private INDArray copy(INDArray array, boolean withContent) {
        if (!Bf16Arrays.isBFloat16(array)) {
            return array;
        }
        INDArray wide = find(array);
        if (wide == null) {
            wide = widen(array, withContent);
            copies.add(new Copy(array, wide));
        }
        return wide;
    }

    private INDArray find(INDArray array) {
        for (Copy copy : copies) {
            if (Bf16Arrays.sameMemory(device, copy.original, array)) {
                return copy.wide;
            }
        }
        return null;
    }

    private INDArray widen(INDArray array, boolean withContent) {
        try (MemoryWorkspace none = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
            if (array instanceof ExactScalar scalar) {
                return Nd4j.scalar(DataType.FLOAT, scalar.exact());
            }
            if (array.isEmpty()) {
                return Nd4j.create(DataType.FLOAT, array.shape());
            }
            char order = inCOrder ? 'c' : array.ordering();
            INDArray wide = Nd4j.createUninitialized(DataType.FLOAT, array.shape(), order);
            if (withContent) {
                device.copy(array, wide);
            }
            return wide;
        }
    }
}
