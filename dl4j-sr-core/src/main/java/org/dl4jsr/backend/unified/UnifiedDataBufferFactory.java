package org.dl4jsr.backend.unified;

import java.nio.ByteBuffer;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.indexer.FloatIndexer;
import org.bytedeco.javacpp.indexer.Indexer;
import org.bytedeco.javacpp.indexer.IntIndexer;
import org.dl4jsr.backend.Bf16DataBufferFactory;
import org.dl4jsr.kernel.cuda.UnifiedMemory;
import org.nd4j.common.util.ArrayUtil;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;

/**
 * ND4J's buffers, but those of the types that the GPU is given in the memory that it shares: what ND4J would leave where
 * Java or somebody else has it is copied. ND4J creates it by name.
 */
public final class UnifiedDataBufferFactory extends Bf16DataBufferFactory {

    @Override
    protected DataBuffer view(DataBuffer whole, long offset, long length) {
        return switch (whole.dataType()) {
            case FLOAT -> new UnifiedFloatBuffer(whole, length, offset);
            case BFLOAT16 -> new UnifiedBf16Buffer(whole, length, offset);
            case INT -> new UnifiedIntBuffer(whole, length, offset);
            default -> super.view(whole, offset, length);
        };
    }

    @Override
    public DataBuffer create(ByteBuffer bytes, DataType type, long length, long offset) {
        if (!UnifiedNativeOps.isShared(type)) {
            return super.create(bytes, type, length, offset);
        }
        byte[] content = new byte[Math.toIntExact(length * type.width())];
        bytes.duplicate()
                .position(bytes.position() + Math.toIntExact(offset * type.width()))
                .get(content);
        DataBuffer buffer = create(type, length, false);
        new BytePointer(buffer.addressPointer()).put(content);
        return buffer;
    }

    @Override
    public DataBuffer create(DataType type, long length, boolean initialize) {
        return switch (type) {
            case FLOAT -> new UnifiedFloatBuffer(length, initialize);
            case BFLOAT16 -> new UnifiedBf16Buffer(length, initialize);
            case INT -> new UnifiedIntBuffer(length, initialize);
            default -> super.create(type, length, initialize);
        };
    }

    /**
     * Outside of the workspace where the CPU can then read it at any time: ids that lay in one, as those of an iterator that
     * DL4J reads ahead of, would have the GPU waited for at every reading.
     */
    @Override
    public DataBuffer create(DataType type, long length, boolean initialize, MemoryWorkspace workspace) {
        boolean forReading = type == DataType.INT32 && length * type.width() <= UnifiedMemory.LARGEST_FOR_READING;
        if (workspace == null || forReading) {
            return create(type, length, initialize);
        }
        return switch (type) {
            case FLOAT -> new UnifiedFloatBuffer(length, initialize, workspace);
            case BFLOAT16 -> new UnifiedBf16Buffer(length, initialize, workspace);
            case INT -> new UnifiedIntBuffer(length, initialize, workspace);
            default -> super.create(type, length, initialize, workspace);
        };
    }

    /** Of memory that is not ours: a copy. */
    @Override
    public DataBuffer create(Pointer pointer, DataType type, long length, Indexer indexer) {
        if (!UnifiedNativeOps.isShared(type)) {
            return super.create(pointer, type, length, indexer);
        }
        if (!UnifiedDevice.INSTANCE.memory().contains(pointer.address())) {
            DataBuffer copy = create(type, length, false);
            Pointer.memcpy(copy.addressPointer(), pointer, length * type.width());
            return copy;
        }
        return switch (type) {
            case FLOAT -> new UnifiedFloatBuffer(pointer, indexer, length);
            case BFLOAT16 -> new UnifiedBf16Buffer(pointer, indexer, length);
            default -> new UnifiedIntBuffer(pointer, indexer, length);
        };
    }

    @Override
    public DataBuffer create(IntPointer pointer, long length) {
        return create(pointer, DataType.INT32, length, IntIndexer.create(pointer));
    }

    @Override
    public DataBuffer create(FloatPointer pointer, long length) {
        return create(pointer, DataType.FLOAT, length, FloatIndexer.create(pointer));
    }

    @Override
    public DataBuffer createBFloat16(long length) {
        return create(DataType.BFLOAT16, length, true);
    }

    @Override
    public DataBuffer createBFloat16(long length, boolean initialize) {
        return create(DataType.BFLOAT16, length, initialize);
    }

    @Override
    public DataBuffer createBFloat16(long length, boolean initialize, MemoryWorkspace workspace) {
        return create(DataType.BFLOAT16, length, initialize, workspace);
    }

    @Override
    public DataBuffer createFloat(long length) {
        return create(DataType.FLOAT, length, true);
    }

    @Override
    public DataBuffer createFloat(long length, boolean initialize) {
        return create(DataType.FLOAT, length, initialize);
    }

    @Override
    public DataBuffer createFloat(long length, boolean initialize, MemoryWorkspace workspace) {
        return create(DataType.FLOAT, length, initialize, workspace);
    }

    @Override
    public DataBuffer createFloat(long offset, int length) {
        return create(create(DataType.FLOAT, length, true), offset, length - offset);
    }

    @Override
    public DataBuffer createFloat(int[] data) {
        return floats(ArrayUtil.toFloats(data), 0, null);
    }

