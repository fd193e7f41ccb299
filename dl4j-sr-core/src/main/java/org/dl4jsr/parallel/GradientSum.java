package org.dl4jsr.parallel;

import java.util.List;
import org.dl4jsr.backend.ExactSums;
import org.dl4jsr.kernel.Memory;
import org.dl4jsr.op.Device;
import org.dl4jsr.op.KernelOp;
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
    /** Whether nothing has been added in this step. */
    private boolean empty;

    /** @param gradients the network's flattened gradients, [n] */
    GradientSum(Collective collective, INDArray gradients, Slices slices) {
        this.collective = collective;
        this.slices = slices;
        DataType type = gradients.dataType() == DataType.DOUBLE ? DataType.DOUBLE : DataType.FLOAT;
        long length = slices.length(collective.rank());
        sums = Nd4j.create(type, Math.max(1, length)); // a network of few blocks leaves ranks without a slice
    }

    Slices slices() {
        return slices;
    }

    /** Starts a step. */
    void clear() {
        empty = true;
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
                (from, start, address, length) -> add(gradients, from, start, address, length));
        empty = false;
    }

    /**
     * Adds the last ones of a step, and puts the mean of all {@code count} in the place of this rank's slice of
     * {@code gradients}, piece by piece, while the next one is on its way.
     */
    void addLast(INDArray gradients, int ranks, int count) {
        collective.toOwners(gradients, slices, ranks, last(gradients, ranks, count));
        ExactSums.forget(gradients);
    }

    /** The same, but with the mean of all slices on every rank. */
    void addLastForAll(INDArray gradients, int ranks, int count) {
        collective.throughOwners(gradients, slices, ranks, last(gradients, ranks, count));
        ExactSums.forget(gradients);
    }

    private Collective.Pieces last(INDArray gradients, int ranks, int count) {
        return (from, start, address, length) -> {
            add(gradients, from, start, address, length);
            if (from == ranks - 1) {
                meanTo(gradients, count, start, length);
            }
        };
    }

    /** Adds a piece of this rank's slice, which lies in its own gradients or where it was received. */
    private void add(INDArray gradients, int from, long start, long received, long length) {
        boolean first = empty && from == 0;
        long offset = start - slices.start(collective.rank());
        if (sums.dataType() == DataType.DOUBLE) {
            addDoubles(first, part(sums, offset, length), received);
            return;
        }
        Device device = collective.device();
        long target = Float.BYTES * offset;
        if (from == collective.rank()) {
            long x = device.address(gradients) + start * gradients.dataType().width();
            device.kernels().accumulate(KernelOp.type(gradients), x, 1, first, device.address(sums) + target, length);
        } else {
            device.hostKernels()
                    .accumulate(
                            KernelOp.type(gradients), received, 1, first, device.hostAddress(sums) + target, length);
        }
        device.written(List.of(sums));
    }

    private void addDoubles(boolean first, INDArray sums, long x) {
        INDArray addend = first ? sums : sums.ulike();
        Memory.copy(x, collective.device().hostAddress(addend), sums.length() * Double.BYTES);
        if (!first) {
            sums.addi(addend);
        }
    }

    private void meanTo(INDArray gradients, int count, long start, long length) {
        long offset = start - slices.start(collective.rank());
        if (sums.dataType() == DataType.DOUBLE) {
            part(gradients, start, length).assign(part(sums, offset, length).divi(count));
            return;
        }
        Device device = collective.device();
        DataType type = gradients.dataType();
        device.kernels()
                .mean(
                        device.address(sums) + Float.BYTES * offset,
                        count,
                        KernelOp.type(gradients),
                        device.address(gradients) + start * type.width(),
                        length);
        device.written(List.of(gradients));
    }

    private static INDArray part(INDArray vector, long start, long length) {
        return vector.get(NDArrayIndex.interval(start, start + length));
    }
}
