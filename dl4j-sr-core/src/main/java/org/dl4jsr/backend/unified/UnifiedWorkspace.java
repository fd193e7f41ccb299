package org.dl4jsr.backend.unified;

import org.bytedeco.javacpp.Pointer;
import org.dl4jsr.backend.AlignedWorkspace;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.conf.WorkspaceConfiguration;
import org.nd4j.linalg.api.memory.enums.MemoryKind;
import org.nd4j.linalg.api.memory.pointers.PagedPointer;

/** A workspace of ND4J's in unified memory. */
final class UnifiedWorkspace extends AlignedWorkspace {

    UnifiedWorkspace(WorkspaceConfiguration configuration, String id, int device) {
        super(configuration, id, device);
    }

    /** The GPU fills it with zeros; what it is not given is waited for once, here, as nobody waits for it later. */
    @Override
    public PagedPointer alloc(long bytes, MemoryKind kind, DataType type, boolean initialize) {
        PagedPointer memory = super.alloc(bytes, kind, type, false);
        boolean shared = UnifiedNativeOps.isShared(type);
        if (!shared) {
            UnifiedDevice.INSTANCE.await();
        }
        if (initialize && shared) {
            UnifiedDevice.INSTANCE.memory().zero(memory.address(), bytes);
        } else if (initialize) {
            Pointer.memset(memory, 0, bytes);
        }
        return memory;
    }
}
