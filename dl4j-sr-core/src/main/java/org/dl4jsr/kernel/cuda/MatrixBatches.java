package org.dl4jsr.kernel.cuda;

import java.util.function.Consumer;
import org.dl4jsr.kernel.StridedArray;

/** The products of a batch in runs that lie evenly in memory: as few as their strides allow. */
final class MatrixBatches {

    private final StridedArray[] matrices;
    private final long[] steps;
    private final int first; // the dimensions before are looped over
    private long length = 1;

    /** @param matrices the result last, which has all sizes; leading dimensions of 1 of the others broadcast */
    MatrixBatches(StridedArray... matrices) {
        this.matrices = matrices;
        steps = new long[matrices.length];
        int first = result().rank() - 2;
        for (int i = first - 1; i >= 0; i--) {
            if (size(i) == 1) {
                first = i;
                continue;
            }
            boolean even = true;
            for (int m = 0; m < matrices.length; m++) {
                even &= length == 1 || stride(m, i) == length * steps[m];
            }
            if (!even) {
                break;
            }
            for (int m = 0; m < matrices.length && length == 1; m++) {
                steps[m] = stride(m, i);
            }
            length *= size(i);
            first = i;
        }
        this.first = first;
    }

    /** The products of a run. */
    long length() {
        return length;
    }

    /** Elements from a matrix of a run to the next, by the matrix's place among those given. */
    long step(int matrix) {
        return steps[matrix];
    }

    /** Gives {@code product} the matrices of each run's first product. */
    void forEach(Consumer<StridedArray[]> product) {
        run(product, 0, new long[matrices.length]);
    }

    private void run(Consumer<StridedArray[]> product, int dimension, long[] offsets) {
        if (dimension < first) {
            for (long index = 0; index < size(dimension); index++) {
                long[] moved = offsets.clone();
                for (int m = 0; m < moved.length; m++) {
                    moved[m] += index * stride(m, dimension);
                }
                run(product, dimension + 1, moved);
            }
            return;
        }
        var firsts = new StridedArray[matrices.length];
        for (int m = 0; m < firsts.length; m++) {
            firsts[m] = matrices[m].matrixAt(offsets[m]);
        }
        product.accept(firsts);
    }

    private StridedArray result() {
        return matrices[matrices.length - 1];
    }

    private long size(int dimension) {
        return result().shape()[dimension];
    }

    private long stride(int matrix, int dimension) {
        return matrices[matrix].shape()[dimension] == 1 ? 0 : matrices[matrix].strides()[dimension];
    }
}
