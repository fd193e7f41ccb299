package org.dl4jsr.kernel.cpu;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_BIAS;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_BIAS;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DIFF_WEIGHTS;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;

import org.bytedeco.dnnl.convolution_backward_data;
import org.bytedeco.dnnl.convolution_backward_weights;
import org.bytedeco.dnnl.convolution_forward;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.global.dnnl.algorithm;
import org.bytedeco.dnnl.global.dnnl.prop_kind;
import org.bytedeco.dnnl.primitive_attr;
import org.dl4jsr.kernel.Pointers;
import org.dl4jsr.kernel.StridedArray;
import org.dl4jsr.kernel.Window;

/** Convolutions of one shape. */
final class OneDnnConvolutionPlan extends OneDnnConvolutionPasses {

    OneDnnConvolutionPlan(
            engine engine,
            StridedArray x,
            StridedArray weights,
            boolean bias,
            StridedArray y,
            Window window,
            Reordered reordered) {
        super(engine);
        Steps steps = Steps.of(window, x, y);
        try (var scope = Pointers.scope()) {
            StridedArray grouped = grouped(weights, x.shape()[1]);
            var images = channelsLast(x);
            var results = channelsLast(y);
            var filters = anyLayout(grouped);
            var biases = biases(bias, y.shape()[1]);
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
                    steps.strides(),
                    steps.gaps(),
                    steps.before(),
                    steps.after(),
                    attributes,
                    true);
            if (forwardDescriptor.get(true) == null) { // it refuses windows that begin far outside of the image
                return;
            }
            forward = new Pass(
                    forwardDescriptor.impl_info_str().getString(), keep(new convolution_forward(forwardDescriptor)));
            forward.reads(DNNL_ARG_SRC, x, forwardDescriptor.src_desc(), reordered.images());
            forward.reads(DNNL_ARG_WEIGHTS, grouped, forwardDescriptor.weights_desc(), reordered.filters());
            forward.bias(DNNL_ARG_BIAS, bias, forwardDescriptor.bias_desc());
            forward.writes(DNNL_ARG_DST, y, forwardDescriptor.dst_desc(), reordered.results());

            var dataDescriptor = new convolution_backward_data.primitive_desc(
                    engine,
                    direct,
                    images,
                    filters,
                    results,
                    steps.strides(),
                    steps.gaps(),
                    steps.before(),
                    steps.after(),
                    forwardDescriptor,
                    attributes,
                    false);
            data = new Pass(
                    dataDescriptor.impl_info_str().getString(), keep(new convolution_backward_data(dataDescriptor)));
            data.reads(DNNL_ARG_DIFF_DST, y, dataDescriptor.diff_dst_desc(), reordered.results());
            data.reads(DNNL_ARG_WEIGHTS, grouped, dataDescriptor.weights_desc(), reordered.filters());
            data.writes(DNNL_ARG_DIFF_SRC, x, dataDescriptor.diff_src_desc(), reordered.images());

            var weightsDescriptor = new convolution_backward_weights.primitive_desc(
                    engine,
                    direct,
                    images,
                    filters,
                    biases,
                    results,
                    steps.strides(),
                    steps.gaps(),
                    steps.before(),
                    steps.after(),
                    forwardDescriptor,
                    attributes,
                    false);
            this.weights = new Pass(
                    weightsDescriptor.impl_info_str().getString(),
                    keep(new convolution_backward_weights(weightsDescriptor)));
            this.weights.reads(DNNL_ARG_SRC, x, weightsDescriptor.src_desc(), reordered.images());
            this.weights.reads(DNNL_ARG_DIFF_DST, y, weightsDescriptor.diff_dst_desc(), reordered.results());
            this.weights.writes(
                    DNNL_ARG_DIFF_WEIGHTS, grouped, weightsDescriptor.diff_weights_desc(), reordered.filters());
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
        long[] groupedShape = new long[shape.length + 1];
        long[] groupedStrides = new long[shape.length + 1];
        System.arraycopy(shape, 0, groupedShape, 1, shape.length);
        System.arraycopy(strides, 0, groupedStrides, 1, shape.length);
        groupedShape[0] = groups;
        groupedShape[1] = ofGroup;
        groupedStrides[0] = ofGroup * strides[0];
        return new StridedArray(weights.type(), weights.address(), groupedShape, groupedStrides);
    }
}
