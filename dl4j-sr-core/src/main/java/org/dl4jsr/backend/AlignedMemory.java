package org.dl4jsr.backend;

import java.util.concurrent.atomic.AtomicInteger;
import org.bytedeco.javacpp.Pointer;
import org.dl4jsr.kernel.Memory;
import org.dl4jsr.kernel.Pointers;

/**
 * Blocks of off-heap memory that start at a multiple of {@value Memory#ALIGNMENT} bytes; malloc gives 16 modulo
 * 64. It puts all large blocks at the same place in their pages, where weights, gradient and the optimizer's state, read
 * and written together, can meet in the processor's first-level cache: the optimizer lost a fifth of its speed then on
 * Zen 4. So each large block starts elsewhere in its page.
 */
final class AlignedMemory implements BlockMemory {

    static final AlignedMemory INSTANCE = new AlignedMemory();

    private static final int PAGE = 4096;
    /** Bytes from which on malloc may give whole pages. */
    private static final long LARGE = 128 << 10;
    /** Bytes from the place of one large block to that of the next, so that even the twelfth is not close to the first. */
    private static final int STEP = 25 * Memory.ALIGNMENT;

    private final AtomicInteger largeBlocks = new AtomicInteger();

    private AlignedMemory() {}

    /** @throws OutOfMemoryError where there is no such memory, after the garbage collector had its chance */
    @Override
    public long allocate(long bytes, boolean zero) {
        return GarbageCollection.allocate(() -> {
            int unit = bytes < LARGE ? Memory.ALIGNMENT : PAGE;
            int place = bytes < LARGE ? 0 : Math.floorMod(largeBlocks.getAndIncrement() * STEP, PAGE);
            long size = bytes + Long.BYTES + unit - 1;
            Pointer block = zero ? Pointer.calloc(1, size) : Pointer.malloc(size);
            if (block == null || block.isNull()) {
                throw new OutOfMemoryError("Failed to allocate " + bytes + " bytes outside of Java's heap");
            }
            long first = block.address() + Long.BYTES;
            long address = first + Math.floorMod(place - first, unit);
            Memory.putLong(address - Long.BYTES, block.address()); // what free() needs
            return address;
        });
    }

    @Override
    public void free(long address) {
        Pointer.free(Pointers.at(Memory.getLong(address - Long.BYTES)));
    }
}
