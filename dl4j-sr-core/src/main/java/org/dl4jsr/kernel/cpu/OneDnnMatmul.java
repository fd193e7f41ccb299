package org.dl4jsr.kernel.cpu;

import java.util.Arrays;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.stream;
import org.dl4jsr.kernel.Kernels;
import org.dl4jsr.kernel.Matmul;
import org.dl4jsr.kernel.Memory;
import org.dl4jsr.kernel.Pointers;
import org.dl4jsr.kernel.RightFactor;
import org.dl4jsr.kernel.StridedArray;
import org.dl4jsr.kernel.cpu.OneDnnPlan.Reordering;

/**
 * Matrix multiplication by oneDNN on the CPU, BF16 (with BF16 or FLOAT result) and FLOAT. Transposes are strides; an
 * operand without a unit stride in its last two dimensions, or a bias with gaps, is copied densely first. Primitives are
 * cached per thread and shape.
 */
final class OneDnnMatmul implements Matmul {

    /** Shapes that a thread keeps ready; the least recently used goes first. */
    private static final int PLANS_PER_THREAD = 256;
    /** From how many columns of the result on a transposed a is copied: it costs as much as some 30 columns. */
    private static final int WORTH_TRANSPOSING = 256;
    /** From how many results an element on an unaligned factor is copied to aligned memory, where that helps. */
    private static final int WORTH_ALIGNING = 512;
    /** No operand larger than this, in bytes, is copied for speed: every thread keeps the memory for it. */
    private static final long COPIED_AT_MOST = 128 << 20;

    /**
     * A product of fewer operations over fewer bytes runs on one thread: it takes some 50 microseconds there. A second
     * thread gains less than half of that, and where it waits for a busy processor it costs milliseconds.
     */
    private static final long OPERATIONS_OF_ONE_THREAD = 8 << 20;

    private static final long BYTES_OF_ONE_THREAD = 1 << 20;

    private final engine engine;
    private final Kernels kernels;
    private final StridedCopy copies;
    private final boolean setsThreads;
    private final boolean aligns;
    private final ThreadLocal<Workplace> workplaces = ThreadLocal.withInitial(Workplace::new);

    /**
     * Products that copy operands by {@code kernels}, where they must; a {@link LinkageError} where oneDNN's native
     * library does not load.
     *
     * @param setsThreads whether small products are to run on one thread, which needs the {@link NativeLibrary}
     */
    OneDnnMatmul(Kernels kernels, boolean setsThreads) {
        this(kernels, setsThreads, OneDnnLibrary.hasTiles());
    }

    /** @param aligns whether factors off the cache's lines are slow: on AMX by half for each, on AVX-512 not at all */
    OneDnnMatmul(Kernels kernels, boolean setsThreads, boolean aligns) {
        this.kernels = kernels;
        this.setsThreads = setsThreads;
        this.aligns = aligns;
        copies = new StridedCopy(kernels);
        engine = OneDnnLibrary.engine();
    }

    @Override
    public String description() {
        return OneDnnLibrary.description();
    }

    @Override
    public void multiply(
            StridedArray a,
            StridedArray b,
            StridedArray c,
            float alpha,
            float beta,
            StridedArray bias,
            StridedArray residual) {
        Matmul.check(a, b, c, bias, residual);
        a = a.canonical();
        b = b.canonical();
        c = c.canonical();
        residual = residual == null ? null : residual.canonical();
        Workplace workplace = workplaces.get();
        bias = bias == null || bias.isDense() ? bias : copies.rowMajor(bias, workplace.bias);
        if (residual != null && residual.address() == c.address() && Arrays.equals(residual.strides(), c.strides())) {
            beta += 1;
            residual = null;
        }
        boolean alike = residual == null || Arrays.equals(residual.strides(), c.strides());
        if (isRowMajor(c) && alike) {
            workplace.multiply(a, b, c, alpha, beta, bias, residual);
        } else if (isRowMajor(c.transposed()) && bias == null && residual == null) {
            workplace.multiply(b.transposed(), a.transposed(), c.transposed(), alpha, beta, null, null);
        } else {
            StridedArray dense = c.rowMajorAt(workplace.result.reserve(c.bytes()));
            if (beta != 0) {
                copies.copy(c, dense);
            }
            StridedArray addend = residual == null ? null : copies.rowMajor(residual, workplace.residual);
            workplace.multiply(a, b, dense, alpha, beta, bias, addend);
            copies.copy(dense, c);
        }
    }

    @Override
    public RightFactor rightFactor(StridedArray b) {
        StridedArray right = b.canonical();
        boolean suits = right.rank() == 2 && isTaken(right) && right.bytes() <= COPIED_AT_MOST;
        return suits ? new ReorderedFactor(workplaces.get(), right) : Matmul.super.rightFactor(b);
    }

    /** What one thread needs to multiply. */
    private final class Workplace {

        private final stream stream;
        private final Scratch left = new Scratch();
        private final Scratch right = new Scratch();
        private final Scratch reordered = new Scratch();
        private final Scratch factor = new Scratch();
        private final Scratch bias = new Scratch();
        private final Scratch result = new Scratch();
        private final Scratch residual = new Scratch();
        private final OneDnnPlans<Key, OneDnnPlan> plans = new OneDnnPlans<>(PLANS_PER_THREAD);

        Workplace() {
            try (var scope = Pointers.scope()) {
                stream = new stream(engine).retainReference();
            }
        }

