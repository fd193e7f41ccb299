package org.dl4jsr.layer;

import static org.deeplearning4j.nn.params.SimpleRnnParamInitializer.BIAS_KEY;
import static org.deeplearning4j.nn.params.SimpleRnnParamInitializer.RECURRENT_WEIGHT_KEY;
import static org.deeplearning4j.nn.params.SimpleRnnParamInitializer.WEIGHT_KEY;

import java.util.EnumSet;
import java.util.Set;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.RecurrentAttentionLayer;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.samediff.SameDiffLayer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jsr.op.AttendedSequences;
import org.dl4jsr.op.BiasGradient;
import org.dl4jsr.op.KeyAttention;
import org.dl4jsr.op.KeyAttentionGradient;
import org.dl4jsr.op.MatrixProduct;
import org.dl4jsr.op.StepPart;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * DL4J's recurrent attention on kernels, in BF16: of two time steps at least, with an activation that is the same here
 * and in DL4J's SameDiff graph, and a mask of ones and zeros that hides no whole sequence or without one. Else that graph
 * runs. What does not depend on the time step before, keys, values and the products with the input, is computed once
 * for all time steps; so are the gradients of all parameters.
 */
final class KernelRecurrentAttentionLayer extends SameDiffLayer {

    private static final long serialVersionUID = 1;

    private static final Set<Activation> ACTIVATIONS =
            EnumSet.of(Activation.TANH, Activation.SIGMOID, Activation.RELU, Activation.IDENTITY);

    /**
     * What a forward pass of training leaves. Arrays of time steps are [time, batch, width], time first, and have
     * nothing of the first step but for z and h.
     *
     * @param x [batch, time, inputs], as k and v
     * @param z before the activation
     * @param h behind it
     * @param q h of the step before, projected; null where it is not
     * @param attended by q
     * @param projected what was attended to, projected
     * @param logSumExp [time, batch * heads]
     */
    private record Pass(
            INDArray input,
            INDArray visible,
            INDArray x,
            INDArray k,
            INDArray v,
            INDArray z,
            INDArray h,
            INDArray q,
            INDArray attended,
            INDArray projected,
            INDArray logSumExp,
            int heads) {

        int time() {
            return (int) z.size(0);
        }

        /** The attention of this time step. */
        AttendedSequences step(int t) {
            return new AttendedSequences(
                    asQuery(q == null ? h.slice(t - 1) : q.slice(t)),
                    k,
                    v,
                    visible,
                    asQuery(attended.slice(t)),
                    logSumExp.slice(t).reshape(logSumExp.size(1), 1),
                    heads);
        }
    }

    /** The gradients of what a forward pass has left; nothing of the first time step but in dh and dz. */
    private record Backward(
            INDArray dh, INDArray dz, INDArray dProjected, INDArray dAttended, INDArray dQ, INDArray dK, INDArray dV) {}

    private transient Pass pass;

    KernelRecurrentAttentionLayer(NeuralNetConfiguration conf, DataType dataType) {
        super(conf, dataType);
    }

    private RecurrentAttentionLayer settings() {
        return (RecurrentAttentionLayer) layerConf();
    }

    private IActivation activation() {
        return settings().getActivation().getActivationFunction();
    }

    private boolean runs() {
        return ACTIVATIONS.contains(settings().getActivation())
                && AttentionProducts.suit(dataType, input, settings().getNIn(), maskArray, paramTable.values())
                && input.size(2) > 1;
    }

    @Override
    public INDArray activate(boolean training, LayerWorkspaceMgr workspaceMgr) {
        pass = null;
        assertInputSet(false);
        if (!runs()) {
            return super.activate(training, workspaceMgr);
        }
        ArrayType place = training ? ArrayType.ACTIVATIONS : ArrayType.FF_WORKING_MEM;
        AttentionWeights weights = AttentionWeights.of(paramTable);
        Pass forward = prepared(weights, place, workspaceMgr);
        for (int t = 0; t < forward.time(); t++) {
            if (t > 0) {
                attend(forward, weights, t);
            }
            INDArray h = forward.h.slice(t).assign(forward.z.slice(t));
            activation().getActivation(h, training); // in place
        }
        if (training) {
            pass = forward;
        }
        // a copy, since the next layer must not change h
        return Layouts.copy(DataType.BFLOAT16, forward.h, ArrayType.ACTIVATIONS, workspaceMgr)
                .permute(1, 2, 0);
    }

