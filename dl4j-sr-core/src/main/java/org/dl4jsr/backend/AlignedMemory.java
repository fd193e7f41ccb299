package org.dl4jsr.backend;

import org.bytedeco.javacpp.Pointer;
import org.dl4jsr.kernel.Memory;
import org.dl4jsr.kernel.Pointers;

/**
 * Blocks of off-heap memory that start at a multiple of {@value Memory#ALIGNMENT} bytes; malloc gives 16 modulo
 * 64.
 */
final class AlignedMemory implements BlockMemory {

    static final AlignedMemory INSTANCE = new AlignedMemory();

    private AlignedMemory() {}

    /** @throws OutOfMemoryError where there is no such memory, after the garbage collector had its chance */
    @Override
    public long allocate(long bytes, boolean zero) {
        return GarbageCollection.allocate(() -> {
            long size = bytes + Long.BYTES + Memory.ALIGNMENT - 1;
            Pointer block = zero ? Pointer.calloc(1, size) : Pointer.malloc(size);
            if (block == null || block.isNull()) {
                throw new OutOfMemoryError("Failed to allocate " + bytes + " bytes outside of Java's heap");
            }
            long address = Memory.aligned(block.address() + Long.BYTES);
            Memory.putLong(address - Long.BYTES, block.address()); // what free() needs
            return address;
        });
    }

    @Override
    public void free(long address) {
        Pointer.free(Pointers.at(Memory.getLong(address - Long.BYTES)));
    }
}
