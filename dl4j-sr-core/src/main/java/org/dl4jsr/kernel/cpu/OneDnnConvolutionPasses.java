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
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive;
import org.bytedeco.dnnl.primitive_desc_base;
import org.bytedeco.dnnl.stream;
import org.dl4jsr.kernel.StridedArray;
import org.dl4jsr.kernel.Window;

/** Convolutions, or transposed ones, of one shape: the primitives of their passes, which the subclass makes. */
abstract class OneDnnConvolutionPasses extends OneDnnPrimitives {

    /** Null if oneDNN has none, as the others. */
    private Pass forward;

    private Pass data;
    private Pass weights;

    /** Memory for arrays as oneDNN wants them, each once in a pass: x and dx, the weights, y and dy. */
    record Reordered(Scratch images, Scratch filters, Scratch results) {

        Reordered() {
            this(new Scratch(), new Scratch(), new Scratch());
        }
    }

    OneDnnConvolutionPasses(engine engine) {
        super(engine);
    }

    /**
     * How windows lie over images or volumes as oneDNN has it, a number a dimension.
     *
     * @param gaps elements that are left out between two of a window
     * @param after elements by which the last window lies behind the image
     */
    protected record Steps(long[] strides, long[] gaps, long[] before, long[] after) {

        /** Of the windows over {@code images}, one for each element of {@code positions}. */
        static Steps of(Window window, StridedArray images, StridedArray positions) {
            Window.Depth depth = window.depth();
            long[] sizes = spatial(images, depth.size(), window.height(), window.width());
            var steps = new Steps(
                    spatial(images, depth.stride(), window.strideHeight(), window.strideWidth()),
                    spatial(images, depth.dilation() - 1, window.dilationHeight() - 1, window.dilationWidth() - 1),
                    spatial(images, depth.padding(), window.paddingHeight(), window.paddingWidth()),
                    new long[sizes.length]);
            for (int i = 0; i < sizes.length; i++) {
                long last = (positions.shape()[i + 2] - 1) * steps.strides[i] - steps.before[i];
                long end = last + (sizes[i] - 1) * (steps.gaps[i] + 1);
                steps.after[i] = Math.max(0, end - (images.shape()[i + 2] - 1));
            }
            return steps;
        }

        private static long[] spatial(StridedArray images, long depth, long height, long width) {
            return images.rank() == 5 ? new long[] {depth, height, width} : new long[] {height, width};
        }
    }

    /** What the passes read and write: x and y and their gradients have one shape each, as the weights have. */
    protected record Arrays(
            StridedArray x, StridedArray filters, boolean hasBias, StridedArray y, Reordered reordered) {

        memory.desc images() {
            return channelsLast(x);
        }

        /** In the layout that oneDNN likes. */
        memory.desc anyFilters() {
            return new memory.desc(filters.shape(), memory.data_type.bf16, memory.format_tag.any);
        }

        /** Empty where there is no bias. */
        memory.desc biases() {
            return hasBias
                    ? new memory.desc(new long[] {y.shape()[1]}, memory.data_type.bf16, memory.format_tag.a)
                    : new memory.desc();
        }

        memory.desc results() {
            return channelsLast(y);
        }

        /** Of the shape of images or volumes, their channels last. */
        private static memory.desc channelsLast(StridedArray images) {
            return new memory.desc(
                    images.shape(),
                    memory.data_type.bf16,
                    images.rank() == 5 ? memory.format_tag.ndhwc : memory.format_tag.nhwc);
        }
    }

    protected final void setForward(primitive_desc_base descriptor, primitive primitive, Arrays arrays) {
        forward = new Pass(descriptor, primitive);
        forward.reads(DNNL_ARG_SRC, arrays.x, descriptor.src_desc(), arrays.reordered.images());
        forward.reads(DNNL_ARG_WEIGHTS, arrays.filters, descriptor.weights_desc(), arrays.reordered.filters());
        forward.bias(DNNL_ARG_BIAS, arrays);
        forward.writes(DNNL_ARG_DST, arrays.y, descriptor.dst_desc(), arrays.reordered.results());
    }

    protected final void setData(primitive_desc_base descriptor, primitive primitive, Arrays arrays) {
        data = new Pass(descriptor, primitive);
        data.reads(DNNL_ARG_DIFF_DST, arrays.y, descriptor.diff_dst_desc(), arrays.reordered.results());
        data.reads(DNNL_ARG_WEIGHTS, arrays.filters, descriptor.weights_desc(), arrays.reordered.filters());
        data.writes(DNNL_ARG_DIFF_SRC, arrays.x, descriptor.diff_src_desc(), arrays.reordered.images());
    }

    protected final void setWeights(primitive_desc_base descriptor, primitive primitive, Arrays arrays) {
        weights = new Pass(descriptor, primitive);
        weights.reads(DNNL_ARG_SRC, arrays.x, descriptor.src_desc(), arrays.reordered.images());
        weights.reads(DNNL_ARG_DIFF_DST, arrays.y, descriptor.diff_dst_desc(), arrays.reordered.results());
        weights.writes(
                DNNL_ARG_DIFF_WEIGHTS, arrays.filters, descriptor.diff_weights_desc(), arrays.reordered.filters());
        weights.bias(DNNL_ARG_DIFF_BIAS, arrays);
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

        Pass(primitive_desc_base descriptor, primitive primitive) {
            implementation = descriptor.impl_info_str().getString();
            this.primitive = keep(primitive);
        }

        boolean isReference() {
            return implementation.contains("ref");
        }

        void reads(int argument, StridedArray array, memory.desc wanted, Scratch reordered) {
            operands.add(new Operand(arguments, argument, given(array), wanted, false, reordered));
        }

        void writes(int argument, StridedArray array, memory.desc wanted, Scratch reordered) {
            operands.add(new Operand(arguments, argument, given(array), wanted, true, reordered));
        }

        /** Dense, in any case. */
        void bias(int argument, Arrays arrays) {
            operands.add(arrays.hasBias ? new Operand(arguments, argument, arrays.biases()) : null);
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
