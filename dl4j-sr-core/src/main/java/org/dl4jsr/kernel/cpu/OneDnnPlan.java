package org.dl4jsr.kernel.cpu;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_BIAS;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_FROM;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC_1;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_TO;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.dnnl.IntMemoryMap;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.global.dnnl.algorithm;
import org.bytedeco.dnnl.matmul;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.post_ops;
import org.bytedeco.dnnl.primitive;
import org.bytedeco.dnnl.primitive_attr;
import org.bytedeco.dnnl.reorder;
import org.bytedeco.dnnl.stream;
import org.bytedeco.javacpp.Pointer;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.Pointers;
import org.dl4jsr.kernel.StridedArray;

/**
 * One product for fixed shapes, strides and factors: oneDNN's primitives and their arguments, ready to run on any
 * addresses. Not for two threads at a time.
 *
 * <p>b goes into a layout of oneDNN's choice where the product is large enough to pay for the reorder.
 */
final class OneDnnPlan implements AutoCloseable {

    /**
     * From how many rows of the result on b is reordered. On AVX-512 that gains up to 8 percent with 2048 rows and
     * loses up to 10 with 384.
     */
    private static final int WORTH_REORDERING = 1024;
    /** No operand larger than this, in bytes, is reordered: every thread keeps the memory for it. */
    private static final long REORDERED_AT_MOST = 128 << 20;

    private final List<Pointer> owned = new ArrayList<>();
    private final Address address = new Address();
    private final engine engine;
    private final String implementation;
    private final primitive product;
    private final IntMemoryMap arguments;
    private final memory left;
    private final Right right;
    private final memory result;
    private final memory bias;
    private final memory residual;

    /** c must have unit column stride, a and b a unit stride in one of the last two dimensions. */
    OneDnnPlan(
            engine engine,
            StridedArray a,
            StridedArray b,
            StridedArray c,
            float alpha,
            float beta,
            StridedArray bias,
            StridedArray residual) {
        this.engine = engine;
        try (var scope = Pointers.scope()) {
            var leftGiven = descriptor(a);
            var rightGiven = descriptor(b);
            var target = descriptor(c);
            var rightWanted = c.shape().length == 2 && c.rows() >= WORTH_REORDERING && isModest(b)
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
            left = argument(leftGiven, DNNL_ARG_SRC);
            right = new Right(rightGiven, descriptor.weights_desc());
            result = argument(target, DNNL_ARG_DST);
            this.bias = bias == null ? null : argument(added, first ? DNNL_ARG_BIAS : addend(biasStep));
            this.residual = residualStep < 0 ? null : argument(descriptor(residual), addend(residualStep));
        }
    }

    /** Which of oneDNN's implementations runs. */
    String implementation() {
        return implementation;
    }

    void run(
            stream stream,
            StridedArray a,
            StridedArray b,
            StridedArray c,
            StridedArray bias,
            StridedArray residual,
            Scratch reordered) {
        left.set_data_handle(address.at(a.address()));
        right.prepare(stream, b.address(), reordered);
        result.set_data_handle(address.at(c.address()));
        if (bias != null) {
            this.bias.set_data_handle(address.at(bias.address()));
        }
        if (residual != null) {
            this.residual.set_data_handle(address.at(residual.address()));
        }
        product.execute(stream, arguments);
        stream._wait();
    }

    @Override
    public void close() {
        owned.forEach(Pointer::close);
    }

    /** b as it is given and, where that differs, as oneDNN wants it. */
    private final class Right {

        private final memory given;
        private final memory wanted;
        private final primitive reorder;
        private final IntMemoryMap reorderArguments;
        private final long wantedBytes;

        Right(memory.desc givenAs, memory.desc wantedAs) {
            if (wantedAs.equals(givenAs)) {
                given = argument(givenAs, DNNL_ARG_WEIGHTS);
                wanted = null;
                reorder = null;
                reorderArguments = null;
                wantedBytes = 0;
            } else {
                given = keep(new memory(givenAs, engine, address.at(0)));
                wanted = argument(wantedAs, DNNL_ARG_WEIGHTS);
                reorder = keep(new reorder(new reorder.primitive_desc(engine, givenAs, engine, wantedAs)));
                reorderArguments = keep(new IntMemoryMap());
                reorderArguments.put(DNNL_ARG_FROM, given);
                reorderArguments.put(DNNL_ARG_TO, wanted);
                wantedBytes = wantedAs.get_size();
            }
        }

        void prepare(stream stream, long from, Scratch reordered) {
            given.set_data_handle(address.at(from));
            if (reorder != null) {
                wanted.set_data_handle(address.at(reordered.reserve(wantedBytes)));
                reorder.execute(stream, reorderArguments);
            }
        }
    }

    private memory argument(memory.desc descriptor, int argument) {
        var memory = keep(new memory(descriptor, engine, address.at(0)));
        arguments.put(argument, memory);
        return memory;
    }

    private <P extends Pointer> P keep(P pointer) {
        owned.add(pointer.retainReference());
        return pointer;
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
