package org.dl4jsr.kernel.cpu;

import org.bytedeco.dnnl.deconvolution_backward_data;
import org.bytedeco.dnnl.deconvolution_backward_weights;
import org.bytedeco.dnnl.deconvolution_forward;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.global.dnnl.algorithm;
import org.bytedeco.dnnl.global.dnnl.prop_kind;
import org.bytedeco.dnnl.primitive_attr;
import org.dl4jsr.kernel.Pointers;
import org.dl4jsr.kernel.StridedArray;
import org.dl4jsr.kernel.Window;

/** Transposed convolutions of one shape: of x to y, where a convolution would be of y to x. */
final class OneDnnDeconvolutionPlan extends OneDnnConvolutionPasses {

    OneDnnDeconvolutionPlan(
            engine engine,
            StridedArray x,
            StridedArray weights,
            boolean bias,
            StridedArray y,
            Window window,
            Reordered reordered) {
        super(engine);
        Steps steps = Steps.of(window, y, x);
        try (var scope = Pointers.scope()) {
            var arrays = new Arrays(x, weights, bias, y, reordered);
            var images = arrays.images();
            var results = arrays.results();
            var filters = arrays.anyFilters();
            var biases = arrays.biases();
            var direct = algorithm.deconvolution_direct;
            var attributes = new primitive_attr();
            var forwardDescriptor = new deconvolution_forward.primitive_desc(
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
            if (forwardDescriptor.get(true) == null) {
                return;
            }
            setForward(forwardDescriptor, new deconvolution_forward(forwardDescriptor), arrays);

            var dataDescriptor = new deconvolution_backward_data.primitive_desc(
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
            setData(dataDescriptor, new deconvolution_backward_data(dataDescriptor), arrays);

            var weightsDescriptor = new deconvolution_backward_weights.primitive_desc(
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
            setWeights(weightsDescriptor, new deconvolution_backward_weights(weightsDescriptor), arrays);
        }
    }
}
