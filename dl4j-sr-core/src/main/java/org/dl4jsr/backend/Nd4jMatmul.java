package org.dl4jsr.backend;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.dl4jsr.kernel.Matmul;
import org.dl4jsr.kernel.StridedArray;
import org.dl4jsr.op.Autocast;
import org.dl4jsr.op.Device;
import org.dl4jsr.op.KernelOp;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * ND4J's ops {@code matmul} and {@code matmul_bp}, to which most of its matrix products come down (mmul, gemm, gemv),
 * {@code tensormmul} and {@code xw_plus_b}, on {@link Matmul}: BF16 operands, and FLOAT ones under {@link Autocast}.
 */
final class Nd4jMatmul {

    private final Device device;

    Nd4jMatmul(Device device) {
        this.device = device;
    }

    /**
     * Runs the op if it is one of these and its operands suit.
     *
     * @param integers whether x, y and z are transposed; for tensormmul the counts and numbers of x's and y's axes
     * @param factors alpha, beta
     * @return whether it has been done
     */
    boolean run(String op, List<INDArray> inputs, List<INDArray> outputs, long[] integers, double[] factors) {
        if (!suits(inputs, outputs)) {
            return false;
        }
        boolean transposeX = isSet(integers, 0);
        boolean transposeY = isSet(integers, 1);
        boolean transposeZ = isSet(integers, 2);
        return switch (op) {
            case "matmul" -> inputs.size() == 2
                    && outputs.size() == 1
                    && product(
                            inputs.get(0),
                            inputs.get(1),
                            outputs.get(0),
                            transposeX,
                            transposeY,
                            transposeZ,
                            factors.length > 0 ? (float) factors[0] : 1,
                            factors.length > 1 ? (float) factors[1] : 0);
            case "matmul_bp" -> inputs.size() == 3
                    && outputs.size() == 2
                    && gradients(inputs, outputs, transposeX, transposeY, transposeZ);
            case "xw_plus_b" -> inputs.size() == 3
                    && Arrays.stream(integers).allMatch(flag -> flag == 0)
                    && affine(inputs.get(0), inputs.get(1), inputs.get(2), outputs.get(0));
            case "tensormmul", "tensordot" -> inputs.size() == 2
                    && contraction(inputs.get(0), inputs.get(1), outputs.get(0), integers);
            default -> false;
        };
    }

    private static boolean isSet(long[] integers, int i) {
        return integers.length > i && integers[i] != 0;
    }

    private static boolean suits(List<INDArray> inputs, List<INDArray> outputs) {
        if (Stream.concat(inputs.stream(), outputs.stream()).anyMatch(INDArray::isEmpty)) {
            return false;
        }
        DataType type = inputs.get(0).dataType();
        boolean oneType = inputs.stream().allMatch(array -> array.dataType() == type);
        return switch (type) {
            case BFLOAT16 -> oneType
                    && outputs.stream()
                            .allMatch(array ->
                                    array.dataType() == DataType.BFLOAT16 || array.dataType() == DataType.FLOAT);
            case FLOAT -> oneType
                    && Autocast.isEnabled()
                    && outputs.stream().allMatch(array -> array.dataType() == DataType.FLOAT);
            default -> false;
        };
    }

    private boolean product(
            INDArray x,
            INDArray y,
            INDArray z,
            boolean transposeX,
            boolean transposeY,
            boolean transposeZ,
            float alpha,
            float beta) {
        if (overlap(x, z) || overlap(y, z) || x.rank() == 0 || y.rank() == 0) {
            return false;
        }
        StridedArray a = x.rank() == 1 ? row(x) : transposed(strided(x), transposeX);
        StridedArray b = y.rank() == 1 ? column(y) : transposed(strided(y), transposeY);
        StridedArray c = z.rank() < 2 ? vector(z, a, b) : transposed(strided(z), transposeZ);
        int rank = c.shape().length;
        if (a.shape().length > rank || b.shape().length > rank) {
            return false;
        }
        a = a.withRank(rank);
        b = b.withRank(rank);
        if (c.rows() != a.rows() && c.rows() == b.columns() && rank == 2 && z.isVector()) {
            c = c.transposed(); // ND4J takes a row where the result is a column, and the other way
        }
        boolean fits = a.columns() == b.rows()
                && c.rows() == a.rows()
                && c.columns() == b.columns()
                && broadcasts(a, c)
                && broadcasts(b, c);
        if (fits) {
            device.matmul().multiply(a, b, c, alpha, beta, null, null);
            device.written(List.of(z));
        }
        return fits;
    }