        void multiply(
                StridedArray a,
                StridedArray b,
                StridedArray c,
                float alpha,
                float beta,
                StridedArray bias,
                StridedArray addend) {
            StridedArray x = isWorthTransposing(a, c) ? transpose(a, left) : taken(a, c.columns(), left);
            StridedArray y = taken(b, c.rows(), right);
            var key = new Key(x, y, c, alpha, beta, bias != null, addend != null, Reordering.IF_WORTH_IT);
            OneDnnPlan plan = plans.get(
                    key,
                    () -> new OneDnnPlan(
                            engine, x, y, c, alpha, beta, bias, addend, Reordering.IF_WORTH_IT, reordered));
            onThreadsFor(x, y, c, () -> plan.run(stream, x, y, c, bias, addend));
        }

        /** Runs a product on one thread where it is small. */
        void onThreadsFor(StridedArray a, StridedArray b, StridedArray c, Runnable product) {
            int threads = setsThreads && isSmall(a, b, c) ? NativeLibrary.setThreads(1) : 0;
            try {
                product.run();
            } finally {
                if (threads > 0) {
                    NativeLibrary.setThreads(threads);
                }
            }
        }
    }

    /** A right factor in oneDNN's layout, into which the first product brings it. */
    private final class ReorderedFactor implements RightFactor {

        private final Workplace workplace;
        private final StridedArray b;
        private OneDnnPlan last;

        ReorderedFactor(Workplace workplace, StridedArray b) {
            this.workplace = workplace;
            this.b = b;
        }

        @Override
        public void multiply(StridedArray a, StridedArray c, float beta) {
            Matmul.check(a, b, c, null, null);
            if (!isTaken(a) || !isRowMajor(c)) {
                OneDnnMatmul.this.multiply(a, b, c, 1, beta, null, null);
                return;
            }
            var key = new Key(a, b, c, 1, beta, false, false, Reordering.ALWAYS);
            OneDnnPlan plan = workplace.plans.get(
                    key,
                    () -> new OneDnnPlan(engine, a, b, c, 1, beta, null, null, Reordering.ALWAYS, workplace.factor));
            workplace.onThreadsFor(a, b, c, () -> {
                if (plan == last) {
                    plan.runAgain(workplace.stream, a, c, null, null);
                } else {
                    plan.run(workplace.stream, a, b, c, null, null);
                }
            });
            last = plan;
        }
    }

    private static boolean isSmall(StridedArray a, StridedArray b, StridedArray c) {
        return 2 * c.length() * a.columns() <= OPERATIONS_OF_ONE_THREAD
                && a.bytes() + b.bytes() + c.bytes() <= BYTES_OF_ONE_THREAD;
    }

    /** Whether a is column-major, dense and worth a row-major copy, which oneDNN multiplies faster. */
    private static boolean isWorthTransposing(StridedArray a, StridedArray c) {
        return a.rank() == 2
                && a.rows() > 1
                && a.transposed().isDense()
                && c.columns() >= WORTH_TRANSPOSING
                && a.columns() <= Integer.MAX_VALUE
                && a.rows() <= Integer.MAX_VALUE
                && a.bytes() <= COPIED_AT_MOST;
    }

    /** The same matrix in {@code scratch}, row-major. */
    private StridedArray transpose(StridedArray a, Scratch scratch) {
        StridedArray rowMajor = a.rowMajorAt(scratch.reserve(a.bytes()));
        kernels.transpose(a.type(), a.address(), rowMajor.address(), (int) a.columns(), (int) a.rows());
        return rowMajor;
    }

    /** {@code matrix}, or a copy that oneDNN takes, or takes faster, for so many results an element. */
    private StridedArray taken(StridedArray matrix, long results, Scratch scratch) {
        boolean slow = aligns
                && results >= WORTH_ALIGNING
                && !matrix.isAligned(Memory.ALIGNMENT)
                && matrix.bytes() <= COPIED_AT_MOST;
        return isTaken(matrix) && !slow ? matrix : copies.rowMajor(matrix, scratch);
    }

    private static boolean isTaken(StridedArray matrix) {
        return isRowMajor(matrix) || isRowMajor(matrix.transposed());
    }

    /**
     * Whether rows are contiguous and do not overlap. A batch must be dense as well: oneDNN 3.11 reads wild addresses in
     * some batches with gaps or another order (k = 1, a bias).
     */
    private static boolean isRowMajor(StridedArray matrix) {
        return matrix.rank() == 2 ? matrix.columnStride() == 1 && matrix.hasContiguousRows() : matrix.isDense();
    }

    /** What a plan depends on: shapes, strides, types and factors. */
    private static final class Key {

        private final long[] content;
        private final int hash;

        Key(
                StridedArray a,
                StridedArray b,
                StridedArray c,
                float alpha,
                float beta,
                boolean bias,
                boolean residual,
                Reordering reordering) {
            int rank = c.shape().length;
            content = new long[6 * rank + 3];
            append(a, 0);
            append(b, 2 * rank);
            append(c, 4 * rank);
            content[6 * rank] = Float.floatToRawIntBits(alpha);
            content[6 * rank + 1] = Float.floatToRawIntBits(beta);
            content[6 * rank + 2] = a.type().ordinal()
                    + 2L * c.type().ordinal()
                    + (bias ? 4 : 0)
                    + (residual ? 8 : 0)
                    + 16L * reordering.ordinal();
            hash = Arrays.hashCode(content);
        }

        private void append(StridedArray matrix, int at) {
            int rank = matrix.shape().length;
            System.arraycopy(matrix.shape(), 0, content, at, rank);
            System.arraycopy(matrix.strides(), 0, content, at + rank, rank);
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Key key && Arrays.equals(content, key.content);
        }

        @Override
        public int hashCode() {
            return hash;
        }
    }
}
