package org.dl4jsr.backend.cuda;

import java.nio.ByteBuffer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.indexer.Indexer;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.jcublas.buffer.factory.CudaDataBufferFactory;

/** nd4j-cuda's buffers, but {@link Bf16CudaDataBuffer} for BF16. ND4J creates it by name. */
public final class Bf16CudaDataBufferFactory extends CudaDataBufferFactory {

    @Override
    public DataBuffer create(DataBuffer underlyingBuffer, long offset, long length) {
        return underlyingBuffer.dataType() == DataType.BFLOAT16
                ? new Bf16CudaDataBuffer(underlyingBuffer, length, offset)
                : super.create(underlyingBuffer, offset, length);
    }

    @Override
    public DataBuffer create(ByteBuffer underlyingBuffer, DataType dataType, long length, long offset) {
        return dataType == DataType.BFLOAT16
                ? new Bf16CudaDataBuffer(underlyingBuffer, length, offset)
                : super.create(underlyingBuffer, dataType, length, offset);
    }

    @Override
    public DataBuffer create(DataType dataType, long length, boolean initialize) {
        return dataType == DataType.BFLOAT16
                ? new Bf16CudaDataBuffer(length, initialize)
                : super.create(dataType, length, initialize);
    }

    @Override
    public DataBuffer create(DataType dataType, long length, boolean initialize, MemoryWorkspace workspace) {
        return dataType == DataType.BFLOAT16 && workspace != null
                ? new Bf16CudaDataBuffer(length, initialize, workspace)
                : super.create(dataType, length, initialize, workspace);
    }

    @Override
    public DataBuffer create(Pointer pointer, DataType type, long length, Indexer indexer) {
        return type == DataType.BFLOAT16
                ? new Bf16CudaDataBuffer(pointer, indexer, length)
                : super.create(pointer, type, length, indexer);
    }

    @Override
    public DataBuffer create(Pointer pointer, Pointer specialPointer, DataType type, long length, Indexer indexer) {
        return type == DataType.BFLOAT16
                ? new Bf16CudaDataBuffer(pointer, specialPointer, indexer, length)
                : super.create(pointer, specialPointer, type, length, indexer);
    }

    @Override
    public DataBuffer createBFloat16(long length) {
        return new Bf16CudaDataBuffer(length, true);
    }

    @Override
    public DataBuffer createBFloat16(long length, boolean initialize) {
        return new Bf16CudaDataBuffer(length, initialize);
    }

    @Override
    public DataBuffer createBFloat16(long length, boolean initialize, MemoryWorkspace workspace) {
        return new Bf16CudaDataBuffer(length, initialize, workspace);
    }

    /** By this one and the next, nd4j-cuda duplicates buffers. */
    @Override
    public DataBuffer createBfloat16(long length, boolean initialize) {
        return new Bf16CudaDataBuffer(length, initialize);
    }

    @Override
    public DataBuffer createBfloat16(long length, boolean initialize, MemoryWorkspace workspace) {
        return new Bf16CudaDataBuffer(length, initialize, workspace);
    }
}
