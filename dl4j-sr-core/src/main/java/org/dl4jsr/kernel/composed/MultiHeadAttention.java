package org.dl4jsr.kernel.composed;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import org.dl4jsr.kernel.ArrayKernels;
import org.dl4jsr.kernel.AttentionShape;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.Matmul;
import org.dl4jsr.kernel.StridedArray;

/**
 * Multi-head attention of sequences [batch, width, time] in BF16, as ND4J has it: queries, keys and values are
 * projected, or are taken as they are, and so is what they give. Sequences are copied to rows, [batch * time, width],
 * where they do not lie so.
 */
public final class MultiHeadAttention {

    private final ArrayKernels arrays;
    private final Matmul matmul;
    private final ThreadLocal<Workplace> workplaces;

    /**
     * What attention is computed of, or the gradients of that.
     *
     * @param queries [batch, width, time]; so are keys and values, both of one time, all of any strides
     * @param queryWeights [heads, head width, width], dense; so are keyWeights, valueWeights; null for no projections
     * @param outputWeights [heads * head width, output width], dense; null for no projections
     */
    public record Operands(
            StridedArray queries,
            StridedArray keys,
            StridedArray values,
            StridedArray queryWeights,
            StridedArray keyWeights,
            StridedArray valueWeights,
            StridedArray outputWeights) {

        private AttentionShape shape() {
            boolean projects = queryWeights != null;
            return new AttentionShape(
                    (int) queries.shape()[0],
                    (int) queries.columns(),
                    (int) keys.columns(),
                    projects ? (int) queryWeights.shape()[0] : 1,
                    (int) (projects ? queryWeights.rows() : queries.rows()));
        }
    }

    /**
     * Attention by these kernels, which go together.
     *
     * @param memory makes memory that they can address
     */
    public MultiHeadAttention(ArrayKernels arrays, Matmul matmul, Supplier<? extends GrowingMemory> memory) {
        this.arrays = arrays;
        this.matmul = matmul;
        workplaces = ThreadLocal.withInitial(() -> new Workplace(memory));
    }

    /**
     * Writes {@code out} [batch, output width, time of the queries], of any strides.
     *
     * @param visible as {@link ArrayKernels#keyAttention} has it
     */
    public void forward(Operands operands, long visible, StridedArray out) {
        var pass = new Pass(operands, visible);
        pass.project(pass.attended, operands.outputWeights, out);
    }

    /**
     * Writes the gradients of {@code operands}.
     *
     * @param dOut gradient of what {@link #forward} has written
     */
    public void backward(Operands operands, long visible, StridedArray dOut, Operands gradients) {
        new Pass(operands, visible).backward(dOut, gradients);
    }

    /** Memory of one thread, taken piece by piece. */
    private static final class Workplace {

        private final Supplier<? extends GrowingMemory> memory;
        private final List<GrowingMemory> pieces = new ArrayList<>();
        private int taken;

        Workplace(Supplier<? extends GrowingMemory> memory) {
            this.memory = memory;
        }

        long take(long bytes) {
            if (taken == pieces.size()) {
                pieces.add(memory.get());
            }
            return pieces.get(taken++).reserve(bytes);
        }

        StridedArray matrix(long rows, long columns) {
            return StridedArray.rowMajor(FloatType.BFLOAT16, take(2 * rows * columns), rows, columns);
        }
    }

    /** The attention of some operands, and what it leaves. */
    private final class Pass {

        private final Workplace workplace = workplaces.get();
        private final Operands operands;
        private final long visible;
        private final AttentionShape shape;
        private final StridedArray queryRows;
        private final StridedArray keyRows;
        private final StridedArray valueRows;
        private final StridedArray q;
        private final StridedArray k;
        private final StridedArray v;
        private final StridedArray attended;
        private final long logSumExp;

