package org.dl4jsr.backend;

import org.dl4jsr.op.Device;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What an updater still has to do with a gradient, although it has been asked for the update already: DL4J shows the
 * weights only afterwards, in {@code parameters.subi(update)}.
 */
public interface PendingStep {

    /**
     * Carries out {@code parameters -= update} for all of {@code gradient}; called once, instead of the subtraction and
     * after the step has left {@link PendingSteps}.
     *
     * @param device where the subtraction would run
     * @param parameters first operand and result of the subtraction
     * @param gradient second operand; may be larger than what this step owns
     */
    void take(Device device, INDArray parameters, INDArray gradient);

    /**
     * Called before any other op whose operand or result lies in the gradient's buffer.
     *
     * @throws IllegalStateException if {@code array} overlaps a range that is still to be written: the op would see a
     *         gradient where it expects an update. The step is given up then.
     */
    void foreignUse(String op, INDArray array);
}
