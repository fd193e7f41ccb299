package org.dl4jsr.backend;

import java.util.List;
import java.util.Map;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.Kernels;
import org.dl4jsr.op.Device;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.shade.guava.collect.MapMaker;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The updates that DL4J's optimizers subtract from BF16 parameters where no updater of dl4j-sr has a part in the network
 * (one that was fine-tuned with {@code Adam}, say): nearest rounding would lose the small ones. They are rounded
 * stochastically, and a warning says once a network what to use instead, since such an updater's own state still is
 * rounded to nearest. The random bits are a function of update and parameters alone.
 */
final class ForeignUpdates {

    private static final Logger LOG = LoggerFactory.getLogger(ForeignUpdates.class);

    private static final Map<DataBuffer, Boolean> WARNED =
            new MapMaker().weakKeys().makeMap();

    private ForeignUpdates() {}

    /** Carries the op out if it is such a subtraction, and returns whether it is. */
    static boolean take(Device device, String op, List<INDArray> inputs, List<INDArray> outputs) {
        if (!op.equals("subtract") || inputs.size() != 2 || outputs.size() != 1) {
            return false;
        }
        INDArray parameters = inputs.get(0);
        INDArray update = inputs.get(1);
        boolean inPlace = Bf16Arrays.isBFloat16(parameters)
                && Bf16Arrays.isBFloat16(update)
                && !parameters.isEmpty()
                && parameters.length() == update.length()
                && Bf16Arrays.sameMemory(device, parameters, outputs.get(0))
                && isFlat(parameters)
                && isFlat(update);
        if (!inPlace || !isOfAnOptimizer()) {
            return false;
        }
        if (WARNED.put(Bf16Arrays.root(parameters), true) == null) {
            LOG.warn("A BF16 network trains with DL4J's own updaters: its weights are rounded stochastically, but the"
                    + " updaters' state to nearest, which stalls. Use SrAdam, or StochasticallyRounded, or"
                    + " Bf16Policy.SR.convert(network), which sets them");
        }
        subtract(device, parameters, update);
        return true;
    }

    private static boolean isFlat(INDArray array) {
        return array.rank() <= 2 && array.isVectorOrScalar() && array.stride(array.rank() - 1) == 1;
    }

    /**
     * Whether the code that runs the op is an optimizer's, and not a layer's that an optimizer has called, or that of an
     * updater of dl4j-sr, which runs within the optimizer's own op.
     */
    private static boolean isOfAnOptimizer() {
        return CallStack.innermostOf("org.deeplearning4j.", "org.dl4jsr.updater.")
                .filter(name -> name.startsWith("org.deeplearning4j.optimize."))
                .isPresent();
    }

    private static void subtract(Device device, INDArray parameters, INDArray update) {
        Kernels kernels = device.kernels();
        long length = parameters.length();
        double digest = kernels.sumOfSquares(FloatType.BFLOAT16, device.address(update), length)
                + Math.PI * kernels.sumOfSquares(FloatType.BFLOAT16, device.address(parameters), length);
        kernels.stochasticSubtract(
                device.address(parameters),
                FloatType.BFLOAT16,
                device.address(update),
                length,
                Double.doubleToLongBits(digest),
                0,
                0);
        device.written(List.of(parameters));
    }
}
