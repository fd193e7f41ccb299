package org.dl4jsr.backend;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;
import org.bytedeco.javacpp.ShortPointer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.profiler.OpProfiler;
import org.nd4j.linalg.profiler.ProfilerConfig;

/**
 * Functions of one BF16 value as tables over all 65,536 of them, computed once by ND4J's FLOAT code. So each function
 * that ND4J knows is as fast as any other, and keeps its bits.
 */
final class FunctionTables {

    private static final int VALUES = 0x10000;
    /** Of 128 or 256 KiB each; functions beyond have none. */
    private static final int MOST = 64;

    private record Key(String op, List<Double> arguments) {}

    private final Map<Key, INDArray> tables = new ConcurrentHashMap<>();

    /**
     * The table of the op's function.
     *
     * @param arguments what the function depends on beside its variable
     * @param type of the table's values; BFLOAT16 rounds them to nearest even
     * @param function takes all BF16 values as FLOAT, and returns a FLOAT array of its own
     * @return null where there is none: too many functions, or ND4J watches for NaN, which the function of NaN is
     */
    INDArray get(String op, List<Double> arguments, DataType type, UnaryOperator<INDArray> function) {
        var key = new Key(op, arguments);
        INDArray table = tables.get(key);
        if (table == null && tables.size() < MOST && !watchesValues()) {
            table = tables.computeIfAbsent(key, ignored -> compute(type, function));
        }
        return table;
    }

    private static boolean watchesValues() {
        ProfilerConfig config = OpProfiler.getInstance().getConfig();
        return config != null && (config.isCheckForNAN() || config.isCheckForINF());
    }

    private static INDArray compute(DataType type, UnaryOperator<INDArray> function) {
        try (MemoryWorkspace none = Nd4j.getMemoryManager().scopeOutOfWorkspaces();
                INDArray bits = Nd4j.createUninitialized(DataType.BFLOAT16, VALUES)) {
            var pointer = new ShortPointer(bits.data().addressPointer());
            for (int i = 0; i < VALUES; i++) {
                pointer.put(i, (short) i);
            }
            try (INDArray values = bits.castTo(DataType.FLOAT)) {
                INDArray results = function.apply(values);
                if (type == DataType.FLOAT) {
                    return results;
                }
                INDArray rounded = results.castTo(type);
                results.close();
                return rounded;
            }
        }
    }
}
