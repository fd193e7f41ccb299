package org.dl4jsr.layer;

import java.util.Arrays;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.pooling.GlobalPoolingLayer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jsr.op.GlobalPool;
import org.dl4jsr.op.GlobalPoolGradient;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * DL4J's global pooling on kernels: maximum and average in BF16 of sequences and images without masks, which may have
 * their channels last. Else DL4J's code runs.
 */
final class KernelGlobalPoolingLayer extends GlobalPoolingLayer {

    private static final long serialVersionUID = 1;

    private static final int[] TIME = {2};
    private static final int[] IMAGE = {2, 3};
    private static final int[] IMAGE_BEFORE_CHANNELS = {1, 2};

    KernelGlobalPoolingLayer(NeuralNetConfiguration conf, DataType dataType) {
        super(conf, dataType);
    }

    private boolean isAverage() {
        return layerConf().getPoolingType() == PoolingType.AVG;
    }

    private boolean runs() {
        return dataType == DataType.BFLOAT16
                && input.dataType() == DataType.BFLOAT16
                && !input.isEmpty()
                && maskArray == null
                && (isAverage() || layerConf().getPoolingType() == PoolingType.MAX)
                && layerConf().isCollapseDimensions()
                && (pools(TIME, 3) || pools(IMAGE, 4) || pools(IMAGE_BEFORE_CHANNELS, 4))
                && KernelLayers.areSupported();
    }

    /** Whether these are the dimensions that go, of inputs of this rank. */
    private boolean pools(int[] dimensions, int rank) {
        int[] given = layerConf().getPoolingDimensions();
        return input.rank() == rank
                && (given == null ? dimensions != IMAGE_BEFORE_CHANNELS : Arrays.equals(given, dimensions));
    }

    /** [batch, channels, ...] */
    private INDArray channelsFirst(INDArray x) {
        return pools(IMAGE_BEFORE_CHANNELS, 4) ? x.permute(0, 3, 1, 2) : x;
    }

    @Override
    public INDArray activate(boolean training, LayerWorkspaceMgr workspaceMgr) {
        assertInputSet(false);
        if (!runs()) {
            return super.activate(training, workspaceMgr);
        }
        INDArray x = channelsFirst(input);
        INDArray y = workspaceMgr.createUninitialized(ArrayType.ACTIVATIONS, DataType.BFLOAT16, x.size(0), x.size(1));
        Nd4j.exec(new GlobalPool(x, isAverage(), y));
        return y;
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaceMgr) {
        assertInputSet(true);
        if (!runs() || epsilon.dataType() != DataType.BFLOAT16) {
            return super.backpropGradient(epsilon, workspaceMgr);
        }
        INDArray x = channelsFirst(input);
        INDArray dx = Layouts.alike(input, ArrayType.ACTIVATION_GRAD, workspaceMgr);
        INDArray dy = epsilon.reshape('c', x.size(0), x.size(1)); // of sequences it is [batch, channels, 1]
        Nd4j.exec(new GlobalPoolGradient(x, isAverage(), dy, channelsFirst(dx)));
        return new Pair<>(new DefaultGradient(), dx);
    }
}
