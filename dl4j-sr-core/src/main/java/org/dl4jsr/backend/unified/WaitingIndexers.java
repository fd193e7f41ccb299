package org.dl4jsr.backend.unified;

import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.ShortPointer;
import org.bytedeco.javacpp.indexer.Bfloat16Indexer;
import org.bytedeco.javacpp.indexer.Bfloat16RawIndexer;
import org.bytedeco.javacpp.indexer.FloatIndexer;
import org.bytedeco.javacpp.indexer.FloatRawIndexer;
import org.bytedeco.javacpp.indexer.Indexer;
import org.bytedeco.javacpp.indexer.IntIndexer;
import org.bytedeco.javacpp.indexer.IntRawIndexer;

/** Indexers, by which ND4J's buffers read and write single elements, that wait for the GPU first. */
final class WaitingIndexers {

    private WaitingIndexers() {}

    /** One over the memory of {@code indexer}, FLOAT or BF16; null stays. */
    static Indexer over(Indexer indexer) {
        if (indexer == null) {
            return null;
        }
        if (indexer.pointer() instanceof FloatPointer floats) {
            return new Floats(floats);
        }
        return new Bfloat16s((ShortPointer) indexer.pointer());
    }

    @SuppressWarnings("unchecked") // what JavaCPP overrides
    private static final class Floats extends FloatRawIndexer {

        Floats(FloatPointer memory) {
            super(memory);
        }

        @Override
        public float get(long i) {
            UnifiedDevice.INSTANCE.await();
            return super.get(i);
        }

        @Override
        public FloatIndexer put(long i, float value) {
            UnifiedDevice.INSTANCE.await();
            return super.put(i, value);
        }
    }

    @SuppressWarnings("unchecked") // what JavaCPP overrides
    private static final class Bfloat16s extends Bfloat16RawIndexer {

        Bfloat16s(ShortPointer memory) {
            super(memory);
        }

        @Override
        public float get(long i) {
            UnifiedDevice.INSTANCE.await();
            return super.get(i);
        }

        @Override
        public Bfloat16Indexer put(long i, float value) {
            UnifiedDevice.INSTANCE.await();
            return super.put(i, value);
        }
    }

    /** Waits only where the buffer must. */
    @SuppressWarnings("unchecked") // what JavaCPP overrides
    static final class Integers extends IntRawIndexer {

        private final UnifiedIntBuffer buffer;

        Integers(IntPointer memory, UnifiedIntBuffer buffer) {
            super(memory);
            this.buffer = buffer;
        }

        @Override
        public int get(long i) {
            buffer.awaitToRead();
            return super.get(i);
        }

        @Override
        public IntIndexer put(long i, int value) {
            buffer.awaitToWrite();
            return super.put(i, value);
        }
    }
}