    /** z = x w + b. */
    private boolean affine(INDArray x, INDArray w, INDArray b, INDArray z) {
        boolean fits = x.rank() == 2
                && w.rank() == 2
                && x.size(1) == w.size(0)
                && b.rank() == 1
                && b.length() == w.size(1)
                && b.dataType() == z.dataType()
                && !overlap(x, z)
                && !overlap(w, z)
                && !overlap(b, z);
        if (fits) {
            device.matmul().multiply(strided(x), strided(w), strided(z), 1, 0, row(b), null);
            device.written(List.of(z));
        }
        return fits;
    }

    /** The product over pairs of axes as one of matrices; x and y are copied where no strides express it. */
    private boolean contraction(INDArray x, INDArray y, INDArray z, long[] axes) {
        int count = axes.length / 2 - 1;
        boolean plain = axes.length == 2 * count + 2
                && axes[0] == count
                && axes[count + 1] == count
                && count > 0
                && Arrays.stream(axes).allMatch(axis -> axis >= 0)
                && z.rank() > 0
                && z.ordering() == 'c'
                && !z.isView();
        if (!plain) {
            return false;
        }
        int[] summedX = IntStream.rangeClosed(1, count).map(i -> (int) axes[i]).toArray();
        int[] summedY = IntStream.rangeClosed(count + 2, 2 * count + 1)
                .map(i -> (int) axes[i])
                .toArray();
        long inner = Arrays.stream(summedX).mapToLong(x::size).reduce(1, (a, b) -> a * b);
        long rows = x.length() / inner;
        long columns = y.length() / inner;
        INDArray a = x.permute(joined(others(x.rank(), summedX), summedX)).reshape(rows, inner);
        INDArray b = y.permute(joined(summedY, others(y.rank(), summedY))).reshape(inner, columns);
        return product(a, b, z.reshape(rows, columns), false, false, false, 1, 0);
    }

    private static int[] others(int rank, int[] axes) {
        return IntStream.range(0, rank)
                .filter(i -> Arrays.stream(axes).noneMatch(axis -> axis == i))
                .toArray();
    }

    private static int[] joined(int[] first, int[] second) {
        return IntStream.concat(Arrays.stream(first), Arrays.stream(second)).toArray();
    }

    /** From z = x y: dx = dz y^T and dy = x^T dz, each transposed as x, y and z were. */
    private boolean gradients(
            List<INDArray> inputs, List<INDArray> outputs, boolean transposeX, boolean transposeY, boolean transposeZ) {
        INDArray x = inputs.get(0);
        boolean plain = x.rank() >= 2
                && Stream.concat(inputs.stream(), outputs.stream())
                        .allMatch(array -> array.rank() == x.rank()
                                && IntStream.range(0, x.rank() - 2).allMatch(i -> array.size(i) == x.size(i)));
        if (!plain) {
            return false;
        }
        StridedArray a = transposed(strided(x), transposeX);
        StridedArray b = transposed(strided(inputs.get(1)), transposeY);
        StridedArray dc = transposed(strided(inputs.get(2)), transposeZ);
        device.matmul().multiply(dc, b.transposed(), transposed(strided(outputs.get(0)), transposeX));
        device.matmul().multiply(a.transposed(), dc, transposed(strided(outputs.get(1)), transposeY));
        device.written(outputs);
        return true;
    }

    private static StridedArray transposed(StridedArray matrix, boolean transpose) {
        return transpose ? matrix.transposed() : matrix;
    }

    private StridedArray strided(INDArray array) {
        return KernelOp.strided(device, array);
    }

    private StridedArray row(INDArray vector) {
        return strided(vector).asRow();
    }

    private boolean overlap(INDArray a, INDArray b) {
        return strided(a).overlaps(strided(b));
    }

    private StridedArray column(INDArray vector) {
        return row(vector).transposed();
    }

    /** A result of rank 0 or 1 as the matrix that the product is. */
    private StridedArray vector(INDArray z, StridedArray a, StridedArray b) {
        if (z.rank() == 0) {
            StridedArray scalar = strided(z);
            return new StridedArray(scalar.type(), scalar.address(), new long[] {1, 1}, new long[] {1, 1});
        }
        return b.columns() == 1 && a.rows() == z.length() ? column(z) : row(z);
    }

    private static boolean broadcasts(StridedArray operand, StridedArray result) {
        return IntStream.range(0, result.shape().length - 2)
                .allMatch(i -> operand.shape()[i] == result.shape()[i] || operand.shape()[i] == 1);
    }
}
