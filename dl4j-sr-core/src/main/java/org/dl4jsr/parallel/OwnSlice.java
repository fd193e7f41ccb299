package org.dl4jsr.parallel;

import org.dl4jsr.updater.WeightShard;
import org.nd4j.linalg.api.ndarray.INDArray;

/** This rank's slice of a network's weights, which it alone writes. */
record OwnSlice(Collective collective, Slices slices) implements WeightShard {

    @Override
    public int rank() {
        return collective.rank();
    }

    @Override
    public long[] bounds() {
        return slices.bounds();
    }

    @Override
    public void gather(INDArray array, long[] bounds) {
        collective.fromOwners(array, new Slices(bounds));
    }

    @Override
    public long[][] gather(long... values) {
        return collective.gather(values);
    }
}
