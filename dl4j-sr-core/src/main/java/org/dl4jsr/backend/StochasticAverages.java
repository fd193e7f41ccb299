package org.dl4jsr.backend;

import java.util.Map;
import org.dl4jsr.op.SrAssign;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.shade.guava.collect.MapMaker;

/**
 * The arrays whose average with others of their kind ({@code Nd4j.averageAndPropagate}, by which DL4J averages the
 * replicas of a network) is rounded stochastically, and where the random bits come from. Nearest would undo most moves
 * by one ulp that only some replicas have made. The bits are the same whatever the number of replicas, and all of them
 * get the same average.
 */
public final class StochasticAverages {

    private static final Map<DataBuffer, Mark> MARKED =
            new MapMaker().weakKeys().makeMap();

    private record Mark(long seed, int step, long element) {}

    private StochasticAverages() {}

    /**
     * Marks the whole allocation that {@code array} lies in, until it is freed or marked anew.
     *
     * @param step the optimizer's last step
     * @param element of the random bits of the allocation's first value; no weight's
     */
    public static void mark(INDArray array, long seed, int step, long element) {
        MARKED.put(Bf16Arrays.root(array), new Mark(seed, step, element));
    }

    /** Writes the FLOAT {@code mean} to {@code array} if that is marked and dense, and returns whether it has. */
    static boolean assign(INDArray array, INDArray mean) {
        Mark mark = MARKED.get(Bf16Arrays.root(array));
        if (mark == null) {
            return false;
        }
        INDArray flat = flat(array);
        if (Bf16Arrays.root(flat) != Bf16Arrays.root(array)) {
            return false;
        }
        Nd4j.exec(new SrAssign(flat, flat(mean), mark.seed, mark.step, mark.element + array.offset()));
        return true;
    }

    /** A view where the elements are dense in the array's own order, else a copy. */
    private static INDArray flat(INDArray array) {
        return array.reshape(array.ordering(), new long[] {array.length()});
    }
}
