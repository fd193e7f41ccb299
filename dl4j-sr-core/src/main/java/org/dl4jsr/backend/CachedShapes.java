package org.dl4jsr.backend;

import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.cpu.nativecpu.DirectShapeInfoProvider;

/**
 * ND4J's shape information, which each array has and none changes, made once a shape: ND4J keeps it too, but not for the
 * way in which views and new arrays ask for it, of which DL4J's updater makes hundreds a step. ND4J creates it by name.
 */
public final class CachedShapes extends DirectShapeInfoProvider {

    /** Shapes of a generation. */
    static final int MOST = 4096;

    /** Shapes that are asked for again move from the old generation to the young one; the others are forgotten. */
    private volatile Map<Key, Pair<DataBuffer, long[]>> young = new ConcurrentHashMap<>();

    private volatile Map<Key, Pair<DataBuffer, long[]>> old = Map.of();

    private record Key(long[] shape, long[] stride, long elementWiseStride, char order, DataType type, boolean empty) {

        @Override
        public boolean equals(Object other) {
            return other instanceof Key key
                    && Arrays.equals(shape, key.shape)
                    && Arrays.equals(stride, key.stride)
                    && elementWiseStride == key.elementWiseStride
                    && order == key.order
                    && type == key.type
                    && empty == key.empty;
        }

        @Override
        public int hashCode() {
            return 31 * Arrays.hashCode(shape) + Arrays.hashCode(stride) + order + type.ordinal();
        }

        /** With arrays that nobody changes. */
        Key kept() {
            return new Key(shape.clone(), stride.clone(), elementWiseStride, order, type, empty);
        }
    }

    @Override
    public Pair<DataBuffer, long[]> createShapeInformation(
            long[] shape, long[] stride, long elementWiseStride, char order, DataType type, boolean empty) {
        var key = new Key(shape, stride, elementWiseStride, order, type, empty);
        Pair<DataBuffer, long[]> info = young.get(key);
        if (info == null) {
            info = old.get(key);
            if (info == null) {
                info = super.createShapeInformation(shape, stride, elementWiseStride, order, type, empty);
            }
            if (!(info.getFirst() instanceof PermutedShape) || !FlatBufferArrays.areWritten()) {
                keep(key.kept(), info);
            }
        }
        return info;
    }

    private synchronized void keep(Key key, Pair<DataBuffer, long[]> info) {
        if (young.size() == MOST) {
            old = young;
            young = new ConcurrentHashMap<>();
        }
        young.put(key, info);
    }

    @Override
    public synchronized void purgeCache() {
        super.purgeCache();
        young = new ConcurrentHashMap<>();
        old = Map.of();
    }
}
