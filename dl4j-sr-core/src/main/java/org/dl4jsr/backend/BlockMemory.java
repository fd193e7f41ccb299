package org.dl4jsr.backend;

import org.dl4jsr.kernel.Memory;

/** Where the blocks of ND4J's buffers and workspaces come from; each starts at a multiple of {@link Memory#ALIGNMENT}. */
public interface BlockMemory {

    /**
     * The address of a new block.
     *
     * @param zero whether it is all zero, as libnd4j's own buffers are: some of its ops write only a part of their result;
     *     else its content is undefined
     * @throws OutOfMemoryError where there is no such memory, after the garbage collector had its chance
     */
    long allocate(long bytes, boolean zero);

    /** Frees the block at {@code address}, once. */
    void free(long address);
}
