package org.dl4jsr.kernel.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.dl4jsr.kernel.Memory;
import org.dl4jsr.kernel.Pointers;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;

/** Blocks on a fake GPU that can give 64 MiB. */
@EnabledIf(value = "org.dl4jsr.kernel.cuda.FakeCuda#canBeBuilt", disabledReason = "needs g++ on Linux x86-64")
class UnifiedMemoryTest {

    private static final long MIB = 1 << 20;
    private static final long RESERVE = 512 * MIB;
    private static final long LIMIT = 64 * MIB;

    private CudaStream stream;
    private UnifiedMemory memory;
    private final ArrayList<Long> blocks = new ArrayList<>();

    @BeforeEach
    void load() {
        FakeCuda.load();
        stream = new CudaStream(CudaDevice.of(0));
        long taken = (8L << 30) - stream.device().freeMemory(); // by other tests
        FakeCuda.setMemory(taken + RESERVE + LIMIT);
        memory = new UnifiedMemory(stream);
    }

    @AfterEach
    void giveBack() {
        blocks.forEach(memory::free);
        FakeCuda.setMemory(8L << 30);
    }

    private long take(long bytes) {
        long address = memory.allocate(bytes, true);
        blocks.add(address);
        return address;
    }

    private void free(long address) {
        blocks.remove(address);
        memory.free(address);
    }

    @Test
    void blocksAreAlignedZeroAndTheGpus() {
        for (long bytes : new long[] {1, 2, 64, 65, 1000, 4096, 512 << 10, (512 << 10) + 1, 3 * MIB}) {
            long address = take(bytes);
            assertEquals(0, address % Memory.ALIGNMENT);
            stream.await();
            assertEquals(0, Pointer.memcmp(Pointers.at(address), new BytePointer(new byte[(int) bytes]), bytes));
            assertTrue(memory.contains(address));
            assertTrue(memory.contains(address + bytes - 1));
            long other = memory.allocateForReading(bytes, true);
            blocks.add(other);
            assertTrue(memory.contains(other + bytes - 1));
        }
        assertFalse(memory.contains(0));
        assertFalse(memory.contains(Memory.ALIGNMENT));
    }

    @Test
    void aSmallBlockIsUsedAgainOnceTheWorkGivenBeforeIsDone() {
        stream.await();
        long address = take(1000);
        memory.copy(address, address + 500, 500);
        free(address);
        assertNotEquals(address, take(1000));
        stream.await();
        assertEquals(address, take(1000));
    }

    @Test
    void aLargeBlockIsUsedAgainAfterAWait() {
        long address = take(MIB);
        stream.await();
        memory.copy(address, address + 500, 500);
        free(address);
        long waits = FakeCuda.waits();
        blocks.add(memory.allocate(MIB, false));
        assertEquals(address, blocks.get(0));
        assertEquals(waits + 1, FakeCuda.waits());
    }

    @Test
    void valuesAreReadBeforeLaterWorkIsDone() {
        long values = take(MIB);
        stream.await();
        for (int i = 0; i < 100; i++) {
            Memory.putFloat(values + Float.BYTES * i, i / 3f);
        }
        EarlyReading reading = read(values, 100);
        memory.zero(values, MIB);
        long waits = FakeCuda.waits();
        float[] read = reading.values();
        assertEquals(100, read.length);
        for (int i = 0; i < 100; i++) {
            assertEquals(i / 3f, read[i]);
        }
        assertEquals(waits, FakeCuda.waits());
        assertTrue(stream.isBusy());
        EarlyReading failing = read(values, 100);
        FakeCuda.fail("cuEventSynchronize", 700);
        String message = assertThrows(CudaException.class, failing::values).getMessage();
        assertTrue(message.contains("cuEventSynchronize") && message.contains("CUDA_ERROR_ILLEGAL_ADDRESS"), message);
    }

    private EarlyReading read(long values, int length) {
        return memory.read(length, block -> memory.copy(values, block, (long) Float.BYTES * length));
    }

    /** Else a training that asks for a loss at each step, or never, would take more of the host's memory with each. */
    @Test
    void readingsGiveTheirMemoryBack() throws InterruptedException {
        long values = take(1000);
        long block = memory.allocateForReading(1000, false);
        memory.free(block);
        stream.await();
        read(values, 250).values();
        stream.await();
        assertEquals(block, memory.allocateForReading(1000, false));
        memory.free(block);
        stream.await();
        read(values, 250); // takes the block, and nobody asks
        long next = 0;
        for (int i = 0; next != block && i < 100; i++) {
            System.gc();
            Thread.sleep(10);
            stream.await();
            next = memory.allocateForReading(1000, false);
            blocks.add(next);
        }
        assertEquals(block, next);
    }

    @Test
    void moreThanThereIsIsRefusedAndChangesNothing() {
        long first = take(40 * MIB);
        assertEquals(24 * MIB, memory.left());
        var error = assertThrows(OutOfMemoryError.class, () -> memory.allocate(25 * MIB, true));
        assertTrue(
                error.getMessage().contains("has 25165824 bytes left of 67108864, and 27262976 are needed"),
                error::getMessage);
        assertEquals(24 * MIB, memory.left());
        take(24 * MIB);
        assertEquals(0, memory.left());
        take(1000); // of the host's memory
        free(first);
        take(40 * MIB);
    }

    @Test
    void scratchBeyondTheReserveCounts() {
        try (var scratch = new DeviceMemory(stream, 20 * MIB)) {
            assertEquals(LIMIT, memory.left());
        }
        FakeCuda.setMemory(8L << 30);
        try (var scratch =
                new DeviceMemory(stream, RESERVE + 20 * MIB - stream.device().scratch())) {
            assertEquals(LIMIT - 20 * MIB, memory.left());
            assertThrows(OutOfMemoryError.class, () -> memory.allocate(50 * MIB, true));
        }
        take(50 * MIB);
    }

    @Test
    void unusedBlocksOfOtherSizesGoBackToTheDriver() {
        long first = take(40 * MIB);
        free(first);
        assertEquals(LIMIT, memory.left());
        long second = take(50 * MIB);
        assertTrue(memory.contains(second));
        assertTrue(memory.contains(second + 50 * MIB - 1));
    }

    @Test
    void aBlockComesBackOnce() {
        long address = memory.allocate(10, false);
        memory.free(address);
        var error = assertThrows(IllegalArgumentException.class, () -> memory.free(address));
        assertTrue(error.getMessage().startsWith("No block of unified memory at 0x"), error::getMessage);
    }

    @Test
    void anErrorOfTheWorkNamesIt() {
        long address = take(1000);
        memory.copy(address, address + 500, 500);
        FakeCuda.fail("cuStreamSynchronize", 700);
        var error = assertThrows(CudaException.class, stream::await);
        assertTrue(error.getMessage().contains("copy (CUDA_LAUNCH_BLOCKING=1"), error::getMessage);
        assertTrue(error.getMessage().contains("CUDA_ERROR_ILLEGAL_ADDRESS (700)"), error::getMessage);
    }
}
