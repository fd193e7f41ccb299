package org.dl4jsr.kernel;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.dnnl.stream;
import org.bytedeco.javacpp.PointerScope;

/**
 * Matrix multiplication by oneDNN on the CPU, BF16 (with BF16 or FLOAT result) and FLOAT. Transposes are strides; an
 * operand without a unit stride in its last two dimensions is copied densely first. Primitives are cached per thread
 * and shape.
 */
public final class OneDnnMatmul implements Matmul {

    /** Shapes that a thread keeps ready; the least recently used goes first. */
    private static final int PLANS_PER_THREAD = 256;
    /** From how many columns of the result on a transposed a is copied: it costs as much as some 30 columns. */
    private static final int WORTH_TRANSPOSING = 256;
    /** No operand larger than this, in bytes, is copied for speed: every thread keeps the memory for it. */
    private static final long TRANSPOSED_AT_MOST = 128 << 20;

    private final engine engine;
    private final ThreadLocal<Workplace> workplaces = ThreadLocal.withInitial(this::newWorkplace);

    /** Fails with a {@link LinkageError} where oneDNN's native library does not load. */
    public OneDnnMatmul() {
        try (var scope = new PointerScope()) {
            engine = new engine(org.bytedeco.dnnl.engine.kind.cpu, 0).retainReference();
        }
    }

    /** Whether this CPU multiplies BF16 with AVX-512 or better; oneDNN refuses BF16 on others. */
    static boolean multipliesBFloat16() {
        int avx512 = dnnl.dnnl_cpu_isa_avx512_core;
        return (dnnl.dnnl_get_effective_cpu_isa() & avx512) == avx512;
    }

    @Override
    public String description() {
        var version = dnnl.dnnl_version();
        return "oneDNN " + version.major() + "." + version.minor() + "." + version.patch() + ", "
                + dnnl.get_effective_cpu_isa().intern().name();
    }

