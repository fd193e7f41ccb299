package org.dl4jsr.kernel.composed;

/** Memory of a processor that grows to what was asked for at most and is used again and again by one thread. */
@FunctionalInterface
public interface GrowingMemory {

    /** The address of at least {@code bytes} bytes; what an earlier call returned is gone. */
    long reserve(long bytes);
}
