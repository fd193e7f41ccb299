package org.dl4jsr.backend;

import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.cpu.nativecpu.CpuMemoryManager;

/** ND4J's memory manager, whose copies of arrays from one workspace to another keep the sums behind them. */
public class Bf16MemoryManager extends CpuMemoryManager {

    @Override
    public void memcpy(DataBuffer target, DataBuffer source) {
        super.memcpy(target, source);
        ExactSums.copied(source, target);
    }
}
