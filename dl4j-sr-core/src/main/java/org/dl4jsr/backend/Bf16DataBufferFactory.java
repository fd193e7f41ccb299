package org.dl4jsr.backend;

import java.nio.ByteBuffer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.indexer.Indexer;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.cpu.nativecpu.buffer.DefaultDataBufferFactory;

/** ND4J's buffers, but {@link Bf16DataBuffer} for BF16. ND4J creates it by name. */
public class Bf16DataBufferFactory extends DefaultDataBufferFactory {

    /**
     * A view, of the whole buffer even if {@code buffer} is a view of it: offsets are the whole's. DL4J's updater makes a
     * view of a view for each parameter, and ND4J asks each of such a chain whether the ones below it are closed: with 148
     * parameters that took 7 ms a step.
     */
    @Override
    public final DataBuffer create(DataBuffer buffer, long offset, long length) {
        return view(buffer.originalDataBuffer() == null ? buffer : buffer.originalDataBuffer(), offset, length);
    }

    /** A view of a buffer that is none. */
    protected DataBuffer view(DataBuffer whole, long offset, long length) {
        return whole.dataType() == DataType.BFLOAT16
                ? new Bf16DataBuffer(whole, length, offset)
                : super.create(whole, offset, length);
    }

    @Override
    public DataBuffer create(ByteBuffer underlyingBuffer, DataType dataType, long length, long offset) {
        return dataType == DataType.BFLOAT16
                ? new Bf16DataBuffer(underlyingBuffer, length, offset)
                : super.create(underlyingBuffer, dataType, length, offset);
    }

    @Override
    public DataBuffer create(DataType dataType, long length, boolean initialize) {
        return dataType == DataType.BFLOAT16
                ? new Bf16DataBuffer(length, initialize)
                : super.create(dataType, length, initialize);
    }

    @Override
    public DataBuffer create(DataType dataType, long length, boolean initialize, MemoryWorkspace workspace) {
        return dataType == DataType.BFLOAT16 && workspace != null
                ? new Bf16DataBuffer(length, initialize, workspace)
                : super.create(dataType, length, initialize, workspace);
    }

    @Override
    public DataBuffer create(Pointer pointer, DataType type, long length, Indexer indexer) {
        return type == DataType.BFLOAT16
                ? new Bf16DataBuffer(pointer, indexer, length)
                : super.create(pointer, type, length, indexer);
    }

    @Override
    public DataBuffer createBFloat16(long length) {
        return new Bf16DataBuffer(length, true);
    }

    @Override
    public DataBuffer createBFloat16(long length, boolean initialize) {
        return new Bf16DataBuffer(length, initialize);
    }

    @Override
    public DataBuffer createBFloat16(long length, boolean initialize, MemoryWorkspace workspace) {
        return new Bf16DataBuffer(length, initialize, workspace);
    }
}
