package org.dl4jsr.kernel.cuda;

import org.dl4jsr.kernel.StridedArray;

/** The products of a batch, c = a b, in runs that lie evenly in memory: as few as their strides allow. */
final class MatrixBatches {

    /** Takes a run of {@code batch} products: the first one's matrices and the elements from each to the next. */
    interface Product {
        void run(StridedArray a, StridedArray b, StridedArray c, long batch, long aStride, long bStride, long cStride);
    }

    private final StridedArray[] matrices;
    private final int leading;

    MatrixBatches(StridedArray a, StridedArray b, StridedArray c) {
        matrices = new StridedArray[] {a, b, c};
        leading = c.shape().length - 2;
    }

    /** Calls {@code product} with the innermost run of leading dimensions that lie evenly, for each index before. */
    void forEach(Product product) {
        int first = leading;
        long batch = 1;
        long[] steps = new long[matrices.length];
        for (int i = leading - 1; i >= 0; i--) {
            if (size(i) == 1) {
                first = i;
                continue;
            }
            boolean even = true;
            for (int m = 0; m < matrices.length; m++) {
                even &= batch == 1 || stride(m, i) == batch * steps[m];
            }
            if (!even) {
                break;
            }
            for (int m = 0; m < matrices.length && batch == 1; m++) {
                steps[m] = stride(m, i);
            }
            batch *= size(i);
            first = i;
        }
        run(product, 0, first, new long[matrices.length], batch, steps);
    }

    private void run(Product product, int dimension, int end, long[] offsets, long batch, long[] steps) {
        if (dimension < end) {
            for (long index = 0; index < size(dimension); index++) {
                long[] moved = offsets.clone();
                for (int m = 0; m < moved.length; m++) {
                    moved[m] += index * stride(m, dimension);
                }
                run(product, dimension + 1, end, moved, batch, steps);
            }
            return;
        }
        product.run(
                matrices[0].matrixAt(offsets[0]),
                matrices[1].matrixAt(offsets[1]),
                matrices[2].matrixAt(offsets[2]),
                batch,
                steps[0],
                steps[1],
                steps[2]);
    }

    /** The result has all sizes; the others may broadcast. */
    private long size(int dimension) {
        return matrices[2].shape()[dimension];
    }

    private long stride(int matrix, int dimension) {
        return matrices[matrix].shape()[dimension] == 1 ? 0 : matrices[matrix].strides()[dimension];
    }
}
