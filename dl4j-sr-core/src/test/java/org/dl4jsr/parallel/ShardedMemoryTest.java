package org.dl4jsr.parallel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.nativeblas.NativeOps;
import org.nd4j.nativeblas.NativeOpsHolder;

/** The largest BF16 array that a rank has at any time of a training, from its start to the file at its end. */
@Timeout(120)
class ShardedMemoryTest {

    private static final int PARTS = 3;

    /** Bytes of the largest BF16 array that each rank has made, where the thread is one. */
    private final ThreadLocal<long[]> largest = new ThreadLocal<>();

    @TempDir
    private Path directory;

    private NativeOps library;

    @BeforeEach
    void watch() throws ReflectiveOperationException {
        Nd4j.getExecutioner(); // which makes it
        library = NativeOpsHolder.getInstance().getDeviceNativeOps();
        use((NativeOps) Proxy.newProxyInstance(
                ShardedMemoryTest.class.getClassLoader(), new Class<?>[] {NativeOps.class}, (self, method, values) -> {
                    if (method.getName().equals("allocateDataBuffer") && largest.get() != null) {
                        boolean counts = DataType.fromInt((int) values[1]) == DataType.BFLOAT16;
                        long bytes = counts ? (long) values[0] * DataType.BFLOAT16.width() : 0;
                        largest.get()[0] = Math.max(largest.get()[0], bytes);
                    }
                    try {
                        return method.invoke(library, values);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                }));
    }

    @AfterEach
    void unwatch() throws ReflectiveOperationException {
        use(library);
    }

    private static void use(NativeOps library) throws ReflectiveOperationException {
        Field field = NativeOpsHolder.class.getDeclaredField("deviceNativeOps");
        field.setAccessible(true);
        field.set(NativeOpsHolder.getInstance(), library);
    }

    /** Trains in a folder of this name; returns the bytes of each rank's largest BF16 array. */
    private List<Long> train(String folder, Tasks task, Mode mode, int ranks, int steps) throws Exception {
        var storage = new FileStorage(directory.resolve(folder));
        int attempt = Attempts.next(storage);
        return Ranks.run(ranks, collective -> {
            largest.set(new long[1]);
            new Rank(collective, storage, 2, attempt, note -> false)
                    .train(task.network(), mode, steps, PARTS, task.batches());
            return largest.get()[0];
        });
    }

    /** The state is the largest array by far where one rank has it: four bytes a parameter, weights two. */
    @Test
    void noRankHasTheWholeState() throws Exception {
        Tasks task = Tasks.deep();
        long parameters = task.network().get().numParams();
        assertTrue(train("alone", task, Mode.REPLICATED, 1, 5).get(0) >= 4 * parameters);
        var largest = new ArrayList<>(train("sharded", task, Mode.SHARDED, 3, 3)); // resumed by another number
        largest.addAll(train("sharded", task, Mode.SHARDED, 2, 5));
        for (long bytes : largest) {
            assertTrue(bytes < 3 * parameters, largest + " for " + parameters + " parameters");
        }
        assertEquals(model("alone"), model("sharded"));
    }

    private Map<String, ByteBuffer> model(String folder) throws IOException {
        return ModelFileTest.entries(
                Files.readAllBytes(directory.resolve(folder).resolve(Rank.MODEL)));
    }
}
