package org.dl4jsr.backend.unified;

import org.bytedeco.javacpp.Pointer;
import org.dl4jsr.backend.Bf16MemoryManager;
import org.dl4jsr.kernel.Pointers;
import org.nd4j.linalg.api.memory.enums.MemoryKind;

/** ND4J's memory manager, whose workspaces are filled with zeros by the GPU. ND4J creates it by name. */
public final class UnifiedMemoryManager extends Bf16MemoryManager {

    @Override
    public Pointer allocate(long bytes, MemoryKind kind, boolean initialize) {
        return Pointers.at(UnifiedNativeOps.Shared.FOR_ALL.allocate(bytes, initialize));
    }
}
