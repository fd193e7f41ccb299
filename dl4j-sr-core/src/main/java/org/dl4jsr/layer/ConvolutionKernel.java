package org.dl4jsr.layer;

import java.util.Map;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer.AlgoMode;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer.BwdDataAlgo;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer.BwdFilterAlgo;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer.FwdAlgo;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.convolution.ConvolutionHelper;
import org.deeplearning4j.nn.params.ConvolutionParamInitializer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.deeplearning4j.util.ConvolutionUtils;
import org.dl4jsr.kernel.Window;
import org.dl4jsr.op.ImageConvolution;
import org.dl4jsr.op.ImageConvolutionGradient;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Convolutions of images in BF16, where the device has {@link org.dl4jsr.kernel.Convolution}; else DL4J's own code
 * runs. Channels of the results lie last in memory, whatever the data format.
 */
final class ConvolutionKernel implements ConvolutionHelper {

    private Window window;

    /** The window of the last forward pass. */
    Window window() {
        return window;
    }

    /** Whether it runs for these weights, in a network of this type. */
    boolean runs(DataType type, INDArray weights) {
        return type == DataType.BFLOAT16 && weights.dataType() == DataType.BFLOAT16 && checkSupported();
    }

    @Override
    public INDArray preOutput(
            INDArray input,
            INDArray weights,
            INDArray bias,
            int[] kernel,
            int[] strides,
            int[] pad,
            AlgoMode mode,
            FwdAlgo fwdAlgo,
            ConvolutionMode convolutionMode,
            int[] dilation,
            CNN2DFormat format,
            LayerWorkspaceMgr workspaceMgr) {
        if (!runs(input.dataType(), weights)) {
            return null;
        }
        INDArray x = channelsFirst(input, format);
        boolean same = convolutionMode == ConvolutionMode.Same;
        int[] size = ConvolutionUtils.getOutputSize(
                x, kernel, strides, same ? null : pad, convolutionMode, dilation, CNN2DFormat.NCHW);
        INDArray y =
                Layouts.channelsLast(ArrayType.ACTIVATIONS, workspaceMgr, x.size(0), weights.size(0), size[0], size[1]);
        window = window(kernel, strides, pad, dilation);
        Nd4j.exec(new ImageConvolution(x, weights, parameter(bias), y, window));
        return inFormat(y, format);
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(
            INDArray input,
            INDArray weights,
            INDArray bias,
            INDArray delta,
            int[] kernel,
            int[] strides,
            int[] pad,
            INDArray biasGradView,
            INDArray weightGradView,
            IActivation afn,
            AlgoMode mode,
            BwdFilterAlgo bwdFilterAlgo,
            BwdDataAlgo bwdDataAlgo,
            ConvolutionMode convolutionMode,
            int[] dilation,
            CNN2DFormat format,
            LayerWorkspaceMgr workspaceMgr) {
        if (!runs(input.dataType(), weights)) {
            return null;
        }
        return gradients(
                input,
                weights,
                channelsFirst(delta, format),
                window(kernel, strides, pad, dilation),
                weightGradView,
                biasGradView,
                format,
                true,
                workspaceMgr);
    }

    /** The activation of z, which training keeps: the next layer may change what this one returns. */
    static INDArray activated(IActivation activation, INDArray z, boolean training, LayerWorkspaceMgr workspaceMgr) {
        if (activation instanceof ActivationIdentity) {
            return z; // whose gradient does not need it
        }
        if (Rectifier.is(activation)) {
            return Rectifier.value(z, ArrayType.ACTIVATIONS, workspaceMgr);
        }
        INDArray y =
                training ? Layouts.alike(z, ArrayType.ACTIVATIONS, workspaceMgr).assign(z) : z;
        return activation.getActivation(y, training);
    }

    /** The gradient of z, which may be changed, of that of its activation. */
    static INDArray delta(IActivation activation, INDArray z, INDArray dy, LayerWorkspaceMgr workspaceMgr) {
        return Rectifier.is(activation)
                ? Rectifier.gradient(z, dy, ArrayType.BP_WORKING_MEM, workspaceMgr)
                : activation.backprop(z, dy).getFirst();
    }

    /**
     * The gradients of a convolution.
     *
     * @param delta of its result, [batch, channels, rows, columns] whatever the format
     * @param wanted whether that of the input is, which else is 0
     */
    static Pair<Gradient, INDArray> gradients(
            INDArray input,
            INDArray weights,
            INDArray delta,
            Window window,
            INDArray weightGradView,
            INDArray biasGradView,
            CNN2DFormat format,
            boolean wanted,
            LayerWorkspaceMgr workspaceMgr) {
        INDArray x = channelsFirst(input, format);
        INDArray dx = wanted
                ? Layouts.alike(x, ArrayType.ACTIVATION_GRAD, workspaceMgr)
                : workspaceMgr.create(ArrayType.ACTIVATION_GRAD, x.dataType(), x.shape()); // zeros
        INDArray dBias = parameter(biasGradView);
        Nd4j.exec(new ImageConvolutionGradient(x, weights, delta, wanted ? dx : null, weightGradView, dBias, window));
        var gradient = new DefaultGradient();
        if (dBias != null) {
            gradient.setGradientFor(ConvolutionParamInitializer.BIAS_KEY, biasGradView);
        }
        gradient.setGradientFor(ConvolutionParamInitializer.WEIGHT_KEY, weightGradView, 'c');
        return new Pair<>(gradient, inFormat(dx, format));
    }

    /** A bias or its gradient; null for the FLOAT zeros that DL4J has where there is no bias. */
    private static INDArray parameter(INDArray bias) {
        return bias == null || bias.dataType() != DataType.BFLOAT16 ? null : bias;
    }

    private static Window window(int[] kernel, int[] strides, int[] pad, int[] dilation) {
        return new Window(kernel[0], kernel[1], strides[0], strides[1], pad[0], pad[1], dilation[0], dilation[1]);
    }

    static INDArray channelsFirst(INDArray images, CNN2DFormat format) {
        return format == CNN2DFormat.NHWC ? images.permute(0, 3, 1, 2) : images;
    }

    private static INDArray inFormat(INDArray channelsFirst, CNN2DFormat format) {
        return format == CNN2DFormat.NHWC ? channelsFirst.permute(0, 2, 3, 1) : channelsFirst;
    }

    @Override
    public INDArray activate(INDArray z, IActivation afn, boolean training) {
        return null; // DL4J's code does it
    }

    @Override
    public boolean checkSupported() {
        return KernelLayers.areSupported();
    }

    @Override
    public Map<String, Long> helperMemoryUse() {
        return Map.of();
    }
}
