package org.dl4jsr.layer;

import static org.deeplearning4j.nn.params.ConvolutionParamInitializer.BIAS_KEY;
import static org.deeplearning4j.nn.params.ConvolutionParamInitializer.WEIGHT_KEY;
import static org.nd4j.linalg.indexing.NDArrayIndex.all;
import static org.nd4j.linalg.indexing.NDArrayIndex.point;

import org.deeplearning4j.nn.api.MaskState;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.convolution.Convolution1DLayer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jsr.kernel.Window;
import org.dl4jsr.op.ImageConvolution;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Broadcast;
import org.nd4j.linalg.factory.Nd4j;

/**
 * DL4J's convolution of sequences as one of images of one row, in BF16, with the width before time; else DL4J's code
 * runs. As DL4J it takes weights without noise, and gives its input's gradient without dropout.
 */
final class KernelConvolution1DLayer extends Convolution1DLayer {

    private static final long serialVersionUID = 1;

    /** What a forward pass of training leaves: the layer's input, the window, and the result, as images. */
    private record Pass(INDArray input, Window window, INDArray z) {}

    private transient Pass pass;

    KernelConvolution1DLayer(NeuralNetConfiguration conf, DataType dataType) {
        super(conf, dataType);
    }

    private boolean runs() {
        return dataType == DataType.BFLOAT16
                && input.rank() == 3
                && input.size(1) == layerConf().getNIn()
                && layerConf().getRnnDataFormat() == RNNFormat.NCW
                && KernelLayers.areSupported();
    }

    @Override
    public INDArray activate(boolean training, LayerWorkspaceMgr workspaceMgr) {
        pass = null;
        assertInputSet(false);
        if (!runs()) {
            return super.activate(training, workspaceMgr);
        }
        applyDropOutIfNecessary(training, workspaceMgr);
        INDArray x = asImages(input.castTo(dataType));
        INDArray weights = filters(getParam(WEIGHT_KEY));
        long size = layerConf().getKernelSize()[0];
        long stride = layerConf().getStride()[0];
        long dilation = layerConf().getDilation()[0];
        boolean causal = convolutionMode == ConvolutionMode.Causal;
        boolean same = convolutionMode == ConvolutionMode.Same;
        long window = (size - 1) * dilation + 1;
        long given = x.size(3);
        long padding = layerConf().getPadding()[0];
        long time = same || causal ? (given + stride - 1) / stride : (given + 2 * padding - window) / stride + 1;
        if (time < 1) {
            return super.activate(training, workspaceMgr); // which says what is wrong
        }
        if (causal) {
            padding = window - 1;
        } else if (same) {
            padding = Math.max(0, (time - 1) * stride + window - given) / 2;
        }
        var forward = new Pass(
                input,
                new Window(1, size, 1, stride, 0, padding, 1, dilation),
                Layouts.channelsLast(ArrayType.ACTIVATIONS, workspaceMgr, x.size(0), weights.size(0), 1, time));
        Nd4j.exec(new ImageConvolution(x, weights, hasBias() ? getParam(BIAS_KEY) : null, forward.z, forward.window));
        if (training) {
            pass = forward;
        }
        return masked(ConvolutionKernel.activated(
                layerConf().getActivationFn(), asSequences(forward.z), training, workspaceMgr));
    }

    private INDArray masked(INDArray y) {
        if (maskArray != null) {
            INDArray mask = feedForwardMaskArray(maskArray, MaskState.Active, (int) y.size(0))
                    .getFirst();
            Broadcast.mul(y, mask.castTo(y.dataType()), y, 0, 2);
        }
        return y;
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaceMgr) {
        Pass forward = pass;
        pass = null;
        if (forward == null || forward.input != input || epsilon.rank() != 3) {
            return super.backpropGradient(epsilon, workspaceMgr);
        }
        INDArray delta = ConvolutionKernel.delta(
                layerConf().getActivationFn(), asSequences(forward.z), epsilon.castTo(dataType), workspaceMgr);
        Pair<Gradient, INDArray> gradients = ConvolutionKernel.gradients(
                asImages(input.castTo(dataType)),
                filters(getParam(WEIGHT_KEY)),
                asImages(delta),
                forward.window,
                filters(gradientViews.get(WEIGHT_KEY)),
                gradientViews.get(BIAS_KEY),
                CNN2DFormat.NCHW,
                InputGradient.isWanted(this),
                workspaceMgr);
        gradients.getFirst().setGradientFor(WEIGHT_KEY, gradientViews.get(WEIGHT_KEY), 'c');
        gradients.setSecond(asSequences(gradients.getSecond()));
        return gradients;
    }

    /** [batch, width, time] as [batch, width, 1, time], a view, which reshape() does not promise. */
    private static INDArray asImages(INDArray x) {
        return Nd4j.create(
                x.data(),
                new long[] {x.size(0), x.size(1), 1, x.size(2)},
                new long[] {x.stride(0), x.stride(1), x.size(2) * x.stride(2), x.stride(2)},
                x.offset(),
                'c');
    }

    /** [batch, width, 1, time] as [batch, width, time]. */
    private static INDArray asSequences(INDArray images) {
        return images.get(all(), all(), point(0), all());
    }

    /** Weights, whose shape is [out, in, window, 1] and which DL4J takes for [window, in, out], as [out, in, 1, window]. */
    private static INDArray filters(INDArray weights) {
        return weights.reshape(weights.ordering(), weights.size(2), weights.size(1), weights.size(0), 1)
                .permute(2, 1, 3, 0);
    }

    @Override
    public void clear() {
        super.clear();
        pass = null;
    }
}