        Pass(Operands operands, long visible) {
            workplace.taken = 0;
            this.operands = operands;
            this.visible = visible;
            shape = operands.shape();
            queryRows = rows(operands.queries);
            keyRows = isSame(operands.keys, operands.queries) ? queryRows : rows(operands.keys);
            valueRows = isSame(operands.values, operands.keys) ? keyRows : rows(operands.values);
            q = projected(queryRows, operands.queryWeights);
            k = projected(keyRows, operands.keyWeights);
            v = projected(valueRows, operands.valueWeights);
            attended = workplace.matrix(q.rows(), q.columns());
            logSumExp = workplace.take(4L * shape.batch() * shape.heads() * shape.queries());
            arrays.keyAttention(shape, q.address(), k.address(), v.address(), visible, attended.address(), logSumExp);
        }

        void backward(StridedArray dOut, Operands gradients) {
            StridedArray dRows = rows(dOut);
            StridedArray dAttended = dRows;
            if (operands.outputWeights != null) {
                dAttended = workplace.matrix(attended.rows(), attended.columns());
                matmul.multiply(dRows, operands.outputWeights.transposed(), dAttended);
                matmul.multiply(attended.transposed(), dRows, gradients.outputWeights);
            }
            StridedArray dQ = workplace.matrix(q.rows(), q.columns());
            StridedArray dK = workplace.matrix(k.rows(), k.columns());
            StridedArray dV = workplace.matrix(v.rows(), v.columns());
            arrays.keyAttentionGradient(
                    shape,
                    q.address(),
                    k.address(),
                    v.address(),
                    visible,
                    attended.address(),
                    logSumExp,
                    dAttended.address(),
                    dQ.address(),
                    dK.address(),
                    dV.address());
            unproject(dQ, queryRows, operands.queryWeights, gradients.queries, gradients.queryWeights);
            unproject(dK, keyRows, operands.keyWeights, gradients.keys, gradients.keyWeights);
            unproject(dV, valueRows, operands.valueWeights, gradients.values, gradients.valueWeights);
        }

        private static boolean isSame(StridedArray a, StridedArray b) {
            return a.address() == b.address()
                    && Arrays.equals(a.shape(), b.shape())
                    && Arrays.equals(a.strides(), b.strides());
        }

        /** [batch, width, time] as [batch * time, width], or a copy of it. */
        private StridedArray rows(StridedArray sequences) {
            StridedArray timeFirst = sequences.transposed();
            StridedArray matrix = matrix(sequences, timeFirst.address());
            if (!timeFirst.isDense()) {
                matrix = matrix(sequences, workplace.take(sequences.bytes()));
                arrays.copy(timeFirst, timeFirst.rowMajorAt(matrix.address()));
            }
            return matrix;
        }

        private static StridedArray matrix(StridedArray sequences, long address) {
            return StridedArray.rowMajor(
                    sequences.type(), address, sequences.shape()[0] * sequences.columns(), sequences.rows());
        }

        /** [heads, head width, width] as a matrix. */
        private static StridedArray flat(StridedArray weights) {
            return StridedArray.rowMajor(
                    weights.type(), weights.address(), weights.length() / weights.columns(), weights.columns());
        }

        private StridedArray projected(StridedArray rows, StridedArray weights) {
            if (weights == null) {
                return rows;
            }
            StridedArray result = workplace.matrix(rows.rows(), shape.width());
            matmul.multiply(rows, flat(weights).transposed(), result);
            return result;
        }

        /** Gradients of what was projected and of the weights, of that of the projection. */
        private void unproject(
                StridedArray gradient,
                StridedArray rows,
                StridedArray weights,
                StridedArray dIn,
                StridedArray dWeights) {
            project(gradient, weights == null ? null : flat(weights), dIn);
            if (weights != null) {
                matmul.multiply(gradient.transposed(), rows, flat(dWeights));
            }
        }

        /** Writes rows weights, or the rows alone, into sequences [batch, width, time]. */
        private void project(StridedArray rows, StridedArray weights, StridedArray sequences) {
            StridedArray timeFirst = sequences.transposed();
            StridedArray result = rows;
            if (weights != null) {
                boolean direct = timeFirst.isDense();
                result = matrix(sequences, direct ? timeFirst.address() : workplace.take(sequences.bytes()));
                matmul.multiply(rows, weights, result);
                if (direct) {
                    return;
                }
            }
            arrays.copy(timeFirst.rowMajorAt(result.address()), timeFirst);
        }
    }
}
