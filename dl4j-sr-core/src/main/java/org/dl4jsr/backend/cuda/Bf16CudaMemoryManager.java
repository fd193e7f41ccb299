package org.dl4jsr.backend.cuda;

import org.dl4jsr.backend.ExactSums;
import org.nd4j.jita.memory.CudaMemoryManager;
import org.nd4j.linalg.api.buffer.DataBuffer;

/** nd4j-cuda's memory manager, whose copies of arrays from one workspace to another keep the sums behind them. */
public final class Bf16CudaMemoryManager extends CudaMemoryManager {

    @Override
    public void memcpy(DataBuffer target, DataBuffer source) {
        super.memcpy(target, source);
        ExactSums.copied(source, target);
    }
}
