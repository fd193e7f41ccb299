package org.dl4jsr.backend;

import java.util.IdentityHashMap;
import java.util.List;
import org.dl4jsr.op.Device;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The pending {@link PendingStep}s of the process, at most one a gradient buffer. Updaters register them; the executioner
 * calls {@link #intercept} before each op, whatever its type. Several networks may train at the same time.
 */
public final class PendingSteps {

    /** Never modified once published, so that reading needs no lock. By identity: DataBuffer.equals reads contents. */
    private static volatile IdentityHashMap<DataBuffer, PendingStep> pending = new IdentityHashMap<>();

    private PendingSteps() {}

    /** Whether nothing is pending; a single volatile read, to be asked before {@link #intercept}. */
    public static boolean isEmpty() {
        return pending.isEmpty();
    }

    /** The step pending on the buffer that {@code gradient} lies in, or null. */
    public static PendingStep get(INDArray gradient) {
        return pending.get(Bf16Arrays.root(gradient));
    }

    /** Makes {@code step} pending on the buffer that {@code gradient} lies in, in place of any other. */
    public static synchronized void put(INDArray gradient, PendingStep step) {
        var copy = new IdentityHashMap<DataBuffer, PendingStep>(pending);
        copy.put(Bf16Arrays.root(gradient), step);
        pending = copy;
    }

    /** Forgets the step pending on the buffer that {@code gradient} lies in. */
    public static synchronized void remove(INDArray gradient) {
        var copy = new IdentityHashMap<DataBuffer, PendingStep>(pending);
        copy.remove(Bf16Arrays.root(gradient));
        pending = copy;
    }

    /**
     * To be called before an op runs. An in-place {@code subtract} whose second operand lies in a gradient with a
     * pending step is carried out here; any other op on such a gradient is reported to
     * {@link PendingStep#foreignUse}.
     *
     * @param device where the op would run
     * @param op its name
     * @param inputs may hold nulls
     * @param outputs may hold nulls
     * @return true if the op has been carried out and must not run
     */
    public static boolean intercept(Device device, String op, List<INDArray> inputs, List<INDArray> outputs) {
        if (pending.isEmpty()) {
            return false;
        }
        if (op.equals("subtract") && inputs.size() == 2 && outputs.size() == 1) {
            INDArray parameters = inputs.get(0);
            INDArray gradient = inputs.get(1);
            PendingStep step = pendingOn(gradient);
            if (step != null && pendingOn(parameters) != step && sameMemory(parameters, outputs.get(0))) {
                remove(gradient);
                step.take(device, parameters, gradient);
                return true;
            }
        }
        report(op, inputs);
        report(op, outputs);
        return false;
    }

    private static void report(String op, List<INDArray> arrays) {
        for (INDArray array : arrays) {
            PendingStep step = pendingOn(array);
            if (step != null) {
                try {
                    step.foreignUse(op, array);
                } catch (IllegalStateException e) {
                    remove(array);
                    throw e;
                }
            }
        }
    }

    private static PendingStep pendingOn(INDArray array) {
        return array == null || array.isEmpty() ? null : pending.get(Bf16Arrays.root(array));
    }

    private static boolean sameMemory(INDArray a, INDArray b) {
        return a == b || b != null && Bf16Arrays.sameStretch(a, b);
    }
}
