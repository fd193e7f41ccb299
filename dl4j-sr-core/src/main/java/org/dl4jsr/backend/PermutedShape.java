package org.dl4jsr.backend;

import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.cpu.nativecpu.buffer.LongBuffer;

/** The shape information of a BF16 array that does not lie in 'c' order, for {@link FlatBufferArrays}. */
final class PermutedShape extends LongBuffer {

    PermutedShape(DataBuffer info) {
        super(info.addressPointer(), info.length());
    }

    @Override
    public long[] asLong() {
        return FlatBufferArrays.shape(super.asLong());
    }
}
