package org.dl4jsr.layer;

import static org.deeplearning4j.nn.params.BatchNormalizationParamInitializer.BETA;
import static org.deeplearning4j.nn.params.BatchNormalizationParamInitializer.GAMMA;
import static org.deeplearning4j.nn.params.BatchNormalizationParamInitializer.GLOBAL_MEAN;
import static org.deeplearning4j.nn.params.BatchNormalizationParamInitializer.GLOBAL_VAR;

import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.normalization.BatchNormalization;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jsr.op.BatchNorm;
import org.dl4jsr.op.BatchNormGradient;
import org.dl4jsr.op.ChannelArray;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * DL4J's batch normalization on kernels, its statistics FP32: in BF16, of vectors or images, where gain and bias are
 * parameters and the running variance is kept as it is. Else DL4J's code runs, and for the backward pass of a forward
 * pass that was none of training.
 */
final class KernelBatchNormalizationLayer extends BatchNormalization {

    private static final long serialVersionUID = 1;

    /** What the forward pass of training leaves. */
    private record Pass(ChannelArray x, INDArray mean, INDArray variance) {}

    private transient Pass pass;

    KernelBatchNormalizationLayer(NeuralNetConfiguration conf, DataType dataType) {
        super(conf, dataType);
    }

    private boolean runs() {
        return dataType == DataType.BFLOAT16
                && (input.rank() == 2 || input.rank() == 4)
                && !layerConf().isLockGammaBeta()
                && !layerConf().isUseLogStd()
                && KernelLayers.areSupported();
    }

    @Override
    public INDArray preOutput(INDArray x, TrainingMode training, LayerWorkspaceMgr workspaceMgr) {
        pass = null;
        int dimension = channelDimension(x);
        if (!runs() || x.size(dimension) != layerConf().getNOut()) {
            return super.preOutput(x, training, workspaceMgr); // which says what is wrong
        }
        boolean ofBatch = training == TrainingMode.TRAIN;
        long channels = x.size(dimension);
        ChannelArray values =
                channels(x, dimension, ofBatch ? ArrayType.ACTIVATIONS : ArrayType.FF_WORKING_MEM, workspaceMgr);
        INDArray mean = statistic(workspaceMgr, ofBatch, channels);
        INDArray variance = statistic(workspaceMgr, ofBatch, channels);
        if (!ofBatch) {
            mean.assign(getParam(GLOBAL_MEAN).reshape(channels));
            variance.assign(getParam(GLOBAL_VAR).reshape(channels));
        }
        INDArray y = Layouts.alike(values.array(), ArrayType.ACTIVATIONS, workspaceMgr);
        Nd4j.exec(new BatchNorm(
                values,
                getParam(GAMMA),
                getParam(BETA),
                mean,
                variance,
                layerConf().getEps(),
                y,
                ofBatch));
        if (ofBatch) {
            pass = new Pass(values, mean, variance);
        }
        return y;
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaceMgr) {
        Pass forward = pass;
        pass = null;
        if (forward == null) {
            if (runs()) {
                super.preOutput(input, TrainingMode.TEST, workspaceMgr); // for what it leaves
            }
            return super.backpropGradient(epsilon, workspaceMgr);
        }
        INDArray x = forward.x.array();
        INDArray dy = epsilon;
        if (!forward.x.isAlike(epsilon)) {
            dy = Layouts.alike(x, ArrayType.BP_WORKING_MEM, workspaceMgr).assign(epsilon);
        }
        INDArray dx = Layouts.alike(x, ArrayType.ACTIVATION_GRAD, workspaceMgr);
        INDArray dGain = gradientViews.get(GAMMA);
        INDArray dBias = gradientViews.get(BETA);
        Nd4j.exec(new BatchNormGradient(
                forward.x,
                getParam(GAMMA),
                forward.mean,
                forward.variance,
                layerConf().getEps(),
                dy,
                dx,
                dGain,
                dBias));
        var gradient = new DefaultGradient();
        gradient.setGradientFor(GAMMA, dGain);
        gradient.setGradientFor(BETA, dBias);
        gradient.setGradientFor(GLOBAL_MEAN, step(GLOBAL_MEAN, forward.mean));
        gradient.setGradientFor(GLOBAL_VAR, step(GLOBAL_VAR, forward.variance));
        return new Pair<>(gradient, dx);
    }

    /** What DL4J subtracts from a running statistic: (running - batch's) (1 - decay), rounded once. */
    private INDArray step(String statistic, INDArray ofBatch) {
        INDArray step = gradientViews.get(statistic);
        INDArray running = getParam(statistic).castTo(DataType.FLOAT).reshape(ofBatch.length());
        return step.assign(
                running.subi(ofBatch).muli(1 - layerConf().getDecay()).reshape(step.shape()));
    }

    @Override
    public void clear() {
        super.clear();
        pass = null;
    }

    private int channelDimension(INDArray x) {
        return x.rank() == 4 && layerConf().getCnn2DFormat() == CNN2DFormat.NHWC ? 3 : 1;
    }

    private static INDArray statistic(LayerWorkspaceMgr workspaceMgr, boolean remains, long channels) {
        return workspaceMgr.createUninitialized(
                remains ? ArrayType.ACTIVATIONS : ArrayType.FF_WORKING_MEM, DataType.FLOAT, channels);
    }

    /** x, or a copy of it that the kernels can read. */
    private static ChannelArray channels(INDArray x, int dimension, ArrayType place, LayerWorkspaceMgr workspaceMgr) {
        ChannelArray channels = ChannelArray.of(x, dimension);
        return channels != null
                ? channels
                : ChannelArray.of(Layouts.copy(DataType.BFLOAT16, x, place, workspaceMgr), dimension);
    }
}
