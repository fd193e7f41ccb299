package org.dl4jsr.backend.unified;

import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.indexer.Indexer;
import org.dl4jsr.kernel.cuda.UnifiedMemory;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.cpu.nativecpu.buffer.IntBuffer;

/**
 * An INT32 buffer that the GPU only reads, ids as a rule. The CPU may read it at any time, and write to it as long as no
 * kernel has been given it. A large one waits for the GPU, as does one in a workspace, whose memory the GPU may still use
 * for an array that was there before.
 */
final class UnifiedIntBuffer extends IntBuffer {

    private boolean given;

    UnifiedIntBuffer(long length, boolean initialize) {
        super(length, initialize);
    }

    UnifiedIntBuffer(long length, boolean initialize, MemoryWorkspace workspace) {
        super(length, initialize, workspace);
    }

    /** A view. */
    UnifiedIntBuffer(DataBuffer underlying, long length, long offset) {
        super(underlying, length, offset);
    }

    /** Memory of another buffer. */
    UnifiedIntBuffer(Pointer memory, Indexer indexer, long length) {
        super(memory, indexer, length);
    }

    @Override
    protected void setIndexer(Indexer indexer) {
        pointer = WaitingPointers.over(pointer);
        super.setIndexer(indexer == null ? null : new WaitingIndexers.Integers((IntPointer) indexer.pointer(), this));
    }

    /** Says that a kernel is given this buffer. */
    void give() {
        root().given = true;
    }

    void awaitToRead() {
        UnifiedIntBuffer root = root();
        if (root.isAttached() || root.length() * Integer.BYTES > UnifiedMemory.LARGEST_FOR_READING) {
            UnifiedDevice.INSTANCE.await();
        }
    }

    void awaitToWrite() {
        if (root().given) {
            UnifiedDevice.INSTANCE.await();
        } else {
            awaitToRead();
        }
    }

    private UnifiedIntBuffer root() {
        return originalDataBuffer() instanceof UnifiedIntBuffer original ? original : this;
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
        return new UnifiedIntBuffer(length, true);
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
