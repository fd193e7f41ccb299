package org.dl4jsr.kernel.cpu;

import org.bytedeco.javacpp.BytePointer;
import org.dl4jsr.kernel.Memory;
import org.dl4jsr.kernel.Pointers;
import org.dl4jsr.kernel.composed.GrowingMemory;

/**
 * Off-heap memory that grows to what was asked for at most and is used again and again by one thread. It starts at a
 * multiple of {@value Memory#ALIGNMENT} bytes.
 */
public final class Scratch implements GrowingMemory {

    private BytePointer memory;
    private long capacity;

    @Override
    public long reserve(long bytes) {
        if (memory == null || capacity < bytes) {
            if (memory != null) {
                memory.close();
            }
            try (var scope = Pointers.scope()) { // not of a scope of the caller's, which would free it
                memory = new BytePointer(bytes + Memory.ALIGNMENT - 1).retainReference();
            }
            capacity = bytes;
        }
        return Memory.aligned(memory.address());
    }
}
