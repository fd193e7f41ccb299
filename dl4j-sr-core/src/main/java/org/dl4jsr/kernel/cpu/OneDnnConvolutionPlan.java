package org.dl4jsr.kernel.cpu;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_BIAS;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_BIAS;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_WEIGHTS;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.dnnl.IntMemoryMap;
import org.bytedeco.dnnl.convolution_backward_data;
import org.bytedeco.dnnl.convolution_backward_weights;
import org.bytedeco.dnnl.convolution_forward;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.global.dnnl.algorithm;
import org.bytedeco.dnnl.global.dnnl.prop_kind;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive;
import org.bytedeco.dnnl.primitive_attr;
import org.bytedeco.dnnl.stream;
import org.dl4jsr.kernel.Pointers;
import org.dl4jsr.kernel.StridedArray;
import org.dl4jsr.kernel.Window;

/** Convolutions of one shape. */
final class OneDnnConvolutionPlan extends OneDnnPrimitives {

    private final Pass forward;
    private final Pass data;
    private final Pass weights;

    /** Memory for arrays as oneDNN wants them, each once in a pass: x and dx, the weights, y and dy. */
    record Reordered(Scratch images, Scratch filters, Scratch results) {

        Reordered() {
            this(new Scratch(), new Scratch(), new Scratch());
        }
    }

    OneDnnConvolutionPlan(
            engine engine,
            StridedArray x,
            StridedArray weights,
            boolean bias,
            StridedArray y,
            Window window,
            Reordered reordered) {
        super(engine);
        long[] steps = {window.strideHeight(), window.strideWidth()};
        long[] gaps = {window.dilationHeight() - 1, window.dilationWidth() - 1};
        long[] before = {window.paddingHeight(), window.paddingWidth()};
        long[] after = {
            Math.max(0, window.row(y.rows() - 1, window.height() - 1) - (x.rows() - 1)),
            Math.max(0, window.column(y.columns() - 1, window.width() - 1) - (x.columns() - 1))
        };
        try (var scope = Pointers.scope()) {
            var images = new memory.desc(x.shape(), memory.data_type.bf16, memory.format_tag.nhwc);
            var results = new memory.desc(y.shape(), memory.data_type.bf16, memory.format_tag.nhwc);
            StridedArray grouped = grouped(weights, x.shape()[1]);
            var filters = new memory.desc(grouped.shape(), memory.data_type.bf16, memory.format_tag.any);
            var biases = bias
                    ? new memory.desc(new long[] {y.shape()[1]}, memory.data_type.bf16, memory.format_tag.a)
                    : new memory.desc();
            var direct = algorithm.convolution_direct;
            var attributes = new primitive_attr();
            var forwardDescriptor = new convolution_forward.primitive_desc(
                    engine,
                    prop_kind.forward_training,
                    direct,
                    images,
                    filters,
                    biases,
                    results,
                    steps,
                    gaps,
                    before,
                    after,
                    attributes,
                    true);
            if (forwardDescriptor.get(true) == null) { // it refuses windows that begin far outside of the image
                forward = null;
                data = null;
                this.weights = null;
                return;
            }
            forward = new Pass(
                    forwardDescriptor.impl_info_str().getString(), keep(new convolution_forward(forwardDescriptor)));
            forward.reads(DNNL_ARG_SRC, x, forwardDescriptor.src_desc(), reordered.images);
            forward.reads(DNNL_ARG_WEIGHTS, grouped, forwardDescriptor.weights_desc(), reordered.filters);
            forward.bias(DNNL_ARG_BIAS, bias, forwardDescriptor.bias_desc());
            forward.writes(DNNL_ARG_DST, y, forwardDescriptor.dst_desc(), reordered.results);

            var dataDescriptor = new convolution_backward_data.primitive_desc(
                    engine,
                    direct,
                    images,
                    filters,
                    results,
                    steps,
                    gaps,
                    before,
                    after,
                    forwardDescriptor,
                    attributes,
                    false);
            data = new Pass(
                    dataDescriptor.impl_info_str().getString(), keep(new convolution_backward_data(dataDescriptor)));
            data.reads(DNNL_ARG_DIFF_DST, y, dataDescriptor.diff_dst_desc(), reordered.results);
            data.reads(DNNL_ARG_WEIGHTS, grouped, dataDescriptor.weights_desc(), reordered.filters);
            data.writes(DNNL_ARG_DIFF_SRC, x, dataDescriptor.diff_src_desc(), reordered.images);

            var weightsDescriptor = new convolution_backward_weights.primitive_desc(
                    engine,
                    direct,
                    images,
                    filters,
                    biases,
                    results,
                    steps,
                    gaps,
                    before,
                    after,
                    forwardDescriptor,
                    attributes,
                    false);
            this.weights = new Pass(
                    weightsDescriptor.impl_info_str().getString(),
                    keep(new convolution_backward_weights(weightsDescriptor)));
            this.weights.reads(DNNL_ARG_SRC, x, weightsDescriptor.src_desc(), reordered.images);
            this.weights.reads(DNNL_ARG_DIFF_DST, y, weightsDescriptor.diff_dst_desc(), reordered.results);
            this.weights.writes(
                    DNNL_ARG_DIFF_WEIGHTS, grouped, weightsDescriptor.diff_weights_desc(), reordered.filters);
            this.weights.bias(DNNL_ARG_DIFF_BIAS, bias, weightsDescriptor.diff_bias_desc());
        }
    }