    @Override
    public DataBuffer createFloat(int[] data, boolean copy) {
        return floats(ArrayUtil.toFloats(data), 0, null);
    }

    @Override
    public DataBuffer createFloat(long offset, int[] data) {
        return floats(ArrayUtil.toFloats(data), offset, null);
    }

    @Override
    public DataBuffer createFloat(long offset, int[] data, boolean copy) {
        return floats(ArrayUtil.toFloats(data), offset, null);
    }

    @Override
    public DataBuffer createFloat(double[] data) {
        return floats(ArrayUtil.toFloats(data), 0, null);
    }

    @Override
    public DataBuffer createFloat(double[] data, boolean copy) {
        return floats(ArrayUtil.toFloats(data), 0, null);
    }

    @Override
    public DataBuffer createFloat(long offset, double[] data) {
        return floats(ArrayUtil.toFloats(data), offset, null);
    }

    @Override
    public DataBuffer createFloat(long offset, double[] data, boolean copy) {
        return floats(ArrayUtil.toFloats(data), offset, null);
    }

    @Override
    public DataBuffer createFloat(float[] data) {
        return floats(data, 0, null);
    }

    @Override
    public DataBuffer createFloat(float[] data, boolean copy) {
        return floats(data, 0, null);
    }

    @Override
    public DataBuffer createFloat(long offset, float[] data) {
        return floats(data, offset, null);
    }

    @Override
    public DataBuffer createFloat(long offset, float[] data, boolean copy) {
        return floats(data, offset, null);
    }

    @Override
    public DataBuffer createFloat(long[] data, boolean copy) {
        return floats(ArrayUtil.toFloats(data), 0, null);
    }

    @Override
    public DataBuffer createFloat(float[] data, MemoryWorkspace workspace) {
        return floats(data, 0, workspace);
    }

    @Override
    public DataBuffer createFloat(float[] data, boolean copy, MemoryWorkspace workspace) {
        return floats(data, 0, workspace);
    }

    @Override
    public DataBuffer createFloat(long offset, float[] data, MemoryWorkspace workspace) {
        return floats(data, offset, workspace);
    }

    @Override
    public DataBuffer createInt(long length) {
        return create(DataType.INT32, length, true);
    }

    @Override
    public DataBuffer createInt(long length, boolean initialize) {
        return create(DataType.INT32, length, initialize);
    }

    @Override
    public DataBuffer createInt(long length, boolean initialize, MemoryWorkspace workspace) {
        return create(DataType.INT32, length, initialize, workspace);
    }

    @Override
    public DataBuffer createInt(long offset, int length) {
        return create(create(DataType.INT32, length, true), offset, length - offset);
    }

    @Override
    public DataBuffer createInt(int[] data) {
        return ints(data, 0, null);
    }

    @Override
    public DataBuffer createInt(int[] data, boolean copy) {
        return ints(data, 0, null);
    }

    @Override
    public DataBuffer createInt(long offset, int[] data) {
        return ints(data, offset, null);
    }

    @Override
    public DataBuffer createInt(long offset, int[] data, boolean copy) {
        return ints(data, offset, null);
    }

    @Override
    public DataBuffer createInt(double[] data) {
        return ints(ArrayUtil.toInts(data), 0, null);
    }

    @Override
    public DataBuffer createInt(double[] data, boolean copy) {
        return ints(ArrayUtil.toInts(data), 0, null);
    }

    @Override
    public DataBuffer createInt(long offset, double[] data) {
        return ints(ArrayUtil.toInts(data), offset, null);
    }

    @Override
    public DataBuffer createInt(long offset, double[] data, boolean copy) {
        return ints(ArrayUtil.toInts(data), offset, null);
    }

    @Override
    public DataBuffer createInt(float[] data) {
        return ints(ArrayUtil.toInts(data), 0, null);
    }

    @Override
    public DataBuffer createInt(float[] data, boolean copy) {
        return ints(ArrayUtil.toInts(data), 0, null);
    }

    @Override
    public DataBuffer createInt(long offset, float[] data) {
        return ints(ArrayUtil.toInts(data), offset, null);
    }

    @Override
    public DataBuffer createInt(long offset, float[] data, boolean copy) {
        return ints(ArrayUtil.toInts(data), offset, null);
    }

    @Override
    public DataBuffer createInt(long[] data, boolean copy) {
        return ints(ArrayUtil.toInts(data), 0, null);
    }

    @Override
    public DataBuffer createInt(int[] data, MemoryWorkspace workspace) {
        return ints(data, 0, workspace);
    }

    @Override
    public DataBuffer createInt(int[] data, boolean copy, MemoryWorkspace workspace) {
        return ints(data, 0, workspace);
    }

    private DataBuffer floats(float[] data, long offset, MemoryWorkspace workspace) {
        DataBuffer whole = create(DataType.FLOAT, data.length, false, workspace);
        whole.setData(data);
        return offset == 0 ? whole : create(whole, offset, data.length - offset);
    }

    private DataBuffer ints(int[] data, long offset, MemoryWorkspace workspace) {
        DataBuffer whole = create(DataType.INT32, data.length, false, workspace);
        whole.setData(data);
        return offset == 0 ? whole : create(whole, offset, data.length - offset);
    }
}
