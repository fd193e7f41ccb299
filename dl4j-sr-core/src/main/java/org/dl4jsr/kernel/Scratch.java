package org.dl4jsr.kernel;

import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerScope;

/** Off-heap memory that grows to what was asked for at most and is used again and again by one thread. */
final class Scratch {

    private BytePointer memory;

    /** The address of at least {@code bytes} bytes; what an earlier call returned is gone. */
    long reserve(long bytes) {
        if (memory == null || memory.capacity() < bytes) {
            if (memory != null) {
                memory.close();
            }
            try (var scope = new PointerScope()) { // not of a scope of the caller's, which would free it
                memory = new BytePointer(bytes).retainReference();
            }
        }
        return memory.address();
    }

    /** A dense copy of {@code matrix} as {@code type} in this memory, its dimensions in the same order. */
    Matrix copy(Matrix matrix, FloatType type) {
        Matrix copy = like(matrix, type);
        StridedCopy.copy(matrix, copy);
        return copy;
    }

    /** As {@link #copy} without the content. */
    Matrix like(Matrix matrix, FloatType type) {
        return StridedCopy.denseLike(matrix, type, reserve(StridedCopy.length(matrix.shape()) * type.bytes()));
    }
}
