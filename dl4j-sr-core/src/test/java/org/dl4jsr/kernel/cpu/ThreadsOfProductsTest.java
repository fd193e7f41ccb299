package org.dl4jsr.kernel.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.Matmul;
import org.dl4jsr.kernel.StridedArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;

/** How many threads a product takes; counted by the name that OpenMP's threads inherit on Linux. */
@EnabledIf("countsThreads")
class ThreadsOfProductsTest {

    private static final Path TASKS = Path.of("/proc/self/task");

    private final Matmul matmul = CpuKernels.ofLevel(null, 2).matmul();

    static boolean countsThreads() {
        return Files.exists(TASKS) && CpuKernels.ofLevel(null, 0).kernels() instanceof NativeKernels;
    }

    @Test
    void smallProductsTakeOneThread() throws Exception {
        assertEquals(1, threads("row", 1, 256, 1024));
        assertEquals(1, threads("small", 32, 256, 256));
    }

    @Test
    void largeProductsTakeAll() throws Exception {
        assertTrue(threads("large", 512, 512, 512) > 1);
    }

    @Test
    void othersKeepTheirThreads() {
        int before = NativeLibrary.setThreads(3);
        try {
            multiply(1, 256, 1024);
            assertEquals(3, NativeLibrary.setThreads(3));
        } finally {
            NativeLibrary.setThreads(before);
        }
    }

    /** The threads of this name that there are once a new one, to which OpenMP gives two, has multiplied. */
    private long threads(String name, int rows, int inner, int columns) throws Exception {
        var thread = Executors.newSingleThreadExecutor(task -> new Thread(task, name));
        try {
            Callable<Long> product = () -> {
                NativeLibrary.setThreads(2);
                multiply(rows, inner, columns);
                return count(name);
            };
            return thread.submit(product).get();
        } finally {
            thread.shutdown();
        }
    }

    private void multiply(int rows, int inner, int columns) {
        long[] lengths = {(long) rows * inner, (long) inner * columns, (long) rows * columns};
        try (var memory = new BytePointer(2 * (lengths[0] + lengths[1] + lengths[2]))) {
            Pointer.memset(memory, 0, memory.capacity());
            long address = memory.address();
            matmul.multiply(
                    matrix(address, rows, inner),
                    matrix(address + 2 * lengths[0], inner, columns),
                    matrix(address + 2 * (lengths[0] + lengths[1]), rows, columns));
        }
    }

    private static StridedArray matrix(long address, int rows, int columns) {
        return new StridedArray(FloatType.BFLOAT16, address, new long[] {rows, columns}, new long[] {columns, 1});
    }

    private static long count(String name) throws IOException {
        try (var tasks = Files.list(TASKS)) {
            return tasks.filter(task -> name(task).equals(name)).count();
        }
    }

    private static String name(Path task) {
        try {
            return Files.readString(task.resolve("comm")).strip();
        } catch (NoSuchFileException e) {
            return ""; // it has ended
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
