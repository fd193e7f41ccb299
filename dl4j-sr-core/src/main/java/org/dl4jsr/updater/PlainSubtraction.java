package org.dl4jsr.updater;

import org.dl4jsr.kernel.AdamWStatistics;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The subtraction of another updater's update, as DL4J does it. */
record PlainSubtraction(INDArray values) implements RangeUpdate {

    @Override
    public void write(FlatArrays arrays, long start, long end, double clipScale, AdamWStatistics statistics) {
        arrays.parameters(start, end).subi(arrays.gradient(start, end));
    }
}