    /** Weights as they are or, for fewer channels than there are, with the groups for a first dimension. */
    private static StridedArray grouped(StridedArray weights, long channels) {
        long[] shape = weights.shape();
        long[] strides = weights.strides();
        long groups = channels / shape[1];
        if (groups == 1) {
            return weights;
        }
        long ofGroup = shape[0] / groups;
        return new StridedArray(
                weights.type(),
                weights.address(),
                new long[] {groups, ofGroup, shape[1], shape[2], shape[3]},
                new long[] {ofGroup * strides[0], strides[0], strides[1], strides[2], strides[3]});
    }

    /** Whether oneDNN has more than its reference for all passes. */
    boolean isFast() {
        return forward != null && !forward.isReference() && !data.isReference() && !weights.isReference();
    }

    void forward(stream stream, StridedArray x, StridedArray filters, StridedArray bias, StridedArray y) {
        forward.run(stream, x, filters, bias, y);
    }

    void backwardWeights(stream stream, StridedArray x, StridedArray dy, StridedArray dFilters, StridedArray dBias) {
        weights.run(stream, x, dy, dFilters, dBias);
    }

    void backwardData(stream stream, StridedArray dy, StridedArray filters, StridedArray dx) {
        data.run(stream, dy, filters, dx);
    }

    /** One primitive and its operands, in the order in which {@link #run} takes their arrays. */
    private final class Pass {

        private final String implementation;
        private final primitive primitive;
        private final IntMemoryMap arguments = keep(new IntMemoryMap());
        private final List<Operand> operands = new ArrayList<>();

        Pass(String implementation, primitive primitive) {
            this.implementation = implementation;
            this.primitive = primitive;
        }

        boolean isReference() {
            return implementation.startsWith("ref");
        }

        void reads(int argument, StridedArray array, memory.desc wanted, Scratch reordered) {
            operands.add(new Operand(arguments, argument, given(array), wanted, false, reordered));
        }

        void writes(int argument, StridedArray array, memory.desc wanted, Scratch reordered) {
            operands.add(new Operand(arguments, argument, given(array), wanted, true, reordered));
        }

        /** Dense, in any case. */
        void bias(int argument, boolean exists, memory.desc wanted) {
            operands.add(exists ? new Operand(arguments, argument, wanted) : null);
        }

        private static memory.desc given(StridedArray array) {
            return new memory.desc(array.shape(), memory.data_type.bf16, array.strides());
        }

        /** @param arrays null for what does not exist */
        void run(stream stream, StridedArray... arrays) {
            for (int i = 0; i < arrays.length; i++) {
                if (operands.get(i) != null) {
                    operands.get(i).prepare(stream, arrays[i].address());
                }
            }
            primitive.execute(stream, arguments);
            for (Operand operand : operands) {
                if (operand != null) {
                    operand.finish(stream);
                }
            }
            stream._wait();
        }
    }
}
