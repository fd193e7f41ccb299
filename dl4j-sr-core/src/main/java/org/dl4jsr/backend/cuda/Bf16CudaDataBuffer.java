package org.dl4jsr.backend.cuda;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.ShortPointer;
import org.bytedeco.javacpp.indexer.Indexer;
import org.bytedeco.javacpp.indexer.ShortIndexer;
import org.dl4jsr.backend.Bf16Bits;
import org.dl4jsr.rounding.BFloat16;
import org.nd4j.jita.allocator.impl.AtomicAllocator;
import org.nd4j.jita.allocator.pointers.CudaPointer;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.jcublas.buffer.CudaBfloat16DataBuffer;

/**
 * nd4j-cuda's BF16 buffer, whose element writes round to nearest even (ND4J's truncate), which takes Java arrays (ND4J's
 * takes none or rounds them to whole numbers), and whose serialized form keeps every bit.
 */
final class Bf16CudaDataBuffer extends CudaBfloat16DataBuffer {

    Bf16CudaDataBuffer(long length, boolean initialize) {
        super(length, initialize);
    }

    Bf16CudaDataBuffer(long length, boolean initialize, MemoryWorkspace workspace) {
        super(length, initialize, workspace);
    }

    /** A view. */
    Bf16CudaDataBuffer(DataBuffer underlying, long length, long offset) {
        super(underlying, length, offset);
    }

    Bf16CudaDataBuffer(Pointer pointer, Indexer indexer, long length) {
        super(pointer, indexer, length);
    }

    Bf16CudaDataBuffer(Pointer pointer, Pointer devicePointer, Indexer indexer, long length) {
        super(pointer, devicePointer, indexer, length);
    }

    /** A copy of {@code length} elements of {@code bytes}, in native order, from element {@code offset} on. */
    Bf16CudaDataBuffer(ByteBuffer bytes, long length, long offset) {
        super(length, false);
        try (var host = new ShortPointer(length)) {
            Bf16Bits.copy(bytes, offset, ShortIndexer.create(host), length);
            upload(host, length, 0);
        }
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
    public void set(float[] data, long length, long sourceOffset, long targetOffset) {
        set(i -> data[i], length, sourceOffset, targetOffset);
    }

    @Override
    public void set(double[] data, long length, long sourceOffset, long targetOffset) {
        set(i -> (float) data[i], length, sourceOffset, targetOffset);
    }

    @Override
    public void set(int[] data, long length, long sourceOffset, long targetOffset) {
        set(i -> (float) data[i], length, sourceOffset, targetOffset);
    }

    @Override
    public void set(long[] data, long length, long sourceOffset, long targetOffset) {
        set(i -> (float) data[i], length, sourceOffset, targetOffset);
    }

    private interface Elements {
        float get(int i);
    }

    private void set(Elements elements, long length, long sourceOffset, long targetOffset) {
        try (var host = new ShortPointer(length)) {
            ShortIndexer bits = ShortIndexer.create(host);
            for (long i = 0; i < length; i++) {
                bits.put(i, BFloat16.fromFloat(elements.get(Math.toIntExact(sourceOffset + i))));
            }
            upload(host, length, targetOffset);
        }
    }

    /** Copies to the device, and to the host's copy where there is one; returns when that is done. */
    private void upload(ShortPointer host, long length, long offset) {
        AtomicAllocator.getInstance()
                .memcpyAsync(this, new CudaPointer(host.address()), length * Short.BYTES, offset * Short.BYTES);
    }

    @Override
    public void setData(float[] data) {
        set(data, data.length, 0, 0);
    }

    @Override
    public void setData(double[] data) {
        set(data, data.length, 0, 0);
    }

    @Override
    public void setData(int[] data) {
        set(data, data.length, 0, 0);
    }

    @Override
    public void setData(long[] data) {
        set(data, data.length, 0, 0);
    }

    @Override
    protected DataBuffer create(long length) {
        return new Bf16CudaDataBuffer(length, true);
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
    public void write(DataOutputStream out) throws IOException {
        ShortIndexer bits = hostBits();
        AtomicAllocator.getInstance().synchronizeHostData(this);
        Bf16Bits.write(this, bits, out);
    }

    @Override
    protected void readContent(DataInputStream in, DataType sourceType, DataType thisType) {
        if (sourceType == DataType.BFLOAT16 && thisType == DataType.BFLOAT16) {
            Bf16Bits.read(in, hostBits(), length());
            AtomicAllocator.getInstance().tickHostWrite(this);
        } else {
            super.readContent(in, sourceType, thisType);
        }
    }

    @Override
    public byte[] asBytes() {
        return Bf16Bits.bytes(this);
    }

    /** The copy in the host's memory, made if there is none. */
    private ShortIndexer hostBits() {
        return ShortIndexer.create((ShortPointer) pointer());
    }
}
