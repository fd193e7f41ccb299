package org.dl4jsr.updater;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.dl4jsr.rounding.WeightWrite;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Where m, v and the compensation or master weights of one block of n parameters lie in the view that DL4J keeps for
 * it: [m | v], [m | v | compensation], or, under {@link WeightWrite#MASTER}, [header | m | v | master] with the bits of
 * one FP32 value in two BF16 elements each.
 *
 * <p>The header is a canary: a pattern, a function of n, of the BF16 values that arithmetic and careless casts change,
 * signalling and quiet NaNs, negative zero and a subnormal. An all-zero header is fresh state.
 */
final class SrAdamState {

    private static final int HEADER_OF_A_VARIABLE = 16;

    private final INDArray view;
    private final long parameters;
    private final int elements;
    private final long header;

    /**
     * @param view the block's updater state
     * @param parameters n
     * @throws IllegalStateException if the header has been tampered with
     */
    SrAdamState(INDArray view, WeightWrite weightWrite, long parameters) {
        this.view = view;
        this.parameters = parameters;
        boolean master = weightWrite == WeightWrite.MASTER && view.dataType() == DataType.BFLOAT16;
        elements = master ? 2 : 1;
        header = master ? view.length() - 6 * parameters : 0;
        if (master) {
            checkHeader();
        }
    }

    /** Elements of updater state that a variable of {@code parameters} parameters needs. */
    static long size(WeightWrite weightWrite, long parameters) {
        return switch (weightWrite) {
            case STOCHASTIC, NEAREST -> 2 * parameters;
            case KAHAN -> 3 * parameters;
            case MASTER -> parameters == 0 ? 0 : HEADER_OF_A_VARIABLE + 6 * parameters;
        };
    }

    /** First moments of the parameters from {@code start} to {@code end} of the block. */
    INDArray m(long start, long end) {
        return part(0, start, end);
    }

    /** Second moments. */
    INDArray v(long start, long end) {
        return part(1, start, end);
    }

    /** Compensation or master weights, or null where the weight write has neither. */
    INDArray extra(long start, long end) {
        return view.length() - header == 2 * parameters ? null : part(2, start, end);
    }

    private INDArray part(int index, long start, long end) {
        long offset = header + index * parameters * elements;
        return view.get(NDArrayIndex.interval(offset + start * elements, offset + end * elements));
    }

    private void checkHeader() {
        if (header <= 0) {
            return;
        }
        INDArray stored = view.get(NDArrayIndex.interval(0, header));
        ByteBuffer bits = ByteBuffer.wrap(stored.dup().data().asBytes());
        ByteBuffer canaries = ByteBuffer.allocate(bits.capacity()).order(ByteOrder.nativeOrder());
        boolean fresh = true;
        boolean intact = header % HEADER_OF_A_VARIABLE == 0;
        for (int i = 0; i < header; i++) {
            short element = bits.getShort(Short.BYTES * i);
            fresh &= element == 0;
            intact &= element == canary(i);
            canaries.putShort(Short.BYTES * i, canary(i));
        }
        if (fresh) {
            stored.assign(Nd4j.create(Nd4j.createBuffer(canaries, DataType.BFLOAT16, (int) header)));
        } else if (!intact) {
            throw new IllegalStateException("The updater state of " + parameters + " parameters under weightWrite"
                    + " MASTER has been changed by arithmetic, a cast or a rearrangement, and its FP32 values are lost:"
                    + " MASTER bears neither parameter averaging nor convertDataType; use weightWrite STOCHASTIC there,"
                    + " or start the updater afresh with network.setUpdater(null)");
        }
    }

    private short canary(long i) {
        return switch ((int) (i % HEADER_OF_A_VARIABLE)) {
            case 0 -> (short) 0x0001;
            case 1 -> (short) 0x8000;
            case 2 -> (short) 0xFFFF;
            case 3 -> (short) 0x7FC1;
            default -> signallingNan(i);
        };
    }

    /** Sign and six fraction bits from a hash; never infinity, never quiet. */
    private short signallingNan(long i) {
        long hash = (parameters * 0x9E3779B97F4A7C15L + i) * 0xBF58476D1CE4E5B9L;
        hash ^= hash >>> 31;
        return (short) (0x7F80 | hash & 0x8000 | 1 + Long.remainderUnsigned(hash >>> 16, 63));
    }
}
