package org.dl4jsr.layer;

import static org.deeplearning4j.nn.params.ConvolutionParamInitializer.BIAS_KEY;
import static org.deeplearning4j.nn.params.ConvolutionParamInitializer.WEIGHT_KEY;

import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.convolution.ConvolutionLayer;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.deeplearning4j.util.ConvolutionUtils;
import org.dl4jsr.kernel.Window;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Runs DL4J's convolution with {@link ConvolutionKernel} for its helper. DL4J repeats the forward pass for the
 * derivative of the activation; here what it gave is kept.
 */
final class KernelConvolutionLayer extends ConvolutionLayer {

    private static final long serialVersionUID = 1;

    /** What a forward pass of training leaves: the layer's input, the window, and the result before the activation. */
    private record Pass(INDArray input, Window window, INDArray z) {}

    private final transient ConvolutionKernel kernel = new ConvolutionKernel();

    private transient Pass pass;

    KernelConvolutionLayer(NeuralNetConfiguration conf, DataType dataType) {
        super(conf, dataType);
        helper = kernel;
    }

    @Override
    public INDArray activate(boolean training, LayerWorkspaceMgr workspaceMgr) {
        pass = null;
        assertInputSet(false);
        applyDropOutIfNecessary(training, workspaceMgr);
        if (!training || !kernel.runs(dataType, getParamWithNoise(WEIGHT_KEY, true, workspaceMgr))) {
            return super.activate(training, workspaceMgr);
        }
        INDArray z = preOutput(true, false, workspaceMgr).getFirst();
        pass = new Pass(input, kernel.window(), z);
        return ConvolutionKernel.activated(layerConf().getActivationFn(), z, true, workspaceMgr);
    }

    /** Of images with their channels last DL4J makes a copy that has them first, and gives the images to the helper. */
    @Override
    protected Pair<INDArray, INDArray> preOutput(
            boolean training, boolean forBackprop, LayerWorkspaceMgr workspaceMgr) {
        INDArray weights = getParamWithNoise(WEIGHT_KEY, training, workspaceMgr);
        if (layerConf().getCnn2dDataFormat() != CNN2DFormat.NHWC || !kernel.runs(dataType, weights)) {
            return super.preOutput(training, forBackprop, workspaceMgr);
        }
        assertInputSet(false);
        validateInputRank();
        validateInputDepth(weights.size(1));
        INDArray images = input.castTo(dataType);
        INDArray z = kernel.preOutput(
                images,
                weights,
                hasBias() ? getParamWithNoise(BIAS_KEY, training, workspaceMgr) : null,
                layerConf().getKernelSize(),
                layerConf().getStride(),
                padding(images),
                layerConf().getCudnnAlgoMode(),
                layerConf().getCudnnFwdAlgo(),
                convolutionMode,
                layerConf().getDilation(),
                CNN2DFormat.NHWC,
                workspaceMgr);
        return new Pair<>(z, null);
    }

    /** Of images with their channels last. */
    private int[] padding(INDArray images) {
        if (convolutionMode != ConvolutionMode.Same) {
            return layerConf().getPadding();
        }
        int[] kernelSize = layerConf().getKernelSize();
        int[] strides = layerConf().getStride();
        int[] dilation = layerConf().getDilation();
        int[] size = ConvolutionUtils.getOutputSize(
                images, kernelSize, strides, null, convolutionMode, dilation, CNN2DFormat.NHWC);
        int[] given = {(int) images.size(1), (int) images.size(2)};
        return ConvolutionUtils.getSameModeTopLeftPadding(size, given, kernelSize, strides, dilation);
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaceMgr) {
        Pass forward = pass;
        pass = null;
        Pair<Gradient, INDArray> gradients;
        if (forward == null || forward.input != input) {
            gradients = super.backpropGradient(epsilon, workspaceMgr);
        } else {
            CNN2DFormat format = layerConf().getCnn2dDataFormat();
            gradients = ConvolutionKernel.gradients(
                    input.castTo(dataType),
                    getParamWithNoise(WEIGHT_KEY, true, workspaceMgr),
                    ConvolutionKernel.delta(
                            layerConf().getActivationFn(),
                            ConvolutionKernel.channelsFirst(forward.z, format),
                            ConvolutionKernel.channelsFirst(epsilon.castTo(dataType), format),
                            workspaceMgr),
                    forward.window,
                    gradientViews.get(WEIGHT_KEY),
                    gradientViews.get(BIAS_KEY),
                    format,
                    InputGradient.isWanted(this),
                    workspaceMgr);
            gradients.setSecond(backpropDropOutIfPresent(gradients.getSecond()));
        }
        weightNoiseParams.clear(); // which DL4J forgets where there is a helper
        return gradients;
    }

    @Override
    public void clear() {
        super.clear();
        pass = null;
    }
}
