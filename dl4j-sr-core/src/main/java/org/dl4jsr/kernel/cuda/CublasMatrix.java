package org.dl4jsr.kernel.cuda;

import static org.bytedeco.cuda.global.cublas.CUBLAS_OP_N;
import static org.bytedeco.cuda.global.cublas.CUBLAS_OP_T;
import static org.bytedeco.cuda.global.cudart.CUDA_R_16BF;
import static org.bytedeco.cuda.global.cudart.CUDA_R_32F;

import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.StridedArray;

/**
 * How a matrix lies in memory, in cuBLAS' words, for which it is column-major: a row-major matrix is given as its
 * transpose. So c = a b is given as c^T = b^T a^T.
 *
 * @param type cudaDataType_t
 * @param operation CUBLAS_OP_N where the column-major matrix is the transpose, CUBLAS_OP_T where it has yet to be
 *     transposed
 * @param height rows of the column-major matrix
 * @param width its columns
 * @param leadingDimension elements from a column to the next
 */
record CublasMatrix(int type, int operation, long height, long width, long leadingDimension) {

    /** A matrix for which {@link #takes} holds. */
    static CublasMatrix of(StridedArray matrix) {
        boolean rowMajor = matrix.hasContiguousRows();
        StridedArray stored = rowMajor ? matrix : matrix.transposed();
        return new CublasMatrix(
                matrix.type() == FloatType.FLOAT ? CUDA_R_32F : CUDA_R_16BF,
                rowMajor ? CUBLAS_OP_N : CUBLAS_OP_T,
                stored.columns(),
                stored.rows(),
                stored.rows() == 1 ? Math.max(1, stored.columns()) : stored.rowStride());
    }

    /** Whether cuBLAS takes the matrix as it lies. */
    static boolean takes(StridedArray matrix) {
        return matrix.hasContiguousRows() || matrix.transposed().hasContiguousRows();
    }
}
