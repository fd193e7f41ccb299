package org.dl4jsr.layer;

import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.SelfAttentionLayer;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.samediff.SameDiffLayer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jsr.op.AttendedSequences;
import org.dl4jsr.op.KeyAttention;
import org.dl4jsr.op.KeyAttentionGradient;
import org.dl4jsr.op.StepPart;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * DL4J's self-attention on kernels, in BF16, with a mask of ones and zeros that hides no whole sequence or without one;
 * else DL4J's SameDiff graph runs, which repeats the forward pass for the backward pass.
 */
final class KernelSelfAttentionLayer extends SameDiffLayer {

    private static final long serialVersionUID = 1;

    /** What a forward pass of training leaves. */
    private record Pass(INDArray input, INDArray x, AttendedSequences sequences) {}

    private transient Pass pass;

    KernelSelfAttentionLayer(NeuralNetConfiguration conf, DataType dataType) {
        super(conf, dataType);
    }

    private SelfAttentionLayer settings() {
        return (SelfAttentionLayer) layerConf();
    }

    @Override
    public INDArray activate(boolean training, LayerWorkspaceMgr workspaceMgr) {
        pass = null;
        assertInputSet(false);
        if (!AttentionProducts.suit(dataType, input, settings().getNIn(), maskArray, paramTable.values())) {
            return super.activate(training, workspaceMgr);
        }
        ArrayType place = training ? ArrayType.ACTIVATIONS : ArrayType.FF_WORKING_MEM;
        AttentionWeights weights = AttentionWeights.of(paramTable);
        INDArray x = AttentionProducts.rows(input, place, workspaceMgr);
        AttendedSequences sequences = AttentionProducts.sequences(
                AttentionProducts.projected(x, weights.query(), place, workspaceMgr),
                AttentionProducts.projected(x, weights.key(), place, workspaceMgr),
                AttentionProducts.projected(x, weights.value(), place, workspaceMgr),
                AttentionProducts.visible(maskArray, place, workspaceMgr),
                weights.project() ? settings().getNHeads() : 1,
                place,
                workspaceMgr);
        Nd4j.exec(new KeyAttention(sequences));
        if (training) {
            pass = new Pass(input, x, sequences);
        }
        return AttentionProducts.output(sequences.attended(), weights.output(), workspaceMgr);
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaceMgr) {
        Pass forward = pass;
        pass = null;
        if (forward == null || forward.input != input) {
            return super.backpropGradient(epsilon, workspaceMgr);
        }
        AttentionWeights weights = AttentionWeights.of(paramTable);
        INDArray x = forward.x;
        AttendedSequences sequences = forward.sequences;
        INDArray dOut = AttentionProducts.outputGradient(epsilon, workspaceMgr);
        INDArray dAttended = weights.project()
                ? AttentionProducts.product(
                        StepPart.GEMM_INPUT, dOut, weights.output(), true, ArrayType.BP_WORKING_MEM, workspaceMgr)
                : dOut;
        INDArray dQ = AttentionProducts.like(dOut, dAttended.size(2), ArrayType.BP_WORKING_MEM, workspaceMgr);
        INDArray dK = AttentionProducts.like(dOut, dAttended.size(2), ArrayType.BP_WORKING_MEM, workspaceMgr);
        INDArray dV = AttentionProducts.like(dOut, dAttended.size(2), ArrayType.BP_WORKING_MEM, workspaceMgr);
        Nd4j.exec(new KeyAttentionGradient(sequences, dAttended, dQ, dK, dV));
        var gradient = new DefaultGradient();
        if (weights.project()) {
            AttentionWeights gradients = AttentionWeights.of(gradTable);
            AttentionProducts.weightGradient(sequences.attended(), dOut, gradients.output());
            AttentionProducts.weightGradient(dQ, x, gradients.query());
            AttentionProducts.weightGradient(dK, x, gradients.key());
            AttentionProducts.weightGradient(dV, x, gradients.value());
            gradTable.forEach(gradient::setGradientFor);
        }
        if (!InputGradient.isWanted(this)) {
            return new Pair<>(
                    gradient, workspaceMgr.create(ArrayType.ACTIVATION_GRAD, DataType.BFLOAT16, input.shape()));
        }
        INDArray sum = AttentionProducts.added(null, dQ, weights.query(), false, workspaceMgr);
        sum = AttentionProducts.added(sum, dK, weights.key(), false, workspaceMgr);
        sum = AttentionProducts.added(sum, dV, weights.value(), false, workspaceMgr);
        return new Pair<>(gradient, AttentionProducts.inputGradient(sum, workspaceMgr));
    }

    @Override
    public void clear() {
        super.clear();
        pass = null;
    }
}
