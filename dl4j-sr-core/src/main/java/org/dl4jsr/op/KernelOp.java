package org.dl4jsr.op;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.StridedArray;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;

/**
 * An ND4J op that dl4j-sr's own kernels carry out. {@code Nd4j.exec(op)} under dl4j-sr's backend calls {@link #run};
 * libnd4j does not know these ops. All arrays, outputs too, are given at construction and checked there.
 */
public abstract class KernelOp extends DynamicCustomOp {

    private final StepPart part;

    /** @param part of a training step, for profiles */
    protected KernelOp(StepPart part, INDArray[] inputs, INDArray[] outputs) {
        super(null, inputs, outputs);
        this.part = part;
    }

    /** ND4J calls this in its constructor for a name in SameDiff graphs, where these ops never are: no random one. */
    @Override
    protected void setInstanceId() {
        ownName = getClass().getSimpleName();
    }

    /** {@link #run}, counted; called by the backend's executioner, which reports the outputs written. */
    public final void execute(Device device) {
        StepTimes times = device.times();
        if (times == null) {
            run(device);
            return;
        }
        device.await();
        long start = System.nanoTime();
        run(device);
        device.await();
        times.add(part, System.nanoTime() - start, operations(), bytes());
    }

    /** Runs the op on its arrays. */
    public abstract void run(Device device);

    /** Floating-point operations of its matrix products; 0 where it has none. */
    public long operations() {
        return 0;
    }

    /** Bytes read and written: of each array once, unless the op knows better. */
    protected long bytes() {
        return bytes(inputArguments()) + bytes(outputArguments());
    }

    /** Those of an op's arrays that are not null; without a stream, since ops are created at every step. */
    protected static INDArray[] given(INDArray... arrays) {
        var given = new ArrayList<INDArray>(arrays.length);
        for (INDArray array : arrays) {
            if (array != null) {
                given.add(array);
            }
        }
        return given.toArray(new INDArray[0]);
    }

    private static long bytes(List<INDArray> arrays) {
        long bytes = 0;
        for (INDArray array : arrays) {
            bytes += array.length() * array.dataType().width();
        }
        return bytes;
    }

    /** Stock executioners look ops up by this hash: the place to say what is wrong. */
    @Override
    public long opHash() {
        throw new IllegalStateException("Op " + opName() + " runs only on dl4j-sr's ND4J backend, which is not active:"
                + " put dl4j-sr-core on the class path together with nd4j-native and remove other ND4J backends");
    }

    /** The kernel type of a's storage; FLOAT and BFLOAT16 only. */
    public static FloatType type(INDArray a) {
        if (a.dataType() == DataType.BFLOAT16) {
            return FloatType.BFLOAT16;
        }
        if (a.dataType() == DataType.FLOAT) {
            return FloatType.FLOAT;
        }
        throw new IllegalArgumentException(
                "Array of type " + a.dataType() + " where FLOAT or BFLOAT16 was expected; castTo() one of them");
    }

    /** {@code a}'s memory, shape and strides; FLOAT or BFLOAT16, not empty. */
    public static StridedArray strided(Device device, INDArray a) {
        return new StridedArray(type(a), device.address(a), a.shape(), a.stride());
    }

    /** A dense bias, or its gradient, as the only row of a matrix; null stays. */
    static StridedArray row(Device device, INDArray bias) {
        return bias == null ? null : StridedArray.rowMajor(type(bias), device.address(bias), 1, bias.length());
    }

    /** Requires {@code a} to be dense and row-major with this type and shape, and returns it. */
    protected static INDArray require(String name, INDArray a, DataType type, long... shape) {
        requireShape(name, a, type, shape);
        requireDense(name, a);
        return a;
    }

    /** Requires {@code a} to have this type and shape, and returns it. */
    protected static INDArray requireShape(String name, INDArray a, DataType type, long... shape) {
        if (a.dataType() != type || !Arrays.equals(a.shape(), shape)) {
            throw new IllegalArgumentException(name + " is " + a.dataType() + " " + Arrays.toString(a.shape())
                    + ", expected " + type + " " + Arrays.toString(shape));
        }
        return a;
    }

    /** Requires {@code a} to be dense, row-major [..., width] of this type, and returns how many rows it has. */
    protected static int rows(String name, INDArray a, DataType type, long width) {
        if (a.dataType() != type || a.rank() < 2 || a.size(-1) != width) {
            throw new IllegalArgumentException(name + " is " + a.dataType() + " " + Arrays.toString(a.shape())
                    + ", expected " + type + " [..., " + width + "]");
        }
        return Math.toIntExact(requireDense(name, a).length() / width);
    }

    /** Requires {@code a} to be as {@link #rows(String, INDArray, DataType, long)} wants it, with this many rows. */
    protected static INDArray requireRows(String name, INDArray a, DataType type, long rows, long width) {
        if (rows(name, a, type, width) != rows) {
            throw new IllegalArgumentException(
                    name + " has shape " + Arrays.toString(a.shape()) + ", expected " + rows + " rows of " + width);
        }
        return a;
    }

    /** Requires {@code a} to be contiguous and row-major, and returns it. */
    protected static INDArray requireDense(String name, INDArray a) {
        if (!isDense(a)) {
            throw new IllegalArgumentException(name + " has shape " + Arrays.toString(a.shape()) + " and strides "
                    + Arrays.toString(a.stride()) + ", expected contiguous row-major; dup('c') it");
        }
        return a;
    }

    /** Whether {@code a} is contiguous and row-major. */
    public static boolean isDense(INDArray a) {
        return StridedArray.isDense(a.shape(), a.stride());
    }
}
