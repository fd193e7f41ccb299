package org.dl4jsr.benchmarks.contract;

import org.dl4jsr.kernel.KernelSet;

/** Where kernels run: the kernels and the memory that they can address. */
public interface Processor {

    /** What runs there. */
    KernelSet kernels();

    /** New memory with this content, at a multiple of 256 bytes unless the processor's kernels need no alignment. */
    Placed place(byte[] content);

    /** Memory with content. */
    interface Placed extends AutoCloseable {

        /** Of the first byte. */
        long address();

        /** What is there when all work given so far is done. */
        byte[] read();

        @Override
        void close();
    }
}
