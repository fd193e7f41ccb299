package org.dl4jsr.backend.unified;

import java.nio.ByteBuffer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.ShortPointer;

/**
 * Pointers of buffers that wait for the GPU before they give their memory away as bytes, which BinarySerde and others ask
 * for past the buffer. The buffer itself cannot wait when it is asked for its pointer, as each view of it does.
 */
final class WaitingPointers {

    private WaitingPointers() {}

    /** One to the memory of {@code pointer}, which is of one of the types that the GPU is given; null stays. */
    static Pointer over(Pointer pointer) {
        if (pointer == null || pointer instanceof Waiting) {
            return pointer;
        }
        if (pointer instanceof FloatPointer) {
            return new Floats(pointer);
        }
        return pointer instanceof IntPointer ? new Integers(pointer) : new Bfloat16s(pointer);
    }

    private interface Waiting {}

    private static final class Floats extends FloatPointer implements Waiting {

        Floats(Pointer pointer) {
            super(pointer);
        }

        @Override
        public ByteBuffer asByteBuffer() {
            UnifiedDevice.INSTANCE.await();
            return super.asByteBuffer();
        }
    }

    private static final class Bfloat16s extends ShortPointer implements Waiting {

        Bfloat16s(Pointer pointer) {
            super(pointer);
        }

        @Override
        public ByteBuffer asByteBuffer() {
            UnifiedDevice.INSTANCE.await();
            return super.asByteBuffer();
        }
    }

    private static final class Integers extends IntPointer implements Waiting {

        Integers(Pointer pointer) {
            super(pointer);
        }

        @Override
        public ByteBuffer asByteBuffer() {
            UnifiedDevice.INSTANCE.await();
            return super.asByteBuffer();
        }
    }
}
