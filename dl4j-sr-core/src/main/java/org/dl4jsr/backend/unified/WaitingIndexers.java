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

    /** One over the memory of {@code indexer}, of one of the types that the GPU is given; null stays. */
    static Indexer over(Indexer indexer) {
        if (indexer == null) {
            return null;
        }
        if (indexer.pointer() instanceof FloatPointer floats) {
            return new Floats(floats);
        }
        if (indexer.pointer() instanceof IntPointer integers) {
            return new Integers(integers);
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

    @SuppressWarnings("unchecked") // what JavaCPP overrides
    private static final class Integers extends IntRawIndexer {

        Integers(IntPointer memory) {
            super(memory);
        }

        @Override
        public int get(long i) {
            UnifiedDevice.INSTANCE.await();
            return super.get(i);
        }

        @Override
        public IntIndexer put(long i, int value) {
            UnifiedDevice.INSTANCE.await();
            return super.put(i, value);
        }
    }
}
