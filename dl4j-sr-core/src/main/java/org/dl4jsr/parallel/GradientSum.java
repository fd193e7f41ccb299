package org.dl4jsr.parallel;

import java.util.List;
import org.dl4jsr.backend.ExactSums;
import org.dl4jsr.kernel.Memory;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * The mean of the gradients of a step's batches. A rank sums its own slice alone: in FP32 (DOUBLE in DOUBLE networks),
 * from 0, in the order of the batches, so that the bits do not depend on how many ranks there are. The mean is rounded
 * once, to nearest. Takes 4 bytes for each parameter of the slice.
 */
final class GradientSum {

    private final Collective collective;
    private final Slices slices;
    private final INDArray sums;
    private final long length;
    /** One piece in the sums' type. */
    private final INDArray wide;

    /** @param gradients the network's flattened gradients, [n] */
    GradientSum(Collective collective, INDArray gradients, Slices slices) {
        this.collective = collective;
        this.slices = slices;
        DataType type = gradients.dataType() == DataType.DOUBLE ? DataType.DOUBLE : DataType.FLOAT;
        length = slices.length(collective.rank());
        sums = Nd4j.create(type, Math.max(1, length)); // a network of few blocks leaves ranks without a slice
        wide = Nd4j.create(
                type,
                Math.min(sums.length(), Message.BODY / gradients.dataType().width()));
    }

    Slices slices() {
        return slices;
    }

    /** Starts a step. */
    void clear() {
        sums.assign(0);
    }

    /**
     * Adds a gradient of each of the first {@code ranks} ranks, in their order.
     *
     * @param gradients this rank's, [n]; not looked at where it is not one of them
     */
    void add(INDArray gradients, int ranks) {
        collective.toOwners(
                gradients,
                slices,
                ranks,
                (from, start, address, length) -> add(gradients.dataType(), start, address, length));
    }

    private void add(DataType type, long start, long address, long length) {
        long target = collective.device().hostAddress(wide);
        if (type == DataType.BFLOAT16) {
            collective.device().hostKernels().toFloat(address, target, length);
        } else {
            Memory.copy(address, target, length * type.width());
        }
        collective.device().written(List.of(wide));
        part(sums, start - slices.start(collective.rank()), length).addi(part(wide, 0, length));
    }

    /** Puts the mean of the {@code count} gradients in the place of this rank's slice of {@code gradients}. */
    void meanTo(INDArray gradients, int count) {
        ExactSums.forget(gradients);
        if (length > 0) {
            sums.divi(count);
            part(gradients, slices.start(collective.rank()), length).assign(sums);
        }
    }

    private static INDArray part(INDArray vector, long start, long length) {
        return vector.get(NDArrayIndex.interval(start, start + length));
    }
}
