package org.dl4jsr.backend.unified;

import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.indexer.Indexer;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.cpu.nativecpu.buffer.FloatBuffer;

/** A FLOAT buffer that the GPU shares: the CPU waits before it touches an element or is given an address. */
final class UnifiedFloatBuffer extends FloatBuffer {

    UnifiedFloatBuffer(long length, boolean initialize) {
        super(length, initialize);
    }

    UnifiedFloatBuffer(long length, boolean initialize, MemoryWorkspace workspace) {
        super(length, initialize, workspace);
    }

    /** A view. */
    UnifiedFloatBuffer(DataBuffer underlying, long length, long offset) {
        super(underlying, length, offset);
    }

    /** Memory of another buffer. */
    UnifiedFloatBuffer(Pointer memory, Indexer indexer, long length) {
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
    protected DataBuffer create(long length) {
        return new UnifiedFloatBuffer(length, true);
    }

    @Override
    public DataBuffer create(double[] data) {
        DataBuffer buffer = create(data.length);
        buffer.setData(data);
        return buffer;
    }

    @Override
    public DataBuffer create(float[] data) {
        DataBuffer buffer = create(data.length);
        buffer.setData(data);
        return buffer;
    }

    @Override
    public DataBuffer create(int[] data) {
        DataBuffer buffer = create(data.length);
        buffer.setData(data);
        return buffer;
    }
}