    @Override
    public void multiply(Matrix a, Matrix b, Matrix c, float alpha, float beta, Matrix bias, Matrix residual) {
        Operands.check(a, b, c, bias, residual);
        a = canonical(a);
        b = canonical(b);
        c = canonical(c);
        residual = residual == null ? null : canonical(residual);
        Workplace workplace = workplaces.get();
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
            Matrix dense = rowMajor(c, workplace.result);
            if (beta != 0) {
                StridedCopy.copy(c, dense);
            }
            Matrix addend = residual == null ? null : copy(residual, workplace.residual);
            workplace.multiply(a, b, dense, alpha, beta, bias, addend);
            StridedCopy.copy(dense, c);
        }
    }

    /** Which of oneDNN's implementations this product runs on. */
    String implementation(Matrix a, Matrix b, Matrix c) {
        Workplace workplace = workplaces.get();
        Matrix left = isWorthTransposing(a, c) ? rowMajor(a, workplace.left) : canonical(a);
        return workplace
                .plan(left, canonical(b), canonical(c), 1, 0, null, null)
                .implementation();
    }

    private Workplace newWorkplace() {
        return new Workplace(engine);
    }

    /** What one thread needs to multiply. */
    private static final class Workplace {

        private final engine engine;
        private final stream stream;
        private final Scratch left = new Scratch();
        private final Scratch right = new Scratch();
        private final Scratch reordered = new Scratch();
        private final Scratch result = new Scratch();
        private final Scratch residual = new Scratch();
        private final Map<Key, OneDnnPlan> plans = new LinkedHashMap<>(16, 0.75f, true) {
            @Override
            protected boolean removeEldestEntry(Map.Entry<Key, OneDnnPlan> eldest) {
                if (size() > PLANS_PER_THREAD) {
                    eldest.getValue().close();
                    return true;
                }
                return false;
            }
        };

        Workplace(engine engine) {
            this.engine = engine;
            try (var scope = new PointerScope()) {
                stream = new stream(engine).retainReference();
            }
        }

        void multiply(Matrix a, Matrix b, Matrix c, float alpha, float beta, Matrix bias, Matrix addend) {
            a = isWorthTransposing(a, c) ? transpose(a, left) : isTaken(a) ? a : copy(a, left);
            b = isTaken(b) ? b : copy(b, right);
            plan(a, b, c, alpha, beta, bias, addend).run(stream, a, b, c, bias, addend, reordered);
        }

        OneDnnPlan plan(Matrix a, Matrix b, Matrix c, float alpha, float beta, Matrix bias, Matrix addend) {
            var key = new Key(a, b, c, alpha, beta, bias != null, addend != null);
            OneDnnPlan plan = plans.get(key);
            if (plan == null) {
                plan = new OneDnnPlan(engine, a, b, c, alpha, beta, bias, addend);
                plans.put(key, plan);
            }
            return plan;
        }
    }

    /** Whether a is column-major, dense and worth a row-major copy, which oneDNN multiplies faster. */
    private static boolean isWorthTransposing(Matrix a, Matrix c) {
        long[] strides = a.strides();
        return strides.length == 2
                && strides[0] == 1
                && strides[1] == a.rows()
                && a.rows() > 1
                && c.columns() >= WORTH_TRANSPOSING
                && a.columns() <= Integer.MAX_VALUE
                && a.rows() <= Integer.MAX_VALUE
                && a.rows() * a.columns() * a.type().bytes() <= TRANSPOSED_AT_MOST;
    }

    /** The same matrix in {@code scratch}, row-major. */
    private static Matrix transpose(Matrix a, Scratch scratch) {
        Matrix rowMajor = rowMajor(a, scratch);
        Kernels.get().transpose(a.type(), a.address(), rowMajor.address(), (int) a.columns(), (int) a.rows());
        return rowMajor;
    }

    private static boolean isTaken(Matrix matrix) {
        return isRowMajor(matrix) || isRowMajor(matrix.transposed());
    }

    /**
     * Whether the last dimension has stride 1 and rows do not overlap. A batch must be dense as well: oneDNN 3.11 reads
     * wild addresses in some batches with gaps or another order (k = 1, a bias).
     */
    private static boolean isRowMajor(Matrix matrix) {
        long[] strides = matrix.strides();
        return strides.length == 2
                ? strides[1] == 1 && (matrix.rows() == 1 || strides[0] >= matrix.columns())
                : Arrays.equals(strides, rowMajorStrides(matrix.shape()));
    }

    /** The same matrix with one choice for the strides that do not matter, those of dimensions of one element. */
    private static Matrix canonical(Matrix matrix) {
        long[] shape = matrix.shape();
        long[] strides = matrix.strides().clone();
        int last = shape.length - 1;
        if (shape[last] == 1) {
            strides[last] = 1;
            if (shape[last - 1] == 1) {
                strides[last - 1] = 1;
            }
        } else if (shape[last - 1] == 1) {
            strides[last - 1] = strides[last] == 1 ? shape[last] : 1;
        }
        for (int i = last - 2; i >= 0; i--) {
            if (shape[i] == 1) {
                long inner = shape[i + 1] * strides[i + 1];
                strides[i] = i < last - 2 ? inner : Math.max(inner, shape[last] * strides[last]);
            }
        }
        return new Matrix(matrix.type(), matrix.address(), shape, strides);
    }

    private static Matrix copy(Matrix matrix, Scratch scratch) {
        Matrix copy = rowMajor(matrix, scratch);
        StridedCopy.copy(matrix, copy);
        return copy;
    }

    /** A dense row-major matrix of this shape and type in {@code scratch}. */
    private static Matrix rowMajor(Matrix matrix, Scratch scratch) {
        long bytes = StridedCopy.length(matrix.shape()) * matrix.type().bytes();
        return new Matrix(matrix.type(), scratch.reserve(bytes), matrix.shape(), rowMajorStrides(matrix.shape()));
    }

    private static long[] rowMajorStrides(long[] shape) {
        long[] strides = new long[shape.length];
        long stride = 1;
        for (int i = shape.length - 1; i >= 0; i--) {
            strides[i] = stride;
            stride *= shape[i];
        }
        return strides;
    }

    /** What a plan depends on: shapes, strides, types and factors. */
    private static final class Key {

        private final long[] content;
        private final int hash;

        Key(Matrix a, Matrix b, Matrix c, float alpha, float beta, boolean bias, boolean residual) {
            int rank = c.shape().length;
            content = new long[6 * rank + 3];
            append(a, 0);
            append(b, 2 * rank);
            append(c, 4 * rank);
            content[6 * rank] = Float.floatToRawIntBits(alpha);
            content[6 * rank + 1] = Float.floatToRawIntBits(beta);
            content[6 * rank + 2] = a.type().ordinal() + 2 * c.type().ordinal() + (bias ? 4 : 0) + (residual ? 8 : 0);
            hash = Arrays.hashCode(content);
        }

        private void append(Matrix matrix, int at) {
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
