package org.dl4jsr.kernel.cpu;

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
            var arrays = new Arrays(x, grouped(weights, x.shape()[1]), bias, y, reordered);
            var images = arrays.images();
            var results = arrays.results();
            var filters = arrays.anyFilters();
            var biases = arrays.biases();
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
            setForward(forwardDescriptor, new convolution_forward(forwardDescriptor), arrays);

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
            setData(dataDescriptor, new convolution_backward_data(dataDescriptor), arrays);

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
            setWeights(weightsDescriptor, new convolution_backward_weights(weightsDescriptor), arrays);
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
