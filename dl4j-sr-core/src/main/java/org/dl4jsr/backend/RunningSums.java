package org.dl4jsr.backend;

import java.util.Collections;
import java.util.List;
import java.util.Set;
import org.dl4jsr.op.Device;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.broadcast.BroadcastMulOp;
import org.nd4j.linalg.api.ops.impl.transforms.pairwise.arithmetic.MulOp;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.shade.guava.collect.MapMaker;

/**
 * Which activations and their gradients are sums over time or over vertices, and how their {@link ExactSums} are carried
 * on: the cell state of an LSTM, from one time step to the next, is copied, multiplied by the forget gate and added to.
 */
final class RunningSums {

    private static final String NETWORKS = "org.deeplearning4j.nn.";

    /** Adds a term to its state and to that one's gradient at each time step. */
    private static final String STATE = NETWORKS + "layers.recurrent.LSTMHelpers";

    /** Add up a vertex's inputs, and the gradients from all that it feeds. */
    private static final Set<String> VERTICES =
            Set.of(NETWORKS + "graph.vertex.impl.ElementWiseVertex", NETWORKS + "graph.ComputationGraph");

    /** Ops that only read them. */
    static final Set<String> KEPT_BY = Set.of("multiply", "add", "assign");

    /** Allocations with sums over vertices. */
    private static final Set<DataBuffer> ADDED_TO =
            Collections.newSetFromMap(new MapMaker().weakKeys().makeMap());

    private RunningSums() {}

    /**
     * Whether {@code target}, which an op adds to in place, is one; to be asked while the op runs. A sum over vertices is
     * one from its third term on: most have two.
     */
    static boolean isOne(INDArray target) {
        String owner = CallStack.innermostOf(NETWORKS).orElse("");
        return owner.equals(STATE) || VERTICES.contains(owner) && !ADDED_TO.add(Bf16Arrays.root(target));
    }

    /** Whether {@code multiply} of these is one in place that a sum has a part in. */
    static boolean isScaling(Device device, List<INDArray> inputs, List<INDArray> outputs) {
        if (ExactSums.isEmpty() || inputs.size() != 2 || outputs.size() != 1) {
            return false;
        }
        INDArray factor = inputs.get(1);
        INDArray target = outputs.get(0);
        return Bf16Arrays.isBFloat16(target)
                && Bf16Arrays.isBFloat16(factor)
                && factor.equalShapes(target)
                && Bf16Arrays.sameMemory(device, inputs.get(0), target)
                && ExactSums.isSummable(target)
                && (ExactSums.isKnown(target) || ExactSums.isKnown(factor));
    }

    /** target *= factor, of the same shape; the product is a sum from now on. */
    static void scale(Device device, INDArray target, INDArray factor) {
        ExactSums.accumulate(device, target, sum -> {
            ExactSums.with(device, factor, wide -> Nd4j.exec(new MulOp(sum, wide, sum)));
            return true;
        });
    }

    /** target *= factor along {@code dimensions}, as a mask does, if a sum is behind target. */
    static boolean mask(Device device, INDArray x, INDArray factor, INDArray target, int[] dimensions) {
        boolean applies = ExactSums.isSummable(target)
                && Bf16Arrays.isCastable(factor)
                && Bf16Arrays.sameMemory(device, x, target)
                && ExactSums.isKnown(target);
        return applies
                && ExactSums.accumulate(device, target, sum -> {
                    ExactSums.with(device, factor, wide -> Nd4j.exec(new BroadcastMulOp(sum, wide, sum, dimensions)));
                    return true;
                });
    }

    /** The sum behind {@code source}, if there is one, is behind {@code target} from now on, too: a copy of it. */
    static void copied(Device device, INDArray source, INDArray target) {
        if (!ExactSums.isEmpty()
                && ExactSums.isSummable(source)
                && ExactSums.isSummable(target)
                && source.equalShapes(target)
                && ExactSums.isKnown(source)) {
            ExactSums.with(device, source, sum -> ExactSums.put(target, sum));
        }
    }
}
