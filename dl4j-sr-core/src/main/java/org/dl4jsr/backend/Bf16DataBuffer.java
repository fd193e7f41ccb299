package org.dl4jsr.backend;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.ShortPointer;
import org.bytedeco.javacpp.indexer.Indexer;
import org.bytedeco.javacpp.indexer.ShortIndexer;
import org.dl4jsr.rounding.BFloat16;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.cpu.nativecpu.buffer.BFloat16Buffer;

/**
 * A BF16 buffer whose element writes round to nearest even (ND4J's truncate), and whose copies and serialized form keep
 * every bit: what is stored here may be halves of FP32 values.
 */
public class Bf16DataBuffer extends BFloat16Buffer {

    /** As ND4J's. */
    protected Bf16DataBuffer(long length, boolean initialize) {
        super(length, initialize);
    }

    /** In a workspace. */
    protected Bf16DataBuffer(long length, boolean initialize, MemoryWorkspace workspace) {
        super(length, initialize, workspace);
    }

    /** A view. */
    protected Bf16DataBuffer(DataBuffer underlying, long length, long offset) {
        super(underlying, length, offset);
    }

    /** Over memory of another buffer. */
    protected Bf16DataBuffer(Pointer pointer, Indexer indexer, long length) {
        super(pointer, indexer, length);
    }

    /** A copy of {@code length} elements of {@code bytes}, in native order, from element {@code offset} on. */
    Bf16DataBuffer(ByteBuffer bytes, long length, long offset) {
        super(length, false);
        Bf16Bits.copy(bytes, offset, bits(), length);
    }

    @Override
    public void put(long i, float element) {
        super.put(i, BFloat16.toFloat(BFloat16.fromFloat(element)));
    }

    @Override
    public void put(long i, double element) {
        put(i, (float) element);
    }

    @Override
    public void put(long i, int element) {
        put(i, (float) element);
    }

    @Override
    public void put(long i, long element) {
        put(i, (float) element);
    }

    @Override
    protected DataBuffer create(long length) {
        return new Bf16DataBuffer(length, true);
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

    @Override
    public DataBuffer dup() {
        DataBuffer copy = create(length());
        Pointer.memcpy(copy.addressPointer(), addressPointer(), length() * getElementSize());
        return copy;
    }

    @Override
    public void write(DataOutputStream out) throws IOException {
        Bf16Bits.write(this, bits(), out);
    }

    @Override
    protected void readContent(DataInputStream in, DataType sourceType, DataType thisType) {
        if (sourceType == DataType.BFLOAT16 && thisType == DataType.BFLOAT16) {
            Bf16Bits.read(in, bits(), length());
        } else {
            super.readContent(in, sourceType, thisType);
        }
    }

    @Override
    public byte[] asBytes() {
        return Bf16Bits.bytes(this);
    }

    private ShortIndexer bits() {
        return ShortIndexer.create((ShortPointer) pointer());
    }
}