    /** Keys, values, and z without what is attended to. */
    private Pass prepared(AttentionWeights weights, ArrayType place, LayerWorkspaceMgr workspaceMgr) {
        INDArray x = AttentionProducts.rows(input, place, workspaceMgr);
        INDArray k = AttentionProducts.projected(x, weights.key(), place, workspaceMgr);
        INDArray v = AttentionProducts.projected(x, weights.value(), place, workspaceMgr);
        long outputs = settings().getNOut();
        INDArray fromInput = AttentionProducts.like(x, outputs, ArrayType.FF_WORKING_MEM, workspaceMgr);
        INDArray bias = paramTable.get(BIAS_KEY);
        Nd4j.exec(new MatrixProduct(
                StepPart.GEMM_FORWARD,
                x,
                false,
                paramTable.get(WEIGHT_KEY),
                false,
                fromInput,
                bias == null ? null : DenseProducts.vector(bias),
                null));
        INDArray ofTime = fromInput.permute(1, 0, 2);
        // a copy in any case: of one sequence it is dense already, but would not remain
        INDArray z = Layouts.copy(DataType.BFLOAT16, ofTime, place, workspaceMgr);
        INDArray attended = AttentionProducts.like(z, k.size(2), place, workspaceMgr);
        int heads = weights.project() ? settings().getNHeads() : 1;
        return new Pass(
                input,
                AttentionProducts.visible(maskArray, place, workspaceMgr),
                x,
                k,
                v,
                z,
                AttentionProducts.like(z, outputs, place, workspaceMgr),
                weights.project() ? AttentionProducts.like(z, k.size(2), place, workspaceMgr) : null,
                attended,
                weights.project() ? AttentionProducts.like(z, outputs, place, workspaceMgr) : attended,
                workspaceMgr.createUninitialized(place, DataType.FLOAT, z.size(0), x.size(0) * heads),
                heads);
    }

    /** Adds to z of this time step what the step before attends to. */
    private void attend(Pass forward, AttentionWeights weights, int t) {
        if (weights.project()) {
            multiply(StepPart.GEMM_FORWARD, forward.h.slice(t - 1), weights.query(), true, forward.q.slice(t), null);
        }
        Nd4j.exec(new KeyAttention(forward.step(t)));
        if (weights.project()) {
            multiply(
                    StepPart.GEMM_FORWARD,
                    forward.attended.slice(t),
                    weights.output(),
                    false,
                    forward.projected.slice(t),
                    null);
        }
        INDArray z = forward.z.slice(t);
        INDArray recurrent = paramTable.get(RECURRENT_WEIGHT_KEY);
        multiply(StepPart.GEMM_FORWARD, forward.projected.slice(t), recurrent, false, z, z);
    }

    /** result = rows weights, or rows weights^T, + addend. */
    private static void multiply(
            StepPart part, INDArray rows, INDArray weights, boolean transposed, INDArray result, INDArray addend) {
        Nd4j.exec(new MatrixProduct(part, rows, false, weights, transposed, result, null, addend));
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaceMgr) {
        Pass forward = pass;
        pass = null;
        if (forward == null || forward.input != input) {
            return super.backpropGradient(epsilon, workspaceMgr);
        }
        AttentionWeights weights = AttentionWeights.of(paramTable);
        Backward backward = backward(forward, weights, epsilon, workspaceMgr);
        for (int t = forward.time() - 1; t >= 0; t--) {
            INDArray slope = activation()
                    .backprop(forward.z.slice(t), backward.dh.slice(t))
                    .getFirst();
            backward.dz.slice(t).assign(slope);
            if (t > 0) {
                attendBackward(forward, backward, weights, t);
            }
        }
        keysBackward(forward, backward, workspaceMgr);
        INDArray dz = Layouts.dense(backward.dz.permute(1, 0, 2), ArrayType.BP_WORKING_MEM, workspaceMgr);
        parameterGradients(forward, backward, dz);
        var gradient = new DefaultGradient();
        gradTable.forEach(gradient::setGradientFor);
        if (!InputGradient.isWanted(this)) {
            return new Pair<>(
                    gradient, workspaceMgr.create(ArrayType.ACTIVATION_GRAD, DataType.BFLOAT16, input.shape()));
        }
        INDArray sum = AttentionProducts.added(null, dz, paramTable.get(WEIGHT_KEY), true, workspaceMgr);
        sum = AttentionProducts.added(sum, backward.dK, weights.key(), false, workspaceMgr);
        sum = AttentionProducts.added(sum, backward.dV, weights.value(), false, workspaceMgr);
        return new Pair<>(gradient, AttentionProducts.inputGradient(sum, workspaceMgr));
    }

