package org.dl4jsr.backend.unified;

import java.util.EnumSet;
import java.util.Set;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.PointerPointer;
import org.dl4jsr.backend.AlignedNativeOps;
import org.dl4jsr.backend.BlockMemory;
import org.dl4jsr.backend.GarbageCollection;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.nativeblas.OpaqueDataBuffer;

/**
 * ND4J's native library over unified memory. What ND4J calls past its executioner, on buffers whose addresses it has not
 * asked for, waits for the GPU here. ND4J creates it by name.
 */
public final class UnifiedNativeOps extends AlignedNativeOps {

    private static final Set<DataType> SHARED = EnumSet.of(DataType.FLOAT, DataType.BFLOAT16, DataType.INT32);

    /** Blocks of unified memory, whose device is not there yet when ND4J creates this. */
    enum Shared implements BlockMemory {
        FOR_ALL {
            @Override
            public long allocate(long bytes, boolean zero) {
                return GarbageCollection.allocate(
                        () -> UnifiedDevice.INSTANCE.memory().allocate(bytes, zero));
            }
        },
        FOR_READING {
            @Override
            public long allocate(long bytes, boolean zero) {
                return GarbageCollection.allocate(
                        () -> UnifiedDevice.INSTANCE.memory().allocateForReading(bytes, zero));
            }
        };

        @Override
        public void free(long address) {
            UnifiedDevice.INSTANCE.memory().free(address);
        }
    }

    /** Whether arrays of this type lie where the GPU sees them. */
    static boolean isShared(DataType type) {
        return SHARED.contains(type);
    }

    @Override
    protected BlockMemory memoryOf(DataType type) {
        if (type == DataType.INT32) {
            return Shared.FOR_READING;
        }
        return isShared(type) ? Shared.FOR_ALL : super.memoryOf(type);
    }

    @Override
    protected BlockMemory workspaceMemory() {
        return Shared.FOR_ALL;
    }

    @Override
    protected void awaitBlocks() {
        UnifiedDevice.INSTANCE.await();
    }

    @Override
    @SuppressWarnings("rawtypes") // as in ND4J
    public void pullRows(
            PointerPointer extraPointers,
            OpaqueDataBuffer x,
            LongPointer xShapeInfo,
            LongPointer dxShapeInfo,
            OpaqueDataBuffer z,
            LongPointer zShapeInfo,
            LongPointer dzShapeInfo,
            long n,
            LongPointer indexes,
            LongPointer tadShapeInfo,
            LongPointer tadOffsets,
            LongPointer zTadShapeInfo,
            LongPointer zTadOffsets) {
        UnifiedDevice.INSTANCE.await();
        super.pullRows(
                extraPointers,
                x,
                xShapeInfo,
                dxShapeInfo,
                z,
                zShapeInfo,
                dzShapeInfo,
                n,
                indexes,
                tadShapeInfo,
                tadOffsets,
                zTadShapeInfo,
                zTadOffsets);
    }

    @Override
    @SuppressWarnings("rawtypes") // as in ND4J
    public void tear(
            PointerPointer extras,
            OpaqueDataBuffer tensor,
            LongPointer xShapeInfo,
            LongPointer dxShapeInfo,
            PointerPointer targets,
            LongPointer zShapeInfo,
            LongPointer tadShapeInfo,
            LongPointer tadOffsets) {
        UnifiedDevice.INSTANCE.await();
        super.tear(extras, tensor, xShapeInfo, dxShapeInfo, targets, zShapeInfo, tadShapeInfo, tadOffsets);
    }
}
