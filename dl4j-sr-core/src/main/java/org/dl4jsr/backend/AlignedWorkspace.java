package org.dl4jsr.backend;

import org.dl4jsr.kernel.Memory;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.conf.WorkspaceConfiguration;
import org.nd4j.linalg.api.memory.enums.MemoryKind;
import org.nd4j.linalg.api.memory.pointers.PagedPointer;
import org.nd4j.linalg.cpu.nativecpu.workspace.CpuWorkspace;

/** A workspace of ND4J's whose arrays start at multiples of 64 bytes; ND4J's own lie at multiples of 32. */
public class AlignedWorkspace extends CpuWorkspace {

    /** As ND4J's. */
    protected AlignedWorkspace(WorkspaceConfiguration configuration, String id, int device) {
        super(configuration, id, device);
    }

    @Override
    public PagedPointer alloc(long bytes, MemoryKind kind, DataType type, boolean initialize) {
        long rounded = Memory.aligned(bytes);
        boolean fits = getPrimaryOffset() + rounded <= getCurrentSize();
        boolean exact = !fits && getPrimaryOffset() + bytes <= getCurrentSize(); // the last array of a full workspace
        return super.alloc(exact ? bytes : rounded, kind, type, initialize);
    }
}