    private static Backward backward(
            Pass forward, AttentionWeights weights, INDArray epsilon, LayerWorkspaceMgr workspaceMgr) {
        ArrayType place = ArrayType.BP_WORKING_MEM;
        INDArray dh = Layouts.dense(
                AttentionProducts.outputGradient(epsilon, workspaceMgr).permute(1, 0, 2), place, workspaceMgr);
        long width = forward.k.size(2);
        INDArray dAttended = AttentionProducts.like(dh, width, place, workspaceMgr);
        return new Backward(
                dh,
                AttentionProducts.like(dh, dh.size(2), place, workspaceMgr),
                weights.project() ? AttentionProducts.like(dh, dh.size(2), place, workspaceMgr) : dAttended,
                dAttended,
                AttentionProducts.like(dh, width, place, workspaceMgr),
                AttentionProducts.like(forward.k, width, place, workspaceMgr),
                AttentionProducts.like(forward.v, width, place, workspaceMgr));
    }

    /** From dz of this time step to dh of the one before. */
    private void attendBackward(Pass forward, Backward backward, AttentionWeights weights, int t) {
        INDArray dProjected = backward.dProjected.slice(t);
        INDArray dAttended = backward.dAttended.slice(t);
        INDArray dQ = backward.dQ.slice(t);
        INDArray dh = backward.dh.slice(t - 1);
        INDArray recurrent = paramTable.get(RECURRENT_WEIGHT_KEY);
        multiply(StepPart.GEMM_INPUT, backward.dz.slice(t), recurrent, true, dProjected, null);
        if (weights.project()) {
            multiply(StepPart.GEMM_INPUT, dProjected, weights.output(), true, dAttended, null);
        }
        Nd4j.exec(new KeyAttentionGradient(forward.step(t), asQuery(dAttended), asQuery(dQ), backward.dK, backward.dV));
        if (weights.project()) {
            multiply(StepPart.GEMM_INPUT, dQ, weights.query(), false, dh, dh);
        } else {
            dh.addi(dQ);
        }
    }

    /** Writes the gradients of keys and values: of the queries of all time steps in one sum. */
    private static void keysBackward(Pass forward, Backward backward, LayerWorkspaceMgr workspaceMgr) {
        INDArray queries = forward.q == null ? earlier(forward.h) : later(forward.q);
        INDArray logSumExp = Layouts.copy(
                DataType.FLOAT, later(forward.logSumExp).permute(1, 0), ArrayType.BP_WORKING_MEM, workspaceMgr);
        INDArray q = batchFirst(queries, workspaceMgr);
        var sequences = new AttendedSequences(
                q,
                forward.k,
                forward.v,
                forward.visible,
                batchFirst(later(forward.attended), workspaceMgr),
                logSumExp,
                forward.heads);
        Nd4j.exec(new KeyAttentionGradient(
                sequences,
                batchFirst(later(backward.dAttended), workspaceMgr),
                AttentionProducts.like(q, q.size(2), ArrayType.BP_WORKING_MEM, workspaceMgr), // there is one already
                backward.dK,
                backward.dV));
    }

    /** @param dz [batch, time, width] */
    private void parameterGradients(Pass forward, Backward backward, INDArray dz) {
        AttentionProducts.weightGradient(forward.x, dz, gradTable.get(WEIGHT_KEY));
        INDArray dBias = gradTable.get(BIAS_KEY);
        if (dBias != null) {
            Nd4j.exec(new BiasGradient(dz, DenseProducts.vector(dBias)));
        }
        AttentionProducts.weightGradient(
                later(forward.projected), later(backward.dz), gradTable.get(RECURRENT_WEIGHT_KEY));
        AttentionWeights gradients = AttentionWeights.of(gradTable);
        if (gradients.project()) {
            AttentionProducts.weightGradient(later(backward.dQ), earlier(forward.h), gradients.query());
            AttentionProducts.weightGradient(backward.dK, forward.x, gradients.key());
            AttentionProducts.weightGradient(backward.dV, forward.x, gradients.value());
            AttentionProducts.weightGradient(later(forward.attended), later(backward.dProjected), gradients.output());
        }
    }

    /** All time steps but the first one. */
    private static INDArray later(INDArray ofTime) {
        return ofTime.get(NDArrayIndex.interval(1, ofTime.size(0)));
    }

    /** All time steps but the last one. */
    private static INDArray earlier(INDArray ofTime) {
        return ofTime.get(NDArrayIndex.interval(0, ofTime.size(0) - 1));
    }

    private static INDArray batchFirst(INDArray ofTime, LayerWorkspaceMgr workspaceMgr) {
        return Layouts.dense(ofTime.permute(1, 0, 2), ArrayType.BP_WORKING_MEM, workspaceMgr);
    }

    /** [batch, width] as one query a sequence. */
    private static INDArray asQuery(INDArray rows) {
        return rows.reshape(rows.size(0), 1, rows.size(1));
    }

    @Override
    public void clear() {
        super.clear();
        pass = null;
    }
}
