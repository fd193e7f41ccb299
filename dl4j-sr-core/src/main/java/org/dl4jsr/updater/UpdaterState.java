package org.dl4jsr.updater;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.dl4jsr.backend.CallStack;
import org.dl4jsr.rounding.WeightWrite;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Where a fused updater's moments and the compensation or master weights of one block of n parameters lie in the view
 * that DL4J keeps for it: one array of n after the other, or, where {@link WeightWrite#hasFp32State}, behind a header
 * and with the bits of one FP32 value in two BF16 elements each.
 *
 * <p>The header is a canary: a pattern, a function of n, of the BF16 values that arithmetic and careless casts change,
 * signalling and quiet NaNs, negative zero and a subnormal. An all-zero header is fresh state. A block with one is that
 * of a single variable: DL4J cuts and joins blocks when the learning rate of a layer is set, and would cut it apart.
 */
final class UpdaterState {

    private static final int HEADER = 16;

    private final INDArray view;
    private final long parameters;
    private final int moments;
    private final boolean extra;
    private final int elements;
    private final long header;

    /**
     * @param view the block's updater state
     * @param parameters n
     * @throws IllegalStateException if the view does not hold the state of so many parameters
     */
    UpdaterState(INDArray view, FusedUpdater config, long parameters) {
        WeightWrite write = config.getWeightWrite();
        boolean bf16 = view.dataType() == DataType.BFLOAT16;
        boolean fp32InBf16 = hasHeader(view.dataType(), config);
        this.view = view;
        this.parameters = parameters;
        moments = config.moments();
        extra = bf16 && write.hasExtra();
        elements = fp32InBf16 ? 2 : 1;
        header = view.length() - arrays() * parameters * elements;
        if (header != (fp32InBf16 ? HEADER : 0)) {
            throw new IllegalStateException("The updater state has " + view.length() + " elements, expected "
                    + size(config, parameters) + " for " + parameters + " parameters of " + config);
        }
    }

    /** The same, its header checked. */
    static UpdaterState checked(INDArray view, FusedUpdater config, long parameters) {
        var state = new UpdaterState(view, config, parameters);
        new Headers(List.of(state)).check();
        return state;
    }

    /** Elements of updater state that a variable of {@code parameters} parameters needs in a BF16 network. */
    static long size(FusedUpdater config, long parameters) {
        WeightWrite write = config.getWeightWrite();
        long arrays = (long) config.moments() + (write.hasExtra() ? 1 : 0);
        return write.hasFp32State() && parameters > 0 ? HEADER + 2 * arrays * parameters : arrays * parameters;
    }

    /** Whether DL4J asks right now which variables have equal updaters, to keep their state in one block. */
    static boolean isAskedForBlocks() {
        return CallStack.innermostOf("org.deeplearning4j.")
                .filter("org.deeplearning4j.nn.updater.UpdaterUtils"::equals)
                .isPresent();
    }

    /** The moments, and the compensations or master weights where there are any. */
    int arrays() {
        return moments + (extra ? 1 : 0);
    }

    /** Elements of the view for a value. */
    int elements() {
        return elements;
    }

    /** The values of one array for the block's parameters from {@code start} to {@code end}, a view. */
    INDArray part(int array, long start, long end) {
        long first = header + array * parameters * elements;
        return view.get(NDArrayIndex.interval(first + start * elements, first + end * elements));
    }

    /** Bytes a parameter. */
    long bytes() {
        return (long) arrays() * elements * view.dataType().width();
    }

    /**
     * The address of a moment of the block's parameter {@code start}.
     *
     * @param address of the view
     * @param moment from 0
     */
    long moment(long address, int moment, long start) {
        return address
                + (header + (moment * parameters + start) * elements)
                        * view.dataType().width();
    }

    /** The address of the compensation or master weight of the block's parameter {@code start}; 0 if there is none. */
    long extra(long address, long start) {
        return extra ? moment(address, moments, start) : 0;
    }

    /** Whether FP32 values lie behind a header in a network of {@code type}. */
    static boolean hasHeader(DataType type, FusedUpdater config) {
        return type == DataType.BFLOAT16 && config.getWeightWrite().hasFp32State();
    }

    /** The header of the state of so many parameters, [16]. */
    static INDArray header(long parameters) {
        ByteBuffer canaries = ByteBuffer.allocate(HEADER * Short.BYTES).order(ByteOrder.nativeOrder());
        for (int i = 0; i < HEADER; i++) {
            canaries.putShort(Short.BYTES * i, canary(parameters, i));
        }
        return Nd4j.create(Nd4j.createBuffer(canaries, DataType.BFLOAT16, HEADER));
    }

    /**
     * The headers of some states, copied to one place when this is made, since a GPU is waited for at each reading: not at
     * all if that has been done between the copying and the check.
     */
    static final class Headers {

        private final List<UpdaterState> headed;
        private final INDArray copies;

        Headers(List<UpdaterState> states) {
            headed = states.stream().filter(state -> state.header > 0).toList();
            copies = headed.isEmpty() ? null : Nd4j.createUninitialized(DataType.BFLOAT16, headed.size(), HEADER);
            for (int i = 0; i < headed.size(); i++) {
                copies.getRow(i).assign(headed.get(i).header());
            }
        }

        /**
         * Writes the headers of fresh states.
         *
         * @throws IllegalStateException if the header of one has been tampered with
         */
        void check() {
            if (!headed.isEmpty()) {
                ByteBuffer bits = ByteBuffer.wrap(copies.data().asBytes());
                headed.forEach(state -> state.checkHeader(bits));
            }
        }
    }

    private INDArray header() {
        return view.get(NDArrayIndex.interval(0, header));
    }

    private void checkHeader(ByteBuffer bits) {
        boolean fresh = true;
        boolean intact = true;
        for (int i = 0; i < HEADER; i++) {
            short element = bits.getShort();
            fresh &= element == 0;
            intact &= element == canary(parameters, i);
        }
        if (fresh) {
            header().assign(header(parameters));
        } else if (!intact) {
            throw new IllegalStateException("The updater state of " + parameters + " parameters under weightWrite"
                    + " MASTER has been changed by arithmetic, a cast or a rearrangement, and its FP32 values are lost:"
                    + " MASTER bears neither parameter averaging nor convertDataType; use weightWrite STOCHASTIC there,"
                    + " or start the updater afresh with network.setUpdater(null)");
        }
    }

    private static short canary(long parameters, int i) {
        return switch (i) {
            case 0 -> (short) 0x0001;
            case 1 -> (short) 0x8000;
            case 2 -> (short) 0xFFFF;
            case 3 -> (short) 0x7FC1;
            default -> signallingNan(parameters, i);
        };
    }

    /** Sign and six fraction bits from a hash; never infinity, never quiet. */
    private static short signallingNan(long parameters, int i) {
        long hash = (parameters * 0x9E3779B97F4A7C15L + i) * 0xBF58476D1CE4E5B9L;
        hash ^= hash >>> 31;
        return (short) (0x7F80 | hash & 0x8000 | 1 + Long.remainderUnsigned(hash >>> 16, 63));
    }
}
