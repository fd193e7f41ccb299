package org.dl4jsr.kernel.cpu;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_BIAS;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC_1;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;

import java.util.Arrays;
import org.bytedeco.dnnl.IntMemoryMap;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.global.dnnl.algorithm;
import org.bytedeco.dnnl.matmul;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.post_ops;
import org.bytedeco.dnnl.primitive;
import org.bytedeco.dnnl.primitive_attr;
import org.bytedeco.dnnl.stream;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.Pointers;
import org.dl4jsr.kernel.StridedArray;

/**
 * One product for fixed shapes, strides and factors. b goes into a layout of oneDNN's choice where the product is large
 * enough to pay for the reorder.
 */
final class OneDnnPlan extends OneDnnPrimitives {

    /**
     * From how many rows of the result on b is reordered. On AVX-512 that gains up to 8 percent with 2048 rows and
     * loses up to 10 with 384.
     */
    private static final int WORTH_REORDERING = 1024;
    /** No operand larger than this, in bytes, is reordered: every thread keeps the memory for it. */
    private static final long REORDERED_AT_MOST = 128 << 20;

    /** What happens to b before a product. */
    enum Reordering {
        /** Where this product alone pays for it. */
        IF_WORTH_IT,
        /** Once for many products. */
        ALWAYS
    }

    private final String implementation;
    private final primitive product;
    private final IntMemoryMap arguments;
    private final Operand left;
    private final Operand right;
    private final Operand result;
    private final Operand bias;
    private final Operand residual;

    /**
     * c must have unit column stride, a and b a unit stride in one of the last two dimensions.
     *
     * @param reordered for b in oneDNN's layout
     */
    OneDnnPlan(
            engine engine,
            StridedArray a,
            StridedArray b,
            StridedArray c,
            float alpha,
            float beta,
            StridedArray bias,
            StridedArray residual,
            Reordering reordering,
            Scratch reordered) {
        super(engine);
        try (var scope = Pointers.scope()) {
            var leftGiven = descriptor(a);
            var rightGiven = descriptor(b);
            var target = descriptor(c);
            boolean worthIt = c.shape().length == 2 && c.rows() >= WORTH_REORDERING && isModest(b);
            var rightWanted = worthIt || reordering == Reordering.ALWAYS
                    ? new memory.desc(b.shape(), type(b), memory.format_tag.any)
                    : rightGiven;

            var steps = new post_ops();
            if (alpha != 1) {
                steps.append_eltwise(algorithm.eltwise_linear, alpha, 0);
            }
            if (beta != 0) {
                steps.append_sum(beta, 0, memory.data_type.undef);
            }
            var added = bias == null ? null : descriptor(aligned(bias, c.shape().length));
            boolean first = alpha == 1; // oneDNN's own bias costs less than an addition, but comes before alpha
            int biasStep = bias == null || first ? -1 : appendAdd(steps, added);
            int residualStep = residual == null ? -1 : appendAdd(steps, descriptor(residual));
            var attributes = new primitive_attr();
            attributes.set_post_ops(steps);
            var descriptor = bias == null || !first
                    ? new matmul.primitive_desc(engine, leftGiven, rightWanted, target, attributes, false)
                    : new matmul.primitive_desc(engine, leftGiven, rightWanted, added, target, attributes, false);

            implementation = descriptor.impl_info_str().getString();
            product = keep(new matmul(descriptor));
            arguments = keep(new IntMemoryMap());
            left = new Operand(arguments, DNNL_ARG_SRC, leftGiven);
            right = new Operand(arguments, DNNL_ARG_WEIGHTS, rightGiven, descriptor.weights_desc(), false, reordered);
            result = new Operand(arguments, DNNL_ARG_DST, target);
            this.bias = bias == null ? null : new Operand(arguments, first ? DNNL_ARG_BIAS : addend(biasStep), added);
            this.residual =
                    residualStep < 0 ? null : new Operand(arguments, addend(residualStep), descriptor(residual));
        }
    }

    /** Which of oneDNN's implementations runs. */
    String implementation() {
        return implementation;
    }

    void run(stream stream, StridedArray a, StridedArray b, StridedArray c, StridedArray bias, StridedArray residual) {
        right.prepare(stream, b.address());
        runAgain(stream, a, c, bias, residual);
    }

    /** With the b of the last {@link #run}, if the memory for it in oneDNN's layout still has it. */
    void runAgain(stream stream, StridedArray a, StridedArray c, StridedArray bias, StridedArray residual) {
        left.prepare(stream, a.address());
        result.prepare(stream, c.address());
        if (bias != null) {
            this.bias.prepare(stream, bias.address());
        }
        if (residual != null) {
            this.residual.prepare(stream, residual.address());
        }
        product.execute(stream, arguments);
        stream._wait();
    }

    private static boolean isModest(StridedArray operand) {
        return operand.length() * operand.type().bytes() <= REORDERED_AT_MOST;
    }

    private static int appendAdd(post_ops steps, memory.desc addend) {
        steps.append_binary(algorithm.binary_add, addend);
        return steps.len() - 1;
    }

    private static int addend(int step) {
        return DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE * (step + 1) | DNNL_ARG_SRC_1;
    }

    /** [1, n] as [1, ..., 1, n]. */
    private static StridedArray aligned(StridedArray bias, int rank) {
        long[] shape = new long[rank];
        long[] strides = new long[rank];
        Arrays.fill(shape, 1);
        Arrays.fill(strides, bias.columns());
        shape[rank - 1] = bias.columns();
        strides[rank - 1] = 1;
        return new StridedArray(bias.type(), bias.address(), shape, strides);
    }

    private static memory.desc descriptor(StridedArray matrix) {
        return new memory.desc(matrix.shape(), type(matrix), matrix.strides());
    }

    private static memory.data_type type(StridedArray matrix) {
        return matrix.type() == FloatType.FLOAT ? memory.data_type.f32 : memory.data_type.bf16;
    }
}
