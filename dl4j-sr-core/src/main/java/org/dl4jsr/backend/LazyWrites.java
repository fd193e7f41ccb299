package org.dl4jsr.backend;

import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The pending {@link LazyWrite}s of the process, at most one a gradient buffer. Updaters register them; the executioner
 * calls {@link #intercept} before each op, whatever its type. Several networks may train at the same time.
 */
public final class LazyWrites {

    /** Never modified once published, so that reading needs no lock. By identity: DataBuffer.equals reads contents. */
    private static volatile Map<DataBuffer, LazyWrite> pending = new IdentityHashMap<>();

    private LazyWrites() {}

    /** Whether nothing is pending; a single volatile read, to be asked before {@link #intercept}. */
    public static boolean isEmpty() {
        return pending.isEmpty();
    }

    /** The write pending on the buffer that {@code gradient} lies in, or null. */
    public static LazyWrite get(INDArray gradient) {
        return pending.get(root(gradient));
    }

    /** Makes {@code write} pending on the buffer that {@code gradient} lies in, in place of any other. */
    public static synchronized void put(INDArray gradient, LazyWrite write) {
        Map<DataBuffer, LazyWrite> copy = new IdentityHashMap<>(pending);
        copy.put(root(gradient), write);
        pending = copy;
    }

    /** Forgets the write pending on the buffer that {@code gradient} lies in. */
    public static synchronized void remove(INDArray gradient) {
        Map<DataBuffer, LazyWrite> copy = new IdentityHashMap<>(pending);
        copy.remove(root(gradient));
        pending = copy;
    }

    /**
     * To be called before an op runs. An in-place {@code subtract} whose second operand lies in a gradient with a
     * pending write is carried out here; any other op on such a gradient is reported to
     * {@link LazyWrite#foreignUse}.
     *
     * @param op name of the op
     * @param inputs may hold nulls
     * @param outputs may hold nulls
     * @return true if the op has been carried out and must not run
     */
    public static boolean intercept(String op, List<INDArray> inputs, List<INDArray> outputs) {
        if (pending.isEmpty()) {
            return false;
        }
        if (op.equals("subtract") && inputs.size() == 2 && outputs.size() == 1) {
            INDArray parameters = inputs.get(0);
            INDArray gradient = inputs.get(1);
            LazyWrite write = pendingOn(gradient);
            if (write != null && pendingOn(parameters) != write && sameMemory(parameters, outputs.get(0))) {
                remove(gradient);
                write.write(parameters, gradient);
                return true;
            }
        }
        report(op, inputs);
        report(op, outputs);
        return false;
    }

    private static void report(String op, List<INDArray> arrays) {
        for (INDArray array : arrays) {
            LazyWrite write = pendingOn(array);
            if (write != null) {
                try {
                    write.foreignUse(op, array);
                } catch (IllegalStateException e) {
                    remove(array);
                    throw e;
                }
            }
        }
    }

    private static LazyWrite pendingOn(INDArray array) {
        return array == null || array.isEmpty() ? null : pending.get(root(array));
    }

    private static boolean sameMemory(INDArray a, INDArray b) {
        return a == b || b != null && root(a) == root(b) && a.offset() == b.offset() && a.length() == b.length();
    }

    /** The buffer that all views of one allocation share: its identity. */
    public static DataBuffer root(INDArray array) {
        DataBuffer data = array.data();
        return data.originalDataBuffer() == null ? data : data.originalDataBuffer();
    }
}
