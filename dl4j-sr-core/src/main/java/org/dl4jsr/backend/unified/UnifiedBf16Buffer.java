package org.dl4jsr.backend.unified;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.indexer.Indexer;
import org.dl4jsr.backend.Bf16DataBuffer;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;

/** A BF16 buffer that the GPU shares: the CPU waits before it touches an element or is given an address. */
final class UnifiedBf16Buffer extends Bf16DataBuffer {

    UnifiedBf16Buffer(long length, boolean initialize) {
        super(length, initialize);
    }

    UnifiedBf16Buffer(long length, boolean initialize, MemoryWorkspace workspace) {
        super(length, initialize, workspace);
    }

    /** A view. */
    UnifiedBf16Buffer(DataBuffer underlying, long length, long offset) {
        super(underlying, length, offset);
    }

    /** Memory of another buffer. */
    UnifiedBf16Buffer(Pointer memory, Indexer indexer, long length) {
        super(memory, indexer, length);
    }

    @Override
    protected void setIndexer(Indexer indexer) {
        pointer = WaitingPointers.over(pointer);
        super.setIndexer(WaitingIndexers.over(indexer));
    }

    /** ND4J gives the new memory an indexer of its own. */
    @Override
    public DataBuffer reallocate(long length) {
        UnifiedDevice.INSTANCE.await();
        DataBuffer reallocated = super.reallocate(length);
        setIndexer(indexer);
        return reallocated;
    }

    /** Zero already: all memory of buffers is, and a workspace fills it itself. */
    @Override
    protected void fillPointerWithZero() {}

    @Override
    public Pointer addressPointer() {
        UnifiedDevice.INSTANCE.await();
        return super.addressPointer();
    }

    @Override
    public void write(DataOutputStream out) throws IOException {
        UnifiedDevice.INSTANCE.await();
        super.write(out);
    }

    @Override
    protected void readContent(DataInputStream in, DataType sourceType, DataType thisType) {
        UnifiedDevice.INSTANCE.await();
        super.readContent(in, sourceType, thisType);
    }

    @Override
    protected DataBuffer create(long length) {
        return new UnifiedBf16Buffer(length, true);
    }
}
