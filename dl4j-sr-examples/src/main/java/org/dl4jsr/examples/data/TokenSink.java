package org.dl4jsr.examples.data;

/** Where token ids go, in order. */
interface TokenSink {

    void add(int[] ids);
}
