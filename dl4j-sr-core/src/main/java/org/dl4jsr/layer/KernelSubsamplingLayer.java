package org.dl4jsr.layer;

import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.convolution.subsampling.SubsamplingLayer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.factory.Nd4j;

/**
 * DL4J's pooling of images, with results and gradients in the layout in memory of what comes in: maximum and average
 * in BF16 of images whose channels lie last in memory, as convolutions leave them. Else DL4J's code runs.
 */
final class KernelSubsamplingLayer extends SubsamplingLayer {

    private static final long serialVersionUID = 1;

    KernelSubsamplingLayer(NeuralNetConfiguration conf, DataType dataType) {
        super(conf, dataType);
    }

    private boolean runs() {
        return input.dataType() == DataType.BFLOAT16
                && dataType == DataType.BFLOAT16
                && input.rank() == 4
                && layerConf().getCnn2dDataFormat() == CNN2DFormat.NCHW
                && input.stride(1) == 1
                && (layerConf().getPoolingType() == PoolingType.MAX || isAverage())
                && KernelLayers.areSupported();
    }

    private boolean isAverage() {
        return layerConf().getPoolingType() == PoolingType.AVG;
    }

    @Override
    public INDArray activate(boolean training, LayerWorkspaceMgr workspaceMgr) {
        assertInputSet(false);
        if (!runs()) {
            return super.activate(training, workspaceMgr);
        }
        DynamicCustomOp pooling = pooling("", input);
        long[] shape = pooling.calculateOutputShape().get(0).getShape();
        INDArray y = Layouts.channelsLast(ArrayType.ACTIVATIONS, workspaceMgr, shape);
        pooling.addOutputArgument(y);
        Nd4j.exec(pooling);
        return y;
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaceMgr) {
        assertInputSet(true);
        if (!runs() || epsilon.dataType() != DataType.BFLOAT16) {
            return super.backpropGradient(epsilon, workspaceMgr);
        }
        INDArray dy = epsilon;
        if (epsilon.stride(1) != 1) {
            dy = Layouts.channelsLast(ArrayType.BP_WORKING_MEM, workspaceMgr, epsilon.shape())
                    .assign(epsilon);
        }
        INDArray dx = Layouts.alike(input, ArrayType.ACTIVATION_GRAD, workspaceMgr);
        DynamicCustomOp pooling = pooling("_bp", input, dy);
        pooling.addOutputArgument(dx);
        Nd4j.exec(pooling);
        return new Pair<>(new DefaultGradient(), dx);
    }

    /** ND4J's op, or its gradient with "_bp", which finds the padding of mode "same" itself. */
    private DynamicCustomOp pooling(String suffix, INDArray... inputs) {
        int[] kernel = layerConf().getKernelSize();
        int[] strides = layerConf().getStride();
        int[] padding = layerConf().getPadding();
        int[] dilation = layerConf().getDilation();
        return DynamicCustomOp.builder((isAverage() ? "avgpool2d" : "maxpool2d") + suffix)
                .addInputs(inputs)
                .addIntegerArguments(
                        kernel[0],
                        kernel[1],
                        strides[0],
                        strides[1],
                        padding[0],
                        padding[1],
                        dilation[0],
                        dilation[1],
                        convolutionMode == ConvolutionMode.Same ? 1 : 0,
                        isAverage() && layerConf().isAvgPoolIncludePadInDivisor() ? 1 : 0,
                        0)
                .build();
    }
}
